// From attention to PTX in one flag.
//
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline="emit=nvvm" | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline="chip=sm_90" | FileCheck %s --check-prefix=BINARY
//
// No op of a dialect above LLVM's and NVVM's is left in a kernel.
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline="emit=nvvm" | FileCheck %s --check-prefix=LOWERED
// LOWERED: gpu.module @causal_kernels
// LOWERED-NOT: {{ (sparse_attn|affine|arith|bufferization|cf|func|index|linalg|math|memref|scf|tensor|ub|vector|builtin\.unrealized)[._]}}
// LOWERED: func.func @dynamic
// LOWERED: gpu.module @dynamic_kernels
// LOWERED-NOT: {{ (sparse_attn|affine|arith|bufferization|cf|func|index|linalg|math|memref|scf|tensor|ub|vector|builtin\.unrealized)[._]}}
//
// Options are declared ones only, so the dumped pipeline does the same again.
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline="chip=sm_86 stages=3 tile-queries=64 warps=2" \
// RUN:   --dump-pass-pipeline 2> %t.pipeline > %t.once
// RUN: bash -c 'sparse-attn-opt %s --pass-pipeline="$(tail -n +2 %t.pipeline)"' > %t.again
// RUN: diff %t.once %t.again
//
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="chip=sm_70" 2>&1 | FileCheck %s --check-prefix=CHIP
// CHIP: unknown chip 'sm_70'; kernels are made for sm_80, sm_86, sm_89, sm_90, sm_90a, sm_100, sm_100a, sm_120, sm_120a
//
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="emit=cubin" 2>&1 | FileCheck %s --check-prefix=EMIT
// EMIT: unknown emit 'cubin'; use nvvm or ptx
//
// What some pass would fail on is refused before any runs.
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="stages=1" 2>&1 | FileCheck %s --check-prefix=STAGES --implicit-check-not=func.func
// STAGES: stages must be at least 2, for one is filled while another is read, got 1
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="warps=33" 2>&1 | FileCheck %s --check-prefix=WARPS --implicit-check-not=func.func
// WARPS: warps must be from 1 to 32, or 0 to have it chosen, got 33
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="heavy-splits=0" 2>&1 | FileCheck %s --check-prefix=SPLITS --implicit-check-not=func.func
// SPLITS: heavy-splits must be at least 1, got 0
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="tile-queries=-1" 2>&1 | FileCheck %s --check-prefix=TILE --implicit-check-not=func.func
// TILE: tile-queries must be from 1 to 65536, or 0 to have it chosen, got -1
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="tile-keys=24" 2>&1 | FileCheck %s --check-prefix=MULTIPLE --implicit-check-not=func.func
// MULTIPLE: tile-keys must be a multiple of 16 for GPUs, or 0 to have it chosen, got 24
//
// A tile too large for the chip: 512 keys of 128 bytes and as many values, twice, are
// 256 KiB.
// RUN: not sparse-attn-opt %s --sparse-attn-nvvm-pipeline="chip=sm_90 tile-keys=512" 2>&1 | FileCheck %s --check-prefix=LIMIT
// LIMIT: error: 'gpu.launch' op needs {{[0-9]+}} bytes of shared memory for 2 stages of keys and values, the queries and lists, {{[0-9]+}} more than the 232448 that a block may use; choose fewer keys or queries a tile, or fewer stages

// The host allocates the result and launches: 128 queries a block, 32 a warp. The
// kernel takes the result and the operands as pointers.
//
// CHECK-LABEL: func.func @causal
// CHECK:         memref.alloc
// CHECK:         gpu.launch_func @causal_kernels::@causal_0
// CHECK-SAME:      blocks in (%c32, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %
// CHECK-NOT:     gpu.launch_func
// CHECK:         return
// CHECK:       llvm.func @causal_0(%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME:    gpu.kernel
// CHECK-SAME:    nvvm.maxntid = array<i32: 128, 1, 1>
// CHECK-DAG:     nvvm.cp.async.shared.global
// CHECK-DAG:     nvvm.ldmatrix
// CHECK-DAG:     nvvm.mma.sync
// CHECK-DAG:     ex2.approx
//
// BINARY:       gpu.binary @causal_kernels
// BINARY-SAME:    #nvvm.target<{{.*}}chip = "sm_90", features = "+ptx78"
// BINARY-SAME:    .version 7.8
// BINARY-SAME:    .target sm_90
// BINARY-SAME:    .visible .entry causal_0(
func.func @causal(%q: tensor<1x4x1024x64xf16>, %k: tensor<1x4x1024x64xf16>,
                  %v: tensor<1x4x1024x64xf16>) -> tensor<1x4x1024x64xf16> {
  %init = tensor.empty() : tensor<1x4x1024x64xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : tensor<1x4x1024x64xf16>, tensor<1x4x1024x64xf16>, tensor<1x4x1024x64xf16>)
      outs(%init : tensor<1x4x1024x64xf16>) -> tensor<1x4x1024x64xf16>
  return %o : tensor<1x4x1024x64xf16>
}

// Sizes known at run time only follow the pointers, as i32, buffer by buffer.
//
// CHECK-LABEL: func.func @dynamic
// CHECK:         gpu.launch_func @dynamic_kernels::@dynamic_0
// CHECK:       llvm.func @dynamic_0(
// CHECK-COUNT-4: !llvm.ptr<1>
// CHECK-COUNT-4: i32
// CHECK-SAME:    attributes
func.func @dynamic(%q: tensor<1x4x?x64xbf16>, %k: tensor<1x4x?x64xbf16>,
                   %v: tensor<1x4x?x64xbf16>) -> tensor<1x4x?x64xbf16> {
  %c2 = arith.constant 2 : index
  %s = tensor.dim %q, %c2 : tensor<1x4x?x64xbf16>
  %init = tensor.empty(%s) : tensor<1x4x?x64xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 255, right = 0>)
      ins(%q, %k, %v : tensor<1x4x?x64xbf16>, tensor<1x4x?x64xbf16>, tensor<1x4x?x64xbf16>)
      outs(%init : tensor<1x4x?x64xbf16>) -> tensor<1x4x?x64xbf16>
  return %o : tensor<1x4x?x64xbf16>
}
