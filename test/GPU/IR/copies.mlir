// Tiles on their way into shared memory, and there.
//
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

// CHECK-LABEL: func.func @copy
// CHECK:         %[[KEYS:.*]] = sparse_attn_gpu.stage %{{.*}} to %{{.*}}[%{{.*}}] rows 64
// CHECK-SAME:      : memref<?x128xbf16, strided<[128, 1], offset: ?>, #gpu.address_space<global>>, memref<?xi8, #gpu.address_space<workgroup>>
// CHECK:         %[[VALUES:.*]] = sparse_attn_gpu.stage %{{.*}} to %{{.*}}[%{{.*}}] rows 64 thread %{{.*}} :
// CHECK:         %[[BOTH:.*]] = sparse_attn_gpu.join(%[[KEYS]], %[[VALUES]])
// CHECK:         %[[NOTHING:.*]] = sparse_attn_gpu.join()
// CHECK:         sparse_attn_gpu.wait %[[BOTH]], %[[NOTHING]]
// CHECK:         sparse_attn_gpu.staged_tile %{{.*}}[%{{.*}}]
// CHECK-SAME:      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<64x128xbf16>
func.func @copy(%keys: memref<?x128xbf16, strided<[128, 1], offset: ?>, #global>,
                %memory: memref<?xi8, #shared>, %offset: index, %thread: i32) -> vector<64x128xbf16> {
  %k = sparse_attn_gpu.stage %keys to %memory[%offset] rows 64
    : memref<?x128xbf16, strided<[128, 1], offset: ?>, #global>, memref<?xi8, #shared>
  %v = sparse_attn_gpu.stage %keys to %memory[%offset] rows 64 thread %thread
    : memref<?x128xbf16, strided<[128, 1], offset: ?>, #global>, memref<?xi8, #shared>
  %both = sparse_attn_gpu.join(%k, %v)
  %nothing = sparse_attn_gpu.join()
  sparse_attn_gpu.wait %both, %nothing
  %tile = sparse_attn_gpu.staged_tile %memory[%offset] : memref<?xi8, #shared> -> vector<64x128xbf16>
  return %tile : vector<64x128xbf16>
}

// Rows that are no neighbours.
//
// CHECK-LABEL: func.func @rows
// CHECK:         sparse_attn_gpu.stage %{{.*}} to %{{.*}}[%{{.*}}] rows 16 at {
// CHECK-NEXT:    ^bb0(%[[M:.*]]: i32):
// CHECK-NEXT:      %[[AT:.*]] = arith.muli %[[M]], %{{.*}} : i32
// CHECK-NEXT:      sparse_attn_gpu.yield %[[AT]]
// CHECK-NEXT:    } : memref<?x128xbf16,
// CHECK:         sparse_attn_gpu.stage {{.*}} rows 16 thread %{{.*}} at {
func.func @rows(%keys: memref<?x128xbf16, #global>, %memory: memref<?xi8, #shared>, %offset: index, %thread: i32, %step: i32) {
  %a = sparse_attn_gpu.stage %keys to %memory[%offset] rows 16 at {
  ^bb0(%m: i32):
    %at = arith.muli %m, %step : i32
    sparse_attn_gpu.yield %at
  } : memref<?x128xbf16, #global>, memref<?xi8, #shared>
  %b = sparse_attn_gpu.stage %keys to %memory[%offset] rows 16 thread %thread at {
  ^bb0(%m: i32):
    sparse_attn_gpu.yield %m
  } : memref<?x128xbf16, #global>, memref<?xi8, #shared>
  return
}

