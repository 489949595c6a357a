// What `sparse_attn.attention` refuses. Dynamic sizes are never refused: they
// are the caller's promise.
//
// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// Element types and ranks
//===----------------------------------------------------------------------===//

func.func @element_type(%q: tensor<1x1x4x8xf64>, %o: tensor<1x1x4x8xf64>) {
  // expected-error@below {{element type must be f16, bf16 or f32, got 'f64'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64>)
    outs(%o : tensor<1x1x4x8xf64>) -> tensor<1x1x4x8xf64>
  return
}

// -----

func.func @mixed_element_types(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x4x8xbf16>) {
  // expected-error@below {{query, key and value must share one element type, got 'f32' and 'bf16' for key}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xbf16>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @query_rank(%q: tensor<4x8xf32>, %k: tensor<1x1x4x8xf32>) {
  // expected-error@below {{query must have rank 4 [batch, heads, sequence, head size], got 'tensor<4x8xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%k : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @value_rank(%q: tensor<1x1x4x8xf32>, %v: tensor<1x4x8xf32>) {
  // expected-error@below {{value must have rank 4 [batch, heads, sequence, head size], got 'tensor<1x4x8xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %v : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @unranked(%q: tensor<*xf32>, %k: tensor<1x1x4x8xf32>) {
  // expected-error@below {{operand #0 must be ranked tensor of any type values or strided memref of any type values}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<*xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%k : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @dynamic_head_size(%q: tensor<1x1x4x?xf32>) {
  // expected-error@below {{head size of query must be static, got 'tensor<1x1x4x?xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x?xf32>, tensor<1x1x4x?xf32>, tensor<1x1x4x?xf32>)
    outs(%q : tensor<1x1x4x?xf32>) -> tensor<1x1x4x?xf32>
  return
}

// -----

