// RUN: sparse-attn-opt %s --sparse-attn-set-sm-count="count=132" | FileCheck %s

func.func @parts(%tiles: index) -> index {
  %sms = sparse_attn.sm_count
  %parts = arith.floordivsi %sms, %tiles : index
  %argument = sparse_attn.launch_argument %parts
  return %argument : index
}

// CHECK:      %[[SMS:.*]] = arith.constant 132 : index
// CHECK:      %[[PARTS:.*]] = arith.floordivsi %[[SMS]]
// CHECK:      return %[[PARTS]]
