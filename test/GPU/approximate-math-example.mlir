// RUN: sparse-attn-opt %s --sparse-attn-approximate-math | FileCheck %s

gpu.module @kernels {
  func.func @exponential(%s: vector<2xf32>) -> vector<2xf32> {
    %p = math.exp2 %s : vector<2xf32>
    return %p : vector<2xf32>
  }
}

// CHECK:      %[[S:.*]]:2 = vector.to_elements %{{.*}} : vector<2xf32>
// CHECK-NEXT: %[[P0:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[S]]#0) : (f32) -> f32
// CHECK-NEXT: %[[P1:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[S]]#1) : (f32) -> f32
// CHECK-NEXT: %[[P:.*]] = vector.from_elements %[[P0]], %[[P1]] : vector<2xf32>
