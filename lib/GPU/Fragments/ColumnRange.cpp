//===- ColumnRange.cpp - Columns between a row's bounds -------------------===//

#include "ColumnRange.h"
#include "Progression.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

bool kernels::isColumnRange(const Fragment &fragment) {
  return fragment.low || fragment.high;
}

static Fragment rangeOf(const Fragment &numbers, ColumnBound low,
                        ColumnBound high) {
  Fragment range;
  range.start = numbers.start;
  range.steps = numbers.steps;
  range.low = low;
  range.high = high;
  range.extent = Extent{false, true}.join(low.extent).join(high.extent);
  return range;
}

//===----------------------------------------------------------------------===//
// Arithmetic of bounds
//===----------------------------------------------------------------------===//

using JoinFn = llvm::function_ref<Value(Value, Value)>;

static ColumnBound join(OpBuilder &b, Location loc, const ColumnBound &x,
                        const ColumnBound &y, JoinFn combine) {
  if (!x || !y)
    return x ? x : y;
  Extent extent = x.extent.join(y.extent);
  auto vector = [&](const ColumnBound &bound) -> Value {
    if (bound.extent == extent)
      return bound.lanes;
    const ColumnBound &rows = x.extent.rows ? x : y;
    return vector::BroadcastOp::create(b, loc, rows.lanes.getType(),
                                       bound.lanes);
  };
  return {combine(vector(x), vector(y)), extent};
}

/// x + 1. Positions and bounds are smaller than the largest i32.
static ColumnBound next(OpBuilder &b, Location loc, ColumnBound x) {
  Value one =
      arith::ConstantOp::create(b, loc, b.getOneAttr(x.lanes.getType()));
  x.lanes = b.createOrFold<arith::AddIOp>(loc, x.lanes, one);
  return x;
}

//===----------------------------------------------------------------------===//
// From comparisons
//===----------------------------------------------------------------------===//

/// The predicate of y, x for that of x, y.
static arith::CmpIPredicate swapped(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::slt:
    return arith::CmpIPredicate::sgt;
  case arith::CmpIPredicate::sle:
    return arith::CmpIPredicate::sge;
  case arith::CmpIPredicate::sgt:
    return arith::CmpIPredicate::slt;
  case arith::CmpIPredicate::sge:
    return arith::CmpIPredicate::sle;
  default:
    return predicate;
  }
}

static std::optional<Fragment>
fromComparison(OpBuilder &b, arith::CmpIOp op,
               function_ref<Fragment(Value)> fragmentOf) {
  using Predicate = arith::CmpIPredicate;
  Fragment left = fragmentOf(op.getLhs()), right = fragmentOf(op.getRhs());
  if (isProgression(left) == isProgression(right))
    return std::nullopt;
  bool isLeft = isProgression(left);
  const Fragment &numbers = isLeft ? left : right;
  const Fragment &limit = isLeft ? right : left;
  if (limit.extent.columns || !limit.lanes)
    return std::nullopt;
  Location loc = op.getLoc();
  ColumnBound bound{limit.lanes, limit.extent};
  Predicate predicate = isLeft ? op.getPredicate() : swapped(op.getPredicate());
  switch (predicate) {
  case Predicate::slt:
    return rangeOf(numbers, {}, bound);
  case Predicate::sle:
    return rangeOf(numbers, {}, next(b, loc, bound));
  case Predicate::sge:
    return rangeOf(numbers, bound, {});
  case Predicate::sgt:
    return rangeOf(numbers, next(b, loc, bound), {});
  default:
    return std::nullopt;
  }
}

/// Whether two values are computed alike; each use of a position has a copy of
/// its own (Axes.h).
static bool isSame(Value x, Value y) {
  if (x == y)
    return true;
  Operation *left = x.getDefiningOp(), *right = y.getDefiningOp();
  if (!left || !right || !isPure(left) || left->getNumRegions() != 0)
    return false;
  return OperationEquivalence::isEquivalentTo(
      left, right, [](Value a, Value c) { return success(isSame(a, c)); },
      /*markEquivalent=*/nullptr, OperationEquivalence::IgnoreLocations);
}

