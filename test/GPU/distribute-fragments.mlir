// Values of a tile's shape become what one thread holds of them: with lane
// 4 g + t, rows g and g + 8 of its warp's 16, columns 8 c + 2 t and the next.
//
// RUN: sparse-attn-opt %s --sparse-attn-distribute-fragments --canonicalize --cse | FileCheck %s

#qd = affine_map<(m, n, d) -> (m, d)>
#nd = affine_map<(m, n, d) -> (n, d)>
#dn = affine_map<(m, n, d) -> (d, n)>
#mn = affine_map<(m, n, d) -> (m, n)>

// 32 x 16 scores over two warps are 8 a thread; the operation stays what it is.
//
// CHECK-LABEL: func.func @elementwise
// CHECK:         gpu.launch blocks({{.*}}) {{.*}} threads(%[[T:[a-z0-9]+]],
// CHECK-DAG:       %[[THREAD:.*]] = arith.index_cast %[[T]] : index to i32
// CHECK-DAG:       %[[WARP:.*]] = arith.shrui %[[THREAD]], %c5_i32
// CHECK-DAG:       %[[LANE:.*]] = arith.andi %[[THREAD]], %c31_i32
// CHECK-DAG:       %[[G:.*]] = arith.shrui %[[LANE]], %c2_i32
// CHECK-DAG:       %[[QUAD:.*]] = arith.andi %[[LANE]], %c3_i32
// CHECK-DAG:       %[[BAND:.*]] = arith.muli %[[WARP]], %c16_i32
// CHECK-DAG:       %[[ROW:.*]] = arith.addi %[[BAND]], %[[G]]
// CHECK-DAG:       %[[ROWI:.*]] = arith.index_castui %[[ROW]]
// CHECK-DAG:       %[[COLUMN:.*]] = arith.muli %[[QUAD]], %c2_i32
// CHECK-DAG:       %[[COLUMNI:.*]] = arith.index_castui %[[COLUMN]]
// CHECK-DAG:       vector.load %{{.*}}[%[[ROWI]], %[[COLUMNI]]] {{.*}} vector<2xf32>
// CHECK-COUNT-3:   vector.load
// CHECK:           %[[P:.*]] = math.exp2 %{{.*}} : vector<8xf32>
// CHECK-COUNT-4:   vector.store {{.*}} vector<2xf32>
func.func @elementwise(%q: memref<32x16xf32, 1>, %o: memref<32x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x16xf32, 1>, vector<32x16xf32>
    %p = math.exp2 %s : vector<32x16xf32>
    vector.transfer_write %p, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<32x16xf32>, memref<32x16xf32, 1>
    gpu.terminator
  }
  return
}

// What varies along rows only is held once a row: two values of 16 rows. They
// grow to a tile where they meet one.
//
// CHECK-LABEL: func.func @row_vector
// CHECK:           %[[DOUBLE:.*]] = arith.addf %[[M:.*]], %[[M]] : vector<2xf32>
// CHECK:           %[[TILE:.*]] = vector.shuffle %[[DOUBLE]], %[[DOUBLE]] [0, 0, 1, 1, 0, 0, 1, 1]
// CHECK:           arith.subf %{{.*}}, %[[TILE]] : vector<8xf32>
func.func @row_vector(%q: memref<16x16xf32, 1>, %max: memref<16xf32, 1>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    %m = vector.transfer_read %max[%c0], %zero {in_bounds = [true]} : memref<16xf32, 1>, vector<16xf32>
    %double = arith.addf %m, %m : vector<16xf32>
    %along = vector.broadcast %double : vector<16xf32> to vector<16x16xf32>
    %rows = vector.transpose %along, [1, 0] : vector<16x16xf32> to vector<16x16xf32>
    %d = arith.subf %s, %rows : vector<16x16xf32>
    vector.transfer_write %d, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// The maximum of a row: within the thread, then over the four lanes that share
// the row, by two shuffles a row.
//
// CHECK-LABEL: func.func @row_maximum
// CHECK:           arith.maxnumf {{.*}} : vector<4xf32>
// CHECK-COUNT-2:   nvvm.shfl.sync{{ +}}bfly %c-1_i32, %{{.*}}, %c1_i32, %c31_i32
// CHECK-COUNT-2:   nvvm.shfl.sync{{ +}}bfly %c-1_i32, %{{.*}}, %c2_i32, %c31_i32
// CHECK-NOT:       nvvm.shfl
//
// One of the four lanes stores it.
//
// CHECK:           arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK:           scf.if
// CHECK:             memref.store
func.func @row_maximum(%q: memref<16x16xf32, 1>, %o: memref<16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %low = arith.constant dense<0xFF800000> : vector<16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    %m = vector.multi_reduction <maxnumf>, %s, %low [1] : vector<16x16xf32> to vector<16xf32>
    vector.transfer_write %m, %o[%c0] {in_bounds = [true]} : vector<16xf32>, memref<16xf32, 1>
    gpu.terminator
  }
  return
}

