//===- ToDenseLinalg.cpp - --sparse-attn-to-dense-linalg ------------------===//
//
// The naive decomposition, over (b, h, r, j), all in f32:
//
//   S = scale * Q K^T, c tanh(S / c) under a soft cap of c, what a score
//       region makes of it, -inf where masked or behind the end of a sequence
//                                             [B, Hq, Sq, Sk]
//   m = max_j S, or a larger sink of the head; 0 where that is -inf
//                                             [B, Hq, Sq]
//   P = exp(S - m);  l = sum_j P, and exp(sink - m)
//   W = P / l, 0 where l = 0                  [B, Hq, Sq, Sk]
//   O = W V;  LSE = m + log l, -inf where l = 0
//
// P is divided, not P V: a mean never exceeds its terms, where a sum of values
// may overflow.
//
//===----------------------------------------------------------------------===//

#include "DocumentTable.h"
#include "EmitTileExpr.h"
#include "MergeToLinalg.h"
#include "RandomTables.h"
#include "ReductionShapes.h"
#include "SlotTiles.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include <limits>

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTODENSELINALG
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;
static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

namespace {
class DenseLowering {
public:
  explicit DenseLowering(AttentionOp op)
      : op(op), loc(op.getLoc()), b(op), shapes(b, op),
        tables(b, op, shapes, Plan()) {}

  SmallVector<Value> run();

private:
  using BodyFn = llvm::function_ref<Value(OpBuilder &, ValueRange)>;

  Value generic(ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
                ArrayRef<utils::IteratorType> iterators, BodyFn body) {
    return linalg::GenericOp::create(
               b, loc, init.getType(), inputs, init, maps, iterators,
               [&](OpBuilder &nested, Location, ValueRange args) {
                 linalg::YieldOp::create(nested, loc, body(nested, args));
               })
        .getResult(0);
  }
  Value scalar(OpBuilder &nested, float value) {
    return arith::ConstantOp::create(nested, loc,
                                     nested.getF32FloatAttr(value));
  }
  Value f32(OpBuilder &nested, Value x) {
    if (x.getType().isF32())
      return x;
    return arith::ExtFOp::create(nested, loc, nested.getF32Type(), x);
  }
  Value filled(ArrayRef<Value> dims, std::optional<int64_t> last, float value) {
    SmallVector<OpFoldResult> sizes = getAsOpFoldResult(dims);
    if (last)
      sizes.push_back(b.getIndexAttr(*last));
    Value empty = tensor::EmptyOp::create(b, loc, sizes, b.getF32Type());
    return linalg::FillOp::create(b, loc, scalar(b, value), empty).getResult(0);
  }
  AffineMap map(unsigned numDims, ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(numDims, 0, exprs, b.getContext());
  }
  Value scores();
  Value emitScore(OpBuilder &nested, Value score);
  Value applyMask(Value scores);
  Value markTokens(bool areRows);
  Value emitSink(OpBuilder &nested);
  /// An element of a row of `source`, the keys or values, of the sequence and
  /// the query head that a loop is at.
  Value readKey(OpBuilder &nested, Value source, Value slot, Value column) {
    Value batch = linalg::IndexOp::create(nested, loc, /*dim=*/0);
    Value head = linalg::IndexOp::create(nested, loc, /*dim=*/1);
    KeyTile at;
    at.key = at.row = slot;
    at.page = batch;
    MaskedReductionOpInterface reduction = op;
    if (reduction.getPageSize())
      placeInPage(nested, reduction,
                  arith::AddIOp::create(nested, loc, batch, shapes.batchOrigin),
                  at);
    return tensor::ExtractOp::create(
        nested, loc, source,
        ValueRange{at.page, shapes.keyHead(nested, loc, head), at.row, column});
  }
  /// The position of the key that a loop over pairs is at.
  Value positionOf(OpBuilder &nested, const ReductionShapes &here) {
    Value slot = linalg::IndexOp::create(nested, loc, /*dim=*/3);
    if (!here.slots || !here.slots->ofSlots)
      return slot;
    return arith::AddIOp::create(nested, loc, slot, here.slots->ofSlots);
  }
  /// x == special ? instead : otherwise
  Value unless(OpBuilder &nested, Value x, float special, float instead,
               Value otherwise) {
    Value is = arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ, x,
                                     scalar(nested, special));
    return arith::SelectOp::create(nested, loc, is, scalar(nested, instead),
                                   otherwise);
  }

