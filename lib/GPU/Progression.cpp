//===- Progression.cpp - Columns numbered from a start --------------------===//

#include "Progression.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Fragment mlir::sparse_attn::columnNumbers(OpBuilder &b, Location loc,
                                          const Threads &threads,
                                          int64_t columns) {
  Fragment fragment;
  fragment.extent = {false, true};
  fragment.start = arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                                threads.columnOf(b, loc, 0));
  for (int64_t c = 0; c < columns / 8; ++c)
    for (int64_t e = 0; e < 2; ++e)
      fragment.steps.push_back(8 * c + e);
  return fragment;
}

static bool isProgression(const Fragment &fragment) {
  return bool(fragment.start);
}

std::optional<Fragment> mlir::sparse_attn::continueProgression(
    OpBuilder &b, Operation *op, function_ref<Fragment(Value)> fragmentOf) {
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

static bool isUnsigned(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::ult:
  case arith::CmpIPredicate::ule:
  case arith::CmpIPredicate::ugt:
  case arith::CmpIPredicate::uge:
    return true;
  default:
    return false;
  }
}

std::optional<Fragment> mlir::sparse_attn::compareProgression(
    OpBuilder &b, const Threads &threads, arith::CmpIOp op,
    function_ref<Fragment(Value)> fragmentOf) {
  Fragment left = fragmentOf(op.getLhs()), right = fragmentOf(op.getRhs());
  if (isProgression(left) == isProgression(right) ||
      isUnsigned(op.getPredicate()))
    return std::nullopt;
  bool isLeft = isProgression(left);
  const Fragment &numbers = isLeft ? left : right;
  const Fragment &limit = isLeft ? right : left;
  if (limit.extent.columns || !limit.lanes)
    return std::nullopt;
  Location loc = op.getLoc();
  auto shape = cast<VectorType>(op.getLhs().getType());
  int64_t rows = shape.getDimSize(0);
  int64_t columns = numbers.steps.size() * 4;
  // limit - start, once a row
  Fragment difference = limit;
  Value start = numbers.start;
  if (limit.extent.rows)
    start = vector::BroadcastOp::create(b, loc, limit.lanes.getType(), start);
  difference.lanes = b.createOrFold<arith::SubIOp>(loc, limit.lanes, start);
  Fragment result;
  result.extent = {limit.extent.rows, true};
  Value limits =
      threads.expand(b, loc, difference, result.extent, rows, columns);
  auto type = cast<VectorType>(limits.getType());
  SmallVector<Attribute> steps;
  int64_t repeats = limit.extent.rows ? threads.bands(rows) : 1;
  for (int64_t band = 0; band < repeats; ++band)
    for (size_t c = 0; c < numbers.steps.size(); c += 2)
      for (int64_t half = 0; half < (limit.extent.rows ? 2 : 1); ++half)
        for (size_t e = 0; e < 2; ++e)
          steps.push_back(
              b.getIntegerAttr(type.getElementType(), numbers.steps[c + e]));
  Value constants =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, steps));
  result.lanes = arith::CmpIOp::create(b, loc, op.getPredicate(),
                                       isLeft ? constants : limits,
                                       isLeft ? limits : constants);
  return result;
}

Fragment mlir::sparse_attn::materialize(OpBuilder &b, Location loc,
                                        Fragment fragment) {
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
