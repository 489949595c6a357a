// Launches next to each other that do not depend on one another become one.
//
// RUN: sparse-attn-opt %s --sparse-attn-join-launches --split-input-file | FileCheck %s

// The first blocks are those of the first launch. Of 128 threads it has 64, which its
// barriers wait for; both start at the same address of shared memory, of which the
// block has what the larger one takes. Kernels are numbered anew.
//
// CHECK-LABEL: func.func @parts_and_rows
// CHECK-SAME:    %[[X:.*]]: memref<8xi32, #gpu.address_space<global>>
// CHECK:         gpu.launch blocks(%[[BLOCK:[a-z0-9_]+]], {{.*}}) in (%{{.*}} = %c12{{[_0-9]*}}, {{.*}}) threads(%[[THREAD:[a-z0-9_]+]], {{.*}}) in (%{{.*}} = %c128{{[_0-9]*}},
// CHECK-SAME:      dynamic_shared_memory_size %c4096_i32
// CHECK-SAME:      function(@parts_and_rows_0)
// CHECK-SAME:      workgroup(%[[LIST:.*]] : memref<4xi32, #gpu.address_space<workgroup>>)
// CHECK:           %[[IS_PART:.*]] = arith.cmpi ult, %[[BLOCK]], %c4{{[_0-9]*}}
// CHECK:           scf.if %[[IS_PART]] {
// CHECK:             %[[HAS_WORK:.*]] = arith.cmpi ult, %[[THREAD]], %c64
// CHECK:             scf.if %[[HAS_WORK]] {
// CHECK:               nvvm.barrier id = %c1_i32{{[_0-9]*}} number_of_threads = %c64_i32
// CHECK:               %[[VOTE:.*]] = arith.cmpi ne, %{{.*}}, %c0_i32{{[_0-9]*}} : i32
// CHECK:               %[[ALL:.*]] = llvm.call_intrinsic "llvm.nvvm.barrier.cta.red.and.aligned.count"(%{{.*}}, %{{.*}}, %[[VOTE]])
// CHECK:               %[[NUMBER:.*]] = arith.extui %[[ALL]] : i1 to i32
// CHECK:               memref.store %[[NUMBER]], %[[X]][%[[BLOCK]]]
// CHECK:               llvm.call_intrinsic "llvm.nvvm.barrier.cta.red.popc.aligned.count"({{.*}}) : (i32, i32, i1) -> i32
// CHECK:             }
// CHECK:           } else {
// CHECK:             %[[ROW:.*]] = arith.subi %[[BLOCK]], %c4{{[_0-9]*}} : index
// CHECK:             gpu.barrier
// CHECK:             memref.store %{{.*}}, %[[LIST]]
// CHECK:             memref.store %{{.*}}, %[[X]][%[[ROW]]]
// CHECK:           }
// CHECK:           gpu.terminator
// CHECK-NOT:     together
// CHECK:         memref.store
// CHECK:         gpu.launch {{.*}} function(@parts_and_rows_1)
// CHECK-NOT:     gpu.launch
gpu.module @f_kernels {}
func.func @parts_and_rows(%x: memref<8xi32, #gpu.address_space<global>>, %y: memref<8xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %few = arith.constant 2050 : i32
  %many = arith.constant 4096 : i32
  %number = arith.constant 7 : i32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c4, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1)
             dynamic_shared_memory_size %few module(@f_kernels) function(@f_0) {
    %one = arith.constant 1 : i32
    gpu.barrier
    %all = nvvm.barrier #nvvm.reduction<and> %one -> i32
    memref.store %all, %x[%bx] : memref<8xi32, #gpu.address_space<global>>
    %count = nvvm.barrier #nvvm.reduction<popc> %one -> i32
    gpu.terminator
  } {sparse_attn.together}
  %scratch = memref.alloc() : memref<4xi32>
  %sum = arith.addi %number, %number : i32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1)
             dynamic_shared_memory_size %many module(@f_kernels) function(@f_1)
             workgroup(%list : memref<4xi32, #gpu.address_space<workgroup>>) {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : i32
    gpu.barrier
    memref.store %one, %list[%zero] : memref<4xi32, #gpu.address_space<workgroup>>
    memref.store %one, %x[%bx] : memref<8xi32, #gpu.address_space<global>>
    gpu.terminator
  } {sparse_attn.together}
  memref.store %sum, %scratch[%c0] : memref<4xi32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1)
             module(@f_kernels) function(@f_2) {
    gpu.terminator
  }
  return
}

// -----

