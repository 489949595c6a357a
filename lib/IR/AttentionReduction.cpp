//===- AttentionReduction.cpp - Attention as a masked reduction -----------===//
//
// The steps that attention is made of, for --sparse-attn-visit-tiles.
//
//===----------------------------------------------------------------------===//

#include "DataOperands.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;

#include "SparseAttn/IR/MaskedReduction.cpp.inc"

Value mlir::sparse_attn::sliceRows(OpBuilder &b, Location loc, Value source,
                                   ArrayRef<Value> lead, Value row, Value rows,
                                   int64_t step) {
  return sliceTile(b, loc, source, lead, row, rows, /*column=*/Value(),
                   /*columns=*/0, step);
}

/// The slice of `rows` elements along dimension `dim`, `step` apart, from the
/// place `first` on; behind these dimensions the columns that `sliceTile`
/// takes.
static Value sliceAlong(OpBuilder &b, Location loc, Value source, unsigned dim,
                        ArrayRef<Value> first, Value rows, Value column,
                        int64_t columns, int64_t step) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(first);
  SmallVector<OpFoldResult> sizes(first.size(), b.getIndexAttr(1));
  sizes[dim] = getAsOpFoldResult(rows);
  SmallVector<int64_t> shape = {
      getConstantIntValue(rows).value_or(ShapedType::kDynamic)};
  for (int64_t next = offsets.size(); next < type.getRank(); ++next) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(type.getDimSize(next)));
    shape.push_back(type.getDimSize(next));
  }
  if (column) {
    offsets.back() = getAsOpFoldResult(column);
    sizes.back() = b.getIndexAttr(columns);
    shape.back() = columns;
  }
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  strides[dim] = b.getIndexAttr(step);
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), source,
      offsets, sizes, strides);
}

Value mlir::sparse_attn::sliceTile(OpBuilder &b, Location loc, Value source,
                                   ArrayRef<Value> lead, Value row, Value rows,
                                   Value column, int64_t columns,
                                   int64_t step) {
  SmallVector<Value> first(lead);
  first.push_back(row);
  return sliceAlong(b, loc, source, lead.size(), first, rows, column, columns,
                    step);
}

Value mlir::sparse_attn::sliceQueries(OpBuilder &b, Location loc, Value source,
                                      const QueryTile &at, Value rows,
                                      Value column, int64_t columns) {
  return sliceAlong(b, loc, source, /*dim=*/at.hasPackedHeads ? 1 : 2,
                    {at.batch, at.head, at.row}, rows, column, columns,
                    at.step);
}

Value mlir::sparse_attn::loadRows(OpBuilder &b, Location loc, Value source,
                                  ArrayRef<Value> lead, const KeyTile &keys) {
  if (!keys.positions)
    return sliceRows(b, loc, source, lead, keys.row ? keys.row : keys.key,
                     keys.rows, keys.step);
  return GatherRowsOp::create(b, loc, source, lead, keys.positions);
}

Value mlir::sparse_attn::sliceTrailing(OpBuilder &b, Location loc, Value source,
                                       ValueRange lead) {
  auto type = cast<RankedTensorType>(source.getType());
  ArrayRef<int64_t> shape = type.getShape().drop_front(lead.size());
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(lead);
  SmallVector<OpFoldResult> sizes(lead.size(), b.getIndexAttr(1));
  for (int64_t size : shape) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(size));
  }
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), source,
      offsets, sizes, strides);
}

Value mlir::sparse_attn::numRows(OpBuilder &b, Location loc, Value tile) {
  if (std::optional<int64_t> rows =
          staticDim(cast<ShapedType>(tile.getType()), 0))
    return arith::ConstantIndexOp::create(b, loc, *rows);
  // Upstream does not fold the size of a slice of lower rank.
  if (auto slice = tile.getDefiningOp<tensor::ExtractSliceOp>()) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int kept = dropped.find_first_unset();
    return getValueOrCreateConstantIndexOp(b, loc, slice.getMixedSizes()[kept]);
  }
  return b.createOrFold<tensor::DimOp>(loc, tile, 0);
}

SmallVector<NamedTensor> mlir::sparse_attn::nameTensors(Value query, Value key,
                                                        ValueRange inits,
                                                        ValueRange results) {
  SmallVector<NamedTensor> tensors = {{query, "query"},
                                      {key, "key", /*hasKeysShape=*/true}};
  for (Value output : llvm::concat<Value>(inits, results))
    tensors.push_back({output, "output"});
  return tensors;
}

SmallVector<NamedTensor> AttentionOp::getNamedTensors() {
  SmallVector<NamedTensor> tensors = {
      {getQuery(), "query"},
      {getKey(), "key", /*hasKeysShape=*/true},
      {getValue(), "value", /*hasKeysShape=*/true}};
  constexpr StringRef roles[] = {"output", "lse"};
  for (ValueRange outputs : {ValueRange(getInits()), ValueRange(getResults())})
    for (auto [output, role] : llvm::zip(outputs, roles))
      tensors.push_back({output, role});
  if (ArrayAttr names = getDataNamesAttr())
    for (auto [data, name] :
         llvm::zip(getData(), names.getAsRange<StringAttr>()))
      tensors.push_back(
          {data, name.getValue(), /*hasKeysShape=*/false,
           /*isData=*/true,
           dimsOfData(name.getValue(), cast<ShapedType>(data.getType()))});
  return tensors;
}

