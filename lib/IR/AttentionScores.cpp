//===- AttentionScores.cpp - What happens to scores before the softmax ----===//

#include "AttentionScores.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Value mlir::sparse_attn::plus(OpBuilder &b, Location loc, Value x, Value y) {
  return y ? b.createOrFold<arith::AddIOp>(loc, x, y) : x;
}

Value mlir::sparse_attn::emitSlope(OpBuilder &b, Location loc, Value score,
                                   Value slopes, Value head, Value difference) {
  Value slope = tensor::ExtractOp::create(b, loc, slopes, head);
  Value negated = arith::SubIOp::create(
      b, loc, arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0)),
      difference);
  Value distance = arith::SIToFPOp::create(
      b, loc, b.getF32Type(),
      arith::MaxSIOp::create(b, loc, difference, negated));
  Value linear = arith::MulFOp::create(b, loc, slope, distance);
  return arith::SubFOp::create(b, loc, score, linear);
}

/// c tanh(s / c) of s / c.
static Value emitSoftcap(OpBuilder &b, Location loc, Value ratio,
                         double softcap) {
  Value tanh = math::TanhOp::create(b, loc, ratio, arith::FastMathFlags::afn);
  Value bound =
      arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(softcap)));
  return arith::MulFOp::create(b, loc, tanh, bound);
}

namespace {
/// Makes the scores of a query tile's pairs anew, in a step's score region.
class ScoreEmitter {
public:
  ScoreEmitter(OpBuilder &b, AttentionOp op, const QueryTile &at, Block &block)
      : b(b), loc(op.getLoc()), op(op), at(at), batch(block.getArgument(1)),
        head(block.getArgument(2)), row(block.getArgument(3)),
        key(block.getArgument(4)) {
    if (!op.hasScore() && !op.getDataOperand(kBias))
      return;
    // Rows that are heads stand at one position.
    i = at.hasPackedHeads ? at.position : position(row);
    j = position(key);
  }

  Value run(Value score);

private:
  Value position(Value number);
  Value difference();
  Value clamp(Value x, Value least, Value most) {
    return arith::MinSIOp::create(
        b, loc, arith::MaxSIOp::create(b, loc, x, least), most);
  }
  Value existingRow() { return clamp(i, at.firstPosition, at.lastPosition); }
  Value existingKey() { return clamp(j, at.firstKey, at.lastKey); }
  Value emitRegion(Value score);
  Value addBias(Value score, Value bias);

  OpBuilder &b;
  Location loc;
  AttentionOp op;
  const QueryTile &at;
  Value batch, head; ///< indices
  Value row, key;    ///< numbers of a fold, i32
  Value i, j;        ///< positions, indices; null where none is needed
};
} // namespace

/// The position that a number (i32) of a fold stands for, an index.
Value ScoreEmitter::position(Value number) {
  Value position = arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
  if (!at.residue)
    return position;
  Value step = arith::ConstantIndexOp::create(b, loc, at.step);
  return arith::AddIOp::create(
      b, loc, arith::MulIOp::create(b, loc, position, step), at.residue);
}

/// i - j in the 32 bits of lanes: positions of one residue are as far from each
/// other as their numbers, times the step.
Value ScoreEmitter::difference() {
  Value numbers = arith::SubIOp::create(b, loc, row, key);
  if (!at.residue)
    return numbers;
  Value step = arith::ConstantOp::create(
      b, loc, b.getI32IntegerAttr(static_cast<int32_t>(at.step)));
  return arith::MulIOp::create(b, loc, numbers, step);
}

/// What may fail at a position that there is not, as reading a tensor does, is
/// done at one that there is.
Value ScoreEmitter::emitRegion(Value score) {
  Block &block = op.getScore().front();
  bool mayFail = llvm::any_of(block.without_terminator(), [](Operation &inner) {
    return !isSpeculatable(&inner) ||
           llvm::any_of(inner.getOperandTypes(), llvm::IsaPred<ShapedType>);
  });
  IRMapping mapping;
  mapping.map(block.getArguments(),
              ArrayRef<Value>{score, batch, head, mayFail ? existingRow() : i,
                              mayFail ? existingKey() : j});
  for (Operation &inner : block.without_terminator())
    b.clone(inner, mapping);
  return mapping.lookupOrDefault(
      cast<YieldOp>(block.getTerminator()).getValue());
}

/// s + bias[b, h, r, c], of the row and the key that the pair is.
Value ScoreEmitter::addBias(Value score, Value bias) {
  Value row = arith::SubIOp::create(b, loc, existingRow(), at.firstPosition);
  row = plus(b, loc, row, at.rowOrigin);
  Value slot = existingKey();
  if (at.slotPosition)
    slot = arith::SubIOp::create(b, loc, slot, at.slotPosition);
  Value element = loadBias(b, loc, bias, {batch, head, row, slot});
  return arith::AddFOp::create(b, loc, score, element);
}

Value ScoreEmitter::run(Value score) {
  if (std::optional<double> softcap = op.getSoftcapValue())
    score = emitSoftcap(b, loc, score, *softcap);
  if (op.hasScore())
    score = emitRegion(score);
  if (Value bias = op.getDataOperand(kBias))
    score = addBias(score, bias);
  if (Value slopes = op.getDataOperand(kSlopes))
    score = emitSlope(b, loc, score, slopes, head, difference());
  return score;
}

void mlir::sparse_attn::addScore(OpBuilder &b, AttentionOp op, StepOp step,
                                 const QueryTile &at) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = step.getLoc();
  Type f32 = b.getF32Type(), index = b.getIndexType(), i32 = b.getI32Type();
  Block *block =
      b.createBlock(&step.getScore(), {}, {f32, index, index, i32, i32},
                    {loc, loc, loc, loc, loc});
  Value score = ScoreEmitter(b, op, at, *block).run(block->getArgument(0));
  YieldOp::create(b, loc, score);
}