// What reads or writes memory between two launches keeps them apart, and so does a
// launch that depends on others. Sizes that are known at run time are added up.
//
// CHECK-LABEL: func.func @apart
// CHECK-SAME:    %[[N:.*]]: index,
// CHECK:         gpu.launch
// CHECK:         memref.store
// CHECK:         %[[SUM:.*]] = arith.addi %{{.*}}, %[[N]] : index
// CHECK:         gpu.launch blocks({{.*}}) in (%{{.*}} = %[[SUM]],
// CHECK:         gpu.launch
// CHECK-NOT:     together
// CHECK-NOT:     gpu.launch
func.func @apart(%n: index, %y: memref<8xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %number = arith.constant 7 : i32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {sparse_attn.together}
  memref.store %number, %y[%c0] : memref<8xi32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {sparse_attn.together}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {sparse_attn.together}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    gpu.terminator
  }
  return
}

// -----

// A launch whose number of threads is not known stays as it is.
//
// CHECK-LABEL: func.func @threads_at_run_time
// CHECK-COUNT-2: gpu.launch
func.func @threads_at_run_time(%n: index) {
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %n, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {sparse_attn.together}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %n, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {sparse_attn.together}
  return
}

// -----

// Blocks of few threads, and little shared memory, run beside one another in one: four of
// one warp, whose lanes meet without a barrier of the block. Each has its own part of
// shared memory, 128 bytes of which hold its 100, and votes at a barrier of its own.
// The last of them may be none of the six.
//
// CHECK-LABEL: func.func @beside
// CHECK-SAME:    %[[X:.*]]: memref<8xi32, #gpu.address_space<global>>
// CHECK:         gpu.launch blocks(%[[BLOCK:[a-z0-9_]+]], {{.*}}) in (%{{.*}} = %c10{{[_0-9]*}}, {{.*}}) threads(%[[THREAD:[a-z0-9_]+]], {{.*}}) in (%{{.*}} = %c128{{[_0-9]*}},
// CHECK-SAME:      dynamic_shared_memory_size %c512_i32
// CHECK:           arith.cmpi ult, %[[BLOCK]], %c2{{[_0-9]*}}
// CHECK:           scf.if
// CHECK:             %[[WARP:.*]] = arith.divui %[[THREAD]], %c32
// CHECK:             %[[NARROW:.*]] = arith.index_castui %[[WARP]] : index to i32
// CHECK:             %[[SAME:.*]] = nvvm.shfl.sync idx %{{.*}}, %[[NARROW]], %c0_i32{{[_0-9]*}}, %c31_i32
// CHECK:             %[[PLACE:.*]] = arith.index_castui %[[SAME]] : i32 to index
// CHECK:             %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c4
// CHECK:             %[[OWN:.*]] = arith.addi %[[FIRST]], %[[PLACE]]
// CHECK:             %[[IS_ONE:.*]] = arith.cmpi ult, %[[OWN]], %c6
// CHECK:             scf.if %[[IS_ONE]] {
// CHECK:               %[[ID:.*]] = arith.addi %c1_i32{{[_0-9]*}}, %{{.*}} : i32
// CHECK:               %[[LANE:.*]] = arith.remui %[[THREAD]], %c32
// CHECK:               %[[ALL:.*]] = gpu.dynamic_shared_memory
// CHECK:               %[[SHIFT:.*]] = arith.muli %[[PLACE]], %c128
// CHECK:               %[[MEMORY:.*]] = memref.view %[[ALL]][%[[SHIFT]]][%c128{{[_0-9]*}}]
// CHECK:               memref.store %{{.*}}, %[[MEMORY]][%[[LANE]]]
// CHECK:               nvvm.bar.warp.sync
// CHECK:               llvm.call_intrinsic "llvm.nvvm.barrier.cta.red.and.aligned.count"(%[[ID]],
// CHECK:               memref.store %{{.*}}, %[[X]][%[[OWN]]]
// CHECK:             }
// CHECK:           } else {
func.func @beside(%x: memref<8xi32, #gpu.address_space<global>>) {
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %few = arith.constant 100 : i32
  %many = arith.constant 512 : i32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c6, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1)
             dynamic_shared_memory_size %few {
    %zero = arith.constant 0 : i8
    %one = arith.constant 1 : i32
    %memory = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    memref.store %zero, %memory[%tx] : memref<?xi8, #gpu.address_space<workgroup>>
    gpu.barrier
    %all = nvvm.barrier #nvvm.reduction<and> %one -> i32
    memref.store %all, %x[%bx] : memref<8xi32, #gpu.address_space<global>>
    gpu.terminator
  } {sparse_attn.together}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1)
             dynamic_shared_memory_size %many {
    gpu.terminator
  } {sparse_attn.together}
  return
}