  AttentionOp op;
  Location loc;
  OpBuilder b;
  ReductionShapes shapes;
  RandomTables tables;
};
} // namespace

/// S = scale * Q K^T over (b, h, r, j, d); the key head is h / group. Under a
/// soft cap of c, c tanh(S / c).
Value DenseLowering::scores() {
  Value init = filled(
      {shapes.batch, shapes.queryHeads, shapes.numQueries, shapes.numKeys},
      std::nullopt, 0.0f);
  AffineExpr d0, d1, d2, d3, d4;
  bindDims(b.getContext(), d0, d1, d2, d3, d4);
  std::optional<double> softcap = op.getSoftcapValue();
  Value scale = scalar(b, float(op.getScaleValue() / softcap.value_or(1.0)));
  Value dots =
      generic({op.getQuery()}, init,
              {map(5, {d0, d1, d2, d4}), map(5, {d0, d1, d2, d3})},
              {parallel, parallel, parallel, parallel, reduction},
              [&](OpBuilder &nested, ValueRange args) -> Value {
                auto index = [&](int64_t dim) -> Value {
                  return linalg::IndexOp::create(nested, loc, dim);
                };
                Value k = readKey(nested, op.getKey(), /*slot=*/index(3),
                                  /*column=*/index(4));
                Value product = arith::MulFOp::create(
                    nested, loc, f32(nested, args[0]), f32(nested, k));
                return arith::AddFOp::create(nested, loc, args[1], product);
              });
  return generic({}, dots, {b.getMultiDimIdentityMap(4)},
                 {parallel, parallel, parallel, parallel},
                 [&](OpBuilder &nested, ValueRange args) -> Value {
                   Value scaled =
                       arith::MulFOp::create(nested, loc, args[0], scale);
                   if (softcap)
                     scaled = arith::MulFOp::create(
                         nested, loc, math::TanhOp::create(nested, loc, scaled),
                         scalar(nested, float(*softcap)));
                   return emitScore(nested, scaled);
                 });
}

/// What score region, bias and slopes make of the score of the pair that a loop
/// over pairs is at.
Value DenseLowering::emitScore(OpBuilder &nested, Value score) {
  auto index = [&](int64_t dim) -> Value {
    return linalg::IndexOp::create(nested, loc, dim);
  };
  auto plus = [&](Value x, Value y) -> Value {
    return arith::AddIOp::create(nested, loc, x, y);
  };
  Value bias = op.getDataOperand(kBias), slopes = op.getDataOperand(kSlopes);
  if (!op.hasScore() && !bias && !slopes)
    return score;
  ReductionShapes here = shapes.ofBatch(nested, loc, index(0));
  Value batch = plus(index(0), shapes.batchOrigin),
        head = plus(index(1), shapes.headOrigin),
        i = plus(index(2), here.firstPosition), j = positionOf(nested, here);
  if (op.hasScore()) {
    Block &block = op.getScore().front();
    IRMapping mapping;
    mapping.map(block.getArguments(),
                ArrayRef<Value>{score, batch, head, i, j});
    for (Operation &inner : block.without_terminator())
      nested.clone(inner, mapping);
    score = mapping.lookupOrDefault(
        cast<YieldOp>(block.getTerminator()).getValue());
  }
  if (bias)
    score = arith::AddFOp::create(
        nested, loc, score,
        loadBias(nested, loc, bias,
                 {batch, head, plus(index(2), shapes.rowOrigin), index(3)}));
  if (slopes)
    score = emitSlope(
        nested, loc, score, slopes, head,
        arith::IndexCastOp::create(nested, loc, nested.getI32Type(),
                                   arith::SubIOp::create(nested, loc, i, j)));
  return score;
}

