// A kernel takes pointers, one a buffer, then of each the dynamic sizes as i32 and
// the dynamic strides as i64, and an index that only the host knows as i32.
//
// RUN: sparse-attn-opt %s --sparse-attn-bare-kernels --canonicalize | FileCheck %s

// A table of kernels is theirs; other constants stay.
//
// CHECK-NOT:     @table
// CHECK:         memref.global "private" constant @other

// CHECK-LABEL: func.func @host
// CHECK-SAME:    %[[A:[a-z0-9]+]]: memref<?x4x?xf32>, %[[B:[a-z0-9]+]]: memref<8xf32>
// CHECK-DAG:     %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %[[A]]
// CHECK-DAG:     %[[WORD:.*]] = arith.index_cast %[[ADDRESS]] : index to i64
// CHECK-DAG:     %[[PA:.*]] = llvm.inttoptr %[[WORD]] : i64 to !llvm.ptr<1>
// CHECK-DAG:     memref.extract_aligned_pointer_as_index %[[B]]
// CHECK-DAG:     %[[D0:.*]] = memref.dim %[[A]], %c0
// CHECK-DAG:     %[[D2:.*]] = memref.dim %[[A]], %c2
// CHECK-DAG:     %[[S0:.*]] = arith.index_cast %[[D0]] : index to i32
// CHECK-DAG:     %[[S2:.*]] = arith.index_cast %[[D2]] : index to i32
// CHECK:         gpu.launch_func @kernels::@copy
// CHECK-SAME:      args(%[[PA]] : !llvm.ptr<1>, %{{.*}} : !llvm.ptr<1>, %[[S0]] : i32, %[[S2]] : i32)
//
// A kernel that comes lowered has its interface already.
//
// CHECK:         gpu.launch_func @kernels::@lowered {{.*}} args(%{{.*}} : !llvm.ptr)
//
// CHECK-LABEL: func.func @strided
// CHECK-SAME:    %[[A:[a-z0-9]+]]: memref<2x?x64xf32, strided<[?, ?, 1]>>
// CHECK-DAG:     %[[N:.*]] = memref.dim %[[A]], %c1
// CHECK-DAG:     %[[SIZE:.*]] = arith.index_cast %[[N]] : index to i32
// CHECK-DAG:     %{{.*}}, %{{.*}}, %{{.*}}:3, %[[S:.*]]:3 = memref.extract_strided_metadata %[[A]]
// CHECK-DAG:     %[[S0:.*]] = arith.index_cast %[[S]]#0 : index to i64
// CHECK-DAG:     %[[S1:.*]] = arith.index_cast %[[S]]#1 : index to i64
// CHECK:         args(%{{.*}} : !llvm.ptr<1>, %[[SIZE]] : i32, %[[S0]] : i64, %[[S1]] : i64)

module attributes {gpu.container_module} {
  memref.global "private" constant @table : memref<4xi32, #gpu.address_space<global>> = dense<1> {sparse_attn.kernels}
  memref.global "private" constant @other : memref<4xi32> = dense<1>

