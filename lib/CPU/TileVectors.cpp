//===- TileVectors.cpp - Vectors of tiles ---------------------------------===//

#include "TileVectors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Value cpu::constantIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value cpu::offsetBy(OpBuilder &b, Location loc, Value base, int64_t offset) {
  if (offset == 0)
    return base;
  return b.createOrFold<arith::AddIOp>(loc, base,
                                       constantIndex(b, loc, offset));
}

Value cpu::readVector(OpBuilder &b, Location loc, Value source,
                      ValueRange place, int64_t lanes) {
  Type element = cast<RankedTensorType>(source.getType()).getElementType();
  Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  return vector::TransferReadOp::create(
      b, loc, VectorType::get({lanes}, element), source, place, padding,
      ArrayRef<bool>{true});
}

Value cpu::splatOf(OpBuilder &b, Location loc, TypedAttr value, int64_t lanes) {
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get({lanes}, value.getType()),
                             Attribute(value)));
}

Value cpu::compareInstead(OpBuilder &b, Operation *maxnum, Value max) {
  Location loc = maxnum->getLoc();
  Value x = maxnum->getOperand(maxnum->getOperand(0) == max ? 1 : 0);
  Value greater =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, max);
  Value larger = arith::SelectOp::create(b, loc, greater, x, max);
  maxnum->erase();
  return larger;
}
