// Scripts of the transform dialect reach attention with what linalg, scf, tensor, vector, gpu,
// bufferization and func add to it.
// RUN: sparse-attn-opt %s --transform-interpreter --canonicalize | FileCheck %s

// Two query tiles a trip, on memrefs.
// CHECK-LABEL: func.func @tiled
// CHECK-SAME:    memref<1x1x64x8xf32
// CHECK:         scf.for
// CHECK-COUNT-2: sparse_attn.attention {{.*}} origin(
// CHECK-NOT:     sparse_attn.attention
// CHECK-LABEL: llvm.func @identity
func.func @tiled(%q: tensor<1x1x64x8xf32>) -> tensor<1x1x64x8xf32> {
  %init = tensor.empty() : tensor<1x1x64x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>)
      outs(%init : tensor<1x1x64x8xf32>) -> tensor<1x1x64x8xf32>
  return %o : tensor<1x1x64x8xf32>
}

func.func @identity(%x: i64) -> i64 {
  return %x : i64
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.consumed}) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [0, 0, 8]
        : (!transform.any_op) -> (!transform.any_op, !transform.op<"scf.for">)
    transform.loop.unroll %loop {factor = 2} : !transform.op<"scf.for">
    %tiled = transform.structured.match attributes {sym_name = "tiled"} in %root
        : (!transform.any_op) -> !transform.any_op
    transform.apply_patterns to %tiled {
      transform.apply_patterns.tensor.merge_consecutive_insert_extract_slice
      transform.apply_patterns.vector.cast_away_vector_leading_one_dim
      transform.apply_patterns.gpu.gpu_rewrite_patterns
      transform.apply_patterns.scf.for_loop_canonicalization
    } : !transform.any_op
    %buffers = transform.bufferization.one_shot_bufferize %root
        {bufferize_function_boundaries = true} : (!transform.any_op) -> !transform.any_op
    %identity = transform.structured.match attributes {sym_name = "identity"} in %buffers
        : (!transform.any_op) -> !transform.any_op
    transform.apply_conversion_patterns to %identity {
      transform.apply_conversion_patterns.func.func_to_llvm
    } with type_converter {
      transform.apply_conversion_patterns.memref.memref_to_llvm_type_converter
    } {legal_dialects = ["llvm"], partial_conversion} : !transform.any_op
    transform.yield
  }
}
