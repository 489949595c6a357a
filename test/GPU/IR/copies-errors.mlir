// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics

#shared = #gpu.address_space<workgroup>

func.func @rank(%k: memref<4x64x128xbf16>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op operand #0 must be strided memref of any type values of rank 2, but got 'memref<4x64x128xbf16>'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<4x64x128xbf16>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @memory_rank(%k: memref<64x128xbf16>, %m: memref<4x4xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op operand #1 must be strided memref of any type values of rank 1, but got 'memref<4x4xi8, #gpu.address_space<workgroup>>'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<64x128xbf16>, memref<4x4xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @global_memory(%k: memref<64x128xbf16>, %m: memref<?xi8>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op takes bytes of shared memory, a memref of i8 in #gpu.address_space<workgroup>, got 'memref<?xi8>'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<64x128xbf16>, memref<?xi8>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @halves(%k: memref<64x128xbf16>, %m: memref<?xf16, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op takes bytes of shared memory, a memref of i8 in #gpu.address_space<workgroup>, got 'memref<?xf16, #gpu.address_space<workgroup>>'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<64x128xbf16>, memref<?xf16, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @rows(%k: memref<64x128xbf16>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op attribute 'rows' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 0 : memref<64x128xbf16>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @few_rows(%k: memref<64x128xbf16>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op holds tiles of a multiple of 8 rows, each of a multiple of 8 elements, got 12 rows of 128 elements of 'bf16'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 12 : memref<64x128xbf16>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @narrow(%k: memref<64x12xbf16>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op holds tiles of a multiple of 8 rows, each of a multiple of 8 elements, got 64 rows of 12 elements of 'bf16'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<64x12xbf16>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @unknown_width(%k: memref<64x?xf32>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op holds tiles of a multiple of 8 rows, each of a multiple of 8 elements, got 64 rows of ? elements of 'f32'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<64x?xf32>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @element(%k: memref<64x16xf64>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op holds tiles of f16, bf16 or f32, got 'f64'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<64x16xf64>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @columns_apart(%k: memref<64x16xf16, strided<[32, 2]>>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op copies rows whose elements are side by side, got 'memref<64x16xf16, strided<[32, 2]>>'}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 : memref<64x16xf16, strided<[32, 2]>>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @no_token() {
  // expected-error@below {{'sparse_attn_gpu.wait' op needs a token to wait for}}
  sparse_attn_gpu.wait
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @staged_memory(%m: memref<?xi8>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.staged_tile' op takes bytes of shared memory, a memref of i8 in #gpu.address_space<workgroup>, got 'memref<?xi8>'}}
  %r = sparse_attn_gpu.staged_tile %m[%o] : memref<?xi8> -> vector<64x128xbf16>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @staged_rank(%m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.staged_tile' op result #0 must be fixed-length vector of 16-bit float or bfloat16 type or 32-bit float values of ranks 2, but got 'vector<64xf16>'}}
  %r = sparse_attn_gpu.staged_tile %m[%o] : memref<?xi8, #shared> -> vector<64xf16>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @staged_narrow(%m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.staged_tile' op holds tiles of a multiple of 8 rows, each of a multiple of 8 elements, got 64 rows of 4 elements of 'f32'}}
  %r = sparse_attn_gpu.staged_tile %m[%o] : memref<?xi8, #shared> -> vector<64x4xf32>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

// expected-error@below {{a ring has at least 2 slots, got 1}}
func.func @one_slot(%ring: !sparse_attn_gpu.ring<1>) {
  return
}

// -----

func.func @ring_memory(%m: memref<?xi8>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.ring' op takes bytes of shared memory, a memref of i8 in #gpu.address_space<workgroup>, got 'memref<?xi8>'}}
  %ring = sparse_attn_gpu.ring %m[%o] : memref<?xi8> -> <2>
  return
}

// -----

func.func @no_number(%ring: !sparse_attn_gpu.ring<2>, %token: !sparse_attn_gpu.token) {
  // expected-error@below {{'sparse_attn_gpu.wait' op names a ring without the number of a tile, or the other way round}}
  "sparse_attn_gpu.wait"(%token, %ring) {operandSegmentSizes = array<i32: 1, 1, 0>} : (!sparse_attn_gpu.token, !sparse_attn_gpu.ring<2>) -> ()
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @no_row(%k: memref<64x128xbf16>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op has a region that takes the number of a row, an i32}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 at {
    %c0 = arith.constant 0 : i32
    sparse_attn_gpu.yield %c0
  } : memref<64x128xbf16>, memref<?xi8, #shared>
  return
}

// -----

#shared = #gpu.address_space<workgroup>

func.func @yields_nothing(%k: memref<64x128xbf16>, %m: memref<?xi8, #shared>, %o: index) {
  // expected-error@below {{'sparse_attn_gpu.stage' op has a region that yields the row of the source, an i32}}
  %r = sparse_attn_gpu.stage %k to %m[%o] rows 64 at {
  ^bb0(%row: i32):
    llvm.unreachable
  } : memref<64x128xbf16>, memref<?xi8, #shared>
  return
}

// -----

func.func @no_rows(%a: i32, %b: i32) {
  // expected-error@below {{'sparse_attn_gpu.has_rows' op attribute 'rows' failed to satisfy constraint}}
  %some = sparse_attn_gpu.has_rows %a to %b of 0
  return
}

// -----

func.func @no_other_rows(%a: i32, %b: i32) {
  // expected-error@below {{'sparse_attn_gpu.has_other_rows' op attribute 'rows' failed to satisfy constraint}}
  %some = sparse_attn_gpu.has_other_rows %a to %b of 0
  return
}

// -----

func.func @half_full(%a: i32, %b: i32) {
  // expected-error@below {{'sparse_attn_gpu.live_rows' op has a begin of its full rows without an end, or the other way round}}
  "sparse_attn_gpu.live_rows"(%a, %b, %a) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> : (i32, i32, i32) -> ()
  return
}