SmallVector<std::pair<StringRef, double>> AttentionOp::getParameters() {
  SmallVector<std::pair<StringRef, double>> parameters = {
      {"scale", getScaleValue()}};
  if (std::optional<double> softcap = getSoftcapValue())
    parameters.push_back({"softcap", *softcap});
  return parameters;
}

TileNeeds AttentionOp::getTileNeeds() {
  return {getQueryType().getDimSize(3), getValueType().getDimSize(3),
          getQueryType().getElementTypeBitWidth() / 8};
}

/// The scale that ops on a state apply, which its steps have left to them.
static FloatAttr stateScale(OpBuilder &b, AttentionOp op) {
  return b.getF64FloatAttr(op.changesScores() ? 1.0 : op.getScaleValue());
}

SmallVector<Value> AttentionOp::createQueryOperands(OpBuilder &b,
                                                    const QueryTile &at) {
  if (at.sources)
    return {GatherRowsOp::create(b, getLoc(), getQuery(),
                                 ValueRange{at.batch, at.head}, at.sources)};
  return {sliceQueries(b, getLoc(), getQuery(), at, at.rows,
                       /*column=*/Value(), /*columns=*/0)};
}

Type AttentionOp::getStateType(plan::TileShape tile, int64_t columns) {
  return StateType::get(getContext(), tile.queries, columns,
                        getQueryType().getElementType());
}

Value AttentionOp::createInitialState(OpBuilder &b, Type state) {
  return InitialStateOp::create(b, getLoc(), state);
}

/// The `columns` columns that `at` computes of the values of a key tile.
static Value loadColumns(OpBuilder &b, Location loc, Value values,
                         const QueryTile &at, const KeyTile &keys,
                         int64_t columns) {
  SmallVector<Value> lead = {at.batch, at.keyHead};
  if (!keys.positions)
    return sliceTile(b, loc, values, lead, keys.row ? keys.row : keys.key,
                     keys.rows, at.column, columns, keys.step);
  if (at.column) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, values);
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
    offsets.back() = getAsOpFoldResult(at.column);
    sizes.back() = b.getIndexAttr(columns);
    values =
        tensor::ExtractSliceOp::create(b, loc, values, offsets, sizes, strides);
  }
  return loadRows(b, loc, values, lead, keys);
}

/// The keys that the sequence of a query tile has, of a tensor of all.
static Value keysBefore(OpBuilder &b, Location loc, Value all,
                        const QueryTile &at) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, all);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  sizes[2] = arith::AddIOp::create(b, loc, at.lastKey, one).getResult();
  return tensor::ExtractSliceOp::create(b, loc, all, offsets, sizes, strides);
}

/// x + y, both indices, of which y may be null.
static Value plus(OpBuilder &b, Location loc, Value x, Value y) {
  return y ? b.createOrFold<arith::AddIOp>(loc, x, y) : x;
}