/// The sink of the row that a loop over rows is at: -inf behind the end of a
/// sequence.
Value DenseLowering::emitSink(OpBuilder &nested) {
  auto index = [&](int64_t dim) -> Value {
    return linalg::IndexOp::create(nested, loc, dim);
  };
  Value head = arith::AddIOp::create(nested, loc, index(1), shapes.headOrigin);
  Value sink =
      tensor::ExtractOp::create(nested, loc, op.getDataOperand(kSinks), head);
  if (!shapes.queryLengths)
    return sink;
  ReductionShapes here = shapes.ofBatch(nested, loc, index(0));
  Value exists = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::slt,
                                       index(2), here.numQueries);
  return arith::SelectOp::create(nested, loc, exists, sink,
                                 scalar(nested, kMinusInfinity));
}

/// tensor<B x Sq x i32> or tensor<B x Sk x i32>: 1 for the rows, or the slots
/// of keys, that stand at positions which the op's tokens list, 0 for others.
Value DenseLowering::markTokens(bool areRows) {
  Value tokens = op.getDataOperand(kGlobalTokens);
  OpFoldResult one = b.getIndexAttr(1);
  OpFoldResult batch = getAsOpFoldResult(shapes.batch);
  OpFoldResult count = tensor::getMixedSize(b, loc, tokens, 1);
  Value zero = IntMath{b, loc}.constant(0);
  Value empty = tensor::EmptyOp::create(
      b, loc,
      ArrayRef<OpFoldResult>{
          batch,
          getAsOpFoldResult(areRows ? shapes.numQueries : shapes.numKeys)},
      b.getI32Type());
  Value none = linalg::FillOp::create(b, loc, zero, empty).getResult(0);
  // Nothing can be sliced of no tokens.
  if (getConstantIntValue(count) == int64_t(0))
    return none;
  Value some = tensor::ExtractSliceOp::create(
      b, loc, tokens,
      ArrayRef<OpFoldResult>{getAsOpFoldResult(shapes.batchOrigin),
                             b.getIndexAttr(0)},
      ArrayRef<OpFoldResult>{batch, count}, ArrayRef<OpFoldResult>{one, one});
  AffineExpr d0, d1, d2;
  bindDims(b.getContext(), d0, d1, d2);
  return generic(
      {some}, none, {map(3, {d0, d2}), map(3, {d0, d1})},
      {parallel, parallel, reduction},
      [&](OpBuilder &nested, ValueRange args) -> Value {
        IntMath ints{nested, loc};
        using Compare = arith::CmpIPredicate;
        ReductionShapes here = shapes.ofBatch(
            nested, loc, linalg::IndexOp::create(nested, loc, 0));
        Value position = linalg::IndexOp::create(nested, loc, 1);
        if (areRows)
          position =
              arith::AddIOp::create(nested, loc, position, here.firstPosition);
        else if (here.slots && here.slots->ofSlots)
          position =
              arith::AddIOp::create(nested, loc, position, here.slots->ofSlots);
        position = ints.fromIndex(position);
        Value isIt = ints.compare(Compare::eq, args[0], position);
        Value exists = ints.both(
            ints.compare(Compare::sge, position, ints.constant(0)),
            ints.compare(Compare::slt, position, ints.fromIndex(here.numKeys)));
        return ints.select(ints.both(isIt, exists), ints.constant(1), args[1]);
      });
}

