// Keys that stand in a list and on a lattice: kernels with a table of their own.

!t = tensor<?x?x?x64xf16>
func.func @listed(%q: !t, %k: !t, %v: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %h = tensor.dim %q, %c1 : !t
  %s = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%b, %h, %s) : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 20, right = 20>,
      #sparse_attn.global<tokens = [5, 78, 110, 131, 140, 150], direction = columns>>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

func.func @on_a_lattice(%q: !t, %k: !t, %v: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %h = tensor.dim %q, %c1 : !t
  %s = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%b, %h, %s) : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 20, right = 20>,
      #sparse_attn.periodic_columns<period = 16, last = 1>>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
