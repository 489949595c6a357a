//===- TileToLinalg.cpp - --sparse-attn-tile-to-linalg --------------------===//
//
//   for each class of rows of the plan:
//     forall (batch b, query head h, query tile q)
//       Q tile
//       for kt in the partial tiles of q:  S; mask S; online softmax; P V
//       for kt in the full tiles of q:     S;         online softmax; P V
//       O tile = A / l
//
// A heavy class (rows that see every key) runs its loops in `heavy-splits`
// parts, each with a state of its own, and merges them by their maxima.
//
//===----------------------------------------------------------------------===//

#include "AttentionShapes.h"
#include "RandomTables.h"
#include "SparseAttn/Transforms/Passes.h"
#include "TileOps.h"
#include "VisitLoop.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"
#include <array>
#include <cmath>
#include <limits>

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTILETOLINALG
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// One query tile of one (batch, head): where it is and how many rows exist.
namespace {
struct QueryTile {
  Value batch, head, tile; ///< indices
  Value row;               ///< first row
  Value rows;              ///< Bm, or fewer in the last tile
  Value position;          ///< absolute position of the first row
};

/// What a query tile, or a part of it, visits.
struct Visit {
  const QueryTile &at;
  Value query; ///< the tile of Q
  /// Of partial tiles, then of full ones: places begin .. end of a sequence.
  std::array<std::optional<VisitSequence>, 2> sequences;
  std::array<Value, 2> begin, end;
  /// Of both kinds; the list comes last.
  VisitSequence all;
  /// Whether full tiles come last in `all`.
  bool isListFull;
};

/// scale = query * score * unit: the factors of Q, of S and of the exponent.
///
/// Where Q is packed, it takes the sign, so that a running maximum is one, and
/// a power of two, which rounds nothing and keeps large scores in range; the
/// exponent takes the rest. Otherwise the exponent takes a positive scale, and
/// scores a negative one, then in base 2.
struct ScaleFactors {
  double query = 1.0, score = 1.0, unit = 1.0;

  ScaleFactors(double scale, bool keepTypes) {
    double size = std::fabs(scale);
    bool isNormal = size >= std::numeric_limits<float>::min() &&
                    size <= std::numeric_limits<float>::max() / 2;
    if (keepTypes && scale > 0 && isNormal) {
      unit = scale;
      return;
    }
    if (keepTypes) {
      unit = llvm::numbers::ln2;
      score = scale * llvm::numbers::log2e;
      return;
    }
    // No normal number is left for the exponent: -inf times it must be -inf.
    if (size < std::numeric_limits<float>::min()) {
      query = scale;
      return;
    }
    double power = size < 1.0 ? std::exp2(std::ilogb(size)) : 1.0;
    query = std::copysign(power, scale);
    unit = std::min<double>(size / power, std::numeric_limits<float>::max());
  }
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
    this->style.fuseScale = style.keepTypes && !shapes.elementType.isF32();
  }

  SmallVector<Value> run() {
    SmallVector<Value> outputs(op.getInits());
    for (const RowClass &cls : plan.classes) {
      tile = fitTile(cls);
      outputs = cls.heavy && heavySplits > 1 ? lowerSplit(cls, outputs)
                                             : lowerWhole(cls, outputs);
    }
    return outputs;
  }

private:
  /// Row range of a class and its number of query tiles.
  struct ClassRows {
    Value begin, end, tiles;
  };
  ClassRows emitRows(const RowClass &cls);
  TileShape fitTile(const RowClass &cls) const;
  QueryTile locate(OpBuilder &b, const ClassRows &rows, ValueRange ids);

  SmallVector<Value> lowerWhole(const RowClass &cls, ValueRange outputs);
  SmallVector<Value> lowerSplit(const RowClass &cls, ValueRange outputs);
  SmallVector<Value> emitParts(const RowClass &cls, const ClassRows &rows);

