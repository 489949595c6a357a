//===- AttentionLowering.h - An attention op to loops -----------*- C++ -*-===//
//
// What TileToLinalg.cpp (classes of rows), KeyTileVisits.cpp (the loops over
// key tiles) and HeavyRows.cpp (rows in parts) have in common.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_ATTENTIONLOWERING_H
#define SPARSEATTN_LIB_TRANSFORMS_ATTENTIONLOWERING_H

#include "RandomTables.h"
#include "ReductionShapes.h"
#include "ScaleFactors.h"
#include "TileOps.h"
#include "VisitLoop.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"
#include <array>

namespace mlir::sparse_attn::transforms {

/// One query tile of one (batch, head): where it is and how many rows exist.
struct QueryRows {
  Value batch, head, tile; ///< indices
  Value row;               ///< first row
  Value rows;              ///< Bm, or fewer in the last tile
  Value position;          ///< absolute position of the first row
};

/// What a query tile, or a part of it, visits.
struct Visit {
  const QueryRows &at;
  Value query; ///< the tile of Q
  /// Of partial tiles, then of full ones: places begin .. end of a sequence.
  std::array<std::optional<VisitSequence>, 2> sequences;
  std::array<Value, 2> begin, end;
  /// Of both kinds; the list comes last.
  VisitSequence all;
  /// Whether full tiles come last in `all`.
  bool isListFull;
};

/// How careful steps add up values: see ValueTile.
struct Care {
  Value factor, isWeighed, byKey;
};

/// Lowers one attention op.
class AttentionLowering {
public:
  AttentionLowering(AttentionOp op, TileStyle style, int64_t heavySplits)
      : op(op), loc(op.getLoc()), builder(op), plan(op.getPlan()->getPlan()),
        shapes(builder, op),
        tables(builder, op, shapes, plan, /*areBlocks=*/style.keepTypes),
        scale(op.getScaleValue(), style.keepTypes), style(style),
        heavySplits(heavySplits) {
    this->style.unit = scale.unit;
    // f32 probabilities would show the rounding of m c.
    this->style.fuseScale =
        style.keepTypes && !op.getQueryType().getElementType().isF32();
  }

  SmallVector<Value> run() {
    SmallVector<Value> outputs(op.getInits());
    for (const plan::RowClass &cls : plan.classes) {
      tile = fitTile(cls);
      ClassRows rows = emitRows(cls);
      // A grid cannot be known to be empty.
      if (isZero(shapes.batch) || isZero(rows.tiles))
        continue;
      outputs = cls.heavy && heavySplits > 1 ? lowerSplit(cls, rows, outputs)
                                             : lowerWhole(cls, rows, outputs);
    }
    return outputs;
  }

private:
  /// Row range of a class and its number of query tiles.
  struct ClassRows {
    Value begin, end, tiles;
  };
  ClassRows emitRows(const plan::RowClass &cls);
  plan::TileShape fitTile(const plan::RowClass &cls) const;
  QueryRows locate(OpBuilder &b, const ClassRows &rows, ValueRange ids);

  SmallVector<Value> lowerWhole(const plan::RowClass &cls,
                                const ClassRows &rows, ValueRange outputs);
  SmallVector<Value> lowerSplit(const plan::RowClass &cls,
                                const ClassRows &rows, ValueRange outputs);
  SmallVector<Value> emitParts(const plan::RowClass &cls,
                               const ClassRows &rows);
  RowResults mergeParts(OpBuilder &b, const QueryRows &at, ValueRange parts);

  Value packedQuery(OpBuilder &b, const QueryRows &at);
  Value countOf(OpBuilder &b, const VisitSequence &sequence);
  Visit findVisit(OpBuilder &b, const plan::RowClass &cls, const QueryRows &at,
                  Value part, int64_t numParts);
  /// Runs part `part` of `numParts` of the tiles that `at` visits (all of them
  /// where numParts is 1).
  RowResults visitTiles(OpBuilder &b, const plan::RowClass &cls,
                        const QueryRows &at, Value part, int64_t numParts);
  /// The same by steps that trust their operands, and by steps that do not.
  SoftmaxState visitTrusting(OpBuilder &b, const Visit &visit, const Care *care,
                             SoftmaxState state);
  std::pair<Value, Value> isTrusted(OpBuilder &b, const QueryRows &at,
                                    const SoftmaxState &state);
  RowResults visitUntilFinite(OpBuilder &b, const Visit &visit,
                              SoftmaxState state);
  RowResults visitAgain(OpBuilder &b, const Visit &visit, SoftmaxState state,
                        Value byKey);
  SoftmaxState visitCarefully(OpBuilder &b, const Visit &visit,
                              const Care &care, SoftmaxState state);
  SoftmaxState visitTile(OpBuilder &b, const Visit &visit, const Care *care,
                         Value keyTile, bool full, SoftmaxState state);
  Value rowsOf(OpBuilder &b, Value source, const QueryRows &at, Value key,
               Value rows);
  Value padded(OpBuilder &b, Value slice, Value rows);
  Value isAllowed(OpBuilder &b, Value head, const MaskPosition &first, Value k,
                  Value q);
  MaskPosition firstPair(OpBuilder &b, const QueryRows &at, Value key);
  void storeTile(OpBuilder &b, const QueryRows &at, const RowResults &results,
                 ValueRange outputs);

  /// Loops that stand for blocks of threads stay loops even if they run once.
  std::optional<ArrayAttr> blockMapping(size_t rank) {
    if (!style.keepTypes)
      return std::nullopt;
    return makeBlockMapping(builder.getContext(), rank);
  }
  TileOps ops(OpBuilder &b, bool careful = false) {
    TileStyle chosen = style;
    chosen.careful = careful;
    return TileOps(b, loc, chosen, tile);
  }
  TileExprVariables variables(Value q) {
    return {q, shapes.virtualQueries, shapes.numKeys};
  }
  /// True when a sum of values may be too large for f32, though none is.
  bool mayOverflow() { return !op.getQueryType().getElementType().isF16(); }
  static bool isZero(Value size) {
    return getConstantIntValue(size) == int64_t(0);
  }
  /// True when there is certainly no key, and so nothing to slice.
  bool hasNoKeys() const { return isZero(shapes.numKeys); }
  /// True when the last key tile may be cut by the end of the keys.
  bool mayBeRagged() const {
    std::optional<int64_t> nk = getConstantIntValue(shapes.numKeys);
    return !nk || *nk % tile.keys != 0;
  }

  AttentionOp op;
  Location loc;
  OpBuilder builder;
  plan::Plan plan;
  plan::TileShape tile; ///< of the class that is being lowered
  ReductionShapes shapes;
  RandomTables tables;
  ScaleFactors scale;
  TileStyle style;
  int64_t heavySplits;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_ATTENTIONLOWERING_H