  func.func @host(%a: memref<?x4x?xf32>, %b: memref<8xf32>, %p: !llvm.ptr) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%a : memref<?x4x?xf32>, %b : memref<8xf32>)
    gpu.launch_func @kernels::@lowered blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%p : !llvm.ptr)
    return
  }

  func.func @strided(%a: memref<2x?x64xf32, strided<[?, ?, 1]>>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@rows blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%a : memref<2x?x64xf32, strided<[?, ?, 1]>>)
    return
  }

  gpu.module @kernels attributes {sparse_attn.kernels} {
    // Buffers have no gaps: a row of the outermost dimension has 4 * S2 elements.
    //
    // CHECK:       gpu.func @copy(%[[P:.*]]: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %[[N0:.*]]: i32, %[[N2:.*]]: i32)
    // CHECK-DAG:     %[[SIZE:.*]] = arith.extsi %[[N2]] : i32 to i64
    // CHECK-DAG:     %[[STRIDE:.*]] = arith.muli %[[SIZE]], %c4_i64
    // CHECK:         llvm.insertvalue %[[STRIDE]], %{{.*}}[4, 0]
    // CHECK:         builtin.unrealized_conversion_cast {{.*}} to memref<?x4x?xf32, #gpu.address_space<global>>
    gpu.func @copy(%a: memref<?x4x?xf32>, %b: memref<8xf32>) kernel {
      %c0 = arith.constant 0 : index
      %ga = memref.memory_space_cast %a : memref<?x4x?xf32> to memref<?x4x?xf32, #gpu.address_space<global>>
      %gb = memref.memory_space_cast %b : memref<8xf32> to memref<8xf32, #gpu.address_space<global>>
      %x = memref.load %ga[%c0, %c0, %c0] : memref<?x4x?xf32, #gpu.address_space<global>>
      memref.store %x, %gb[%c0] : memref<8xf32, #gpu.address_space<global>>
      gpu.return
    }

    // CHECK:       gpu.func @rows(%{{.*}}: !llvm.ptr<1>, %{{.*}}: i32, %[[S0:.*]]: i64, %[[S1:.*]]: i64)
    // CHECK:         llvm.insertvalue %[[S0]], %{{.*}}[4, 0]
    // CHECK:         llvm.insertvalue %[[S1]], %{{.*}}[4, 1]
    // CHECK:         llvm.insertvalue %c1_i64, %{{.*}}[4, 2]
    gpu.func @rows(%a: memref<2x?x64xf32, strided<[?, ?, 1]>>) kernel {
      %c0 = arith.constant 0 : index
      %ga = memref.memory_space_cast %a : memref<2x?x64xf32, strided<[?, ?, 1]>> to memref<2x?x64xf32, strided<[?, ?, 1]>, #gpu.address_space<global>>
      %x = memref.load %ga[%c0, %c0, %c0] : memref<2x?x64xf32, strided<[?, ?, 1]>, #gpu.address_space<global>>
      memref.store %x, %ga[%c0, %c0, %c0] : memref<2x?x64xf32, strided<[?, ?, 1]>, #gpu.address_space<global>>
      gpu.return
    }

    llvm.func @lowered(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      llvm.return
    }
  }

  // Kernels of the user's own keep their interface, and so do their launches.
  //
  // CHECK-LABEL: func.func @theirs
  // CHECK:         gpu.launch_func @mine::@own {{.*}} args(%{{.*}} : memref<64xf32>)
  func.func @theirs(%a: memref<64xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @mine::@own blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%a : memref<64xf32>)
    return
  }

  // CHECK:       gpu.func @own(%{{.*}}: memref<64xf32>) kernel
  gpu.module @mine {
    gpu.func @own(%a: memref<64xf32>) kernel {
      gpu.return
    }
  }

// CHECK-LABEL: func.func @index
// CHECK-SAME:    %{{.*}}: memref<?xf32>, %[[N:.*]]: index, %[[M:.*]]: i32
// CHECK-DAG:     %[[SIZE:.*]] = arith.index_cast %[[N]] : index to i32
// CHECK:         gpu.launch_func @indices::@store {{.*}} args(%{{.*}} : !llvm.ptr<1>, %[[SIZE]] : i32, %{{.*}} : i32, %[[M]] : i32)
func.func @index(%a: memref<?xf32>, %n: index, %m: i32) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @indices::@store blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%n : index, %a : memref<?xf32>, %m : i32)
  return
}

// CHECK:       gpu.func @store(%{{.*}}: !llvm.ptr<1>, %[[SIZE:.*]]: i32, %{{.*}}: i32, %[[M:.*]]: i32) kernel
// CHECK:         %[[N:.*]] = arith.index_castui %[[SIZE]] : i32 to index
// CHECK:         %[[X:.*]] = arith.sitofp %[[M]]
// CHECK:         memref.store %[[X]], %{{.*}}[%[[N]]]
gpu.module @indices attributes {sparse_attn.kernels} {
  gpu.func @store(%n: index, %a: memref<?xf32>, %m: i32) kernel {
    %zero = arith.sitofp %m : i32 to f32
    %global = memref.memory_space_cast %a : memref<?xf32> to memref<?xf32, #gpu.address_space<global>>
    memref.store %zero, %global[%n] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}
}