  Value packedQuery(OpBuilder &b, const QueryTile &at);
  Visit findVisit(OpBuilder &b, const RowClass &cls, const QueryTile &at,
                  Value part, int64_t numParts);
  /// Runs part `part` of `numParts` of the tiles that `at` visits (all of them
  /// where numParts is 1).
  SoftmaxState visitTiles(OpBuilder &b, const RowClass &cls,
                          const QueryTile &at, Value part, int64_t numParts);
  /// The same by steps that trust their operands, and by steps that do not.
  SoftmaxState visitTrusting(OpBuilder &b, const Visit &visit,
                             SoftmaxState state);
  SoftmaxState visitCarefully(OpBuilder &b, const Visit &visit,
                              SoftmaxState state);
  SoftmaxState visitTile(OpBuilder &b, const Visit &visit, bool careful,
                         Value keyTile, bool full, SoftmaxState state);
  Value rowsOf(OpBuilder &b, Value source, const QueryTile &at, Value key,
               Value rows);
  Value padded(OpBuilder &b, Value slice, Value rows);
  Value isAllowed(OpBuilder &b, Value head, const MaskPosition &first, Value k,
                  Value q);
  MaskPosition firstPair(OpBuilder &b, const QueryTile &at, Value key);
  void storeTile(OpBuilder &b, const QueryTile &at, SoftmaxState state,
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
  /// True when the last key tile may be cut by the end of the keys.
  bool mayBeRagged() const {
    std::optional<int64_t> nk = getConstantIntValue(shapes.numKeys);
    return !nk || *nk % tile.keys != 0;
  }

  AttentionOp op;
  Location loc;
  OpBuilder builder;
  Plan plan;
  TileShape tile; ///< of the class that is being lowered
  AttentionShapes shapes;
  RandomTables tables;
  ScaleFactors scale;
  TileStyle style;
  int64_t heavySplits;
};
} // namespace

/// A rank-reducing slice [lead..., offset : offset + rows, 0 : size].
static Value sliceRows(OpBuilder &b, Location loc, Value source,
                       ArrayRef<Value> lead, Value row, Value rows) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> offsets, sizes;
  for (Value index : lead) {
    offsets.push_back(getAsOpFoldResult(index));
    sizes.push_back(b.getIndexAttr(1));
  }
  offsets.push_back(getAsOpFoldResult(row));
  sizes.push_back(getAsOpFoldResult(rows));
  SmallVector<int64_t> shape = {
      getConstantIntValue(rows).value_or(ShapedType::kDynamic)};
  for (int64_t dim = offsets.size(); dim < type.getRank(); ++dim) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(type.getDimSize(dim)));
    shape.push_back(type.getDimSize(dim));
  }
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), source,
      offsets, sizes, strides);
}

