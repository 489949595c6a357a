//===- TileLayout.h - The order of a tile's dimensions ----------*- C++ -*-===//

#ifndef SPARSEATTN_TRANSFORMS_TILELAYOUT_H
#define SPARSEATTN_TRANSFORMS_TILELAYOUT_H

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineMap.h"

namespace mlir::sparse_attn::transforms {

/// Tiles of (query, x) are laid out [x, query] when the queries are inner (the
/// vector lanes of a CPU) and [query, x] when they are outer.
class TileLayout {
public:
  static TileLayout queriesInner() { return TileLayout(1); }
  static TileLayout queriesOuter() { return TileLayout(0); }

  bool areQueriesInner() const { return dim == 1; }
  unsigned queryDim() const { return dim; }
  unsigned otherDim() const { return 1 - dim; }

  /// What belongs to queries and to x, in the order of the dimensions.
  template <typename T> SmallVector<T> order(T query, T other) const {
    if (areQueriesInner())
      return {other, query};
    return {query, other};
  }

  /// (d0, d1) -> the expression that runs over queries, and over the rest.
  AffineExpr query(MLIRContext *context) const {
    return getAffineDimExpr(queryDim(), context);
  }
  AffineExpr other(MLIRContext *context) const {
    return getAffineDimExpr(otherDim(), context);
  }
  /// A map to a tile of this layout.
  AffineMap map(unsigned numDims, AffineExpr query, AffineExpr other) const {
    return AffineMap::get(numDims, 0, order(query, other), query.getContext());
  }
  /// A map from [query, x] to a tile of this layout.
  AffineMap fromRows(MLIRContext *context) const {
    return map(2, getAffineDimExpr(0, context), getAffineDimExpr(1, context));
  }

private:
  explicit TileLayout(unsigned queryDim) : dim(queryDim) {}
  /// The dimension of queries.
  unsigned dim;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_TRANSFORMS_TILELAYOUT_H
