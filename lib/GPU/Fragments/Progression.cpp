//===- Progression.cpp - Columns numbered from a start --------------------===//

#include "Progression.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

Fragment kernels::columnNumbers(OpBuilder &b, Location loc,
                                const Threads &threads, int64_t columns) {
  Fragment fragment;
  fragment.extent = {false, true};
  fragment.start = arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                                threads.columnOf(b, loc, 0));
  for (int64_t c = 0; c < columns / 8; ++c)
    for (int64_t e = 0; e < 2; ++e)
      fragment.steps.push_back(8 * c + e);
  return fragment;
}

bool kernels::isProgression(const Fragment &fragment) {
  return fragment.start && !fragment.low && !fragment.high;
}

std::optional<Fragment>
kernels::continueProgression(OpBuilder &b, Operation *op,
                             function_ref<Fragment(Value)> fragmentOf) {
  Fragment result;
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
    result = fragmentOf(op->getOperand(0));
    if (!isProgression(result))
      return std::nullopt;
    IRMapping map;
    map.map(op->getOperand(0), result.start);
    Operation *cast = b.clone(*op, map);
    cast->getResult(0).setType(getElementTypeOrSelf(op->getResult(0)));
    result.start = cast->getResult(0);
    return result;
  }
  if (!isa<arith::AddIOp, arith::SubIOp>(op))
    return std::nullopt;
  Fragment left = fragmentOf(op->getOperand(0));
  Fragment right = fragmentOf(op->getOperand(1));
  bool isAddition = isa<arith::AddIOp>(op);
  if (isAddition && isProgression(right))
    std::swap(left, right);
  if (!isProgression(left) || isProgression(right) ||
      !right.extent.isUniform() || !right.lanes)
    return std::nullopt;
  Location loc = op->getLoc();
  left.start =
      isAddition ? b.createOrFold<arith::AddIOp>(loc, left.start, right.lanes)
                 : b.createOrFold<arith::SubIOp>(loc, left.start, right.lanes);
  return left;
}

Fragment kernels::materialize(OpBuilder &b, Location loc, Fragment fragment) {
  if (!isProgression(fragment))
    return fragment;
  auto type = VectorType::get({static_cast<int64_t>(fragment.steps.size())},
                              fragment.start.getType());
  SmallVector<Attribute> steps;
  for (int64_t step : fragment.steps)
    steps.push_back(b.getIntegerAttr(type.getElementType(), step));
  Value constants =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, steps));
  Value start = vector::BroadcastOp::create(b, loc, type, fragment.start);
  fragment.lanes = arith::AddIOp::create(b, loc, start, constants);
  fragment.start = Value();
  fragment.steps.clear();
  return fragment;
}