// Two slots that tiles take in turn. All of it stays where it is.
//
// CHECK-LABEL: func.func @ring
// CHECK:         %[[RING:.*]] = sparse_attn_gpu.ring %{{.*}}[%{{.*}}] thread %{{.*}} : memref<?xi8, #gpu.address_space<workgroup>> -> <2>
// CHECK:         sparse_attn_gpu.reserve %[[RING]][%[[N:.*]]] : <2>
// CHECK:         %[[TILES:.*]] = sparse_attn_gpu.fill %[[RING]][%[[N]]] by (%{{.*}}, %{{.*}}) : <2>
// CHECK:         sparse_attn_gpu.wait %[[TILES]], %{{.*}} of %[[RING]][%[[N]]] : !sparse_attn_gpu.ring<2>
// CHECK:         sparse_attn_gpu.release %[[RING]][%[[N]]] : <2>
// CHECK:         sparse_attn_gpu.release %[[RING]][%[[N]]] thread %{{.*}} : <2>
//
// EFFECTS-LABEL: func.func @ring
// EFFECTS-NEXT:    sparse_attn_gpu.ring
// EFFECTS-NEXT:    sparse_attn_gpu.reserve
// EFFECTS-NEXT:    sparse_attn_gpu.fill
// EFFECTS-NEXT:    sparse_attn_gpu.wait
// EFFECTS-NEXT:    sparse_attn_gpu.release
// EFFECTS-NEXT:    sparse_attn_gpu.release
func.func @ring(%memory: memref<?xi8, #shared>, %offset: index, %number: index, %thread: i32,
                %k: !sparse_attn_gpu.token, %v: !sparse_attn_gpu.token, %q: !sparse_attn_gpu.token) {
  %ring = sparse_attn_gpu.ring %memory[%offset] thread %thread : memref<?xi8, #shared> -> <2>
  sparse_attn_gpu.reserve %ring[%number] : <2>
  %tiles = sparse_attn_gpu.fill %ring[%number] by (%k, %v) : <2>
  sparse_attn_gpu.wait %tiles, %q of %ring[%number] : !sparse_attn_gpu.ring<2>
  sparse_attn_gpu.release %ring[%number] : <2>
  sparse_attn_gpu.release %ring[%number] thread %thread : <2>
  return
}

// CHECK-LABEL: func.func @carried
// CHECK:         scf.for {{.*}} iter_args({{.*}}) -> (!sparse_attn_gpu.token)
func.func @carried(%token: !sparse_attn_gpu.token, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%t = %token) -> (!sparse_attn_gpu.token) {
    sparse_attn_gpu.wait %t
    scf.yield %t : !sparse_attn_gpu.token
  }
  return
}

// What nothing uses goes; a copy writes, and a wait orders what stands around it, so
// they stay where they are.
//
// RUN: sparse-attn-opt %s --canonicalize --cse | FileCheck %s --check-prefix=EFFECTS
//
// EFFECTS-LABEL: func.func @unused
// EFFECTS:         sparse_attn_gpu.stage
// EFFECTS-NEXT:    sparse_attn_gpu.wait
// EFFECTS-NEXT:    return
func.func @unused(%keys: memref<64x16xf16>, %memory: memref<?xi8, #shared>, %offset: index) {
  %k = sparse_attn_gpu.stage %keys to %memory[%offset] rows 64 : memref<64x16xf16>, memref<?xi8, #shared>
  %joined = sparse_attn_gpu.join(%k)
  sparse_attn_gpu.wait %k
  %tile = sparse_attn_gpu.staged_tile %memory[%offset] : memref<?xi8, #shared> -> vector<64x16xf16>
  return
}

// EFFECTS-LABEL: func.func @twice
// EFFECTS:         %[[A:.*]] = sparse_attn_gpu.staged_tile
// EFFECTS-NEXT:    sparse_attn_gpu.wait
// EFFECTS-NEXT:    %[[B:.*]] = sparse_attn_gpu.staged_tile
// EFFECTS-NEXT:    return %[[A]], %[[B]]
func.func @twice(%token: !sparse_attn_gpu.token, %memory: memref<?xi8, #shared>, %offset: index)
    -> (vector<64x16xf16>, vector<64x16xf16>) {
  %a = sparse_attn_gpu.staged_tile %memory[%offset] : memref<?xi8, #shared> -> vector<64x16xf16>
  sparse_attn_gpu.wait %token
  %b = sparse_attn_gpu.staged_tile %memory[%offset] : memref<?xi8, #shared> -> vector<64x16xf16>
  return %a, %b : vector<64x16xf16>, vector<64x16xf16>
}