Value mlir::sparse_attn::emitSlope(OpBuilder &b, Location loc, Value score,
                                   Value slopes, Value head, Value i, Value j) {
  Value slope = tensor::ExtractOp::create(b, loc, slopes, head);
  Value difference = arith::IndexCastOp::create(
      b, loc, b.getI32Type(), arith::SubIOp::create(b, loc, i, j));
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
        head(block.getArgument(2)) {
    if (!op.hasScore() && !op.getDataOperand(kBias) &&
        !op.getDataOperand(kSlopes))
      return;
    // Rows that are heads stand at one position.
    i = at.hasPackedHeads ? at.position : position(block.getArgument(3));
    j = position(block.getArgument(4));
  }

  Value run(Value score);

private:
  Value position(Value number);
  Value clamp(Value x, Value least, Value most) {
    return arith::MinSIOp::create(
        b, loc, arith::MaxSIOp::create(b, loc, x, least), most);
  }
  Value existingRow() { return clamp(i, at.firstPosition, at.lastPosition); }
  Value existingKey() {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    return clamp(j, zero, at.lastKey);
  }
  Value emitRegion(Value score);
  Value addBias(Value score, Value bias);

  OpBuilder &b;
  Location loc;
  AttentionOp op;
  const QueryTile &at;
  Value batch, head, i, j; ///< indices, the last two of positions
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

/// What may fail at a position that there is not, as reading a tensor does, is
/// done at one that there is.
Value ScoreEmitter::emitRegion(Value score) {
  Block &block = op.getScore().front();
  bool mayFail = llvm::any_of(block.without_terminator(), [](Operation &inner) {
    return !isSpeculatable(&inner);
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
  Value element = loadBias(b, loc, bias, {batch, head, row, existingKey()});
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
    score = emitSlope(b, loc, score, slopes, head, i, j);
  return score;
}

/// Has `step` compute with the scores that the op asks for.
static void addScore(OpBuilder &b, AttentionOp op, StepOp step,
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

Value AttentionOp::createStep(OpBuilder &b, Value state,
                              ValueRange queryOperands, const QueryTile &at,
                              const KeyTile &keys, EmitMaskFn mask) {
  Location loc = getLoc();
  Value allKeys = getKey(), allValues = getValue();
  // Where a position is past the end, a gather reads the last row.
  if (keys.positions && getDataOperand(kKeyLengths)) {
    allKeys = keysBefore(b, loc, allKeys, at);
    allValues = keysBefore(b, loc, allValues, at);
  }
  Value key = loadRows(b, loc, allKeys, {at.batch, at.keyHead}, keys);
  Value value = loadColumns(b, loc, allValues, at, keys,
                            cast<StateType>(state.getType()).getValueSize());
  std::optional<double> softcap = getSoftcapValue();
  Value batch, head;
  if (changesScores()) {
    batch = plus(b, loc, at.batch, at.batchOrigin);
    head = plus(b, loc, at.head, at.headOrigin);
  }
  auto step =
      StepOp::create(b, loc, state.getType(), state, queryOperands[0], key,
                     value, at.positions ? Value() : at.position, at.positions,
                     keys.positions ? Value() : keys.key, keys.positions,
                     b.getI64IntegerAttr(keys.size),
                     b.getF64FloatAttr(getScaleValue() / softcap.value_or(1.0)),
                     keys.reach.live.begin, keys.reach.live.end,
                     keys.reach.full.begin, keys.reach.full.end, batch, head);
  if (batch)
    addScore(b, *this, step, at);
  if (mask) {
    OpBuilder::InsertionGuard guard(b);
    Type i32 = b.getI32Type();
    Block *block = b.createBlock(&step.getMask(), {}, {i32, i32}, {loc, loc});
    YieldOp::create(b, loc,
                    mask(b, loc, block->getArgument(0), block->getArgument(1)));
  }
  return step.getResult();
}

bool AttentionOp::takesKeyLayouts() { return true; }

bool AttentionOp::takesRowLayouts() { return true; }

bool AttentionOp::takesParts() { return true; }

Value AttentionOp::createMerge(OpBuilder &b, Value first, Value second) {
  return MergeStatesOp::create(b, getLoc(), first.getType(), first, second,
                               stateScale(b, *this));
}

/// A step's scores are those of one head where they depend on it, and rows that
/// do not exist are those of one head.
bool AttentionOp::takesPackedHeads() {
  if (hasScore() && !getScore().getArgument(2).use_empty())
    return false;
  return llvm::none_of(ArrayRef{kSlopes, kBias, kQueryLengths},
                       [&](StringRef name) { return getDataOperand(name); });
}

SmallVector<RankedTensorType> AttentionOp::getStateTensorTypes(Type type) {
  auto state = cast<StateType>(type);
  Type f32 = Float32Type::get(getContext());
  auto row = RankedTensorType::get({state.getRows()}, f32);
  return {row, row,
          RankedTensorType::get({state.getRows(), state.getValueSize()}, f32)};
}

SmallVector<Value> AttentionOp::createStore(OpBuilder &b, Value state,
                                            ValueRange destinations) {
  return StoreStateOp::create(b, getLoc(), destinations.getTypes(),
                              ValueRange{state, destinations[0],
                                         destinations[1], destinations[2]})
      ->getResults();
}

Value AttentionOp::createMergeStored(OpBuilder &b, ValueRange tensors,
                                     ValueRange at, Type state) {
  return MergeStoredOp::create(b, getLoc(), state, tensors[0], tensors[1],
                               tensors[2], at, stateScale(b, *this));
}

/// The sink of the tile's head, or where its rows are heads, of each; null
/// where there is none.
static Value loadSink(OpBuilder &b, AttentionOp op, const QueryTile &at) {
  Value sinks = op.getDataOperand(kSinks);
  if (!sinks || at.areMissing)
    return {};
  Location loc = op.getLoc();
  Value head = plus(b, loc, at.head, at.headOrigin);
  if (!at.hasPackedHeads)
    return tensor::ExtractOp::create(b, loc, sinks, head);
  return sliceRows(b, loc, sinks, {}, head, at.rows);
}

SmallVector<Value> AttentionOp::createFinish(OpBuilder &b, Value state,
                                             const QueryTile &at,
                                             ValueRange destinations) {
  Value lse = destinations.size() == 2 ? destinations[1] : Value();
  return FinishOp::create(b, getLoc(), destinations[0].getType(),
                          lse ? lse.getType() : Type(), state, destinations[0],
                          lse, stateScale(b, *this), loadSink(b, *this, at))
      ->getResults();
}