func.func @no_heads(%q: tensor<1x1x4x8xf32>, %k: tensor<1x0x4x8xf32>) {
  // expected-error@below {{key has no heads: 'tensor<1x0x4x8xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<1x1x4x8xf32>, tensor<1x0x4x8xf32>, tensor<1x0x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @empty_heads(%q: tensor<1x1x4x0xf32>) {
  // expected-error@below {{query has no elements in a head: 'tensor<1x1x4x0xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x0xf32>, tensor<1x1x4x0xf32>, tensor<1x1x4x0xf32>)
    outs(%q : tensor<1x1x4x0xf32>) -> tensor<1x1x4x0xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Shapes that must agree
//===----------------------------------------------------------------------===//

func.func @batch_of_key(%q: tensor<2x1x4x8xf32>, %k: tensor<3x1x4x8xf32>) {
  // expected-error@below {{batch sizes of query and key differ: 2 and 3}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<2x1x4x8xf32>, tensor<3x1x4x8xf32>, tensor<3x1x4x8xf32>)
    outs(%q : tensor<2x1x4x8xf32>) -> tensor<2x1x4x8xf32>
  return
}

// -----

func.func @batch_of_value(%q: tensor<2x1x4x8xf32>, %v: tensor<1x1x4x8xf32>) {
  // expected-error@below {{batch sizes of key and value differ: 2 and 1}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %v : tensor<2x1x4x8xf32>, tensor<2x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<2x1x4x8xf32>) -> tensor<2x1x4x8xf32>
  return
}

// -----

func.func @heads_of_value(%q: tensor<1x4x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{head counts of key and value differ: 4 and 2}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %v : tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>, tensor<1x2x4x8xf32>)
    outs(%q : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  return
}

// -----

func.func @length_of_value(%q: tensor<1x1x4x8xf32>, %v: tensor<1x1x5x8xf32>) {
  // expected-error@below {{sequence lengths of key and value differ: 4 and 5}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %v : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x5x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

// The value's head size is free; the key's is the query's.
func.func @head_size_of_key(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x4x16xf32>) {
  // expected-error@below {{head sizes of query and key differ: 8 and 16}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x16xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

// Every key head serves the same number of query heads.
func.func @grouped_heads(%q: tensor<1x6x4x8xf32>, %k: tensor<1x4x4x8xf32>) {
  // expected-error@below {{query heads (6) must be a multiple of key heads (4)}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<1x6x4x8xf32>, tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>)
    outs(%q : tensor<1x6x4x8xf32>) -> tensor<1x6x4x8xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Inits and results
//===----------------------------------------------------------------------===//

func.func @three_inits(%q: tensor<1x1x4x8xf32>, %l: tensor<1x1x4xf32>) {
  // expected-error@below {{expects one init (output) or two (output, log-sum-exp), got 3}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q, %l, %l : tensor<1x1x4x8xf32>, tensor<1x1x4xf32>, tensor<1x1x4xf32>)
    -> tensor<1x1x4x8xf32>, tensor<1x1x4xf32>, tensor<1x1x4xf32>
  return
}

// -----

func.func @output_rank(%q: tensor<1x1x4x8xf32>, %o: tensor<1x4x8xf32>) {
  // expected-error@below {{output must be [batch, query heads, queries, value head size] of the query's element type, got 'tensor<1x4x8xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%o : tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @output_element_type(%q: tensor<1x1x4x8xbf16>, %o: tensor<1x1x4x8xf32>) {
  // expected-error@below {{of the query's element type, got 'tensor<1x1x4x8xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xbf16>, tensor<1x1x4x8xbf16>, tensor<1x1x4x8xbf16>)
    outs(%o : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @output_batch(%q: tensor<1x1x4x8xf32>, %o: tensor<2x1x4x8xf32>) {
  // expected-error@below {{batch sizes of query and output differ: 1 and 2}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%o : tensor<2x1x4x8xf32>) -> tensor<2x1x4x8xf32>
  return
}

// -----

func.func @output_heads(%q: tensor<1x1x4x8xf32>, %o: tensor<1x2x4x8xf32>) {
  // expected-error@below {{head counts of query and output differ: 1 and 2}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%o : tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @output_length(%q: tensor<1x1x4x8xf32>, %o: tensor<1x1x5x8xf32>) {
  // expected-error@below {{sequence lengths of query and output differ: 4 and 5}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%o : tensor<1x1x5x8xf32>) -> tensor<1x1x5x8xf32>
  return
}

// -----

func.func @output_head_size(%q: tensor<1x1x4x8xf32>, %v: tensor<1x1x4x16xf32>) {
  // expected-error@below {{head sizes of value and output differ: 16 and 8}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %v : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x16xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @lse_rank(%q: tensor<1x1x4x8xf32>, %l: tensor<1x4xf32>) {
  // expected-error@below {{log-sum-exp must be [batch, query heads, queries] of f32, got 'tensor<1x4xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q, %l : tensor<1x1x4x8xf32>, tensor<1x4xf32>) -> tensor<1x1x4x8xf32>, tensor<1x4xf32>
  return
}

// -----

// The log-sum-exp is f32 whatever the inputs are.
func.func @lse_element_type(%q: tensor<1x1x4x8xf16>, %l: tensor<1x1x4xf16>) {
  // expected-error@below {{log-sum-exp must be [batch, query heads, queries] of f32, got 'tensor<1x1x4xf16>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf16>, tensor<1x1x4x8xf16>, tensor<1x1x4x8xf16>)
    outs(%q, %l : tensor<1x1x4x8xf16>, tensor<1x1x4xf16>) -> tensor<1x1x4x8xf16>, tensor<1x1x4xf16>
  return
}

// -----

func.func @lse_batch(%q: tensor<1x1x4x8xf32>, %l: tensor<2x1x4xf32>) {
  // expected-error@below {{batch sizes of query and log-sum-exp differ: 1 and 2}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q, %l : tensor<1x1x4x8xf32>, tensor<2x1x4xf32>) -> tensor<1x1x4x8xf32>, tensor<2x1x4xf32>
  return
}

// -----

func.func @lse_heads(%q: tensor<1x1x4x8xf32>, %l: tensor<1x3x4xf32>) {
  // expected-error@below {{head counts of query and log-sum-exp differ: 1 and 3}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q, %l : tensor<1x1x4x8xf32>, tensor<1x3x4xf32>) -> tensor<1x1x4x8xf32>, tensor<1x3x4xf32>
  return
}

// -----

func.func @lse_length(%q: tensor<1x1x4x8xf32>, %l: tensor<1x1x8xf32>) {
  // expected-error@below {{sequence lengths of query and log-sum-exp differ: 4 and 8}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q, %l : tensor<1x1x4x8xf32>, tensor<1x1x8xf32>) -> tensor<1x1x4x8xf32>, tensor<1x1x8xf32>
  return
}

// -----

func.func @tensor_and_memref_inputs(%q: tensor<1x1x4x8xf32>, %k: memref<1x1x4x8xf32>) {
  // expected-error@below {{operands must be all tensors or all memrefs}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<1x1x4x8xf32>, memref<1x1x4x8xf32>, memref<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @tensor_inputs_memref_init(%q: tensor<1x1x4x8xf32>, %o: memref<1x1x4x8xf32>) {
  // expected-error@below {{operands must be all tensors or all memrefs}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%o : memref<1x1x4x8xf32>)
  return
}

// -----

func.func @result_on_memrefs(%q: memref<1x1x4x8xf32>) {
  // expected-error@below {{on memrefs has no results}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : memref<1x1x4x8xf32>, memref<1x1x4x8xf32>, memref<1x1x4x8xf32>)
    outs(%q : memref<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @missing_result(%q: tensor<1x1x4x8xf32>, %l: tensor<1x1x4xf32>) {
  // expected-error@below {{expects one result an init, got 1 for 2}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q, %l : tensor<1x1x4x8xf32>, tensor<1x1x4xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @result_type(%q: tensor<1x1x4x8xf32>, %o: tensor<1x1x?x8xf32>) {
  // expected-error@below {{result type 'tensor<1x1x4x8xf32>' differs from its init's 'tensor<1x1x?x8xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%o : tensor<1x1x?x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Attributes and origin
//===----------------------------------------------------------------------===//

func.func @not_a_mask(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{invalid kind of attribute specified}}
  sparse_attn.attention mask("causal")
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @infinite_scale(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{scale must be finite}}
  sparse_attn.attention mask(#sparse_attn.full) scale(0x7FF0000000000000)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

// Scores are f32, whatever the attribute is.
func.func @large_scale(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{scale must be finite in f32, got 1.000000e+40}}
  sparse_attn.attention mask(#sparse_attn.full) scale(1.0e+40)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @softcap_of_zero(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{softcap must be positive and a normal number of f32, got 0.000000e+00; leave it out for scores without bound}}
  sparse_attn.attention mask(#sparse_attn.full) softcap(0.0)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @negative_softcap(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{softcap must be positive and a normal number of f32, got -3.000000e+01}}
  sparse_attn.attention mask(#sparse_attn.full) softcap(-30.0)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @softcap_that_is_no_number(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{softcap must be positive and a normal number of f32}}
  sparse_attn.attention mask(#sparse_attn.full) softcap(0x7FF8000000000000)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @subnormal_softcap(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{softcap must be positive and a normal number of f32, got 1.000000e-40}}
  sparse_attn.attention mask(#sparse_attn.full) softcap(1.0e-40)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @softcap_far_from_scale(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{scale / softcap must be a normal number of f32, got 1.000000e-10 / 1.000000e+30}}
  sparse_attn.attention mask(#sparse_attn.full) scale(1.0e-10) softcap(1.0e+30)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @unknown_data(%q: tensor<2x4x64x8xf32>, %x: tensor<2xi32>) {
  // expected-error@below {{has no data operand 'lengths'; there are key_lengths, query_lengths, key_begin, key_position, query_position, page_table, documents, global_tokens, sinks, slopes, bias, extra}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(lengths = %x : tensor<2xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @data_twice(%q: tensor<2x4x64x8xf32>, %x: tensor<2xi32>) {
  // expected-error@below {{has the data operand key_lengths twice}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(key_lengths = %x : tensor<2xi32>, key_lengths = %x : tensor<2xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @lengths_of_floats(%q: tensor<2x4x64x8xf32>, %x: tensor<2xf32>) {
  // expected-error@below {{data operand query_lengths must be [sequences], of i32, got 'tensor<2xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(query_lengths = %x : tensor<2xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @sinks_of_a_batch(%q: tensor<2x4x64x8xf32>, %x: tensor<2x4xf32>) {
  // expected-error@below {{data operand sinks must be [query heads], of f32, got 'tensor<2x4xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(sinks = %x : tensor<2x4xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @too_few_sinks(%q: tensor<2x4x64x8xf32>, %x: tensor<3xf32>) {
  // expected-error@below {{data operand sinks is of 3 query heads, of which there are 4}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(sinks = %x : tensor<3xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @positions_of_32_bits(%q: tensor<2x4x64x8xf32>, %x: tensor<2xi32>) {
  // expected-error@below {{data operand key_position must be one number or [sequences], of i64, got 'tensor<2xi32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(key_position = %x : tensor<2xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @positions_of_rows(%q: tensor<2x4x64x8xf32>, %x: tensor<2x64xi64>) {
  // expected-error@below {{data operand query_position must be one number or [sequences], of i64, got 'tensor<2x64xi64>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(query_position = %x : tensor<2x64xi64>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @begins_of_64_bits(%q: tensor<2x4x64x8xf32>, %x: tensor<2xi64>) {
  // expected-error@below {{data operand key_begin must be [sequences], of i32, got 'tensor<2xi64>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(key_begin = %x : tensor<2xi64>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @too_few_positions(%q: tensor<2x4x64x8xf32>, %x: tensor<3xi64>) {
  // expected-error@below {{data operand key_position is of 3 sequences, of which there are 2}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(key_position = %x : tensor<3xi64>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @pages_of_unknown_size(%q: tensor<2x4x64x8xf32>, %kv: tensor<?x4x?x8xf32>, %x: tensor<2x4xi32>) {
  // expected-error@below {{has a page_table, and keys [pages, key heads, page, head size] of pages of unknown size; write the size in the type}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %kv, %kv : tensor<2x4x64x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>)
    data(page_table = %x : tensor<2x4xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @pages_of_any_size(%q: tensor<2x4x64x8xf32>, %kv: tensor<?x4x40x8xf32>, %x: tensor<2x4xi32>) {
  // expected-error@below {{has pages of 40 keys; they must be of a multiple of 16, up to 256}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %kv, %kv : tensor<2x4x64x8xf32>, tensor<?x4x40x8xf32>, tensor<?x4x40x8xf32>)
    data(page_table = %x : tensor<2x4xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @tables_of_one_dimension(%q: tensor<2x4x64x8xf32>, %kv: tensor<?x4x64x8xf32>, %x: tensor<2xi32>) {
  // expected-error@below {{data operand page_table must be [sequences, pages of a sequence], of i32, got 'tensor<2xi32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %kv, %kv : tensor<2x4x64x8xf32>, tensor<?x4x64x8xf32>, tensor<?x4x64x8xf32>)
    data(page_table = %x : tensor<2xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @pools_of_two_sizes(%q: tensor<2x4x64x8xf32>, %k: tensor<9x4x64x8xf32>, %v: tensor<8x4x64x8xf32>, %x: tensor<2x3xi32>) {
  // expected-error@below {{page counts of key and value differ: 9 and 8}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %v : tensor<2x4x64x8xf32>, tensor<9x4x64x8xf32>, tensor<8x4x64x8xf32>)
    data(page_table = %x : tensor<2x3xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @pages_of_two_sizes(%q: tensor<2x4x64x8xf32>, %k: tensor<9x4x64x8xf32>, %v: tensor<9x4x32x8xf32>, %x: tensor<2x3xi32>) {
  // expected-error@below {{page sizes of key and value differ: 64 and 32}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %v : tensor<2x4x64x8xf32>, tensor<9x4x64x8xf32>, tensor<9x4x32x8xf32>)
    data(page_table = %x : tensor<2x3xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @bias_of_some_pages(%q: tensor<2x4x64x8xf32>, %kv: tensor<9x4x64x8xf32>, %x: tensor<2x3xi32>, %b: tensor<1x64x128xf32>) {
  // expected-error@below {{data operand bias is of 128 keys, of which there are 192}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %kv, %kv : tensor<2x4x64x8xf32>, tensor<9x4x64x8xf32>, tensor<9x4x64x8xf32>)
    data(page_table = %x : tensor<2x3xi32>, bias = %b : tensor<1x64x128xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @too_few_lengths(%q: tensor<2x4x64x8xf32>, %x: tensor<3xi32>) {
  // expected-error@below {{data operand key_lengths is of 3 sequences, of which there are 2}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(key_lengths = %x : tensor<3xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @bias_of_five_dimensions(%q: tensor<2x4x64x8xf32>, %x: tensor<1x1x1x1x1xf32>) {
  // expected-error@below {{data operand bias must be [sequences, query heads, queries, keys], any of which may be 1, of f32, got 'tensor<1x1x1x1x1xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(bias = %x : tensor<1x1x1x1x1xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @bias_of_halves(%q: tensor<2x4x64x8xf32>, %x: tensor<64x64xf16>) {
  // expected-error@below {{data operand bias must be [sequences, query heads, queries, keys], any of which may be 1, of f32}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(bias = %x : tensor<64x64xf16>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @bias_of_other_keys(%q: tensor<2x4x64x8xf32>, %x: tensor<64x63xf32>) {
  // expected-error@below {{data operand bias is of 63 keys, of which there are 64}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(bias = %x : tensor<64x63xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @data_in_memory(%q: tensor<2x4x64x8xf32>, %x: memref<2xi32>) {
  // expected-error@below {{operands must be all tensors or all memrefs}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(key_lengths = %x : memref<2xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @origin_of_two_with_data(%q: tensor<2x4x64x8xf32>, %x: tensor<2xi32>, %at: index) {
  // expected-error@below {{origin takes a batch, a head, a row and a number of queries where there is data or a score region, got 2 values}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(key_lengths = %x : tensor<2xi32>) origin(%at, %at)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @arguments_of_a_score(%q: tensor<2x4x64x8xf32>) {
  // expected-error@below {{score takes a score (f32), and a batch, a head, and the positions of a query and a key (index)}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    outs(%q : tensor<2x4x64x8xf32>) score {
    ^bb0(%s: f32, %i: index, %j: index):
      sparse_attn.yield %s : f32
    } -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @score_that_is_no_number(%q: tensor<2x4x64x8xf32>) {
  // expected-error@below {{score yields one f32}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    outs(%q : tensor<2x4x64x8xf32>) score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      sparse_attn.yield %i : index
    } -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @score_with_effects(%q: tensor<2x4x64x8xf32>, %m: memref<4xf32>) {
  // expected-error@below {{computes scores anew without side effects or branches, and has 'memref.store' in its score region}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    outs(%q : tensor<2x4x64x8xf32>) score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      // expected-note@below {{have it done before}}
      memref.store %s, %m[%h] : memref<4xf32>
      sparse_attn.yield %s : f32
    } -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @score_with_branches(%q: tensor<2x4x64x8xf32>, %when: i1) {
  // expected-error@below {{computes scores anew without side effects or branches, and has 'scf.if' in its score region}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    outs(%q : tensor<2x4x64x8xf32>) score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      // expected-note@below {{use arith.select}}
      %t = scf.if %when -> f32 {
        scf.yield %s : f32
      } else {
        scf.yield %s : f32
      }
      sparse_attn.yield %t : f32
    } -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @extra_that_nothing_reads(%q: tensor<2x4x64x8xf32>, %x: tensor<9x9xi8>) {
  // expected-error@below {{has the data operand extra, which its score region does not read; leave it out}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(extra = %x : tensor<9x9xi8>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @names_without_data(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{has 0 data operands and 1 names}}
  "sparse_attn.attention"(%q, %q, %q, %q) <{mask = #sparse_attn.full, data_names = ["sinks"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1>}> ({
  }) : (tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @half_an_origin(%q: tensor<1x1x4x8xf32>, %head: index) {
  // expected-error@below {{origin takes a head and a position, got 1 values}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    origin(%head) outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Masks at known lengths
//===----------------------------------------------------------------------===//

func.func @global_past_the_end(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{global token 4 is out of range: the sequence has 4 keys}}
  sparse_attn.attention mask(#sparse_attn.global<tokens = [0, 4]>)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @global_before_the_start(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{global token -5 is out of range: the sequence has 4 keys}}
  sparse_attn.attention mask(#sparse_attn.global<tokens = [-5]>)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @too_many_first(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{'first = 5' is out of range: the sequence has 4 keys}}
  sparse_attn.attention mask(#sparse_attn.global<first = 5>)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @too_many_last(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{'last = 9' is out of range: the sequence has 4 keys}}
  sparse_attn.attention mask(#sparse_attn.global<last = 9>)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

// Members of combinators, and what a preset expands to, are checked as well.
func.func @inside_combinators(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{global token 7 is out of range: the sequence has 4 keys}}
  sparse_attn.attention
    mask(#sparse_attn.union<#sparse_attn.causal, #sparse_attn.intersection<
           #sparse_attn.full, #sparse_attn.complement<#sparse_attn.global<tokens = [7]>>>>)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @inside_preset(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{global token 8 is out of range: the sequence has 4 keys}}
  sparse_attn.attention mask(#sparse_attn.longformer<window = 2, global_tokens = [8]>)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

// BigBird's first and last block are cut to the sequence, so that a block
// larger than it is fine; and nothing is out of range of an unknown length.
func.func @in_range(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x?x8xf32>) {
  %0 = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3>)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  %1 = sparse_attn.attention mask(#sparse_attn.global<tokens = [4000]>)
    ins(%q, %k, %k : tensor<1x1x4x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @long_queries(%q: tensor<1x1x1073741824x1xf32>, %k: tensor<1x1x8x1xf32>) {
  // expected-error@below {{sequences must be shorter than 1073741824, got 1073741824 positions of query}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<1x1x1073741824x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>)
    outs(%q : tensor<1x1x1073741824x1xf32>) -> tensor<1x1x1073741824x1xf32>
  return
}

// -----

func.func @long_keys(%q: tensor<1x1x8x1xf32>, %k: tensor<1x1x9223372036854775807x1xf32>) {
  // expected-error@below {{sequences must be shorter than 1073741824, got 9223372036854775807 positions of key}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %k, %k : tensor<1x1x8x1xf32>, tensor<1x1x9223372036854775807x1xf32>, tensor<1x1x9223372036854775807x1xf32>)
    outs(%q : tensor<1x1x8x1xf32>) -> tensor<1x1x8x1xf32>
  return
}

// -----

func.func @too_many_bytes(%q: tensor<2147483648x1x1024x1048576xf32>) {
  // expected-error@below {{query has more bytes than 64 bits can count: 'tensor<2147483648x1x1024x1048576xf32>'}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<2147483648x1x1024x1048576xf32>, tensor<2147483648x1x1024x1048576xf32>, tensor<2147483648x1x1024x1048576xf32>)
    outs(%q : tensor<2147483648x1x1024x1048576xf32>) -> tensor<2147483648x1x1024x1048576xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

func.func @misspelt(%q: tensor<1x1x4x8xf32>) {
  // expected-error@below {{unknown operation `atention` in dialect `sparse_attn` (did you mean 'attention'?); there are 'attention', 'finish', 'gather_rows', 'initial_state', 'is_trusted', 'launch_argument', 'merge', 'merge_states', 'merge_stored', 'read_rows', 'restart', 'result_state', 'scatter_rows', 'settle', 'sm_count', 'step', 'store_state', 'write_rows' and 'yield'}}
  %o = sparse_attn.atention mask(#sparse_attn.full)
    ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
    outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return
}

// -----

// expected-error@below {{unknown operation `softmax` in dialect `sparse_attn`; there are}}
sparse_attn.softmax

// -----

func.func @no_documents(%q: tensor<2x4x64x8xf32>) {
  // expected-error@below {{has a mask that reads the data operand documents, which it has not; give it, in data(documents = ...)}}
  sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @idle_documents(%q: tensor<2x4x64x8xf32>, %x: tensor<2x64xi32>) {
  // expected-error@below {{has the data operand documents, which its mask does not read; leave it out}}
  sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(documents = %x : tensor<2x64xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @documents_of_one_sequence(%q: tensor<2x4x64x8xf32>, %x: tensor<64xi32>) {
  // expected-error@below {{data operand documents must be [sequences, keys], of i32, got 'tensor<64xi32>'}}
  sparse_attn.attention mask(#sparse_attn.document)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(documents = %x : tensor<64xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @documents_of_other_keys(%q: tensor<2x4x64x8xf32>, %x: tensor<2x63xi32>) {
  // expected-error@below {{data operand documents is of 63 keys, of which there are 64}}
  sparse_attn.attention mask(#sparse_attn.document)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(documents = %x : tensor<2x63xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @no_tokens(%q: tensor<2x4x64x8xf32>) {
  // expected-error@below {{has a mask that reads the data operand global_tokens, which it has not; give it, in data(global_tokens = ...)}}
  sparse_attn.attention mask(#sparse_attn.complement<#sparse_attn.global<listed>>)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @idle_tokens(%q: tensor<2x4x64x8xf32>, %x: tensor<2x3xi32>) {
  // expected-error@below {{has the data operand global_tokens, which its mask does not read; leave it out}}
  sparse_attn.attention mask(#sparse_attn.global<tokens = [0]>)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(global_tokens = %x : tensor<2x3xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @tokens_of_one_sequence(%q: tensor<2x4x64x8xf32>, %x: tensor<3xi32>) {
  // expected-error@below {{data operand global_tokens must be [sequences, tokens], of i32, got 'tensor<3xi32>'}}
  sparse_attn.attention mask(#sparse_attn.global<listed>)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(global_tokens = %x : tensor<3xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}

// -----

func.func @tokens_of_other_sequences(%q: tensor<2x4x64x8xf32>, %x: tensor<3x2xi32>) {
  // expected-error@below {{data operand global_tokens is of 3 sequences, of which there are 2}}
  sparse_attn.attention mask(#sparse_attn.global<listed>)
    ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
    data(global_tokens = %x : tensor<3x2xi32>)
    outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return
}