Value DenseLowering::applyMask(Value scores) {
  Value rowMarks, keyMarks;
  if (op.getDataOperand(kGlobalTokens)) {
    rowMarks = markTokens(/*areRows=*/true);
    keyMarks = markTokens(/*areRows=*/false);
  }
  auto toI32 = [&](OpBuilder &nested, Value x) -> Value {
    return arith::IndexCastOp::create(nested, loc, nested.getI32Type(), x);
  };
  return generic(
      {}, scores, {b.getMultiDimIdentityMap(4)},
      {parallel, parallel, parallel, parallel},
      [&](OpBuilder &nested, ValueRange args) -> Value {
        auto index = [&](int64_t dim) -> Value {
          return linalg::IndexOp::create(nested, loc, dim);
        };
        Value batch = index(0), head = index(1);
        ReductionShapes here = shapes.ofBatch(nested, loc, index(0));
        MaskPosition at;
        at.i = toI32(nested, arith::AddIOp::create(nested, loc, index(2),
                                                   here.firstPosition));
        Value j = positionOf(nested, here);
        at.j = toI32(nested, j);
        if (here.slots && here.slots->ofSlots)
          at.slotPosition = toI32(nested, here.slots->ofSlots);
        at.n = toI32(nested, here.numKeys);
        at.batch = toI32(nested, arith::AddIOp::create(nested, loc, index(0),
                                                       shapes.batchOrigin));
        at.head = toI32(nested, arith::AddIOp::create(nested, loc, head,
                                                      shapes.headOrigin));
        at.staticKeys = op.getStaticNumKeys();
        at.drawnBlock = [&](OpBuilder &inner, Location,
                            const Mask::RandomOptions &options, Value rowBlock,
                            int64_t t) {
          return tables.drawn(inner, loc, options, here, batch, head, rowBlock,
                              t);
        };
        at.operand = [&](StringRef name) -> Value {
          return MaskedReductionOpInterface(op).getDataOperand(name);
        };
        if (rowMarks)
          at.listed = [&](OpBuilder &inner, Location, bool ofKey) -> Value {
            IntMath ints{inner, loc};
            Value mark = tensor::ExtractOp::create(
                inner, loc, ofKey ? keyMarks : rowMarks,
                ValueRange{batch, index(ofKey ? 3 : 2)});
            return ints.compare(arith::CmpIPredicate::ne, mark,
                                ints.constant(0));
          };
        Value allowed = emitMask(nested, loc, op.getMask(), at,
                                 /*mayPassEnd=*/false);
        auto require = [&](arith::CmpIPredicate predicate, Value x, Value y) {
          allowed = arith::AndIOp::create(
              nested, loc, allowed,
              arith::CmpIOp::create(nested, loc, predicate, x, y));
        };
        using Compare = arith::CmpIPredicate;
        if (shapes.queryLengths)
          require(Compare::slt, index(2), here.numQueries);
        if (shapes.keyLengths)
          require(Compare::slt, j, here.numKeys);
        if (shapes.keyBegins)
          require(Compare::sge, j, here.slots->ofKeys);
        return arith::SelectOp::create(nested, loc, allowed, args[0],
                                       scalar(nested, kMinusInfinity));
      });
}