/// Inserts, as the terminator of a forall, `tile` where `slice` was taken.
static void insertInParallel(OpBuilder &b, Location loc, Value tile,
                             Value slice) {
  auto from = slice.getDefiningOp<tensor::ExtractSliceOp>();
  tensor::ParallelInsertSliceOp::create(
      b, loc, tile, from.getSource(), from.getMixedOffsets(),
      from.getMixedSizes(), from.getMixedStrides());
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// A class of a few rows (a global token's) would waste most of a tile: it gets
/// one of as few vectors as hold its rows. Its only query tile is q = 0, whose
/// segments hold for any of its rows, so the plan stays right.
TileShape AttentionLowering::fitTile(const RowClass &cls) const {
  constexpr int64_t granule = 16;
  LengthFacts facts;
  for (int64_t rows = granule; rows < plan.tile.queries; rows += granule)
    if (plan.tile.queries % granule == 0 &&
        TileExpr::provablyLE(cls.rowEnd, cls.rowBegin + rows, facts))
      return {rows, plan.tile.keys};
  return plan.tile;
}

AttentionLowering::ClassRows AttentionLowering::emitRows(const RowClass &cls) {
  IndexMath math{builder, loc};
  TileExprVariables v = variables(math.constant(0));
  Value begin = emitTileExpr(builder, loc, cls.rowBegin, v);
  Value end = emitTileExpr(builder, loc, cls.rowEnd, v);
  // A tile of a larger attention has fewer rows than the plan speaks of.
  if (!op.getOrigin().empty()) {
    begin = math.max(begin, math.constant(0));
    end = math.min(end, shapes.numQueries);
  }
  Value count = math.max(math.sub(end, begin), math.constant(0));
  return {begin, end, math.ceilDiv(count, tile.queries)};
}

QueryTile AttentionLowering::locate(OpBuilder &b, const ClassRows &rows,
                                    ValueRange ids) {
  IndexMath math{b, loc};
  int64_t size = tile.queries;
  QueryTile at{ids[0], ids[1], ids[2], {}, {}, {}};
  at.row = math.add(rows.begin, math.mul(at.tile, size));
  std::optional<int64_t> begin = getConstantIntValue(rows.begin);
  std::optional<int64_t> end = getConstantIntValue(rows.end);
  bool whole = begin && end && (*end - *begin) % size == 0;
  at.rows = whole ? math.constant(size)
                  : math.min(math.sub(rows.end, at.row), math.constant(size));
  at.position = math.add(at.row, shapes.firstPosition);
  return at;
}

//===----------------------------------------------------------------------===//
// One tile
//===----------------------------------------------------------------------===//

Value AttentionLowering::packedQuery(OpBuilder &b, const QueryTile &at) {
  Value query =
      sliceRows(b, loc, op.getQuery(), {at.batch, at.head}, at.row, at.rows);
  if (style.keepTypes)
    return ops(b).padRows(query, at.rows, tile.queries);
  return ops(b).packQuery(query, at.rows, scale.query);
}

/// `rows` keys (or values) from `key` on.
Value AttentionLowering::rowsOf(OpBuilder &b, Value source, const QueryTile &at,
                                Value key, Value rows) {
  Value keyHead = shapes.keyHead(b, loc, at.head);
  return sliceRows(b, loc, source, {at.batch, keyHead}, key, rows);
}

/// The same as [Bn, size]; converted to f32 and padded with zeros where needed.
Value AttentionLowering::padded(OpBuilder &b, Value slice, Value rows) {
  if (style.keepTypes)
    return ops(b).padRows(slice, rows, tile.keys);
  if (shapes.elementType.isF32() && getConstantIntValue(rows))
    return slice;
  return ops(b).packKeys(slice, rows);
}

/// Where the first query and the first key of a tile stand in the mask.
MaskPosition AttentionLowering::firstPair(OpBuilder &b, const QueryTile &at,
                                          Value key) {
  auto toI32 = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
  };
  MaskPosition first;
  first.j = toI32(key);
  first.i = toI32(at.position);
  first.n = toI32(shapes.numKeys);
  first.head = toI32(IndexMath{b, loc}.add(at.head, shapes.headOrigin));
  first.staticKeys = op.getStaticNumKeys();
  return first;
}

/// Whether row q may attend to key k of the tile whose first pair is `first`.
Value AttentionLowering::isAllowed(OpBuilder &b, Value head,
                                   const MaskPosition &first, Value k,
                                   Value q) {
  auto offsetBy = [&](Value origin, Value x) -> Value {
    Value offset = arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
    return arith::AddIOp::create(b, loc, origin, offset);
  };
  MaskPosition position = first;
  position.i = offsetBy(first.i, q);
  position.j = offsetBy(first.j, k);
  position.drawnBlock = [&](OpBuilder &inner, Location,
                            const Mask::RandomOptions &options, Value rowBlock,
                            int64_t t) {
    return tables.drawn(inner, loc, options, head, rowBlock, t);
  };
  Value allowed = op.getMask().emitPredicate(b, loc, position);
  if (!mayBeRagged())
    return allowed;
  Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                       position.j, position.n);
  return arith::AndIOp::create(b, loc, allowed, exists);
}

SoftmaxState AttentionLowering::visitTile(OpBuilder &b, const Visit &visit,
                                          bool careful, Value keyTile,
                                          bool full, SoftmaxState state) {
  IndexMath math{b, loc};
  const QueryTile &at = visit.at;
  TileOps tileOps = ops(b, careful);
  Value key = math.mul(keyTile, tile.keys);
  Value rows = math.constant(tile.keys);
  if (!full && mayBeRagged())
    rows = math.min(rows, math.sub(shapes.numKeys, key));
  Value keys = padded(b, rowsOf(b, op.getKey(), at, key, rows), rows);
  Value scores = tileOps.scores(keys, visit.query);
  if (scale.score != 1.0)
    scores = tileOps.scaled(scores, scale.score);
  ValueTile values{padded(b, rowsOf(b, op.getValue(), at, key, rows), rows),
                   rows};
  if (full)
    return tileOps.update(state, scores, values);
  MaskPosition first = firstPair(b, at, key);
  return tileOps.update(state, scores, values,
                        [&](OpBuilder &nested, Value k, Value q) {
                          return isAllowed(nested, at.head, first, k, q);
                        });
}

