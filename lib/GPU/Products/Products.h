//===- Products.h - Products of tiles on tensor cores -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_PRODUCTS_PRODUCTS_H
#define SPARSEATTN_LIB_GPU_PRODUCTS_PRODUCTS_H

#include "Fragments/Fragment.h"

namespace mlir::sparse_attn::kernels {

/// A [rows, columns] += L [rows, depth] * R, with A held by threads, R in
/// shared memory, and L in either.
struct Product {
  Value accumulator; ///< lanes of a tile of f32
  Fragment left;     ///< a tile of f16, bf16 or f32
  StagedTile right;
  /// R is stored [columns, depth], as keys are, and not [depth, columns], as
  /// values are.
  bool rightIsTransposed;
  int64_t rows, columns, depth;
  bool startsFromZero; ///< A is known to be zero
  /// Infinities that it adds to A may become NaN: what A ends with is tested,
  /// and computed anew without this.
  bool isTested;
  bool isRare; ///< only rare inputs reach it, so its code is short
};

/// Emits the product and returns the new accumulator's lanes. 16-bit operands
/// take one mma.sync m16n8k16 for each 16 x 8 x 16, and m16n8k8 for a last 8 of
/// the depth; f32 operands take six, so that f32 accuracy is kept
/// (SingleProduct.cpp).
Value emitProduct(OpBuilder &b, Location loc, const Threads &threads,
                  const Product &product);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_PRODUCTS_PRODUCTS_H
