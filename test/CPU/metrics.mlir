// What the CPU passes make of registers and memory, as numbers: products of the example in
// micro-kernels of 8 rows by 3 vectors, in 24 of 32 registers, and buffers that a thread
// allocates once.
//
// RUN: sparse-attn-opt %S/tile-registers-example.mlir --sparse-attn-tile-registers \
// RUN:   --remarks-filter='sparse-attn-.*' -o /dev/null 2>&1 | FileCheck %s
// RUN: sparse-attn-opt %S/thread-buffers-example.mlir --sparse-attn-thread-buffers \
// RUN:   --remarks-filter='sparse-attn-.*' -o /dev/null 2>&1 | FileCheck %s --check-prefix=BUFFER
//
// CHECK:  remark: [Analysis] micro-kernel | Category:sparse-attn-tile-registers |
// CHECK-SAME: accumulators=24, lanes=16, registers=32, rows=8, vectors=3
// BUFFER: remark: [Analysis] thread-buffer | Category:sparse-attn-thread-buffers | elements=64
