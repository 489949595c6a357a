//===- AttentionReduction.cpp - Attention as a masked reduction -----------===//
//
// The steps that attention is made of, for --sparse-attn-visit-tiles.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

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
  return b.getF64FloatAttr(op.getSoftcapValue() ? 1.0 : op.getScaleValue());
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

/// Has `step`, whose scores are s / c, compute with c tanh(s / c).
static void addSoftcap(OpBuilder &b, StepOp step, double softcap) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = step.getLoc();
  Type f32 = b.getF32Type(), index = b.getIndexType(), i32 = b.getI32Type();
  Block *block =
      b.createBlock(&step.getScore(), {}, {f32, index, index, i32, i32},
                    {loc, loc, loc, loc, loc});
  Value tanh = math::TanhOp::create(b, loc, block->getArgument(0),
                                    arith::FastMathFlags::afn);
  Value bound =
      arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(softcap)));
  YieldOp::create(b, loc, arith::MulFOp::create(b, loc, tanh, bound));
}

Value AttentionOp::createStep(OpBuilder &b, Value state,
                              ValueRange queryOperands, const QueryTile &at,
                              const KeyTile &keys, EmitMaskFn mask) {
  Location loc = getLoc();
  Value key = loadRows(b, loc, getKey(), {at.batch, at.keyHead}, keys);
  Value value = loadColumns(b, loc, getValue(), at, keys,
                            cast<StateType>(state.getType()).getValueSize());
  std::optional<double> softcap = getSoftcapValue();
  auto step =
      StepOp::create(b, loc, state.getType(), state, queryOperands[0], key,
                     value, at.positions ? Value() : at.position, at.positions,
                     keys.positions ? Value() : keys.key, keys.positions,
                     b.getI64IntegerAttr(keys.size),
                     b.getF64FloatAttr(getScaleValue() / softcap.value_or(1.0)),
                     keys.reach.live.begin, keys.reach.live.end,
                     keys.reach.full.begin, keys.reach.full.end,
                     softcap ? at.batch : Value(), softcap ? at.head : Value());
  if (softcap)
    addSoftcap(b, step, *softcap);
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

bool AttentionOp::takesPackedHeads() { return true; }

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

SmallVector<Value> AttentionOp::createFinish(OpBuilder &b, Value state,
                                             ValueRange destinations) {
  Value lse = destinations.size() == 2 ? destinations[1] : Value();
  return FinishOp::create(b, getLoc(), destinations[0].getType(),
                          lse ? lse.getType() : Type(), state, destinations[0],
                          lse, stateScale(b, *this))
      ->getResults();
}
