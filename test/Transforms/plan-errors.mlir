// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=-1" --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-keys=65537" --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-keys=-16" --verify-diagnostics

// expected-error@below {{tile-queries and tile-keys must be from 1 to 65536, or 0 to have them chosen; got}}
module {
  func.func private @f()
}
