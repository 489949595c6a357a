//===- DataMasks.cpp - Masks that read data operands ----------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Mask DocumentAttr::getMask(std::optional<int64_t>) const {
  return Mask::document();
}

StringRef DocumentAttr::getDataOperandName() const { return kDocuments; }

/// The document of a slot, i32; -1 for one outside of the sequence, for which
/// another is read: a predicate is asked for more pairs than there are.
Value mlir::sparse_attn::emitDocument(OpBuilder &b, Location loc,
                                      Value documents, Value batch, Value slot,
                                      Value n) {
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  };
  auto toIndex = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), x);
  };
  Value last = arith::SubIOp::create(b, loc, n, constant(1));
  // The first, where the sequence has none: its tensor may have some.
  Value inside = arith::MaxSIOp::create(
      b, loc, arith::MinSIOp::create(b, loc, slot, last), constant(0));
  Value id = tensor::ExtractOp::create(
      b, loc, documents, ValueRange{toIndex(batch), toIndex(inside)});
  Value exists =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, slot, n);
  return arith::SelectOp::create(b, loc, exists, id, constant(-1));
}
