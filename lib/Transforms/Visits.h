//===- Visits.h - The loops of a plan, or of a part of one ------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_VISITS_H
#define SPARSEATTN_LIB_TRANSFORMS_VISITS_H

#include "KeyTileLoops.h"
#include "PartStates.h"
#include "VisitTiles.h"

namespace mlir::sparse_attn::transforms {

/// Lowers one op's plan, or a part of it.
class Visits {
public:
  /// The plan is that of one residue where there is a step.
  Visits(MaskedReductionOpInterface op, const ReductionShapes &shapes,
         plan::Plan ofPart, int64_t step, const VisitOptions &options)
      : op(op), loc(op.getLoc()), builder(op), plan(std::move(ofPart)),
        step(step), shapes(shapes), tables(builder, op, shapes, plan),
        data(builder, op, shapes, plan), options(options) {}

  /// Computes the results, or slices of their columns, after `before`, the
  /// states of other parts, if there are any.
  SmallVector<Value> visit(const plan::ColumnGroup &columns,
                           SmallVector<Value> outputs,
                           const PartStates *before);
  /// Gives the rows behind the end of each sequence results without a key.
  SmallVector<Value> visitMissingRows(const plan::ColumnGroup &columns,
                                      SmallVector<Value> outputs);
  /// Adds the states of all rows to `states`, as those of part `number`.
  void store(const plan::ColumnGroup &columns, int64_t number,
             PartStates &states);
  /// The tiles of the first class.
  QueryTiles tilesOf(const plan::ColumnGroup &columns) {
    return QueryTiles(builder, op, shapes, plan.classes.front(), plan, columns,
                      step);
  }

private:
  using BodyFn = function_ref<void(OpBuilder &, ValueRange)>;

  /// Whether the class runs in parts along the keys.
  bool isSplit(const plan::RowClass &cls) const {
    return cls.heavy && (plan.fewBlocks || options.heavySplits > 1);
  }
  /// How many parts these are.
  Value numParts(const plan::RowClass &cls);
  SmallVector<Value> visitWhole(const plan::RowClass &cls,
                                const QueryTiles &tiles,
                                const DataTables &spans, ValueRange outputs,
                                bool together, const PartStates *before);
  SmallVector<Value> emitParts(const plan::RowClass &cls,
                               const QueryTiles &tiles,
                               const DataTables &spans);
  int64_t stepKeysOfParts(const QueryTiles &tiles) const;
  /// The classes `together` in `tiles`, whose parts have left `parts`.
  SmallVector<Value> mergeParts(ArrayRef<plan::RowClass> together,
                                const QueryTiles &tiles,
                                const plan::ColumnGroup &columns,
                                ValueRange parts, ValueRange outputs,
                                const PartStates *before);
  plan::ColumnGroup columnsOfMerge(const plan::ColumnGroup &columns) const;
  /// `size` columns of a state from `first` on; all of them where it is null.
  struct StateColumns {
    Value first;
    int64_t size;
  };
  /// These of tensors that have `leading` dimensions before rows and columns.
  SmallVector<Value> takeColumns(OpBuilder &b, ValueRange tensors,
                                 int64_t leading,
                                 const StateColumns &columns) const;
  /// What the tile at `ids` comes to by itself; sets where it is. `spans` are
  /// what data leaves of the tiles.
  Value stateOf(OpBuilder &b, const plan::RowClass &cls,
                const QueryTiles &tiles, const DataTables &spans,
                ValueRange ids, QueryTile &at);
  /// And with what other parts of the plan have left of it, if there are any.
  Value withOthers(OpBuilder &b, const QueryTiles &tiles, ValueRange ids,
                   const QueryTile &at, Value state, const PartStates *before,
                   const StateColumns &columns = {});
  void report(const plan::RowClass &cls, plan::TileShape tile,
              int64_t parts) const;
  void finish(OpBuilder &b, const QueryTiles &tiles, const QueryTile &at,
              Value state, ValueRange outputs);
  SmallVector<Value> forall(ValueRange bounds, ValueRange outputs,
                            bool together, BodyFn body);

  MaskedReductionOpInterface op;
  Location loc;
  OpBuilder builder;
  plan::Plan plan;
  int64_t step;
  const ReductionShapes &shapes;
  RandomTables tables;
  DataTiles data;
  VisitOptions options;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_VISITS_H