SoftmaxState AttentionLowering::visitTrusting(OpBuilder &b, const Visit &visit,
                                              SoftmaxState state) {
  for (bool full : {false, true}) {
    const std::optional<VisitSequence> &sequence = visit.sequences[full];
    if (!sequence)
      continue;
    auto loop = scf::ForOp::create(
        b, loc, visit.begin[full], visit.end[full],
        IndexMath{b, loc}.constant(1), state.values(),
        [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
          SoftmaxState next = visitTile(nested, visit, /*careful=*/false,
                                        sequence->keyTile(nested, loc, t), full,
                                        SoftmaxState::from(carried));
          scf::YieldOp::create(nested, loc, next.values());
        });
    state = SoftmaxState::from(loop.getResults());
  }
  return state;
}

/// One loop, and so one copy of the careful steps: the mask of a full tile
/// allows all of its pairs.
SoftmaxState AttentionLowering::visitCarefully(OpBuilder &b, const Visit &visit,
                                               SoftmaxState state) {
  IndexMath math{b, loc};
  bool hasPartial = visit.sequences[0].has_value();
  bool hasBoth = hasPartial && visit.sequences[1].has_value();
  // Places of the kind that comes first, then those of the other behind them.
  unsigned first = hasBoth ? !visit.isListFull : !hasPartial;
  Value begin = visit.begin[first], turn = visit.end[first], end = turn;
  Value gap = math.constant(0);
  if (hasBoth) {
    Value skipped = visit.begin[!first];
    end = math.add(turn, math.sub(visit.end[!first], skipped));
    gap = math.add(math.sub(visit.sequences[first]->getCount(), turn), skipped);
  }
  auto loop = scf::ForOp::create(
      b, loc, begin, end, math.constant(1), state.values(),
      [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
        IndexMath inner{nested, loc};
        Value isLate = inner.compare(arith::CmpIPredicate::sge, t, turn);
        Value place = inner.select(isLate, inner.add(t, gap), t);
        SoftmaxState next =
            visitTile(nested, visit, /*careful=*/true,
                      visit.all.keyTile(nested, loc, place),
                      /*full=*/!hasPartial, SoftmaxState::from(carried));
        scf::YieldOp::create(nested, loc, next.values());
      });
  return SoftmaxState::from(loop.getResults());
}

SoftmaxState AttentionLowering::visitTiles(OpBuilder &b, const RowClass &cls,
                                           const QueryTile &at, Value part,
                                           int64_t numParts) {
  SoftmaxState initial = ops(b).initialState(shapes.valueSize);
  Visit visit = findVisit(b, cls, at, part, numParts);
  SoftmaxState state = visitTrusting(b, visit, initial);
  if (!style.keepTypes || (!visit.sequences[0] && !visit.sequences[1]))
    return state;
  auto branch = scf::IfOp::create(b, loc, ValueRange(state.values()).getTypes(),
                                  ops(b).isTrusted(state, at.rows),
                                  /*withElse=*/true);
  OpBuilder inside = branch.getThenBodyBuilder();
  scf::YieldOp::create(inside, loc, state.values());
  inside = branch.getElseBodyBuilder();
  scf::YieldOp::create(inside, loc,
                       visitCarefully(inside, visit, initial).values());
  return SoftmaxState::from(branch.getResults());
}

