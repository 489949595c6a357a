//===- TileVectors.cpp - Vectors of tiles ---------------------------------===//

#include "TileVectors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

SmallVector<Value> cpu::transposed(OpBuilder &b, Location loc,
                                   SmallVector<Value> x) {
  int64_t size = x.size(), half = size / 2;
  auto interleaved = [&](Value low, Value high, int64_t first) {
    SmallVector<int64_t> from;
    for (int64_t element = first; element < first + half; ++element)
      from.append({element, size + element});
    return vector::ShuffleOp::create(b, loc, low, high, from).getResult();
  };
  for (int64_t round = 1; round < size; round *= 2) {
    SmallVector<Value> next;
    for (int64_t row = 0; row < half; ++row)
      for (int64_t first : {int64_t(0), half})
        next.push_back(interleaved(x[row], x[row + half], first));
    x = std::move(next);
  }
  return x;
}

Value cpu::emitLoop(OpBuilder &b, Location loc, Value end, Value step,
                    Value start,
                    llvm::function_ref<Value(OpBuilder &, Value, Value)> body) {
  auto loop = scf::ForOp::create(
      b, loc, constantIndex(b, loc, 0), end, step, start,
      [&](OpBuilder &nested, Location, Value index, ValueRange result) {
        Value next = body(nested, index, result.front());
        scf::YieldOp::create(nested, loc, next);
      });
  return loop.getResult(0);
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
