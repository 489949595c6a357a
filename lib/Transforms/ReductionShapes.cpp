//===- ReductionShapes.cpp - Sizes of one masked reduction ----------------===//

#include "ReductionShapes.h"
#include "EmitTileExpr.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

Value transforms::emitNumKeys(OpBuilder &b, MaskedReductionOpInterface op) {
  Location loc = op.getLoc();
  std::optional<int64_t> page = op.getPageSize();
  Value source = page ? op.getDataOperand(kPageTable) : op.getKey();
  Value size = getValueOrCreateConstantIndexOp(
      b, loc, tensor::getMixedSize(b, loc, source, page ? 1 : 2));
  if (!page)
    return size;
  // A pool without pages has no key of any sequence.
  IndexMath math{b, loc};
  Value zero = math.constant(0);
  Value pages = getValueOrCreateConstantIndexOp(
      b, loc, tensor::getMixedSize(b, loc, op.getKey(), 0));
  Value hasPages = math.compare(arith::CmpIPredicate::sgt, pages, zero);
  return math.select(hasPages, math.mul(size, *page), zero);
}

ReductionShapes::ReductionShapes(OpBuilder &b, MaskedReductionOpInterface op) {
  Location loc = op.getLoc();
  auto dim = [&](Value tensor, unsigned d) {
    return getValueOrCreateConstantIndexOp(
        b, loc, tensor::getMixedSize(b, loc, tensor, d));
  };
  batch = dim(op.getQuery(), 0);
  queryHeads = dim(op.getQuery(), 1);
  numQueries = numTensorRows = dim(op.getQuery(), 2);
  keyHeads = dim(op.getKey(), 1);
  numKeys = emitNumKeys(b, op);

  IndexMath math{b, loc};
  std::optional<PlanAttr> attribute = op.getPlan();
  facts = op.getLengthFacts();
  if (attribute)
    facts = facts.assuming(attribute->getPlan().assumed);
  queryLengths = op.getDataOperand(kQueryLengths);
  keyLengths = op.getDataOperand(kKeyLengths);
  keyBegins = op.getDataOperand(kKeyBegin);
  queryPositions = op.getDataOperand(kQueryPosition);
  keyPositions = op.getDataOperand(kKeyPosition);
  OperandRange origin = op.getOrigin();
  headOrigin = batchOrigin = rowOrigin = math.constant(0);
  wholeQueries = numQueries;
  if (origin.empty() && facts.areEqual()) {
    firstPosition = math.constant(0);
    numKeys = virtualQueries = numQueries;
  } else if (origin.empty()) {
    firstPosition = math.sub(numKeys, numQueries);
    virtualQueries = numQueries;
  } else if (origin.size() == 2) {
    headOrigin = origin[0];
    firstPosition = origin[1];
    virtualQueries = math.sub(numKeys, firstPosition);
  } else {
    batchOrigin = origin[0];
    headOrigin = origin[1];
    rowOrigin = origin[2];
    wholeQueries = origin[3];
    firstPosition = math.add(rowOrigin, math.sub(numKeys, wholeQueries));
    virtualQueries = math.sub(wholeQueries, rowOrigin);
  }
  unfold();
}

void ReductionShapes::unfold() {
  unfoldedPosition = firstPosition;
  unfoldedQueries = numQueries;
  unfoldedKeys = numKeys;
}

/// The entry of `lengths`, from 0 to `most`; `most` where there are none.
static Value lengthAt(OpBuilder &b, Location loc, Value lengths, Value batch,
                      Value most) {
  if (!lengths)
    return most;
  IndexMath math{b, loc};
  Value length = arith::IndexCastOp::create(
      b, loc, b.getIndexType(),
      tensor::ExtractOp::create(b, loc, lengths, batch));
  return math.min(math.max(length, math.constant(0)), most);
}

/// The position that `positions` have for a sequence, so far from the ends of
/// what masks know that neither are `count` positions from it on beyond them.
static Value positionAt(OpBuilder &b, Location loc, Value positions,
                        Value batch, Value count) {
  IndexMath math{b, loc};
  bool isOne = cast<ShapedType>(positions.getType()).getRank() == 0;
  Value position = arith::IndexCastOp::create(
      b, loc, b.getIndexType(),
      tensor::ExtractOp::create(b, loc, positions,
                                isOne ? ValueRange() : ValueRange(batch)));
  Value least = math.constant(1 - maxSequenceLength);
  Value most = math.sub(math.constant(maxSequenceLength - 1), count);
  return math.min(math.max(position, least), most);
}

