// RUN: sparse-attn-opt %s --sparse-attn-plan="target=tpu" --verify-diagnostics

// expected-error@below {{unknown target 'tpu'; use cpu or gpu}}
module {
  func.func private @f()
}
