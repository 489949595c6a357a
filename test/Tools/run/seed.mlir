// The seed alone decides the noise, and neither the number of threads nor that of
// runs the result: the same bits each time, with a heavy row split among threads.
//
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-run %s --seed=7 --threads=1 --output=%t/o1.npy --output=%t/lse1.npy
// RUN: sparse-attn-run %s --seed=7 --threads=2 --output=%t/o2.npy --output=%t/lse2.npy
// RUN: sparse-attn-run %s --seed=7 --repeat=3 --check --output=%t/o3.npy --output=%t/lse3.npy
// RUN: cmp %t/o1.npy %t/o2.npy && cmp %t/lse1.npy %t/lse2.npy
// RUN: cmp %t/o1.npy %t/o3.npy && cmp %t/lse1.npy %t/lse3.npy
// RUN: sparse-attn-run %s --seed=8 --output=%t/o8.npy
// RUN: not cmp %t/o1.npy %t/o8.npy

func.func @attention(%q: tensor<1x2x500x16xbf16>, %k: tensor<1x2x500x16xbf16>)
    -> (tensor<1x2x500x16xbf16>, tensor<1x2x500xf32>) {
  %init = tensor.empty() : tensor<1x2x500x16xbf16>
  %init_lse = tensor.empty() : tensor<1x2x500xf32>
  %r:2 = sparse_attn.attention
      mask(#sparse_attn.longformer<window = 32, global_tokens = [0]>)
      ins(%q, %k, %k : tensor<1x2x500x16xbf16>, tensor<1x2x500x16xbf16>, tensor<1x2x500x16xbf16>)
      outs(%init, %init_lse : tensor<1x2x500x16xbf16>, tensor<1x2x500xf32>)
      -> tensor<1x2x500x16xbf16>, tensor<1x2x500xf32>
  return %r#0, %r#1 : tensor<1x2x500x16xbf16>, tensor<1x2x500xf32>
}