// A sum can wait: lanes add up their own parts, tile after tile, and each other's
// after the last tile only.
//
// CHECK-LABEL: func.func @row_sum
// CHECK:           %[[PARTS:.*]] = scf.for {{.*}} -> (vector<2xf32>) {
// CHECK-NOT:         nvvm.shfl
// CHECK:             scf.yield
// CHECK:           }
// CHECK-COUNT-4:   nvvm.shfl.sync{{ +}}bfly
// CHECK-NOT:       nvvm.shfl
func.func @row_sum(%q: memref<16x16xf32, 1>, %o: memref<16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c8 = arith.constant 8 : index
  %none = arith.constant dense<0.0> : vector<16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    %l = scf.for %t = %c0 to %c8 step %c1 iter_args(%sum = %none) -> (vector<16xf32>) {
      %r = vector.multi_reduction <add>, %s, %sum [1] : vector<16x16xf32> to vector<16xf32>
      scf.yield %r : vector<16xf32>
    }
    vector.transfer_write %l, %o[%c0] {in_bounds = [true]} : vector<16xf32>, memref<16xf32, 1>
    gpu.terminator
  }
  return
}

// S = Q K^T: one ldmatrix.x4 for 16 keys of depth 16, two mma. Keys are stored
// [key, depth], so that the matrices are the operand as they are. Rows of 32
// bytes: the chunk is permuted by bit 2 of the row.
//
// CHECK-LABEL: func.func @scores
// CHECK:           %[[Q:.*]]:4 = vector.to_elements %{{.*}} : vector<4xi32>
// CHECK:           %[[PHASE:.*]] = arith.shrui %[[R:.*]], %c2_i32
// CHECK:           %[[BIT:.*]] = arith.andi %[[PHASE]], %c1_i32
// CHECK:           %[[CHUNK:.*]] = arith.xori %{{.*}}, %[[BIT]]
// CHECK:           %[[START:.*]] = arith.muli %[[R]], %c32_i32
// CHECK:           %[[WITHIN:.*]] = arith.muli %[[CHUNK]], %c16_i32
// CHECK:           %[[AT:.*]] = arith.addi %[[START]], %[[WITHIN]]
// CHECK:           %[[POINTER:.*]] = llvm.getelementptr %{{.*}}[%[[AT]]] : (!llvm.ptr<3>, i32)
// CHECK:           nvvm.ldmatrix %[[POINTER]] {{.*}} layout = #nvvm.mma_layout<row>, num = 4
// CHECK-COUNT-2:   nvvm.mma.sync A[%[[Q]]#0, %[[Q]]#1, %[[Q]]#2, %[[Q]]#3] {{.*}} #nvvm.mma_type<bf16>{{.*}}<m = 16, n = 8, k = 16
// CHECK-NOT:       nvvm.{{ldmatrix|mma.sync}}
func.func @scores(%q: memref<16x16xbf16, 1>, %shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : bf16
    %left = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xbf16, 1>, vector<16x16xbf16>
    %right = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x16xbf16>
    %s = vector.contract {indexing_maps = [#qd, #nd, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %right, %zeros
      : vector<16x16xbf16>, vector<16x16xbf16> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// O = P V: values are stored [key, depth], where the depth of this product is the
// key, so that ldmatrix transposes. P is an operand where it is.
//
// CHECK-LABEL: func.func @values
// CHECK:           %[[P:.*]] = arith.truncf %{{.*}} : vector<8xf32> to vector<8xf16>
// CHECK:           vector.bitcast %[[P]] : vector<8xf16> to vector<4xi32>
// CHECK-NOT:       nvvm.shfl
// CHECK:           nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<col>, num = 4
// CHECK-COUNT-2:   nvvm.mma.sync
func.func @values(%p: memref<16x16xf32, 1>, %shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %probabilities = vector.transfer_read %p[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    %left = arith.truncf %probabilities : vector<16x16xf32> to vector<16x16xf16>
    %right = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x16xf16>
    %s = vector.contract {indexing_maps = [#qd, #dn, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %right, %zeros
      : vector<16x16xf16>, vector<16x16xf16> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// Of a last depth of 8, ldmatrix.x2 loads the operands of 16 keys, and mma.sync is
// half as deep. Rows of 48 bytes: a panel of 32, whose chunks are permuted, and one
// of 16, whose rows lie side by side.
//
// CHECK-LABEL: func.func @half_depth
// CHECK:           %[[Q:.*]]:6 = vector.to_elements %{{.*}} : vector<6xi32>
// CHECK:           nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>, num = 4
// CHECK-COUNT-2:   nvvm.mma.sync A[%[[Q]]#0, %[[Q]]#1, %[[Q]]#2, %[[Q]]#3] {{.*}}<m = 16, n = 8, k = 16
// CHECK:           nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>, num = 2
// CHECK-COUNT-2:   nvvm.mma.sync A[%[[Q]]#4, %[[Q]]#5] {{.*}} #nvvm.mma_type<bf16>{{.*}}<m = 16, n = 8, k = 8
// CHECK-NOT:       nvvm.{{ldmatrix|mma.sync}}
func.func @half_depth(%q: memref<16x24xbf16, 1>, %shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : bf16
    %left = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x24xbf16, 1>, vector<16x24xbf16>
    %right = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x24xbf16>
    %s = vector.contract {indexing_maps = [#qd, #nd, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %right, %zeros
      : vector<16x24xbf16>, vector<16x24xbf16> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// The same of queries in shared memory, and of 8 columns of values that are left.
//
// CHECK-LABEL: func.func @half_columns
// CHECK:           nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>, num = 2
// CHECK:           nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>, num = 2
// CHECK-COUNT-2:   nvvm.mma.sync A[{{.*}}<m = 16, n = 8, k = 8>} : (vector<2xf16>
// CHECK:           nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<col>, num = 4
// CHECK-COUNT-2:   nvvm.mma.sync A[{{.*}}<m = 16, n = 8, k = 16
// CHECK:           nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<col>, num = 2
// CHECK:           nvvm.mma.sync A[{{.*}}<m = 16, n = 8, k = 16
// CHECK-NOT:       nvvm.{{ldmatrix|mma.sync}}
// CHECK-COUNT-6:   vector.store {{.*}} vector<2xf32>
// CHECK-NOT:       vector.store
func.func @half_columns(%shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x24xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c1024 = arith.constant 1024 : index
  %c2048 = arith.constant 2048 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  %none = arith.constant dense<0.0> : vector<16x24xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %left = sparse_attn_gpu.staged_tile %shared[%c2048]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x8xf16>
    %keys = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x8xf16>
    %s = vector.contract {indexing_maps = [#qd, #nd, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %keys, %zeros
      : vector<16x8xf16>, vector<16x8xf16> into vector<16x16xf32>
    %p = arith.truncf %s : vector<16x16xf32> to vector<16x16xf16>
    %values = sparse_attn_gpu.staged_tile %shared[%c1024]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x24xf16>
    %r = vector.contract {indexing_maps = [#qd, #dn, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %p, %values, %none
      : vector<16x16xf16>, vector<16x24xf16> into vector<16x24xf32>
    vector.transfer_write %r, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x24xf32>, memref<16x24xf32, 1>
    gpu.terminator
  }
  return
}

// Queries may be in shared memory as well: one more ldmatrix.x4 for 16 rows of
// depth 16.
//
// CHECK-LABEL: func.func @staged_queries
// CHECK-COUNT-2:   nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>, num = 4
// CHECK-COUNT-2:   nvvm.mma.sync
// CHECK-NOT:       nvvm.{{ldmatrix|mma.sync}}
func.func @staged_queries(%shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %left = sparse_attn_gpu.staged_tile %shared[%c512]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x16xf16>
    %right = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x16xf16>
    %s = vector.contract {indexing_maps = [#qd, #nd, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %right, %zeros
      : vector<16x16xf16>, vector<16x16xf16> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// f32 as three parts of bf16's precision, the first cut off, the others rounded; six
// products for 8 keys of depth 8: the five small ones in a sum of their own, the large
// one from zero. With an infinity or a NaN the large one is the sum.
//
// CHECK-LABEL: func.func @single
// CHECK:           %[[X:.*]]:2 = vector.to_elements
// CHECK:           %[[CUT:.*]] = llvm.call_intrinsic "llvm.nvvm.ff2bf16x2.rz"(%[[X]]#1, %[[X]]#0)
// CHECK:           %[[A0:.*]] = llvm.bitcast %[[CUT]] : vector<2xbf16> to i32
// CHECK:           %[[LOWER:.*]] = arith.shli %[[A0]], %c16_i32
// CHECK:           %[[FIRST:.*]] = llvm.bitcast %[[LOWER]] : i32 to f32
// CHECK:           %[[REST:.*]] = arith.subf %[[X]]#0, %[[FIRST]] : f32
// CHECK:           arith.andi %[[A0]], %c-65536_i32
// CHECK:           llvm.call_intrinsic "llvm.nvvm.ff2bf16x2.rn"(%{{.*}}, %[[REST]])
// CHECK:           llvm.call_intrinsic "llvm.nvvm.ff2bf16x2.rn"
// CHECK:           %[[Y:.*]] = llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xf32>
// CHECK:           nvvm.mma.sync A[%[[A0]], %[[A0_8:[0-9]+]]]  B[%[[B2:[0-9]+]]]  C[%[[ZERO:cst.*]], %[[ZERO]], %[[ZERO]], %[[ZERO]]] {{.*}} #nvvm.mma_type<bf16>{{.*}}<m = 16, n = 8, k = 8>
// CHECK:           nvvm.mma.sync A[%[[A1:[0-9]+]], %[[A1_8:[0-9]+]]]  B[%[[B1:[0-9]+]]]
// CHECK:           nvvm.mma.sync A[%[[A2:[0-9]+]], %[[A2_8:[0-9]+]]]  B[%[[B0:[0-9]+]]]
// CHECK:           nvvm.mma.sync A[%[[A0]], %[[A0_8]]]  B[%[[B1]]]
// CHECK:           %[[SMALLS:.*]] = nvvm.mma.sync A[%[[A1]], %[[A1_8]]]  B[%[[B0]]]
// CHECK:           %[[SMALL:.*]] = llvm.extractvalue %[[SMALLS]][0]
// CHECK:           %[[LARGES:.*]] = nvvm.mma.sync A[%[[A0]], %[[A0_8]]]  B[%[[B0]]]  C[%[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]]
// CHECK:           %[[LARGE:.*]] = llvm.extractvalue %[[LARGES]][0]
// CHECK:           %[[NONE:.*]] = arith.subf %[[LARGE]], %[[LARGE]]
// CHECK:           %[[NUMBER:.*]] = arith.cmpf ord, %[[NONE]], %[[NONE]]
// CHECK:           %[[SUM:.*]] = arith.addf %[[LARGE]], %[[SMALL]]
// CHECK:           arith.select %[[NUMBER]], %[[SUM]], %[[LARGE]]
// CHECK-COUNT-6:   nvvm.mma.sync {{.*}}<m = 16, n = 8, k = 8>
// CHECK-NOT:       nvvm.mma.sync
func.func @single(%q: memref<16x8xf32, 1>, %shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %left = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x8xf32, 1>, vector<16x8xf32>
    %right = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x8xf32>
    %s = vector.contract {indexing_maps = [#qd, #nd, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %right, %zeros
      : vector<16x8xf32>, vector<16x8xf32> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// The large products of each depth of 16, the last 8 deep, are added by additions that
// round to nearest, and only the sum of all joins the accumulator.
//
// CHECK-LABEL: func.func @single_values
// CHECK:           nvvm.mma.sync {{.*}} C[%[[ZERO:cst.*]], %[[ZERO]], %[[ZERO]], %[[ZERO]]] {{.*}}<m = 16, n = 8, k = 16>
// CHECK-COUNT-4:   nvvm.mma.sync {{.*}}<m = 16, n = 8, k = 16>
// CHECK:           %[[LARGES:.*]] = nvvm.mma.sync {{.*}} C[%[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]] {{.*}}<m = 16, n = 8, k = 16>
// CHECK:           %[[LARGE:.*]] = llvm.extractvalue %[[LARGES]][0]
// CHECK-COUNT-5:   nvvm.mma.sync {{.*}}<m = 16, n = 8, k = 8>
// CHECK:           %[[LASTS:.*]] = nvvm.mma.sync {{.*}} C[%[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]] {{.*}}<m = 16, n = 8, k = 8>
// CHECK:           %[[LAST:.*]] = llvm.extractvalue %[[LASTS]][0]
// CHECK:           %[[TOTAL:.*]] = arith.addf %[[LARGE]], %[[LAST]]
// CHECK:           arith.addf %[[TOTAL]], %{{.*}}
// CHECK:           %[[SUM:.*]] = arith.select %{{.*}}, %{{.*}}, %[[TOTAL]]
// CHECK:           arith.addf %{{.*}}, %[[SUM]]
// CHECK-NOT:       nvvm.mma.sync
func.func @single_values(%p: memref<16x24xf32, 1>, %shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x8xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %left = vector.transfer_read %p[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x24xf32, 1>, vector<16x24xf32>
    %acc = vector.transfer_read %o[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x8xf32, 1>, vector<16x8xf32>
    %right = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<24x8xf32>
    %s = vector.contract {indexing_maps = [#qd, #dn, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %right, %acc
      : vector<16x24xf32>, vector<24x8xf32> into vector<16x8xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x8xf32>, memref<16x8xf32, 1>
    gpu.terminator
  }
  return
}

// A copy to shared memory gets the number of its thread: how it is made is for a later
// pass to say. So do a ring, and who lets a slot of it go.
//
// CHECK-LABEL: func.func @stage
// CHECK:           %[[THREAD:.*]] = arith.index_cast
// CHECK:           sparse_attn_gpu.ring %{{.*}}[%{{.*}}] thread %[[THREAD]] :
// CHECK:           sparse_attn_gpu.stage %{{.*}} to %{{.*}}[%{{.*}}] rows 16 thread %[[THREAD]] :
// CHECK:           sparse_attn_gpu.release %{{.*}}[%{{.*}}] thread %[[THREAD]] :
func.func @stage(%k: memref<?x64xf16, strided<[64, 1], offset: ?>, #gpu.address_space<global>>,
                 %shared: memref<?xi8, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %ring = sparse_attn_gpu.ring %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> <2>
    %copy = sparse_attn_gpu.stage %k to %shared[%c0] rows 16
      : memref<?x64xf16, strided<[64, 1], offset: ?>, #gpu.address_space<global>>,
        memref<?xi8, #gpu.address_space<workgroup>>
    sparse_attn_gpu.release %ring[%c0] : <2>
    gpu.terminator
  }
  return
}

// The last rows of a buffer: reads stay inside of it, what lies behind is
// padding, and is not written.
//
// CHECK-LABEL: func.func @last_rows
// CHECK:           %[[N:.*]] = memref.dim
// CHECK:           %[[EXISTS:.*]] = arith.cmpi slt, %[[R:.*]], %[[N]]
// CHECK:           %[[LAST:.*]] = arith.subi %[[N]], %c1
// CHECK:           %[[READ:.*]] = arith.select %[[EXISTS]], %[[R]], %[[LAST]]
// CHECK:           %[[VALUE:.*]] = vector.load %{{.*}}[%[[READ]],
// CHECK:           arith.select %[[EXISTS]], %[[VALUE]], %{{.*}} : vector<2xf32>
// CHECK:           scf.if
// CHECK:             vector.store
// CHECK-NOT:         vector.store {{.*}}[%[[READ]],
func.func @last_rows(%s: memref<?x16xf32, 1>, %o: memref<?x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %t = vector.transfer_read %s[%c0, %c0], %zero {in_bounds = [false, true]}
      : memref<?x16xf32, 1>, vector<16x16xf32>
    vector.transfer_write %t, %o[%c0, %c0] {in_bounds = [false, true]}
      : vector<16x16xf32>, memref<?x16xf32, 1>
    gpu.terminator
  }
  return
}

// A mask costs a comparison and a select a score: the key positions of a thread
// are a start and constants, and limits are taken relative to the start once a row.
//
// CHECK-LABEL: func.func @causal
// CHECK:           %[[LIMITS:.*]] = arith.subi %{{.*}} : vector<2xindex>
// CHECK:           %[[TILE:.*]] = vector.shuffle %[[LIMITS]], %[[LIMITS]] [0, 0, 1, 1, 0, 0, 1, 1]
// CHECK-NEXT:      %[[ALLOWED:.*]] = arith.cmpi sge, %[[TILE]], %cst{{.*}} : vector<8xindex>
// CHECK-NEXT:      arith.select %[[ALLOWED]], %{{.*}} : vector<8xi1>, vector<8xf32>
func.func @causal(%q: memref<16x16xf32, 1>, %o: memref<16x16xf32, 1>, %first: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %low = arith.constant dense<0xFF800000> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    %i = vector.step : vector<16xindex>
    %along = vector.broadcast %i : vector<16xindex> to vector<16x16xindex>
    %rows = vector.transpose %along, [1, 0] : vector<16x16xindex> to vector<16x16xindex>
    %j = vector.step : vector<16xindex>
    %start = vector.broadcast %first : index to vector<16xindex>
    %keys = arith.addi %j, %start : vector<16xindex>
    %columns = vector.broadcast %keys : vector<16xindex> to vector<16x16xindex>
    %allowed = arith.cmpi sle, %columns, %rows : vector<16x16xindex>
    %masked = arith.select %allowed, %s, %low : vector<16x16xi1>, vector<16x16xf32>
    vector.transfer_write %masked, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// An entry of a table for each row is two loads, not one an element.
//
// CHECK-LABEL: func.func @table
// CHECK-COUNT-2:   llvm.load {{.*}} -> i32
// CHECK-NOT:       llvm.load
// CHECK:           arith.sitofp {{.*}} : vector<2xi32>
func.func @table(%table: memref<16xi32, 1>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %all = arith.constant dense<true> : vector<16x16xi1>
  %none = arith.constant dense<0> : vector<16x16xi32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %i = vector.step : vector<16xindex>
    %along = vector.broadcast %i : vector<16xindex> to vector<16x16xindex>
    %rows = vector.transpose %along, [1, 0] : vector<16x16xindex> to vector<16x16xindex>
    %entry = vector.gather %table[%c0] [%rows], %all, %none
      : memref<16xi32, 1>, vector<16x16xindex>, vector<16x16xi1>, vector<16x16xi32> into vector<16x16xi32>
    %s = arith.sitofp %entry : vector<16x16xi32> to vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// What a block stores once, its first thread stores; what it stores into shared
// memory, all may read after a barrier.
//
// CHECK-LABEL: func.func @once
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK:           scf.if %[[FIRST]]
// CHECK-NEXT:        memref.store %c7_i32, %{{.*}} : memref<1xi32, 1>
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %[[FIRST]]
// CHECK-NEXT:        memref.store
// CHECK-NEXT:      }
// CHECK-NEXT:      gpu.barrier
func.func @once(%o: memref<1xi32, 1>, %list: memref<1xi32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c7 = arith.constant 7 : i32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    memref.store %c7, %o[%c0] : memref<1xi32, 1>
    memref.store %c7, %list[%c0] : memref<1xi32, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  return
}

// A loop that also reads its row sum takes it over the row's lanes there, and
// carries on with the lanes' own parts: they must not be added twice.
//
// CHECK-LABEL: func.func @sum_read_in_loop
// CHECK:           %[[LOOP:.*]] = scf.for {{.*}} iter_args(%[[L:.*]] = %{{.*}}) -> (vector<2xf32>)
// CHECK:             %[[PARTS:.*]] = arith.addf %[[L]], %{{.*}} : vector<2xf32>
// CHECK:             nvvm.shfl.sync
// CHECK:             memref.store
// CHECK:             scf.yield %[[PARTS]] : vector<2xf32>
// CHECK:           nvvm.shfl.sync
// CHECK:           memref.store
func.func @sum_read_in_loop(%p: memref<16x8xf32, 1>, %o: memref<16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %none = arith.constant dense<0.0> : vector<16xf32>
    %sum = scf.for %t = %c0 to %c4 step %c1 iter_args(%l = %none) -> (vector<16xf32>) {
      %tile = vector.transfer_read %p[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<16x8xf32, 1>, vector<16x8xf32>
      %next = vector.multi_reduction <add>, %tile, %l [1] : vector<16x8xf32> to vector<16xf32>
      vector.transfer_write %next, %o[%c0] {in_bounds = [true]} : vector<16xf32>, memref<16xf32, 1>
      scf.yield %next : vector<16xf32>
    }
    vector.transfer_write %sum, %o[%c0] {in_bounds = [true]} : vector<16xf32>, memref<16xf32, 1>
    gpu.terminator
  }
  return
}

// Both bounds of a row are one comparison, without a sign: j - (i - 3) <u 5. What the
// column does not change is taken off the start once a row.
//
// CHECK-LABEL: func.func @window
// CHECK:           %[[START:.*]] = vector.broadcast %{{.*}} : index to vector<2xindex>
// CHECK-NEXT:      %[[FIRST:.*]] = arith.subi %[[START]], %{{.*}} : vector<2xindex>
// CHECK:           %[[TILE:.*]] = vector.shuffle %[[FIRST]], %[[FIRST]] [0, 0, 1, 1, 0, 0, 1, 1]
// CHECK-NEXT:      %[[PLACE:.*]] = arith.addi %[[TILE]], %cst{{.*}} : vector<8xindex>
// CHECK-NEXT:      %[[ALLOWED:.*]] = arith.cmpi ult, %[[PLACE]], %cst{{.*}} : vector<8xindex>
// CHECK-NEXT:      arith.select %[[ALLOWED]], %{{.*}} : vector<8xi1>, vector<8xf32>
// CHECK-NOT:       arith.cmpi
func.func @window(%q: memref<16x16xf32, 1>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %low = arith.constant dense<0xFF800000> : vector<16x16xf32>
  %three = arith.constant dense<3> : vector<16x16xindex>
  %five = arith.constant dense<5> : vector<16x16xindex>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    %i = vector.step : vector<16xindex>
    %along = vector.broadcast %i : vector<16xindex> to vector<16x16xindex>
    %rows = vector.transpose %along, [1, 0] : vector<16x16xindex> to vector<16x16xindex>
    %j = vector.step : vector<16xindex>
    %columns = vector.broadcast %j : vector<16xindex> to vector<16x16xindex>
    %first = arith.subi %rows, %three : vector<16x16xindex>
    %place = arith.subi %columns, %first : vector<16x16xindex>
    %allowed = arith.cmpi ult, %place, %five : vector<16x16xindex>
    %masked = arith.select %allowed, %s, %low : vector<16x16xi1>, vector<16x16xf32>
    vector.transfer_write %masked, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// All threads look at some elements of a tile in shared memory, agree by a
// barrier, and branch together; a branch hands on what threads hold.
//
// CHECK-LABEL: func.func @agree
// CHECK:           llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<8xf16>
// CHECK:           %[[MINE:.*]] = vector.reduction <and>, %{{.*}} : vector<8xi1> into i1
// CHECK:           %[[VOTE:.*]] = arith.extui %[[MINE]] : i1 to i32
// CHECK:           %[[ALL:.*]] = nvvm.barrier #nvvm.reduction<and> %[[VOTE]] -> i32
// CHECK:           %[[AGREED:.*]] = arith.cmpi ne, %[[ALL]], %{{.*}} : i32
// CHECK:           scf.if %[[AGREED]] -> (vector<8xf32>) {
// CHECK:             scf.yield %{{.*}} : vector<8xf32>
// CHECK:           } else {
// CHECK-COUNT-2:     llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<3> -> vector<2xf16>
// CHECK:             scf.yield %{{.*}} : vector<8xf32>
func.func @agree(%q: memref<16x16xf32, 1>, %o: memref<16x16xf32, 1>, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : i32
  %yes = arith.constant true
  %limit = arith.constant dense<1.0> : vector<16x16xf16>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1)
             dynamic_shared_memory_size %c512 {
    %zero = arith.constant 0.0 : f32
    %shared = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %v = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x16xf16>
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    %small = arith.cmpf olt, %v, %limit : vector<16x16xf16>
    %all = vector.multi_reduction <and>, %small, %yes [0, 1] : vector<16x16xi1> to i1
    %r = scf.if %all -> (vector<16x16xf32>) {
      scf.yield %s : vector<16x16xf32>
    } else {
      %row = vector.extract %v[%k] : vector<16xf16> from vector<16x16xf16>
      %rows = vector.broadcast %row : vector<16xf16> to vector<16x16xf16>
      %wide = arith.extf %rows : vector<16x16xf16> to vector<16x16xf32>
      %sum = arith.addf %s, %wide : vector<16x16xf32>
      scf.yield %sum : vector<16x16xf32>
    }
    vector.transfer_write %r, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// A branch with a loop over tiles of its own numbers the threads anew, and so do each
// iteration and what comes behind the branch: nothing from before is kept for them.
//
// CHECK-LABEL: func.func @anew
// CHECK:           %[[THREAD:.*]] = arith.index_cast %{{.*}} : index to i32
// CHECK:           scf.if
// CHECK-NOT:         nvvm.shfl
// CHECK:           } else {
// CHECK:             %[[INSIDE:.*]] = nvvm.shfl.sync bfly %{{.*}}, %[[THREAD]], %c0_i32, %c31_i32 : i32 -> i32
// CHECK:             scf.for
// CHECK:               %[[EACH:.*]] = nvvm.shfl.sync bfly %{{.*}}, %[[INSIDE]], %c0_i32, %c31_i32 : i32 -> i32
// CHECK:               arith.andi %[[EACH]], %c31_i32
// CHECK:               nvvm.mma.sync
// CHECK:           %[[BEHIND:.*]] = nvvm.shfl.sync bfly %{{.*}}, %[[THREAD]], %c0_i32, %c31_i32 : i32 -> i32
// CHECK:           arith.andi %[[BEHIND]], %c31_i32
// CHECK:           vector.store
func.func @anew(%p: memref<16x16xf16, 1>, %shared: memref<?xi8, #gpu.address_space<workgroup>>, %o: memref<16x16xf32, 1>, %good: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f16
    %left = vector.transfer_read %p[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf16, 1>, vector<16x16xf16>
    %r = scf.if %good -> (vector<16x16xf32>) {
      scf.yield %zeros : vector<16x16xf32>
    } else {
      %sum = scf.for %t = %c0 to %c4 step %c1 iter_args(%s = %zeros) -> (vector<16x16xf32>) {
        %right = sparse_attn_gpu.staged_tile %shared[%c0]
          : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x16xf16>
        %next = vector.contract {indexing_maps = [#qd, #dn, #mn],
                                 iterator_types = ["parallel", "parallel", "reduction"],
                                 kind = #vector.kind<add>} %left, %right, %s
          : vector<16x16xf16>, vector<16x16xf16> into vector<16x16xf32>
        scf.yield %next : vector<16x16xf32>
      }
      scf.yield %sum : vector<16x16xf32>
    }
    vector.transfer_write %r, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// A warp of four has 32 neighbouring rows of 128; a vote tells that all lanes go the same
// way. Row sums of both ways go on as the lanes' parts.
//
// CHECK-LABEL: func.func @has_rows
// CHECK-SAME:    %[[BEGIN:[a-z0-9]+]]: i32, %[[END:[a-z0-9]+]]: i32
// CHECK:           %[[FIRST:.*]] = arith.muli %{{.*}}, %c32_i32
// CHECK:           scf.for {{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (vector<4xf32>)
// CHECK-NEXT:        %[[LAST:.*]] = arith.addi %[[FIRST]], %c32_i32
// CHECK-NEXT:        %[[BEFORE:.*]] = arith.cmpi slt, %[[BEGIN]], %[[LAST]]
// CHECK-NEXT:        %[[BEHIND:.*]] = arith.cmpi sgt, %[[END]], %[[FIRST]]
// CHECK-NEXT:        %[[BOTH:.*]] = arith.andi %[[BEFORE]], %[[BEHIND]]
// CHECK-NEXT:        %[[SOME:.*]] = nvvm.vote.sync {{ *}}any %c-1_i32, %[[BOTH]] -> i1
// CHECK-NEXT:        scf.if %[[SOME]] -> (vector<4xf32>)
// CHECK-NOT:           nvvm.shfl
// CHECK:             } else {
// CHECK-NEXT:          scf.yield %[[SUM]]
// CHECK:           nvvm.shfl
func.func @has_rows(%q: memref<128x16xf32, 1>, %o: memref<128xf32, 1>, %begin: i32, %end: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c128 = arith.constant 128 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %none = arith.constant dense<0.0> : vector<128xf32>
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<128x16xf32, 1>, vector<128x16xf32>
    %l = scf.for %t = %c0 to %c8 step %c1 iter_args(%sum = %none) -> (vector<128xf32>) {
      %some = sparse_attn_gpu.has_rows %begin to %end of 128
      %next = scf.if %some -> (vector<128xf32>) {
        %r = vector.multi_reduction <add>, %s, %sum [1] : vector<128x16xf32> to vector<128xf32>
        scf.yield %r : vector<128xf32>
      } else {
        scf.yield %sum : vector<128xf32>
      }
      scf.yield %next : vector<128xf32>
    }
    vector.transfer_write %l, %o[%c0] {in_bounds = [true]} : vector<128xf32>, memref<128xf32, 1>
    gpu.terminator
  }
  return
}

// Not all of its rows are full.
//
// CHECK-LABEL: func.func @has_other_rows
// CHECK-SAME:    %[[BEGIN:[a-z0-9]+]]: i32, %[[END:[a-z0-9]+]]: i32
// CHECK:           %[[FIRST:.*]] = arith.muli %{{.*}}, %c64_i32
// CHECK:           %[[LAST:.*]] = arith.addi %[[FIRST]], %c64_i32
// CHECK:           %[[LATE:.*]] = arith.cmpi sgt, %[[BEGIN]], %[[FIRST]]
// CHECK:           %[[EARLY:.*]] = arith.cmpi slt, %[[END]], %[[LAST]]
// CHECK:           %[[EITHER:.*]] = arith.ori %[[LATE]], %[[EARLY]]
// CHECK:           %[[OTHERS:.*]] = nvvm.vote.sync {{ *}}any %c-1_i32, %[[EITHER]] -> i1
// CHECK:           memref.store %[[OTHERS]]
func.func @has_other_rows(%begin: i32, %end: i32, %o: memref<1xi1, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %others = sparse_attn_gpu.has_other_rows %begin to %end of 128
    memref.store %others, %o[%c0] : memref<1xi1, 1>
    gpu.terminator
  }
  return
}

// A branch with loops over tiles is for rare inputs. It takes no positions from outside, for
// which every thread would keep registers: it computes them again, from a thread number that
// no optimiser knows to be the same. A thread has 144 accumulators here.
//
// CHECK-LABEL: func.func @rare
// CHECK-SAME:    %[[FIRST:[a-z0-9]+]]: i32
// CHECK-NOT:     vector.broadcast %[[FIRST]]
// CHECK:         scf.if
// CHECK:           nvvm.shfl.sync
// CHECK:           %[[START:.*]] = vector.broadcast %[[FIRST]] : i32 to vector<2xi32>
// CHECK:           %[[ROWS:.*]] = arith.addi %{{.*}}, %[[START]]
// CHECK:           scf.for
// CHECK:             nvvm.mma.sync
// CHECK:             arith.cmpi sge, %[[ROWS]], %{{.*}} : vector<2xi32>
func.func @rare(%first: i32, %least: i32, %shared: memref<?xi8, #gpu.address_space<workgroup>>,
                %q: memref<16x16xbf16, 1>, %o: memref<16x288xf32, 1>, %n: index, %isRare: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %none = arith.constant 0.0 : bf16
  %zeros = arith.constant dense<0.0> : vector<16x288xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %step = vector.step : vector<16xindex>
    %places = arith.index_cast %step : vector<16xindex> to vector<16xi32>
    %start = vector.broadcast %first : i32 to vector<16xi32>
    %rows = arith.addi %places, %start : vector<16xi32>
    %r = scf.if %isRare -> (vector<16x288xf32>) {
      %s = scf.for %t = %c0 to %n step %c1 iter_args(%a = %zeros) -> (vector<16x288xf32>) {
        %left = vector.transfer_read %q[%c0, %c0], %none {in_bounds = [true, true]} : memref<16x16xbf16, 1>, vector<16x16xbf16>
        %tile = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #gpu.address_space<workgroup>> -> vector<288x16xbf16>
        %p = vector.contract {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                               affine_map<(m, n, k) -> (m, n)>],
                              iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
          %left, %tile, %a : vector<16x16xbf16>, vector<288x16xbf16> into vector<16x288xf32>
        %limit = vector.broadcast %least : i32 to vector<16xi32>
        %live = arith.cmpi sge, %rows, %limit : vector<16xi32>
        %across = vector.broadcast %live : vector<16xi1> to vector<288x16xi1>
        %mask = vector.transpose %across, [1, 0] : vector<288x16xi1> to vector<16x288xi1>
        %masked = arith.select %mask, %p, %zeros : vector<16x288xi1>, vector<16x288xf32>
        scf.yield %masked : vector<16x288xf32>
      }
      scf.yield %s : vector<16x288xf32>
    } else {
      scf.yield %zeros : vector<16x288xf32>
    }
    vector.transfer_write %r, %o[%c0, %c0] {in_bounds = [true, true]} : vector<16x288xf32>, memref<16x288xf32, 1>
    gpu.terminator
  }
  return
}

// Where a thread has up to 128 accumulators, or more than 160, positions stay.
//
// CHECK-LABEL: func.func @few
// CHECK-SAME:    %[[FIRST:[a-z0-9]+]]: i32
// CHECK:         vector.broadcast %[[FIRST]] : i32 to vector<2xi32>
// CHECK:         scf.if
// CHECK-NOT:       vector.broadcast %[[FIRST]]
// CHECK:         gpu.terminator
func.func @few(%first: i32, %least: i32, %shared: memref<?xi8, #gpu.address_space<workgroup>>,
                %q: memref<16x16xbf16, 1>, %o: memref<16x16xf32, 1>, %n: index, %isRare: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %none = arith.constant 0.0 : bf16
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %step = vector.step : vector<16xindex>
    %places = arith.index_cast %step : vector<16xindex> to vector<16xi32>
    %start = vector.broadcast %first : i32 to vector<16xi32>
    %rows = arith.addi %places, %start : vector<16xi32>
    %r = scf.if %isRare -> (vector<16x16xf32>) {
      %s = scf.for %t = %c0 to %n step %c1 iter_args(%a = %zeros) -> (vector<16x16xf32>) {
        %left = vector.transfer_read %q[%c0, %c0], %none {in_bounds = [true, true]} : memref<16x16xbf16, 1>, vector<16x16xbf16>
        %tile = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #gpu.address_space<workgroup>> -> vector<16x16xbf16>
        %p = vector.contract {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                               affine_map<(m, n, k) -> (m, n)>],
                              iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
          %left, %tile, %a : vector<16x16xbf16>, vector<16x16xbf16> into vector<16x16xf32>
        %limit = vector.broadcast %least : i32 to vector<16xi32>
        %live = arith.cmpi sge, %rows, %limit : vector<16xi32>
        %across = vector.broadcast %live : vector<16xi1> to vector<16x16xi1>
        %mask = vector.transpose %across, [1, 0] : vector<16x16xi1> to vector<16x16xi1>
        %masked = arith.select %mask, %p, %zeros : vector<16x16xi1>, vector<16x16xf32>
        scf.yield %masked : vector<16x16xf32>
      }
      scf.yield %s : vector<16x16xf32>
    } else {
      scf.yield %zeros : vector<16x16xf32>
    }
    vector.transfer_write %r, %o[%c0, %c0] {in_bounds = [true, true]} : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// CHECK-LABEL: func.func @many
// CHECK-SAME:    %[[FIRST:[a-z0-9]+]]: i32
// CHECK:         vector.broadcast %[[FIRST]] : i32 to vector<2xi32>
// CHECK:         scf.if
// CHECK-NOT:       vector.broadcast %[[FIRST]]
// CHECK:         gpu.terminator
func.func @many(%first: i32, %least: i32, %shared: memref<?xi8, #gpu.address_space<workgroup>>,
                %q: memref<16x16xbf16, 1>, %o: memref<16x336xf32, 1>, %n: index, %isRare: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %none = arith.constant 0.0 : bf16
  %zeros = arith.constant dense<0.0> : vector<16x336xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %step = vector.step : vector<16xindex>
    %places = arith.index_cast %step : vector<16xindex> to vector<16xi32>
    %start = vector.broadcast %first : i32 to vector<16xi32>
    %rows = arith.addi %places, %start : vector<16xi32>
    %r = scf.if %isRare -> (vector<16x336xf32>) {
      %s = scf.for %t = %c0 to %n step %c1 iter_args(%a = %zeros) -> (vector<16x336xf32>) {
        %left = vector.transfer_read %q[%c0, %c0], %none {in_bounds = [true, true]} : memref<16x16xbf16, 1>, vector<16x16xbf16>
        %tile = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #gpu.address_space<workgroup>> -> vector<336x16xbf16>
        %p = vector.contract {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                               affine_map<(m, n, k) -> (m, n)>],
                              iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
          %left, %tile, %a : vector<16x16xbf16>, vector<336x16xbf16> into vector<16x336xf32>
        %limit = vector.broadcast %least : i32 to vector<16xi32>
        %live = arith.cmpi sge, %rows, %limit : vector<16xi32>
        %across = vector.broadcast %live : vector<16xi1> to vector<336x16xi1>
        %mask = vector.transpose %across, [1, 0] : vector<336x16xi1> to vector<16x336xi1>
        %masked = arith.select %mask, %p, %zeros : vector<16x336xi1>, vector<16x336xf32>
        scf.yield %masked : vector<16x336xf32>
      }
      scf.yield %s : vector<16x336xf32>
    } else {
      scf.yield %zeros : vector<16x336xf32>
    }
    vector.transfer_write %r, %o[%c0, %c0] {in_bounds = [true, true]} : vector<16x336xf32>, memref<16x336xf32, 1>
    gpu.terminator
  }
  return
}
