#!/usr/bin/env bash
# From a fresh machine to checked results: installs what is needed, builds,
# shows the Longformer example's mask and cost, compiles it for this CPU, runs
# it and compares it with the reference in double precision; then compiles
# Longformer and BigBird to PTX, and runs those kernels in the emulator.
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

gpu_examples=(longformer bigbird)
heading "The same files for GPUs: PTX for sm_80 and sm_90 in build/demo"
for name in "${gpu_examples[@]}"; do
  build/bin/sparse-attn-compile "examples/$name.mlir" --target=sm_80,sm_90 \
    --emit=ptx,manifest,header -o "build/demo/$name"
done
find build/demo -name '*.ptx' -printf '%f\n' | sort

heading "Those kernels in the emulator, checked against the reference"
for name in "${gpu_examples[@]}"; do
  build/bin/sparse-attn-run "examples/$name.mlir" --device=emulator --check
done