static std::optional<Fragment> both(OpBuilder &b, Location loc,
                                    const Fragment &x, const Fragment &y) {
  if (!isColumnRange(x) || !isColumnRange(y) || x.steps != y.steps ||
      !isSame(x.start, y.start))
    return std::nullopt;
  ColumnBound low = join(b, loc, x.low, y.low, [&](Value p, Value q) -> Value {
    return b.createOrFold<arith::MaxSIOp>(loc, p, q);
  });
  ColumnBound high =
      join(b, loc, x.high, y.high, [&](Value p, Value q) -> Value {
        return b.createOrFold<arith::MinSIOp>(loc, p, q);
      });
  return rangeOf(x, low, high);
}

std::optional<Fragment>
kernels::continueRange(OpBuilder &b, Operation *op,
                       function_ref<Fragment(Value)> fragmentOf) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return fromComparison(b, compare, fragmentOf);
  if (isa<arith::AndIOp>(op))
    return both(b, op->getLoc(), fragmentOf(op->getOperand(0)),
                fragmentOf(op->getOperand(1)));
  if (isa<arith::XOrIOp>(op) && matchPattern(op->getOperand(1), m_One())) {
    Fragment range = fragmentOf(op->getOperand(0));
    if (isColumnRange(range) && bool(range.low) != bool(range.high))
      return rangeOf(range, range.high, range.low);
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// To elements
//===----------------------------------------------------------------------===//

/// The steps of the columns as a vector of that extent.
static Value constants(OpBuilder &b, Location loc, const Threads &threads,
                       const Fragment &range, Type element, int64_t rows) {
  SmallVector<Attribute> steps;
  int64_t repeats = range.extent.rows ? threads.bands(rows) : 1;
  for (int64_t band = 0; band < repeats; ++band)
    for (size_t c = 0; c < range.steps.size(); c += 2)
      for (int64_t half = 0; half < (range.extent.rows ? 2 : 1); ++half)
        for (size_t e = 0; e < 2; ++e)
          steps.push_back(b.getIntegerAttr(element, range.steps[c + e]));
  auto type = VectorType::get({static_cast<int64_t>(steps.size())}, element);
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, steps));
}

Fragment kernels::materializeRange(OpBuilder &b, Location loc,
                                   const Threads &threads,
                                   const Fragment &range, int64_t rows) {
  if (!isColumnRange(range))
    return range;
  int64_t columns = range.steps.size() * 4;
  ColumnBound start{range.start, {}};
  auto minus = [&](Value x, Value y) -> Value {
    return b.createOrFold<arith::SubIOp>(loc, x, y);
  };
  auto onTile = [&](const ColumnBound &bound) {
    Fragment fragment;
    fragment.extent = bound.extent;
    fragment.lanes = bound.lanes;
    return threads.expand(b, loc, fragment, range.extent, rows, columns);
  };
  Value steps = constants(b, loc, threads, range, range.start.getType(), rows);
  Fragment result;
  result.extent = range.extent;
  if (!range.low || !range.high) {
    // c < high - start, or c >= low - start
    Value limit =
        onTile(join(b, loc, range.low ? range.low : range.high, start, minus));
    auto predicate =
        range.low ? arith::CmpIPredicate::sge : arith::CmpIPredicate::slt;
    result.lanes = arith::CmpIOp::create(b, loc, predicate, steps, limit);
    return result;
  }
  // (start - low) + c <u max(high, low) - low, in which nothing may overflow
  // that does not do so on both sides.
  Value offset = onTile(join(b, loc, start, range.low, minus));
  ColumnBound end =
      join(b, loc, range.high, range.low, [&](Value x, Value y) -> Value {
        return b.createOrFold<arith::MaxSIOp>(loc, x, y);
      });
  Value width = onTile(join(b, loc, end, range.low, minus));
  Value place = arith::AddIOp::create(b, loc, offset, steps);
  result.lanes =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, place, width);
  return result;
}
