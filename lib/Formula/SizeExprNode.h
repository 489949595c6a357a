//===- SizeExprNode.h - The node of an expression tree ----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_FORMULA_SIZEEXPRNODE_H
#define SPARSEATTN_LIB_FORMULA_SIZEEXPRNODE_H

#include "SparseAttn/Formula/SizeExpr.h"

namespace sparse_attn::formula {

struct SizeExpr::Node {
  Op op = Op::Constant;
  int64_t value = 0;
  std::string name;
  std::vector<SizeExpr> operands;
  uint64_t length = 1;
  bool nonNegative = false;
};

} // namespace sparse_attn::formula

#endif // SPARSEATTN_LIB_FORMULA_SIZEEXPRNODE_H