Visit AttentionLowering::findVisit(OpBuilder &b, const RowClass &cls,
                                   const QueryTile &at, Value part,
                                   int64_t numParts) {
  IndexMath math{b, loc};
  TileExprVariables v = variables(at.tile);
  SmallVector<TileRun> runs = emitRuns(b, loc, cls, v);
  TileList list = tables.listTiles(b, loc, cls, tile, v, runs, at.head,
                                   at.position, at.rows);
  bool isListFull =
      llvm::all_of(cls.draws, [](const Draw &draw) { return draw.full; });
  // The list is the end of its own kind's sequence, and of that of both.
  SmallVector<TileRun> ordered = runs;
  llvm::stable_sort(ordered, [&](const TileRun &x, const TileRun &y) {
    return (x.full == isListFull) < (y.full == isListFull);
  });
  VisitSequence all(b, loc, ordered, list);
  Visit visit{at, packedQuery(b, at), {}, {}, {}, all, isListFull};
  for (bool full : {false, true}) {
    SmallVector<TileRun> kind;
    for (const TileRun &run : runs)
      if (run.full == full)
        kind.push_back(run);
    VisitSequence sequence(b, loc, kind,
                           full == isListFull ? list : TileList{});
    if (sequence.empty())
      continue;
    Value begin = math.constant(0), end = sequence.getCount();
    if (numParts > 1) {
      // Part p of P visits places [count p / P, count (p + 1) / P).
      Value next = math.add(part, math.constant(1));
      Value count = end;
      auto place = [&](Value p) {
        Value scaled = b.createOrFold<arith::MulIOp>(loc, count, p);
        return math.floorDiv(scaled, numParts);
      };
      begin = place(part);
      end = place(next);
    }
    visit.sequences[full] = sequence;
    visit.begin[full] = begin;
    visit.end[full] = end;
  }
  return visit;
}

/// Writes O (and LSE) of the tile, as the last thing inside a forall.
void AttentionLowering::storeTile(OpBuilder &b, const QueryTile &at,
                                  SoftmaxState state, ValueRange outputs) {
  TileOps tileOps = ops(b);
  Value slice =
      sliceRows(b, loc, outputs[0], {at.batch, at.head}, at.row, at.rows);
  Value output = tileOps.normalised(state.accumulator, tileOps.divisor(state),
                                    at.rows, slice);
  SmallVector<std::pair<Value, Value>> stores = {{output, slice}};
  if (outputs.size() == 2) {
    Value lseSlice =
        sliceRows(b, loc, outputs[1], {at.batch, at.head}, at.row, at.rows);
    Value lse = tileOps.logSumExp(state);
    if (!getConstantIntValue(at.rows))
      lse = sliceRows(b, loc, lse, {}, IndexMath{b, loc}.constant(0), at.rows);
    stores.push_back({lse, lseSlice});
  }
  auto terminator = scf::InParallelOp::create(b, loc);
  b.setInsertionPointToStart(terminator.getBody());
  for (auto [tile, destination] : stores)
    insertInParallel(b, loc, tile, destination);
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

SmallVector<Value> AttentionLowering::lowerWhole(const RowClass &cls,
                                                 ValueRange outputs) {
  ClassRows rows = emitRows(cls);
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult(
      ValueRange{shapes.batch, shapes.queryHeads, rows.tiles});
  auto forall = scf::ForallOp::create(
      builder, loc, bounds, outputs, blockMapping(bounds.size()),
      [&](OpBuilder &b, Location, ValueRange args) {
        QueryTile at = locate(b, rows, args.take_front(3));
        SoftmaxState state =
            visitTiles(b, cls, at, /*part=*/Value(), /*numParts=*/1);
        storeTile(b, at, state, args.drop_front(3));
      });
  return forall.getResults();
}

/// The states of all parts of a heavy class: three tensors
/// [B, Hq, query tiles, parts, ...].
SmallVector<Value> AttentionLowering::emitParts(const RowClass &cls,
                                                const ClassRows &rows) {
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult(
      ValueRange{shapes.batch, shapes.queryHeads, rows.tiles});
  bounds.push_back(builder.getIndexAttr(heavySplits));
  TileOps tileOps = ops(builder);
  SmallVector<Value> parts;
  for (RankedTensorType type : {tileOps.rowType(), tileOps.rowType(),
                                tileOps.tileType(shapes.valueSize)}) {
    SmallVector<OpFoldResult> sizes = bounds;
    for (int64_t size : type.getShape())
      sizes.push_back(builder.getIndexAttr(size));
    parts.push_back(
        tensor::EmptyOp::create(builder, loc, sizes, builder.getF32Type()));
  }
  auto forall = scf::ForallOp::create(
      builder, loc, bounds, parts, blockMapping(bounds.size()),
      [&](OpBuilder &b, Location, ValueRange args) {
        QueryTile at = locate(b, rows, args.take_front(3));
        SoftmaxState state =
            visitTiles(b, cls, at, /*part=*/args[3], heavySplits);
        auto terminator = scf::InParallelOp::create(b, loc);
        b.setInsertionPointToStart(terminator.getBody());
        for (auto [value, part] :
             llvm::zip(state.values(), args.drop_front(4))) {
          auto type = cast<RankedTensorType>(value.getType());
          SmallVector<OpFoldResult> offsets =
              getAsOpFoldResult(args.take_front(4));
          SmallVector<OpFoldResult> sizes(4, b.getIndexAttr(1));
          for (int64_t size : type.getShape()) {
            offsets.push_back(b.getIndexAttr(0));
            sizes.push_back(b.getIndexAttr(size));
          }
          SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
          tensor::ParallelInsertSliceOp::create(b, loc, value, part, offsets,
                                                sizes, strides);
        }
      });
  return forall.getResults();
}

/// The state of part `part`: the trailing dimensions of `parts`.
static SoftmaxState loadPart(OpBuilder &b, Location loc, ValueRange parts,
                             const QueryTile &at, Value part) {
  SmallVector<Value> values;
  for (Value tensor : parts) {
    auto type = cast<RankedTensorType>(tensor.getType());
    SmallVector<OpFoldResult> offsets =
        getAsOpFoldResult(ValueRange{at.batch, at.head, at.tile, part});
    SmallVector<OpFoldResult> sizes(4, b.getIndexAttr(1));
    ArrayRef<int64_t> shape = type.getShape().drop_front(4);
    for (int64_t size : shape) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(size));
    }
    SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
    values.push_back(tensor::ExtractSliceOp::create(
        b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
        offsets, sizes, strides));
  }
  return SoftmaxState::from(values);
}

