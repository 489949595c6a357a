// RUN: sparse-attn-opt %s --sparse-attn-tile-registers="lanes=0" --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers="registers=3" --verify-diagnostics

// A block of C needs an accumulator, a vector of B and a broadcast.
// expected-error@below {{lanes must be at least 1 and registers at least 4}}
func.func @f() {
  return
}
