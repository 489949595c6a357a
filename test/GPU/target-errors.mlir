// Every pass whose output depends on the chip refuses one that it does not know.
//
// RUN: not sparse-attn-opt %s --sparse-attn-map-to-gpu="target=sm_70" 2>&1 | FileCheck %s
// RUN: not sparse-attn-opt %s --pass-pipeline="builtin.module(func.func(sparse-attn-verify-target{target=sm_70}))" 2>&1 | FileCheck %s
// RUN: not sparse-attn-opt %s --pass-pipeline="builtin.module(func.func(sparse-attn-stage-operands{target=sm_70}))" 2>&1 | FileCheck %s
// RUN: not sparse-attn-opt %s --pass-pipeline="builtin.module(func.func(sparse-attn-copies-to-cp-async{target=sm_70}))" 2>&1 | FileCheck %s
//
// CHECK: error: unknown chip 'sm_70'; kernels are made for sm_80, sm_86, {{.*}}sm_120a
func.func @f() {
  return
}
