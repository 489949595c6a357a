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

static bool isProgression(const Fragment &fragment) {
  return bool(fragment.start);
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

/// The steps of the columns as constants of that extent.
static Value stepsOf(OpBuilder &b, Location loc, const Threads &threads,
                     const Fragment &numbers, Extent extent, int64_t rows) {
  Type element = numbers.start.getType();
  SmallVector<Attribute> steps;
  for (int64_t band = 0; band < (extent.rows ? threads.bands(rows) : 1); ++band)
    for (size_t c = 0; c < numbers.steps.size(); c += 2)
      for (int64_t half = 0; half < (extent.rows ? 2 : 1); ++half)
        for (size_t e = 0; e < 2; ++e)
          steps.push_back(b.getIntegerAttr(element, numbers.steps[c + e]));
  auto type = VectorType::get({static_cast<int64_t>(steps.size())}, element);
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, steps));
}

std::optional<Fragment>
kernels::joinWithRows(OpBuilder &b, Operation *op, const Threads &threads,
                      int64_t rows, function_ref<Fragment(Value)> fragmentOf) {
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (!compare && !isa<arith::SubIOp>(op))
    return std::nullopt;
  Fragment numbers = fragmentOf(op->getOperand(0));
  Fragment row = fragmentOf(op->getOperand(1));
  if (!isProgression(numbers) || isProgression(row) || row.extent.columns ||
      !row.lanes)
    return std::nullopt;
  // Differences of the start keep the order of signed numbers only.
  if (compare && compare.getPredicate() >= arith::CmpIPredicate::ult)
    return std::nullopt;
  Location loc = op->getLoc();
  Value start = numbers.start;
  if (row.extent.rows)
    start = vector::BroadcastOp::create(b, loc, row.lanes.getType(), start);
  Value steps = stepsOf(b, loc, threads, numbers,
                        {row.extent.rows, /*columns=*/true}, rows);
  auto onTile = [&](Value difference) {
    Fragment fragment;
    fragment.extent = row.extent;
    fragment.lanes = difference;
    return threads.expand(b, loc, fragment, {row.extent.rows, true}, rows,
                          4 * numbers.steps.size());
  };
  Fragment result;
  result.extent = {row.extent.rows, /*columns=*/true};
  if (compare) {
    Value limit = onTile(b.createOrFold<arith::SubIOp>(loc, row.lanes, start));
    result.lanes =
        arith::CmpIOp::create(b, loc, compare.getPredicate(), steps, limit);
  } else {
    Value first = onTile(b.createOrFold<arith::SubIOp>(loc, start, row.lanes));
    result.lanes = arith::AddIOp::create(b, loc, first, steps);
  }
  return result;
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
