//===- RowLocators.cpp - Where the rows of query tiles are ----------------===//

#include "RowLocators.h"
#include "EmitTileExpr.h"
#include "TableTiles.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// Plans speak of rows at lengths of at least 1.
static TileExprVariables variablesOf(const IndexMath &math,
                                     const ReductionShapes &shapes) {
  return {math.constant(0), shapes.virtualQueries, shapes.numKeys};
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

namespace {
/// Neighbours from a first row on, of one class or of several.
class RangeRows : public RowLocator {
public:
  RangeRows(OpBuilder &b, Location loc, const ReductionShapes &shapes,
            ArrayRef<RowClass> classes, int64_t size);
  void locate(OpBuilder &b, const ReductionShapes &here,
              QueryTile &at) const override;

private:
  struct Range {
    Value begin, end;
    Value firstTile; ///< number of query tiles of the classes before
    /// Whether all tiles certainly have all their rows.
    bool isWhole;
  };
  using Ranges = SmallVector<Range, 1>;

  bool hasWholeTiles(const RowClass &cls, const LengthFacts &facts, Value begin,
                     Value end) const;
  /// The ranges of the classes at these sizes; sets the number of their tiles.
  Ranges rangesAt(OpBuilder &b, const ReductionShapes &shapes,
                  Value &count) const;
  /// Whether a sequence with these ranges certainly has all tiles that any has.
  bool areAll(const Ranges &ranges, const ReductionShapes &here,
              Value count) const;
  /// A sequence has no more tiles than this, whatever its lengths are.
  Value mostTiles(OpBuilder &b, const ReductionShapes &shapes) const;

  ArrayRef<RowClass> classes;
  Ranges ranges;
};
} // namespace

bool RangeRows::hasWholeTiles(const RowClass &cls, const LengthFacts &facts,
                              Value begin, Value end) const {
  std::optional<int64_t> first = getConstantIntValue(begin);
  std::optional<int64_t> last = getConstantIntValue(end);
  if (first && last && *first < *last && (*last - *first) % size == 0)
    return true;
  // An assumption is never one of a tile of a larger attention.
  return !facts.assumed.isTrivial() &&
         cls.rowBegin.isProvablyMultiple(size, facts) &&
         cls.rowEnd.isProvablyMultiple(size, facts);
}

RangeRows::RangeRows(OpBuilder &b, Location loc, const ReductionShapes &shapes,
                     ArrayRef<RowClass> classes, int64_t size)
    : RowLocator(loc, size), classes(classes) {
  if (shapes.hasLengths())
    tiles = mostTiles(b, shapes);
  else
    ranges = rangesAt(b, shapes, tiles);
}

RangeRows::Ranges RangeRows::rangesAt(OpBuilder &b,
                                      const ReductionShapes &shapes,
                                      Value &count) const {
  IndexMath math{b, loc};
  TileExprVariables v = variablesOf(math, shapes);
  Ranges ranges;
  count = math.constant(0);
  // A tile of a larger attention has fewer rows than the plan speaks of, and
  // where there is no query or no key, all bounds mean nothing.
  Value before = math.constant(0);
  for (const RowClass &cls : classes) {
    Value begin = math.max(emitTileExpr(b, loc, cls.rowBegin, v), before);
    bool hasLast = shapes.hasLengths() && cls.rowEnd == TileExpr::numQueries();
    Value end = hasLast ? shapes.numQueries
                        : math.min(emitTileExpr(b, loc, cls.rowEnd, v),
                                   shapes.numQueries);
    ranges.push_back(
        {begin, end, count, hasWholeTiles(cls, shapes.facts, begin, end)});
    Value rows = math.max(math.sub(end, begin), math.constant(0));
    count = math.add(count, math.ceilDiv(rows, size));
    before = math.max(begin, end);
  }
  return ranges;
}

Value RangeRows::mostTiles(OpBuilder &b, const ReductionShapes &shapes) const {
  IndexMath math{b, loc};
  Value most = math.constant(0);
  for (const RowClass &cls : classes) {
    Value rows = shapes.numQueries;
    if (std::optional<int64_t> some = (cls.rowEnd - cls.rowBegin).asConstant())
      rows = math.min(rows, math.constant(std::max<int64_t>(*some, 0)));
    most = math.add(most, math.ceilDiv(rows, size));
  }
  return most;
}

bool RangeRows::areAll(const Ranges &ranges, const ReductionShapes &here,
                       Value count) const {
  std::optional<int64_t> known = getConstantIntValue(count);
  if (known && known == getConstantIntValue(tiles))
    return true;
  return !here.queryLengths && ranges.size() == 1 &&
         ranges[0].end == here.numQueries &&
         getConstantIntValue(ranges[0].begin) == int64_t(0);
}

/// Each range holds from its first tile on; an empty one holds no tile.
void RangeRows::locate(OpBuilder &b, const ReductionShapes &here,
                       QueryTile &at) const {
  IndexMath math{b, loc};
  Value end, count;
  bool hasLengths = here.hasLengths();
  Ranges ranges = hasLengths ? rangesAt(b, here, count) : this->ranges;
  for (const Range &range : ranges) {
    Value row = math.add(range.begin,
                         math.mul(math.sub(at.tile, range.firstTile), size));
    Value reached =
        math.compare(arith::CmpIPredicate::sge, at.tile, range.firstTile);
    at.row = end ? math.select(reached, row, at.row) : row;
    end = end ? math.select(reached, range.end, end) : range.end;
  }
  bool isWhole =
      llvm::all_of(ranges, [](const Range &range) { return range.isWhole; });
  // There may be more tiles than a sequence has.
  bool hasAllTiles = !hasLengths || areAll(ranges, here, count);
  isWhole &= hasAllTiles;
  // Rows of packed heads are those of a group.
  if (!at.hasPackedHeads)
    at.rows = isWhole ? math.constant(size)
                      : math.min(math.sub(end, at.row), math.constant(size));
  // A shorter sequence has fewer tiles. One without rows is behind the last
  // row, which reads look for.
  if (hasLengths && !(at.hasPackedHeads && hasAllTiles)) {
    Value zero = math.constant(0);
    at.rows =
        at.hasPackedHeads
            ? math.select(math.compare(arith::CmpIPredicate::slt, at.row, end),
                          at.rows, zero)
            : math.max(at.rows, zero);
    Value hasRows = math.compare(arith::CmpIPredicate::sgt, at.rows, zero);
    at.stateRow = at.row;
    at.row = math.select(hasRows, at.row, here.numTensorRows);
  }
  at.position = math.add(at.row, here.firstPosition);
}

namespace {
/// Tiles of all rows, of which those of a sequence are left out.
class MissingRows : public RowLocator {
public:
  MissingRows(OpBuilder &b, Location loc, const ReductionShapes &shapes,
              int64_t size)
      : RowLocator(loc, size) {
    tiles = IndexMath{b, loc}.ceilDiv(shapes.numTensorRows, size);
  }

  void locate(OpBuilder &b, const ReductionShapes &here,
              QueryTile &at) const override {
    IndexMath math{b, loc};
    Value first = math.mul(at.tile, size);
    Value end =
        math.min(math.add(first, math.constant(size)), here.numTensorRows);
    at.row = math.min(math.max(first, here.numQueries), end);
    at.rows = math.sub(end, at.row);
    at.position = math.add(at.row, here.firstPosition);
    at.areMissing = true;
  }
};
} // namespace

std::unique_ptr<RowLocator>
transforms::makeMissingRows(OpBuilder &b, Location loc,
                            const ReductionShapes &shapes, int64_t size) {
  return std::make_unique<MissingRows>(b, loc, shapes, size);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

namespace {
/// Tile by tile.
class TableRows : public RowLocator {
public:
  TableRows(OpBuilder &b, Location loc, const ReductionShapes &shapes,
            const TileTable &table, int64_t size)
      : RowLocator(loc, size), table(table) {
    bool isEmpty = getConstantIntValue(shapes.numQueries) == int64_t(0);
    tiles = IndexMath{b, loc}.constant(isEmpty ? 0 : table.numQueryTiles());
  }

  void locate(OpBuilder &b, const ReductionShapes &here,
              QueryTile &at) const override {
    IndexMath math{b, loc};
    at.row = emitIndexEntry(b, loc, table.cuts, at.tile);
    Value next = math.add(at.tile, math.constant(1));
    at.rows = math.sub(emitIndexEntry(b, loc, table.cuts, next), at.row);
    at.position = math.add(at.row, here.firstPosition);
  }

private:
  const TileTable &table;
};
} // namespace

//===----------------------------------------------------------------------===//
// Folds
//===----------------------------------------------------------------------===//

namespace {
/// All rows of a residue.
class FoldedRows : public RowLocator {
public:
  FoldedRows(OpBuilder &b, Location loc, const ReductionShapes &shapes,
             int64_t size, int64_t step)
      : RowLocator(loc, size), step(step) {
    IndexMath math{b, loc};
    std::optional<int64_t> queries = getConstantIntValue(shapes.numQueries);
    mayBeEmpty = !queries || *queries < step || shapes.hasLengths();
    // The first residue has the most rows.
    tiles = math.ceilDiv(math.ceilDiv(shapes.numQueries, step), size);
  }

  void locate(OpBuilder &b, const ReductionShapes &here,
              QueryTile &at) const override {
    IndexMath math{b, loc};
    at.tile = b.createOrFold<arith::RemUIOp>(loc, at.tile, tiles);
    at.step = step;
    at.residue = here.firstKey;
    Value first = math.mul(at.tile, size);
    at.row = math.add(here.firstRow, math.mul(first, step));
    at.position = math.add(first, here.firstPosition);
    std::optional<int64_t> rows = here.facts.nq;
    if (rows && *rows % size == 0)
      at.rows = math.constant(size);
    else // Other residues may have one more tile.
      at.rows =
          math.max(math.constant(0), math.min(math.sub(here.numQueries, first),
                                              math.constant(size)));
    // Reads of a tile without rows look for the row before it, which others
    // have but the first tile of a residue without any.
    if (mayBeEmpty) {
      Value hasRows =
          math.compare(arith::CmpIPredicate::sgt, at.rows, math.constant(0));
      at.stateRow = at.row;
      at.row = math.select(hasRows, at.row, math.constant(step));
    }
  }

private:
  int64_t step;
  /// Whether there may be fewer queries than residues.
  bool mayBeEmpty;
};
} // namespace

std::unique_ptr<RowLocator> transforms::makeRowLocator(
    OpBuilder &b, Location loc, const ReductionShapes &shapes,
    ArrayRef<RowClass> classes, int64_t size, int64_t step) {
  const RowClass &cls = classes.front();
  if (step > 1)
    return std::make_unique<FoldedRows>(b, loc, shapes, size, step);
  if (cls.hasTable())
    return std::make_unique<TableRows>(b, loc, shapes, cls.table, size);
  if (cls.layout.isContiguous())
    return std::make_unique<RangeRows>(b, loc, shapes, classes, size);
  return makeSlotRows(b, loc, shapes, cls);
}