void ReductionShapes::standAt(OpBuilder &b, Location loc, Value batch,
                              Value keys, Value rows) {
  IndexMath math{b, loc};
  using Compare = arith::CmpIPredicate;
  Value first = math.constant(0), ofTensor = numKeys;
  numKeys = keys;
  slots.emplace();
  Value outside;
  if (keyPositions) {
    slots->ofSlots = first = positionAt(b, loc, keyPositions, batch, ofTensor);
    numKeys = math.add(first, keys);
    firstPosition = math.sub(numKeys, rows);
    outside = math.compare(Compare::sle, numKeys, math.constant(0));
  }
  slots->ofKeys =
      keyBegins ? math.add(first, lengthAt(b, loc, keyBegins, batch, keys))
                : first;
  if (queryPositions) {
    firstPosition = math.add(
        positionAt(b, loc, queryPositions, batch, wholeQueries), rowOrigin);
    Value end = math.add(firstPosition, numQueries);
    Value isBehind = math.compare(Compare::sgt, end, numKeys);
    outside = outside ? b.createOrFold<arith::OrIOp>(loc, outside, isBehind)
                      : isBehind;
    // Whatever a plan says then, its classes have all rows.
    virtualQueries = math.max(math.sub(numKeys, firstPosition), numQueries);
  }
  slots->areOutsidePlans = outside;
}

ReductionShapes ReductionShapes::ofBatch(OpBuilder &b, Location loc,
                                         Value batch) const {
  if (!hasLengths())
    return *this;
  IndexMath math{b, loc};
  ReductionShapes one = *this;
  Value place = math.add(batch, batchOrigin);
  Value queries = lengthAt(b, loc, queryLengths, place, wholeQueries);
  Value keys = lengthAt(b, loc, keyLengths, place, numKeys);
  // Rows of the larger attention before those of a tile exist in it.
  Value rows = math.sub(queries, rowOrigin);
  one.firstPosition = math.sub(keys, rows);
  one.virtualQueries = rows;
  if (queryLengths)
    one.numQueries = math.min(math.max(rows, math.constant(0)), numQueries);
  if (hasPositions())
    one.standAt(b, loc, place, keys, rows);
  else
    one.numKeys = keys;
  one.unfold();
  return one;
}

ReductionShapes ReductionShapes::fold(OpBuilder &b, Location loc, int64_t by,
                                      Value row) const {
  IndexMath math{b, loc};
  ReductionShapes folded = *this;
  folded.step = by;
  folded.facts = foldFacts(facts, by);
  folded.firstRow = folded.firstKey = row;
  std::optional<int64_t> known = getConstantIntValue(firstPosition);
  bool isMultiple = known && *known % by == 0;
  if (isMultiple || (facts.assumed.offsetMultiple != 1 &&
                     facts.assumed.offsetMultiple % by == 0)) {
    folded.firstPosition = math.floorDiv(firstPosition, by);
  } else {
    Value position = math.add(row, firstPosition);
    folded.firstPosition = math.floorDiv(position, by);
    folded.firstKey = math.sub(position, math.mul(folded.firstPosition, by));
  }
  // Less than a step before it is none.
  auto count = [&](Value all, Value first, std::optional<int64_t> fact) {
    return fact ? math.constant(*fact) : math.ceilDiv(math.sub(all, first), by);
  };
  folded.numKeys = count(numKeys, folded.firstKey, folded.facts.nk);
  bool areEqual = known == int64_t(0) && numKeys == numQueries;
  folded.numQueries =
      areEqual ? folded.numKeys : count(numQueries, row, folded.facts.nq);
  folded.virtualQueries = math.sub(folded.numKeys, folded.firstPosition);
  return folded;
}

/// Numbers of heads have 31 bits: a division of 64 takes several times as long.
static Value narrow(OpBuilder &b, Location loc, Value heads) {
  return b.createOrFold<arith::IndexCastUIOp>(loc, b.getI32Type(), heads);
}

static Value widen(OpBuilder &b, Location loc, Value heads) {
  return b.createOrFold<arith::IndexCastUIOp>(loc, b.getIndexType(), heads);
}

static Value narrowGroup(OpBuilder &b, Location loc,
                         const ReductionShapes &shapes) {
  return b.createOrFold<arith::DivUIOp>(loc, narrow(b, loc, shapes.queryHeads),
                                        narrow(b, loc, shapes.keyHeads));
}

Value ReductionShapes::headsOfGroup(OpBuilder &b, Location loc) const {
  return widen(b, loc, narrowGroup(b, loc, *this));
}

Value ReductionShapes::keyHead(OpBuilder &b, Location loc,
                               Value queryHead) const {
  Value group = narrowGroup(b, loc, *this);
  if (matchPattern(group, m_One()))
    return queryHead;
  return widen(
      b, loc,
      b.createOrFold<arith::DivUIOp>(loc, narrow(b, loc, queryHead), group));
}
