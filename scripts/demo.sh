#!/usr/bin/env bash
# From a fresh machine to checked results: installs what is needed, builds three
# tools, shows the Longformer example's mask and cost, compiles it for this CPU,
# runs it and compares it with the reference in double precision; then compiles
# Longformer and BigBird to PTX, and runs such kernels in the emulator: with one
# head, since emulating all 12 takes 12 times as long and shows no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

heading() {
  printf '\n== %s\n\n' "$*"
}

heading "Installing dependencies"
scripts/install-deps.sh
heading "Building"
scripts/build.sh sparse-attn-inspect sparse-attn-run sparse-attn-compile

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

heading "One head of each in the emulator, all 4096 tokens, checked likewise"
for name in "${gpu_examples[@]}"; do
  sed 's/tensor<1x12x/tensor<1x1x/g' "examples/$name.mlir" \
    > "build/demo/$name-one-head.mlir"
  build/bin/sparse-attn-run "build/demo/$name-one-head.mlir" \
    --device=emulator --check
done
