//===- VisitTiles.cpp - The key tiles of a query tile ---------------------===//
//
// Loops over the tiles that a plan names, of scores, mask, softmax and P V.
//
//===----------------------------------------------------------------------===//

#include "AttentionLowering.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// A rank-reducing slice [lead..., offset : offset + rows, 0 : size].
Value transforms::sliceRows(OpBuilder &b, Location loc, Value source,
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

/// Plans speak of sequences that have keys. Without any there is no tile,
/// whatever the bounds say.
Value AttentionLowering::countOf(OpBuilder &b, const VisitSequence &sequence) {
  IndexMath math{b, loc};
  Value zero = math.constant(0);
  Value hasKeys = math.compare(arith::CmpIPredicate::sgt, shapes.numKeys, zero);
  return math.select(hasKeys, sequence.getCount(), zero);
}

Visit AttentionLowering::findVisit(OpBuilder &b, const RowClass &cls,
                                   const QueryTile &at, Value part,
                                   int64_t numParts) {
  IndexMath math{b, loc};
  TileExprVariables v = variables(at.tile);
  SmallVector<TileRun> runs;
  TileList list;
  if (!hasNoKeys()) {
    runs = emitRuns(b, loc, cls, v);
    list = tables.listTiles(b, loc, cls, tile, v, runs, at.head, at.position,
                            at.rows);
  }
  bool isListFull =
      llvm::all_of(cls.draws, [](const Draw &draw) { return draw.full; });
  // The list is the end of its own kind's sequence, and of that of both.
  SmallVector<TileRun> ordered;
  for (bool full : {!isListFull, isListFull})
    llvm::copy_if(runs, std::back_inserter(ordered),
                  [&](const TileRun &run) { return run.full == full; });
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
    Value begin = math.constant(0), end = countOf(b, sequence);
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
