// What kernels are made of, as numbers.
//
// RUN: sparse-attn-opt %S/map-to-gpu-example.mlir --sparse-attn-map-to-gpu \
// RUN:   --remarks-filter='sparse-attn-.*' -o /dev/null 2>&1 | FileCheck %s
//
// CHECK: remark: [Analysis] launch | Category:sparse-attn-map-to-gpu | rows=32, warps=2
