// RUN: sparse-attn-opt %s --sparse-attn-expand-division | FileCheck %s

gpu.module @kernels {
  // Rounding down by a power of two is a shift.
  //
  // CHECK-LABEL: func.func @power_of_two
  // CHECK-SAME:    %[[X:.*]]: index
  // CHECK:         %[[Q:.*]] = arith.shrsi %[[X]], %c6
  // CHECK:         return %[[Q]]
  func.func @power_of_two(%x: index) -> index {
    %c64 = arith.constant 64 : index
    %q = arith.floordivsi %x, %c64 : index
    return %q : index
  }

  // By any other number it is a division, corrected; so is rounding up. A maximum
  // is left alone.
  //
  // CHECK-LABEL: func.func @other
  // CHECK:         arith.divsi
  // CHECK-NOT:     arith.floordivsi
  // CHECK-NOT:     arith.ceildivsi
  // CHECK:         arith.maxsi
  func.func @other(%x: index, %y: index) -> index {
    %down = arith.floordivsi %x, %y : index
    %up = arith.ceildivsi %x, %y : index
    %m = arith.maxsi %down, %up : index
    return %m : index
  }
}
