// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics

func.func @rank(%keys: memref<4x64x128xbf16>, %memory: memref<?xi8, 3>, %offset: index) {
  // expected-error@below {{'sparse_attn.stage_tile' op operand #0 must be strided memref of any type values of rank 2, but got 'memref<4x64x128xbf16>'}}
  sparse_attn.stage_tile %keys to %memory[%offset] rows 64 : memref<4x64x128xbf16>, memref<?xi8, 3>
  return
}

// -----

func.func @memory(%keys: memref<64x128xbf16>, %memory: memref<4x4xi8, 3>, %offset: index) {
  // expected-error@below {{'sparse_attn.stage_tile' op operand #1 must be strided memref of any type values of rank 1, but got 'memref<4x4xi8, 3>'}}
  sparse_attn.stage_tile %keys to %memory[%offset] rows 64 : memref<64x128xbf16>, memref<4x4xi8, 3>
  return
}

// -----

func.func @rows(%keys: memref<64x128xbf16>, %memory: memref<?xi8, 3>, %offset: index) {
  // expected-error@below {{'sparse_attn.stage_tile' op attribute 'rows' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  sparse_attn.stage_tile %keys to %memory[%offset] rows 0 : memref<64x128xbf16>, memref<?xi8, 3>
  return
}

// -----

func.func @staged_memory(%memory: memref<4x4xi8, 3>, %offset: index) {
  // expected-error@below {{'sparse_attn.staged_tile' op operand #0 must be strided memref of any type values of rank 1, but got 'memref<4x4xi8, 3>'}}
  %tile = sparse_attn.staged_tile %memory[%offset] : memref<4x4xi8, 3> -> vector<64x128xbf16>
  return
}

// -----

func.func @scalar(%memory: memref<?xi8, 3>, %offset: index) {
  // expected-error@below {{invalid kind of type specified: expected builtin.vector, but found 'f16'}}
  %tile = sparse_attn.staged_tile %memory[%offset] : memref<?xi8, 3> -> f16
  return
}
