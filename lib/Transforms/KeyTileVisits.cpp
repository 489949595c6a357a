//===- KeyTileVisits.cpp - The key tiles of a query tile
//---------------------===//
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

Value AttentionLowering::packedQuery(OpBuilder &b, const QueryRows &at) {
  Value query =
      sliceRows(b, loc, op.getQuery(), {at.batch, at.head}, at.row, at.rows);
  if (style.keepTypes)
    return ops(b).padRows(query, at.rows, tile.queries);
  return ops(b).packQuery(query, at.rows, scale.query);
}

/// `rows` keys (or values) from `key` on.
Value AttentionLowering::rowsOf(OpBuilder &b, Value source, const QueryRows &at,
                                Value key, Value rows) {
  Value keyHead = shapes.keyHead(b, loc, at.head);
  return sliceRows(b, loc, source, {at.batch, keyHead}, key, rows);
}

/// The same as [Bn, size]; converted to f32 and padded with zeros where needed.
Value AttentionLowering::padded(OpBuilder &b, Value slice, Value rows) {
  if (style.keepTypes)
    return ops(b).padRows(slice, rows, tile.keys);
  if (op.getQueryType().getElementType().isF32() && getConstantIntValue(rows))
    return slice;
  return ops(b).packKeys(slice, rows);
}

/// Where the first query and the first key of a tile stand in the mask.
MaskPosition AttentionLowering::firstPair(OpBuilder &b, const QueryRows &at,
                                          Value key) {
  auto toI32 = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
  };
  MaskPosition first;
  first.j = toI32(key);
  first.i = toI32(at.position);
  first.n = toI32(shapes.numKeys);
  first.batch = toI32(at.batch);
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
  return emitMask(b, loc, op.getMask(), position,
                  /*mayPassEnd=*/mayBeRagged());
}

SoftmaxState AttentionLowering::visitTile(OpBuilder &b, const Visit &visit,
                                          const Care *care, Value keyTile,
                                          bool full, SoftmaxState state) {
  IndexMath math{b, loc};
  const QueryRows &at = visit.at;
  TileOps tileOps = ops(b, /*careful=*/care);
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
  if (care) {
    values.factor = care->factor;
    values.isWeighed = care->isWeighed;
    values.byKey = care->byKey;
  }
  if (full)
    return tileOps.update(state, scores, values);
  MaskPosition first = firstPair(b, at, key);
  return tileOps.update(state, scores, values,
                        [&](OpBuilder &nested, Value k, Value q) {
                          return isAllowed(nested, at.head, first, k, q);
                        });
}

SoftmaxState AttentionLowering::visitTrusting(OpBuilder &b, const Visit &visit,
                                              const Care *care,
                                              SoftmaxState state) {
  for (bool full : {false, true}) {
    const std::optional<VisitSequence> &sequence = visit.sequences[full];
    if (!sequence)
      continue;
    auto loop = scf::ForOp::create(
        b, loc, visit.begin[full], visit.end[full],
        IndexMath{b, loc}.constant(1), state.values(),
        [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
          SoftmaxState next =
              visitTile(nested, visit, care, sequence->keyTile(nested, loc, t),
                        full, SoftmaxState::from(carried));
          scf::YieldOp::create(nested, loc, next.values());
        });
    state = SoftmaxState::from(loop.getResults());
  }
  return state;
}

/// One loop, and so one copy of the careful steps: the mask of a full tile
/// allows all of its pairs.
SoftmaxState AttentionLowering::visitCarefully(OpBuilder &b, const Visit &visit,
                                               const Care &care,
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
        SoftmaxState next = visitTile(
            nested, visit, &care, visit.all.keyTile(nested, loc, place),
            /*full=*/!hasPartial, SoftmaxState::from(carried));
        scf::YieldOp::create(nested, loc, next.values());
      });
  return SoftmaxState::from(loop.getResults());
}

