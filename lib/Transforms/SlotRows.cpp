//===- SlotRows.cpp - Rows that stand in a layout -------------------------===//

#include "EmitTileExpr.h"
#include "KeyPositions.h"
#include "RowLocators.h"
#include "ScatteredRows.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

namespace {
/// What both kinds of tiles of a layout know of its slots.
class SlotRows : public RowLocator {
protected:
  /// Without a query there is no row to read.
  SlotRows(OpBuilder &b, Location loc, const ReductionShapes &shapes,
           const RowClass &cls)
      : RowLocator(loc, cls.layout.tile), layout(cls.layout), cls(cls),
        common(slotsAt(b, shapes)) {
    IndexMath math{b, loc};
    tiles = math.ceilDiv(
        shapes.hasLengths() ? mostSlots(b, shapes) : common.count, size);
  }

  /// Slots of the class from `first` on.
  struct Slots {
    Value first, count;
  };

  /// Those at the sizes of a sequence.
  Slots slotsOf(OpBuilder &b, const ReductionShapes &here) const {
    return here.hasLengths() ? slotsAt(b, here) : common;
  }

  /// True when all slots of all tiles are certainly rows, and of the class.
  bool areAllRows(const ReductionShapes &shapes, const Slots &slots) const {
    std::optional<int64_t> position = getConstantIntValue(shapes.firstPosition);
    std::optional<int64_t> queries = getConstantIntValue(shapes.numQueries);
    std::optional<int64_t> first = getConstantIntValue(slots.first);
    std::optional<int64_t> count = getConstantIntValue(slots.count);
    if (!position || !queries || !first || !count || *count == 0 ||
        *count % size != 0)
      return false;
    // Slots stand at ascending positions.
    return layout.position(*first) >= *position &&
           layout.position(*first + *count - 1) < *position + *queries;
  }

  const Layout &layout;

private:
  Slots slotsAt(OpBuilder &b, const ReductionShapes &shapes) const {
    IndexMath math{b, loc};
    // Plans speak of rows at lengths of at least 1.
    TileExprVariables v = {math.constant(0), shapes.virtualQueries,
                           shapes.numKeys};
    Value zero = math.constant(0);
    Value first = math.max(emitTileExpr(b, loc, cls.rowBegin, v), zero);
    Value end = emitTileExpr(b, loc, cls.rowEnd, v);
    if (std::optional<int64_t> all = layout.numSlots())
      end = math.min(end, math.constant(*all));
    Value count = math.max(math.sub(end, first), zero);
    return {first, whereQueries(math, shapes.numQueries, count)};
  }

  /// A sequence has no more slots than this that stand at rows, whatever its
  /// lengths are.
  Value mostSlots(OpBuilder &b, const ReductionShapes &shapes) const {
    IndexMath math{b, loc};
    Value rows = shapes.numTensorRows;
    if (std::optional<int64_t> all = layout.numSlots())
      return whereQueries(math, rows, math.constant(*all));
    Value runs = math.add(math.ceilDiv(rows, layout.step), math.constant(1));
    return whereQueries(math, rows, math.mul(runs, layout.width));
  }

  static Value whereQueries(const IndexMath &math, Value queries, Value count) {
    Value zero = math.constant(0);
    Value hasQueries = math.compare(arith::CmpIPredicate::sgt, queries, zero);
    return math.select(hasQueries, count, zero);
  }

  const RowClass &cls;
  Slots common; ///< where sequences have no lengths of their own
};

/// Tiles whose rows are no neighbours: their positions are a tensor.
class ScatteredSlots : public SlotRows {
public:
  ScatteredSlots(OpBuilder &b, Location loc, const ReductionShapes &shapes,
                 const RowClass &cls)
      : SlotRows(b, loc, shapes, cls) {}

  void locate(OpBuilder &b, const ReductionShapes &here,
              QueryTile &at) const override {
    IndexMath math{b, loc};
    Value first = math.mul(at.tile, size);
    Slots slots = slotsOf(b, here);
    at.row = at.position = math.constant(0);
    at.rows = math.constant(size);
    Value positions =
        emitPositionsFrom(b, loc, layout, math.add(slots.first, first));
    SlotLimits limits = {here.firstPosition};
    if (!areAllRows(here, slots)) {
      limits.numQueries = here.numQueries;
      limits.slots = math.sub(slots.count, first);
      limits.areRowsOfTensor = !here.queryLengths;
    }
    setScatteredRows(b, loc, positions, limits, at);
  }
};

/// Tiles of a layout that lie in one run of it, so that their rows are
/// neighbours.
class RunRows : public SlotRows {
public:
  RunRows(OpBuilder &b, Location loc, const ReductionShapes &shapes,
          const RowClass &cls)
      : SlotRows(b, loc, shapes, cls) {}

  /// Whether tiles of the class do.
  static bool isFor(const RowClass &cls, const LengthFacts &facts) {
    return cls.layout.width % cls.layout.tile == 0 &&
           cls.rowBegin.isProvablyMultiple(cls.layout.tile, facts);
  }

  void locate(OpBuilder &b, const ReductionShapes &here,
              QueryTile &at) const override {
    IndexMath math{b, loc};
    Value first = math.mul(at.tile, size), zero = math.constant(0);
    Slots slots = slotsOf(b, here);
    Value slot = math.add(slots.first, first);
    Value row =
        math.sub(emitPosition(b, loc, layout, slot), here.firstPosition);
    if (areAllRows(here, slots)) {
      at.row = row;
      at.rows = math.constant(size);
    } else {
      // Rows may begin behind the first slot, and end before the last one.
      Value ofClass =
          math.min(math.sub(slots.count, first), math.constant(size));
      Value end = math.min(math.add(row, ofClass), here.numQueries);
      Value begin = math.max(row, zero);
      at.rows = math.max(math.sub(end, begin), zero);
      // A tile without rows is behind the last one, which reads look for.
      Value hasRows = math.compare(arith::CmpIPredicate::sgt, at.rows, zero);
      at.row = math.select(hasRows, begin, here.numTensorRows);
    }
    at.position = math.add(at.row, here.firstPosition);
  }
};
} // namespace

std::unique_ptr<RowLocator>
transforms::makeSlotRows(OpBuilder &b, Location loc,
                         const ReductionShapes &shapes, const RowClass &cls) {
  if (RunRows::isFor(cls, shapes.facts))
    return std::make_unique<RunRows>(b, loc, shapes, cls);
  return std::make_unique<ScatteredSlots>(b, loc, shapes, cls);
}