SmallVector<Value> AttentionLowering::lowerSplit(const RowClass &cls,
                                                 ValueRange outputs) {
  ClassRows rows = emitRows(cls);
  SmallVector<Value> parts = emitParts(cls, rows);
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult(
      ValueRange{shapes.batch, shapes.queryHeads, rows.tiles});
  auto forall = scf::ForallOp::create(
      builder, loc, bounds, outputs, blockMapping(bounds.size()),
      [&](OpBuilder &b, Location, ValueRange args) {
        IndexMath math{b, loc};
        QueryTile at = locate(b, rows, args.take_front(3));
        auto merge = scf::ForOp::create(
            b, loc, math.constant(0), math.constant(heavySplits),
            math.constant(1), ops(b).initialState(shapes.valueSize).values(),
            [&](OpBuilder &nested, Location, Value part, ValueRange carried) {
              SoftmaxState next =
                  ops(nested, /*careful=*/style.keepTypes)
                      .merged(SoftmaxState::from(carried),
                              loadPart(nested, loc, parts, at, part));
              scf::YieldOp::create(nested, loc, next.values());
            });
        storeTile(b, at, SoftmaxState::from(merge.getResults()),
                  args.drop_front(3));
      });
  return forall.getResults();
}

namespace {
struct TileToLinalgPass
    : sparse_attn::impl::SparseAttnTileToLinalgBase<TileToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    if (heavySplits < 1) {
      getOperation()->emitError("heavy-splits must be at least 1");
      return signalPassFailure();
    }
    WalkResult result = getOperation()->walk([&](AttentionOp op) {
      if (!op.getPlan()) {
        op.emitOpError("has no plan; run 'sparse-attn-plan' first");
        return WalkResult::interrupt();
      }
      if (!isa<RankedTensorType>(op.getQuery().getType())) {
        op.emitOpError("on memrefs cannot be tiled; lower it before "
                       "bufferization");
        return WalkResult::interrupt();
      }
      op->replaceAllUsesWith(
          AttentionLowering(op, {queriesInner, keepTypes}, heavySplits).run());
      op->erase();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
