//===- TileExprNode.h - The node of an expression tree ----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PLAN_TILEEXPRNODE_H
#define SPARSEATTN_LIB_PLAN_TILEEXPRNODE_H

#include "SparseAttn/Plan/TileExpr.h"

namespace mlir::sparse_attn::plan {

/// `value` is the constant, factor or divisor; unary nodes have no rhs.
struct TileExpr::Node {
  Kind kind;
  int64_t value = 0;
  std::shared_ptr<const Node> lhs, rhs;
};

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_LIB_PLAN_TILEEXPRNODE_H
