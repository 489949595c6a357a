#!/usr/bin/env bash
# From a fresh machine to a checked result: installs what is needed, builds,
# shows the Longformer example's mask and cost, compiles it for this CPU, runs
# it and compares it with the reference in double precision.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

heading() {
  printf '\n== %s\n\n' "$*"
}

heading "Installing dependencies"
scripts/install-deps.sh
heading "Building"
scripts/build.sh

example=examples/longformer.mlir
heading "The mask of $example: what is computed, and what is skipped"
build/bin/sparse-attn-inspect "$example" --prove --layers=12

heading "Running it on this CPU, checked against the reference"
build/bin/sparse-attn-run "$example" --device=cpu --repeat=5 --check