SmallVector<Value> DenseLowering::run() {
  Value s = applyMask(scores());
  AffineExpr d0, d1, d2, d3, d4;
  bindDims(b.getContext(), d0, d1, d2, d3, d4);
  AffineMap pair = b.getMultiDimIdentityMap(4);
  AffineMap row = map(4, {d0, d1, d2});
  SmallVector<Value> rowDims = {shapes.batch, shapes.queryHeads,
                                shapes.numQueries};
  SmallVector<utils::IteratorType> reduceKeys = {parallel, parallel, parallel,
                                                 reduction};
  SmallVector<utils::IteratorType> rows(3, parallel), pairs(4, parallel);
  Value max =
      generic({s}, filled(rowDims, std::nullopt, kMinusInfinity), {pair, row},
              reduceKeys, [&](OpBuilder &nested, ValueRange args) -> Value {
                return arith::MaxNumFOp::create(nested, loc, args[1], args[0]);
              });
  AffineMap id3 = b.getMultiDimIdentityMap(3);
  bool hasSinks = bool(op.getDataOperand(kSinks));
  max = generic({}, max, {id3}, rows, [&](OpBuilder &nested, ValueRange args) {
    Value all = args[0];
    if (hasSinks)
      all = arith::MaxNumFOp::create(nested, loc, emitSink(nested), all);
    return unless(nested, all, kMinusInfinity, 0.0f, all);
  });
  Value p = generic({max}, s, {row, pair}, pairs,
                    [&](OpBuilder &nested, ValueRange args) -> Value {
                      Value difference =
                          arith::SubFOp::create(nested, loc, args[1], args[0]);
                      return math::ExpOp::create(nested, loc, difference);
                    });
  Value sum =
      generic({p}, filled(rowDims, std::nullopt, 0.0f), {pair, row}, reduceKeys,
              [&](OpBuilder &nested, ValueRange args) -> Value {
                return arith::AddFOp::create(nested, loc, args[1], args[0]);
              });
  if (hasSinks)
    sum = generic({max}, sum, {id3, id3}, rows,
                  [&](OpBuilder &nested, ValueRange args) -> Value {
                    Value difference = arith::SubFOp::create(
                        nested, loc, emitSink(nested), args[0]);
                    Value weight = math::ExpOp::create(nested, loc, difference);
                    return arith::AddFOp::create(nested, loc, args[1], weight);
                  });
  // l is at least 1 where there is a key, for its largest term is exp(0).
  Value weights = generic(
      {sum}, p, {row, pair}, pairs, [&](OpBuilder &nested, ValueRange args) {
        Value quotient = arith::DivFOp::create(nested, loc, args[1], args[0]);
        return unless(nested, args[0], 0.0f, 0.0f, quotient);
      });
  // Over (b, h, r, d, j); masked pairs contribute nothing, whatever V holds.
  Value means = generic(
      {weights}, filled(rowDims, op.getValueType().getDimSize(3), 0.0f),
      {map(5, {d0, d1, d2, d4}), map(5, {d0, d1, d2, d3})},
      {parallel, parallel, parallel, parallel, reduction},
      [&](OpBuilder &nested, ValueRange args) -> Value {
        auto index = [&](int64_t dim) -> Value {
          return linalg::IndexOp::create(nested, loc, dim);
        };
        Value v = readKey(nested, op.getValue(), /*slot=*/index(4),
                          /*column=*/index(3));
        Value product =
            arith::MulFOp::create(nested, loc, args[0], f32(nested, v));
        Value added = arith::AddFOp::create(nested, loc, args[1], product);
        Value masked =
            arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ,
                                  args[0], scalar(nested, 0.0f));
        return arith::SelectOp::create(nested, loc, masked, args[1], added);
      });
  Value output = generic({means}, op.getInits()[0], {pair, pair}, pairs,
                         [&](OpBuilder &nested, ValueRange args) -> Value {
                           if (args[1].getType().isF32())
                             return args[0];
                           return arith::TruncFOp::create(
                               nested, loc, args[1].getType(), args[0]);
                         });
  if (!op.hasLse())
    return {output};
  Value lse =
      generic({max, sum}, op.getInits()[1], {id3, id3, id3}, rows,
              [&](OpBuilder &nested, ValueRange args) -> Value {
                Value log = math::LogOp::create(nested, loc, args[1]);
                Value total = arith::AddFOp::create(nested, loc, args[0], log);
                return unless(nested, args[1], 0.0f, kMinusInfinity, total);
              });
  return {output, lse};
}

namespace {
struct ToDenseLinalgPass
    : sparse_attn::impl::SparseAttnToDenseLinalgBase<ToDenseLinalgPass> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([&](AttentionOp op) {
      if (!isa<RankedTensorType>(op.getQuery().getType())) {
        op.emitOpError("on memrefs cannot be decomposed; lower it before "
                       "bufferization");
        return WalkResult::interrupt();
      }
      if (failed(verifyMaskHasCode(op)))
        return WalkResult::interrupt();
      op->replaceAllUsesWith(DenseLowering(op).run());
      op->erase();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    getOperation()->walk([](MergeOp op) {
      OpBuilder b(op);
      op->replaceAllUsesWith(mergeToLinalg(b, op));
      op->erase();
    });
  }
};
} // namespace
