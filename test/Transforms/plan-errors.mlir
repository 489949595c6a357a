// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=-1" --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-keys=-16" --verify-diagnostics

// expected-error@below {{tile-queries and tile-keys must not be negative}}
module {
  func.func private @f()
}