/// Tries at most twice, by one copy of the loops: a second time, where A has
/// overflowed, with weights so small that it cannot.
RowResults AttentionLowering::visitUntilFinite(OpBuilder &b, const Visit &visit,
                                               SoftmaxState state) {
  IndexMath math{b, loc};
  Value zero = math.constant(0);
  SmallVector<Value> initial = state.values();
  initial.push_back(ops(b).filled(ops(b).rowType(), 1.0));
  SmallVector<Type> types(ValueRange(initial).getTypes());
  auto yield = [&](OpBuilder &nested, SoftmaxState next, Value factor) {
    SmallVector<Value> values = next.values();
    values.push_back(factor);
    scf::YieldOp::create(nested, loc, values);
  };
  auto attempt = [&](OpBuilder &nested, Value isSecond, ValueRange carried) {
    auto start = scf::IfOp::create(nested, loc, types, isSecond, true);
    OpBuilder inside = start.getThenBodyBuilder();
    SoftmaxState before = SoftmaxState::from(carried);
    Value factor = ops(inside).safeFactor(before.accumulator, carried[3]);
    yield(inside, ops(inside).initialState(before), factor);
    inside = start.getElseBodyBuilder();
    scf::YieldOp::create(inside, loc, carried);
    Care care{start.getResult(3), isSecond, {}};
    yield(nested,
          visitTrusting(nested, visit, &care,
                        SoftmaxState::from(start.getResults())),
          care.factor);
  };
  auto attempts = scf::ForOp::create(
      b, loc, zero, math.constant(2), math.constant(1), initial,
      [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
        Value isSecond =
            IndexMath{nested, loc}.compare(arith::CmpIPredicate::ne, t, zero);
        Value yes =
            arith::ConstantOp::create(nested, loc, nested.getBoolAttr(true));
        auto looks = scf::IfOp::create(
            nested, loc, isSecond,
            [&](OpBuilder &inside, Location) {
              Value finite = ops(inside).isFinite(carried[2]);
              scf::YieldOp::create(
                  inside, loc,
                  arith::XOrIOp::create(inside, loc, finite, yes).getResult());
            },
            [&](OpBuilder &inside, Location) {
              scf::YieldOp::create(inside, loc, yes);
            });
        auto branch =
            scf::IfOp::create(nested, loc, types, looks.getResult(0), true);
        OpBuilder inside = branch.getThenBodyBuilder();
        attempt(inside, isSecond, carried);
        inside = branch.getElseBodyBuilder();
        scf::YieldOp::create(inside, loc, carried);
        scf::YieldOp::create(nested, loc, branch.getResults());
      });
  state = SoftmaxState::from(attempts.getResults());
  return {state, ops(b).factored(state.sum, attempts.getResult(3))};
}

/// By careful steps, in the place of what the trusting ones have left.
RowResults AttentionLowering::visitAgain(OpBuilder &b, const Visit &visit,
                                         SoftmaxState state, Value byKey) {
  TileOps tileOps = ops(b, /*careful=*/style.keepTypes);
  Care care{{}, {}, byKey};
  if (mayOverflow())
    care.factor = tileOps.safeFactor(state.accumulator);
  state = visitCarefully(b, visit, care, tileOps.initialState(state));
  if (!care.factor)
    return {state, state.sum};
  return {state, tileOps.factored(state.sum, care.factor)};
}

/// Whether the trusting steps were enough, and if not, whether to add up key by
/// key.
std::pair<Value, Value>
AttentionLowering::isTrusted(OpBuilder &b, const QueryRows &at,
                             const SoftmaxState &state) {
  TileOps tileOps = ops(b);
  Value trusted = tileOps.isTrusted(state, at.rows);
  if (!op.getQueryType().getElementType().isF32())
    return {trusted, {}};
  Value large = tileOps.areLarge(state, at.rows);
  trusted = arith::AndIOp::create(b, loc, trusted, large);
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  return {trusted, arith::XOrIOp::create(b, loc, large, yes)};
}

RowResults AttentionLowering::visitTiles(OpBuilder &b, const RowClass &cls,
                                         const QueryRows &at, Value part,
                                         int64_t numParts) {
  Visit visit = findVisit(b, cls, at, part, numParts);
  SoftmaxState state = ops(b).initialState(op.getValueType().getDimSize(3));
  bool visitsNone = !visit.sequences[0] && !visit.sequences[1];
  if (!visitsNone && !style.keepTypes && mayOverflow())
    return visitUntilFinite(b, visit, state);
  state = visitTrusting(b, visit, /*care=*/nullptr, state);
  if (visitsNone || !style.keepTypes)
    return {state, state.sum};
  auto valuesOf = [](const RowResults &results) {
    SmallVector<Value> values = results.state.values();
    values.push_back(results.weights);
    return values;
  };
  auto [trusted, byKey] = isTrusted(b, at, state);
  SmallVector<Value> kept = valuesOf({state, state.sum});
  auto branch = scf::IfOp::create(b, loc, ValueRange(kept).getTypes(), trusted,
                                  /*withElse=*/true);
  OpBuilder inside = branch.getThenBodyBuilder();
  scf::YieldOp::create(inside, loc, kept);
  inside = branch.getElseBodyBuilder();
  scf::YieldOp::create(inside, loc,
                       valuesOf(visitAgain(inside, visit, state, byKey)));
  return {SoftmaxState::from(branch.getResults()), branch.getResult(3)};
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
                                   const QueryRows &at, Value part,
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
