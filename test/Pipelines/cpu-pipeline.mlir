// From attention to the LLVM dialect for the CPU in one flag.
//
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline | FileCheck %s
//
// No op of a dialect above LLVM's and OpenMP's is left.
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline | FileCheck %s --check-prefix=LOWERED
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline="openmp=false" | FileCheck %s --check-prefixes=LOWERED,SEQUENTIAL
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline="dense=true" | FileCheck %s --check-prefix=LOWERED
// LOWERED-NOT: {{ (sparse_attn|affine|arith|bufferization|cf|func|index|linalg|math|memref|scf|tensor|ub|vector|builtin\.unrealized)[._]}}
// SEQUENTIAL-NOT: {{ omp\.}}
//
// Options are declared ones only, so the dumped pipeline does the same again.
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline="tile-queries=32 lanes=8 registers=16" \
// RUN:   --dump-pass-pipeline -o %t.once 2> %t.pipeline
// RUN: bash -c 'sparse-attn-opt %s --pass-pipeline="$(tail -n +2 %t.pipeline)" -o %t.again'
// RUN: diff %t.once %t.again
//
// What some pass would fail on is refused before any runs.
// RUN: not sparse-attn-opt %s --sparse-attn-cpu-pipeline="lanes=0" 2>&1 | FileCheck %s --check-prefix=LANES --implicit-check-not=func.func
// LANES: lanes must be at least 1, got 0
// RUN: not sparse-attn-opt %s --sparse-attn-cpu-pipeline="registers=3" 2>&1 | FileCheck %s --check-prefix=REGISTERS --implicit-check-not=func.func
// REGISTERS: registers must be at least 4, got 3
// RUN: not sparse-attn-opt %s --sparse-attn-cpu-pipeline="heavy-splits=0" 2>&1 | FileCheck %s --check-prefix=SPLITS --implicit-check-not=func.func
// SPLITS: heavy-splits must be at least 1, got 0
// RUN: not sparse-attn-opt %s --sparse-attn-cpu-pipeline="tile-keys=70000" 2>&1 | FileCheck %s --check-prefix=TILE --implicit-check-not=func.func
// TILE: tile-keys must be from 1 to 65536, or 0 to have it chosen, got 70000
// RUN: not sparse-attn-opt %s --sparse-attn-cpu-pipeline="target=sm_80" 2>&1 | FileCheck %s --check-prefix=TARGET --implicit-check-not=func.func
// TARGET: unknown target 'sm_80'; code is made for {{.*}}x86-64-v3

// The result is the one thing allocated on the heap. A thread's tiles are on
// its stack, allocated once: nothing is allocated in any loop.
//
// CHECK-LABEL: llvm.func @causal(
// CHECK-COUNT-1: llvm.call @malloc
// CHECK-NOT:     malloc
// CHECK:         omp.parallel
// CHECK:           llvm.alloca
// CHECK:           omp.wsloop schedule(dynamic)
// CHECK-NOT:       malloc
// CHECK-NOT:       llvm.alloca
// CHECK:             llvm.intr.fma
// CHECK-NOT:       malloc
// CHECK-NOT:       llvm.alloca
// CHECK:           omp.terminator
// CHECK-NOT:     malloc
// CHECK:         llvm.return
func.func @causal(%q: tensor<1x4x1024x64xf32>, %k: tensor<1x4x1024x64xf32>,
                  %v: tensor<1x4x1024x64xf32>) -> tensor<1x4x1024x64xf32> {
  %init = tensor.empty() : tensor<1x4x1024x64xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : tensor<1x4x1024x64xf32>, tensor<1x4x1024x64xf32>, tensor<1x4x1024x64xf32>)
      outs(%init : tensor<1x4x1024x64xf32>) -> tensor<1x4x1024x64xf32>
  return %o : tensor<1x4x1024x64xf32>
}

// 16-bit elements and lengths known at run time only: the same holds. A caller
// finds the function under its C name as well.
//
// CHECK-LABEL: llvm.func @dynamic(
// CHECK-COUNT-1: llvm.call @malloc
// CHECK:         omp.wsloop schedule(dynamic)
// CHECK-NOT:     malloc
// CHECK:           llvm.intr.fma
// CHECK-NOT:     malloc
// CHECK:         llvm.return
// CHECK:       llvm.func @_mlir_ciface_dynamic(
func.func @dynamic(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
                   %v: tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : tensor<?x?x?x64xbf16>
  %h = tensor.dim %q, %c1 : tensor<?x?x?x64xbf16>
  %s = tensor.dim %q, %c2 : tensor<?x?x?x64xbf16>
  %init = tensor.empty(%b, %h, %s) : tensor<?x?x?x64xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 255, right = 0>)
      ins(%q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
      outs(%init : tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
