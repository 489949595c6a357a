// Functions that take the same tensors, all of them or some.

// Equal but for the mask, and for an LSE.
func.func @causal(%q: tensor<?x?x?x16xf32>, %k: tensor<?x?x?x16xf32>, %v: tensor<?x?x?x16xf32>) -> tensor<?x?x?x16xf32> {
  %c0 = arith.constant 0 : index
  %n0 = tensor.dim %q, %c0 : tensor<?x?x?x16xf32>
  %c1 = arith.constant 1 : index
  %n1 = tensor.dim %q, %c1 : tensor<?x?x?x16xf32>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<?x?x?x16xf32>
  %oi = tensor.empty(%n0, %n1, %n2) : tensor<?x?x?x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>) outs(%oi : tensor<?x?x?x16xf32>) -> tensor<?x?x?x16xf32>
  return %o : tensor<?x?x?x16xf32>
}

func.func @window(%q: tensor<?x?x?x16xf32>, %k: tensor<?x?x?x16xf32>, %v: tensor<?x?x?x16xf32>) -> tensor<?x?x?x16xf32> {
  %c0 = arith.constant 0 : index
  %n0 = tensor.dim %q, %c0 : tensor<?x?x?x16xf32>
  %c1 = arith.constant 1 : index
  %n1 = tensor.dim %q, %c1 : tensor<?x?x?x16xf32>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<?x?x?x16xf32>
  %oi = tensor.empty(%n0, %n1, %n2) : tensor<?x?x?x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 8, right = 0>)
    ins(%q, %k, %v : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>) outs(%oi : tensor<?x?x?x16xf32>) -> tensor<?x?x?x16xf32>
  return %o : tensor<?x?x?x16xf32>
}

func.func @with_lse(%q: tensor<?x?x?x16xf32>, %k: tensor<?x?x?x16xf32>, %v: tensor<?x?x?x16xf32>) -> (tensor<?x?x?x16xf32>, tensor<?x?x?xf32>) {
  %c0 = arith.constant 0 : index
  %n0 = tensor.dim %q, %c0 : tensor<?x?x?x16xf32>
  %c1 = arith.constant 1 : index
  %n1 = tensor.dim %q, %c1 : tensor<?x?x?x16xf32>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<?x?x?x16xf32>
  %oi = tensor.empty(%n0, %n1, %n2) : tensor<?x?x?x16xf32>
  %li = tensor.empty(%n0, %n1, %n2) : tensor<?x?x?xf32>
  %o, %l = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>) outs(%oi, %li : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>) -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %o, %l : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
}

// One takes fewer than any other.
func.func @any(%q: tensor<?x?x?x16xf16>, %k: tensor<?x?x?x16xf16>, %v: tensor<?x?x?x16xf16>) -> tensor<?x?x?x16xf16> {
  %c0 = arith.constant 0 : index
  %n0 = tensor.dim %q, %c0 : tensor<?x?x?x16xf16>
  %c1 = arith.constant 1 : index
  %n1 = tensor.dim %q, %c1 : tensor<?x?x?x16xf16>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<?x?x?x16xf16>
  %oi = tensor.empty(%n0, %n1, %n2) : tensor<?x?x?x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<?x?x?x16xf16>, tensor<?x?x?x16xf16>, tensor<?x?x?x16xf16>) outs(%oi : tensor<?x?x?x16xf16>) -> tensor<?x?x?x16xf16>
  return %o : tensor<?x?x?x16xf16>
}

func.func @one_batch(%q: tensor<1x?x?x16xf16>, %k: tensor<1x?x?x16xf16>, %v: tensor<1x?x?x16xf16>) -> tensor<1x?x?x16xf16> {
  %c1 = arith.constant 1 : index
  %n1 = tensor.dim %q, %c1 : tensor<1x?x?x16xf16>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<1x?x?x16xf16>
  %oi = tensor.empty(%n1, %n2) : tensor<1x?x?x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<1x?x?x16xf16>, tensor<1x?x?x16xf16>, tensor<1x?x?x16xf16>) outs(%oi : tensor<1x?x?x16xf16>) -> tensor<1x?x?x16xf16>
  return %o : tensor<1x?x?x16xf16>
}

func.func @four_heads(%q: tensor<?x4x?x16xf16>, %k: tensor<?x4x?x16xf16>, %v: tensor<?x4x?x16xf16>) -> tensor<?x4x?x16xf16> {
  %c0 = arith.constant 0 : index
  %n0 = tensor.dim %q, %c0 : tensor<?x4x?x16xf16>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<?x4x?x16xf16>
  %oi = tensor.empty(%n0, %n2) : tensor<?x4x?x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<?x4x?x16xf16>, tensor<?x4x?x16xf16>, tensor<?x4x?x16xf16>) outs(%oi : tensor<?x4x?x16xf16>) -> tensor<?x4x?x16xf16>
  return %o : tensor<?x4x?x16xf16>
}

func.func @both(%q: tensor<1x4x?x16xf16>, %k: tensor<1x4x?x16xf16>, %v: tensor<1x4x?x16xf16>) -> tensor<1x4x?x16xf16> {
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<1x4x?x16xf16>
  %oi = tensor.empty(%n2) : tensor<1x4x?x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<1x4x?x16xf16>, tensor<1x4x?x16xf16>, tensor<1x4x?x16xf16>) outs(%oi : tensor<1x4x?x16xf16>) -> tensor<1x4x?x16xf16>
  return %o : tensor<1x4x?x16xf16>
}

// None does.
func.func @one_batch_32(%q: tensor<1x?x?x32xf16>, %k: tensor<1x?x?x32xf16>, %v: tensor<1x?x?x32xf16>) -> tensor<1x?x?x32xf16> {
  %c1 = arith.constant 1 : index
  %n1 = tensor.dim %q, %c1 : tensor<1x?x?x32xf16>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<1x?x?x32xf16>
  %oi = tensor.empty(%n1, %n2) : tensor<1x?x?x32xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<1x?x?x32xf16>, tensor<1x?x?x32xf16>, tensor<1x?x?x32xf16>) outs(%oi : tensor<1x?x?x32xf16>) -> tensor<1x?x?x32xf16>
  return %o : tensor<1x?x?x32xf16>
}

func.func @four_heads_32(%q: tensor<?x4x?x32xf16>, %k: tensor<?x4x?x32xf16>, %v: tensor<?x4x?x32xf16>) -> tensor<?x4x?x32xf16> {
  %c0 = arith.constant 0 : index
  %n0 = tensor.dim %q, %c0 : tensor<?x4x?x32xf16>
  %c2 = arith.constant 2 : index
  %n2 = tensor.dim %q, %c2 : tensor<?x4x?x32xf16>
  %oi = tensor.empty(%n0, %n2) : tensor<?x4x?x32xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : tensor<?x4x?x32xf16>, tensor<?x4x?x32xf16>, tensor<?x4x?x32xf16>) outs(%oi : tensor<?x4x?x32xf16>) -> tensor<?x4x?x32xf16>
  return %o : tensor<?x4x?x32xf16>
}
