// Kernels, launches and every op that the emulator knows.
//
// RUN: sparse-attn-opt %s --sparse-attn-emulate | FileCheck %s

// CHECK-NOT: gpu.container_module
module attributes {gpu.container_module} {

// Shared variables of each kernel as (bytes, alignment): @small and @dynamic are
// used by @kernel, -1 stands for one that is not.
//
// CHECK-DAG: llvm.mlir.global internal constant @m_kernel_descriptor() {{.*}} : !llvm.struct<(ptr, ptr, ptr, ptr, i64, i64)> {
// CHECK-DAG: llvm.mlir.global internal constant @m_kernel_shared() {{.*}} : !llvm.array<6 x i64> {
// CHECK-DAG: llvm.mlir.global internal constant @m_kernel_name("kernel\00")
// CHECK-DAG: llvm.mlir.global internal constant @sparse_attn_emu_operations("{{.*}}emulate.mlir:[[#]]:[[#]]: llvm.load\00
// CHECK-DAG: llvm.mlir.global internal constant @m_table(dense<[1, 2]> : tensor<2xi32>) {addr_space = 0 : i32}

// The host

// CHECK-LABEL: func.func @host(
// CHECK-SAME:    %[[P:.*]]: !llvm.ptr, %[[N:.*]]: i32, %[[GRID:.*]]: index)
// CHECK:         %[[ARGUMENTS:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(ptr, i32)>
// CHECK:         %[[FIRST:.*]] = llvm.getelementptr %[[ARGUMENTS]][0, 0]
// CHECK:         llvm.store %[[P]], %[[FIRST]]
// CHECK:         %[[SECOND:.*]] = llvm.getelementptr %[[ARGUMENTS]][0, 1]
// CHECK:         llvm.store %[[N]], %[[SECOND]]
// CHECK:         %[[TABLE:.*]] = llvm.mlir.addressof @m_table
// CHECK:         %[[BYTES:.*]] = llvm.mlir.constant(8 : i64)
// CHECK:         llvm.call @sparse_attn_emu_register(%[[TABLE]], %[[BYTES]])
// CHECK:         %[[DESCRIPTOR:.*]] = llvm.mlir.addressof @m_kernel_descriptor
// CHECK:         %[[GRID64:.*]] = arith.index_cast %[[GRID]] : index to i64
// CHECK:         %[[SHARED:.*]] = llvm.zext %[[N]] : i32 to i64
// CHECK:         llvm.call @sparse_attn_emu_launch(%[[DESCRIPTOR]], %[[GRID64]], {{.*}}, %[[SHARED]], %[[ARGUMENTS]])
func.func @host(%p: !llvm.ptr, %n: i32, %grid: index) {
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch_func @m::@kernel blocks in (%grid, %c1, %c1) threads in (%c32, %c1, %c1)
      dynamic_shared_memory_size %n args(%p : !llvm.ptr, %n : i32)
  return
}

gpu.module @m {
  llvm.mlir.global internal @small() {addr_space = 3 : i32} : !llvm.array<4 x f32>
  llvm.mlir.global external @dynamic() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
  llvm.mlir.global internal @unused() {addr_space = 3 : i32} : f32
  llvm.mlir.global internal constant @table(dense<[1, 2]> : tensor<2xi32>) {addr_space = 4 : i32} : !llvm.array<2 x i32>

  // Memory: the address, its bytes, the alignment, and whether it reads (1),
  // writes (2), is atomic (4).

  // CHECK-LABEL: llvm.func internal @m_kernel(
  // CHECK-SAME:    %[[A:.*]]: !llvm.ptr, %{{.*}}: i32) {
  llvm.func @kernel(%a: !llvm.ptr<1> {llvm.noalias}, %n: i32) attributes {gpu.kernel, nvvm.kernel} {
    // CHECK-DAG:  %[[C16:.*]] = llvm.mlir.constant(16 : i32)
    // CHECK-DAG:  %[[C8:.*]] = llvm.mlir.constant(8 : i32)
    // CHECK-DAG:  %[[READ:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_access_global(%[[A]], %[[C16]], %[[C8]], %[[READ]], %{{.*}}) : (!llvm.ptr, i32, i32, i32, i32) -> ()
    // CHECK-NEXT: %[[V:.*]] = llvm.load %[[A]] {alignment = 8 : i64} : !llvm.ptr -> vector<8xf16>
    %v = llvm.load %a invariant {alignment = 8 : i64} : !llvm.ptr<1> -> vector<8xf16>

    // CHECK:      %[[INDEX:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK:      %[[SMALL:.*]] = llvm.call @sparse_attn_emu_shared(%[[INDEX]]) : (i32) -> !llvm.ptr
    // CHECK:      %[[WRITE:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_access_shared(%[[SMALL]], %{{.*}}, %{{.*}}, %[[WRITE]], %{{.*}})
    // CHECK-NEXT: llvm.store %[[V]], %[[SMALL]]
    %small = llvm.mlir.addressof @small : !llvm.ptr<3>
    llvm.store %v, %small : vector<8xf16>, !llvm.ptr<3>

    // CHECK:      %[[DYNAMIC:.*]] = llvm.call @sparse_attn_emu_shared
    // CHECK-NOT:  addrspacecast
    // CHECK:      llvm.call @sparse_attn_emu_access_generic(%[[DYNAMIC]]
    %dynamic = llvm.mlir.addressof @dynamic : !llvm.ptr<3>
    %generic = llvm.addrspacecast %dynamic : !llvm.ptr<3> to !llvm.ptr
    %x = llvm.load %generic : !llvm.ptr -> i32

    // A thread's own stack is not watched.
    //
    // CHECK:      llvm.alloca
    // CHECK-NOT:  llvm.call
    // CHECK:      llvm.store
    %c1 = llvm.mlir.constant(1 : i32) : i32
    %mine = llvm.alloca %c1 x i32 : (i32) -> !llvm.ptr
    %field = llvm.getelementptr %mine[0] : (!llvm.ptr) -> !llvm.ptr, i32
    llvm.store %x, %field : i32, !llvm.ptr

    // CHECK:      %[[UPDATE:.*]] = llvm.mlir.constant(7 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_access_global(%[[A]], %{{.*}}, %{{.*}}, %[[UPDATE]], %{{.*}})
    // CHECK:      %[[STORE:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK:      %[[LOAD:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_atomic_order(%[[A]], %[[STORE]], %[[LOAD]], %{{.*}})
    // CHECK:      llvm.atomicrmw add %[[A]], %{{.*}} acq_rel : !llvm.ptr, i32
    %old = llvm.atomicrmw add %a, %x syncscope("device") acq_rel : !llvm.ptr<1>, i32
    // CHECK:      %[[STORE:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      %[[LOAD:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_atomic_order(%[[A]], %[[STORE]], %[[LOAD]], %{{.*}})
    // CHECK:      llvm.cmpxchg
    %pair = llvm.cmpxchg %a, %x, %old acquire monotonic : !llvm.ptr<1>, i32
    // CHECK:      llvm.call @sparse_attn_emu_fence(
    llvm.fence syncscope("device") seq_cst
    // CHECK:      llvm.call @sparse_attn_emu_fence(
    nvvm.memory.barrier <gpu>
    // CHECK-NOT:  llvm.fence
    %table = llvm.mlir.addressof @table : !llvm.ptr<4>
    %first = llvm.load %table : !llvm.ptr<4> -> i32
    llvm.call @helper(%x) : (i32) -> ()
    llvm.return
  }

  // CHECK-LABEL: llvm.func internal @m_helper(
  llvm.func @helper(%x: i32) {
    // CHECK:      %[[TIDY:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_special_register(%[[TIDY]]) : (i32) -> i32
    %tid = nvvm.read.ptx.sreg.tid.y : i32

    // CHECK:      %[[C0:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK:      %[[ALL:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_barrier(%[[C0]], %[[ALL]], %{{.*}})
    nvvm.barrier0
    // CHECK:      llvm.call @sparse_attn_emu_barrier(%[[X:.*]], %[[X]], %{{.*}})
    nvvm.barrier id = %x number_of_threads = %x
    // CHECK:      %[[AND:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_barrier_reduce(%[[AND]], %{{.*}}, %{{.*}}, %[[X]], %{{.*}})
    %all = nvvm.barrier #nvvm.reduction<and> %x -> i32
    // CHECK:      %[[VOTE:.*]] = llvm.zext %{{.*}} : i1 to i32
    // CHECK:      %[[AND_SOME:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      %[[SOME:.*]] = llvm.call @sparse_attn_emu_barrier_reduce(%[[AND_SOME]], %[[X]], %[[X]], %[[VOTE]], %{{.*}})
    // CHECK:      llvm.trunc %[[SOME]] : i32 to i1
    %bit = llvm.trunc %x : i32 to i1
    %some = llvm.call_intrinsic "llvm.nvvm.barrier.cta.red.and.aligned.count"(%x, %x, %bit) : (i32, i32, i1) -> i1
    // CHECK:      %[[COUNT:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_barrier_reduce(%[[COUNT]], %[[X]], %[[X]], %{{.*}}, %{{.*}})
    // CHECK-NOT:  llvm.trunc
    %count = llvm.call_intrinsic "llvm.nvvm.barrier.cta.red.popc.aligned.count"(%x, %x, %bit) : (i32, i32, i1) -> i32
    // CHECK:      llvm.call @sparse_attn_emu_barrier_arrive(%{{.*}}, %[[X]], %{{.*}})
    nvvm.barrier.arrive number_of_threads = %x
    // CHECK:      llvm.call @sparse_attn_emu_warp_sync(%[[X]], %{{.*}})
    nvvm.bar.warp.sync %x : i32

    // CHECK:      %[[BITS:.*]] = llvm.bitcast %[[F:.*]] : f32 to i32
    // CHECK:      %[[BOTH:.*]] = llvm.call @sparse_attn_emu_shuffle(%{{.*}}, %[[X]], %[[BITS]], %[[X]], %[[X]], %{{.*}}) : {{.*}} -> i64
    // CHECK:      %[[LOW:.*]] = llvm.trunc %[[BOTH]] : i64 to i32
    // CHECK:      llvm.bitcast %[[LOW]] : i32 to f32
    // CHECK:      %[[HIGH:.*]] = llvm.lshr %[[BOTH]]
    // CHECK:      llvm.trunc %[[HIGH]] : i64 to i1
    %f = llvm.bitcast %x : i32 to f32
    %g = nvvm.shfl.sync bfly %x, %f, %x, %x {return_value_and_is_valid} : f32 -> !llvm.struct<(f32, i1)>
    // CHECK:      llvm.call @sparse_attn_emu_elect(
    %e = nvvm.elect.sync -> i1
    // CHECK:      llvm.call @sparse_attn_emu_vote(
    %vote = nvvm.vote.sync any %x, %e -> i1
    // CHECK:      llvm.call @sparse_attn_emu_reduce(
    %r = nvvm.redux.sync add %x, %x : i32 -> i32
    llvm.return
  }

  // CHECK-LABEL: llvm.func internal @m_matrices(
  llvm.func @matrices(%s: !llvm.ptr<3>, %g: !llvm.ptr<1>, %h: vector<2xf16>, %c: f32) {
    // One exchange of the function serves all its operations.
    //
    // CHECK:      %[[EXCHANGE:.*]] = llvm.alloca %{{.*}} x !llvm.array<16 x i32>
    // CHECK:      %[[NUM:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK:      %[[TRANSPOSED:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_ldmatrix(%{{.*}}, %[[EXCHANGE]], %[[NUM]], %[[TRANSPOSED]], %{{.*}})
    // CHECK:      llvm.insertvalue %{{.*}}[1] : !llvm.struct<(i32, i32)>
    %l = nvvm.ldmatrix %s {num = 2 : i32, layout = #nvvm.mma_layout<col>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
    %i = llvm.extractvalue %l[0] : !llvm.struct<(i32, i32)>
    // CHECK:      llvm.call @sparse_attn_emu_stmatrix(
    nvvm.stmatrix %s, %i {layout = #nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : !llvm.ptr<3>, i32

    // CHECK:      llvm.getelementptr %[[EXCHANGE]][0]
    // CHECK:      llvm.getelementptr %[[EXCHANGE]][4]
    // CHECK:      llvm.getelementptr %[[EXCHANGE]][6]
    // CHECK:      llvm.call @sparse_attn_emu_mma(%[[EXCHANGE]],
    // CHECK:      llvm.getelementptr %[[EXCHANGE]][13]
    %d = nvvm.mma.sync A[%h, %h, %h, %h] B[%h, %h] C[%c, %c, %c, %c]
      {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
      : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>

    // CHECK:      %[[C16:.*]] = llvm.mlir.constant(16 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_cp_async(%{{.*}}, %{{.*}}, %[[C16]], %{{.*}}, %{{.*}})
    // CHECK-NEXT: llvm.call @sparse_attn_emu_cp_async_commit() : () -> ()
    // CHECK-NEXT: %[[NEWEST:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK-NEXT: llvm.call @sparse_attn_emu_cp_async_wait(%[[NEWEST]])
    // CHECK-NEXT: %[[NONE:.*]] = llvm.mlir.constant(-1 : i32)
    // CHECK-NEXT: llvm.call @sparse_attn_emu_cp_async_wait(%[[NONE]])
    nvvm.cp.async.shared.global %s, %g, 16, cache = cg, %i : !llvm.ptr<3>, !llvm.ptr<1>, i32
    nvvm.cp.async.commit.group
    nvvm.cp.async.wait.group 1
    llvm.call_intrinsic "llvm.nvvm.cp.async.wait.all"() : () -> ()
    llvm.return
  }

  // CHECK-LABEL: llvm.func internal @m_mbarriers(
  // CHECK-SAME:    %[[S:.*]]: !llvm.ptr, %[[I:.*]]: i32)
  llvm.func @mbarriers(%s: !llvm.ptr<3>, %i: i32) {
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_init(%[[S]], %[[I]], %{{.*}}) : (!llvm.ptr, i32, i32) -> ()
    nvvm.mbarrier.init %s, %i : !llvm.ptr<3>, i32
    // CHECK:      %[[ONE:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK-NEXT: %[[MAY:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      %[[STATE:.*]] = llvm.call @sparse_attn_emu_mbarrier_arrive(%[[S]], %[[ONE]], %[[MAY]], %{{.*}}) : (!llvm.ptr, i32, i32, i32) -> i64
    %state = nvvm.mbarrier.arrive %s : !llvm.ptr<3> -> i64
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_arrive(%[[S]], %[[I]],
    nvvm.mbarrier.arrive %s, %i : !llvm.ptr<3>
    // CHECK:      %[[MAY_NOT:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_arrive(%[[S]], %[[I]], %[[MAY_NOT]],
    %other = nvvm.mbarrier.arrive.nocomplete %s, %i : !llvm.ptr<3>, i32 -> i64
    // CHECK:      %[[COUNTED:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_arrive_with_copies(%[[S]], %[[COUNTED]],
    nvvm.cp.async.mbarrier.arrive %s {noinc = true} : !llvm.ptr<3>
    // CHECK:      %[[ON_TOP:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_arrive_with_copies(%[[S]], %[[ON_TOP]],
    nvvm.cp.async.mbarrier.arrive %s : !llvm.ptr<3>
    // CHECK:      %[[DONE:.*]] = llvm.call @sparse_attn_emu_mbarrier_test(%[[S]], %[[STATE]], %{{.*}}) : (!llvm.ptr, i64, i32) -> i32
    // CHECK-NEXT: llvm.trunc %[[DONE]] : i32 to i1
    %0 = nvvm.mbarrier.test.wait %s, %state : !llvm.ptr<3>, i64 -> i1
    // CHECK:      %[[TESTS:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_test_parity(%[[S]], %[[I]], %[[TESTS]], %{{.*}}) : (!llvm.ptr, i32, i32, i32) -> i32
    %1 = nvvm.mbarrier.test.wait %s, %i : !llvm.ptr<3>, i32 -> i1
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_test(%[[S]], %[[STATE]],
    %2 = nvvm.mbarrier.try_wait %s, %state : !llvm.ptr<3>, i64 -> i1
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_test_parity(%[[S]], %[[I]],
    %3 = nvvm.mbarrier.try_wait %s, %i, %i : !llvm.ptr<3>, i32, i32 -> i1
    // CHECK:      %[[WAITS:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_test_parity(%[[S]], %[[I]], %[[WAITS]],
    nvvm.mbarrier.try_wait.parity %s, %i, %i : !llvm.ptr<3>, i32, i32
    // CHECK:      llvm.call @sparse_attn_emu_mbarrier_invalidate(%[[S]],
    nvvm.mbarrier.inval %s : !llvm.ptr<3>
    llvm.return
  }

  // CHECK-LABEL: llvm.func internal @m_arithmetic(
  llvm.func @arithmetic(%x: f32, %v: vector<4xf32>, %i: i32) {
    // CHECK:      llvm.call @sparse_attn_emu_ex2_ftz(%[[X:.*]]) : (f32) -> f32
    %0 = nvvm.inline_ptx "ex2.approx.ftz.f32 $0, $1;" ro(%x : f32) -> f32
    // CHECK-NEXT: llvm.call @sparse_attn_emu_pack_bf16(%[[X]], %[[X]]) : (f32, f32) -> i32
    %1 = nvvm.inline_ptx "cvt.rn.bf16x2.f32 %0, %1, %2;" ro(%x, %x : f32, f32) -> i32
    // CHECK-NEXT: llvm.call @sparse_attn_emu_ex2_ftz(
    %2 = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%x) : (f32) -> f32
    // CHECK-NEXT: %[[PACKED:.*]] = llvm.call @sparse_attn_emu_pack_f16(
    // CHECK-NEXT: llvm.bitcast %[[PACKED]] : i32 to vector<2xf16>
    %3 = nvvm.convert.f32x2.to.f16x2 %x, %x {rnd = #nvvm.fp_rnd_mode<rn>} : vector<2xf16>
    // CHECK-NEXT: llvm.call @sparse_attn_emu_pack_bf16(
    %4 = nvvm.convert.f32x2.to.bf16x2 %x, %x {rnd = #nvvm.fp_rnd_mode<rn>} : vector<2xbf16>
    // CHECK:      llvm.call @sparse_attn_emu_to_tf32(
    %5 = nvvm.convert.float.to.tf32 %x {rnd = #nvvm.fp_rnd_mode<rna>}
    // CHECK-NEXT: llvm.call @sparse_attn_emu_rcp_ftz(
    %6 = nvvm.rcp.approx.ftz.f %x : f32
    // CHECK-NEXT: llvm.call @sparse_attn_emu_permute(
    %7 = nvvm.prmt <default> %i, %i, %i : i32

    // No conversion to bf16 is left: a CPU's flushes subnormals.
    //
    // CHECK-NOT:  llvm.fptrunc
    // CHECK:      llvm.fcmp "uno" %[[V:.*]], %[[V]] : vector<4xf32>
    // CHECK:      llvm.bitcast %{{.*}} : vector<4xi16> to vector<4xbf16>
    %8 = llvm.fptrunc %v : vector<4xf32> to vector<4xbf16>
    llvm.return
  }
}

// CHECK-LABEL: llvm.func internal @m_kernel_entry(
// CHECK:         llvm.call @m_kernel(%{{.*}}, %{{.*}}) : (!llvm.ptr, i32) -> ()
}
