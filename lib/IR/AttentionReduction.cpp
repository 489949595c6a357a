//===- AttentionReduction.cpp - Attention as a masked reduction -----------===//
//
// The steps that attention is made of, for --sparse-attn-visit-tiles.
//
//===----------------------------------------------------------------------===//

#include "AttentionScores.h"
#include "DataOperands.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;

#include "SparseAttn/IR/MaskedReduction.cpp.inc"

SmallVector<NamedTensor> AttentionOp::getNamedTensors() {
  bool isPaged = bool(getDataOperand(kPageTable));
  SmallVector<NamedTensor> tensors = {
      {getQuery(), "query"},
      {getKey(), "key", /*hasKeysShape=*/!isPaged, isPaged},
      {getValue(), "value", /*hasKeysShape=*/!isPaged, isPaged}};
  constexpr StringRef roles[] = {"output", "lse"};
  for (ValueRange outputs : {ValueRange(getInits()), ValueRange(getResults())})
    for (auto [output, role] : llvm::zip(outputs, roles))
      tensors.push_back({output, role});
  if (ArrayAttr names = getDataNamesAttr())
    for (auto [data, name] :
         llvm::zip(getData(), names.getAsRange<StringAttr>()))
      tensors.push_back(
          {data, name.getValue(), /*hasKeysShape=*/false, /*isPool=*/false,
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

/// Where the keys of a tile are in a tensor of all: in a sequence or a page.
static SmallVector<Value> leadOf(const QueryTile &at, const KeyTile &keys) {
  return {keys.page ? keys.page : at.batch, at.keyHead};
}

/// The `columns` columns that `at` computes of the values of a key tile.
static Value loadColumns(OpBuilder &b, Location loc, Value values,
                         const QueryTile &at, const KeyTile &keys,
                         int64_t columns) {
  SmallVector<Value> lead = leadOf(at, keys);
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
  Value key = loadRows(b, loc, allKeys, leadOf(at, keys), keys);
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
  // A tile without rows has a head to read the sink of.
  Value rows = at.rows;
  if (!getConstantIntValue(rows))
    rows = b.createOrFold<arith::MaxSIOp>(
        loc, rows, arith::ConstantIndexOp::create(b, loc, 1));
  return sliceRows(b, loc, sinks, {}, head, rows);
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
