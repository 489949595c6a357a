//===- StepOps.cpp - The ops that steps are made of -----------------------===//

#include "Scale.h"
#include "StepSyntax.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// #sparse_attn.grid
//===----------------------------------------------------------------------===//

int64_t GridAttr::getMappingId() const { return getDim(); }

bool GridAttr::isLinearMapping() const { return true; }

int64_t GridAttr::getRelativeIndex() const { return getDim(); }

//===----------------------------------------------------------------------===//
// !sparse_attn.state
//===----------------------------------------------------------------------===//

/// `<32x64xbf16>` or `<32x64xbf16, trusting>`
Type StateType::parse(AsmParser &parser) {
  SmallVector<int64_t, 2> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element))
    return {};
  bool trusting = succeeded(parser.parseOptionalComma());
  if ((trusting && parser.parseKeyword("trusting")) || parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc, "a state has two sizes, rows and elements of a value "
                          "row, got ")
        << shape.size();
    return {};
  }
  return parser.getChecked<StateType>(loc, parser.getContext(), shape[0],
                                      shape[1], element, trusting);
}

void StateType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getValueSize() << 'x'
          << getElementType() << (getTrusting() ? ", trusting>" : ">");
}

LogicalResult
StateType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                  int64_t rows, int64_t valueSize, Type elementType,
                  bool trusting) {
  if (rows < 1 || rows > kMaxTileSize || valueSize < 1)
    return emitError() << "a state has 1 to " << kMaxTileSize
                       << " rows of at least one element, got " << rows << " x "
                       << valueSize;
  if (!elementType.isF16() && !elementType.isBF16() && !elementType.isF32())
    return emitError() << "the operands of a state are f16, bf16 or f32, got "
                       << elementType;
  return success();
}

//===----------------------------------------------------------------------===//
// step
//===----------------------------------------------------------------------===//

ParseResult sparse_attn::parsePositions(OpAsmParser &parser,
                                        OptionalOperand &position,
                                        OptionalOperand &positions,
                                        Type &type) {
  OpAsmParser::UnresolvedOperand operand;
  if (parser.parseOperand(operand))
    return failure();
  if (failed(parser.parseOptionalColon())) {
    position = operand;
    return success();
  }
  positions = operand;
  return parser.parseType(type);
}

void sparse_attn::printPositions(OpAsmPrinter &printer, Operation *,
                                 Value position, Value positions, Type type) {
  if (positions)
    printer << positions << " : " << type;
  else
    printer << position;
}

/// Checks an operand tile: [at most `maxRows`, `size`] of `element`.
static LogicalResult verifyTile(Operation *op, StringRef name, Value tile,
                                int64_t maxRows, int64_t size, Type element) {
  auto type = cast<RankedTensorType>(tile.getType());
  if (type.getRank() != 2 || type.getElementType() != element ||
      type.getDimSize(1) != size)
    return op->emitOpError() << name << " must be a tile of rows of " << size
                             << " elements of " << element << ", got " << type;
  if (!type.isDynamicDim(0) && type.getDimSize(0) > maxRows)
    return op->emitOpError() << name << " has " << type.getDimSize(0)
                             << " rows, of a tile of " << maxRows;
  return success();
}

/// Checks where the queries or keys of a tile of `size` stand: from a position
/// on, or at those that a tensor holds.
static LogicalResult verifyPositions(Operation *op, StringRef name, Value first,
                                     Value all, int64_t size) {
  if (bool(first) == bool(all))
    return op->emitOpError()
           << "has the position of the first " << name << " or those of all "
           << (name == "key" ? "keys" : "queries") << ", one of the two";
  Type i32 = IntegerType::get(op->getContext(), 32);
  if (all && all.getType() != RankedTensorType::get({size}, i32))
    return op->emitOpError()
           << "has " << size << (name == "key" ? " keys" : " queries")
           << ", but positions " << all.getType();
  return success();
}

LogicalResult StepOp::verify() {
  StateType state = getState().getType();
  auto query = cast<RankedTensorType>(getQuery().getType());
  if (query.getRank() != 2 || query.isDynamicDim(1))
    return emitOpError() << "query must be a tile of rows of a static size, "
                         << "got " << query;
  Type element = state.getElementType();
  int64_t keys = getKeys();
  if (failed(verifyTile(*this, "query", getQuery(), state.getRows(),
                        query.getDimSize(1), element)) ||
      failed(verifyTile(*this, "key", getKey(), keys, query.getDimSize(1),
                        element)) ||
      failed(verifyTile(*this, "value", getValue(), keys, state.getValueSize(),
                        element)))
    return failure();
  auto key = cast<RankedTensorType>(getKey().getType());
  if (!hasMask() && (key.isDynamicDim(0) || key.getDimSize(0) != keys))
    return emitOpError() << "without a mask takes whole tiles of " << keys
                         << " keys, got " << key;
  if (failed(verifyScale(*this, getScale())))
    return failure();
  if (failed(verifyPositions(*this, "key", getKeyPosition(), getKeyPositions(),
                             keys)) ||
      failed(verifyPositions(*this, "query", getRowPosition(),
                             getRowPositions(), state.getRows())))
    return failure();
  if (bool(getLiveBegin()) != bool(getLiveEnd()) ||
      bool(getFullBegin()) != bool(getFullEnd()))
    return emitOpError("has ranges of rows with a begin and an end");
  if (getFullBegin() && !hasMask())
    return emitOpError("has a range of full rows only where it has a mask");
  if ((getLiveBegin() || getFullBegin()) && getRowPositions())
    return emitOpError("has ranges of live or full rows only where rows stand "
                       "one after the other");
  if (bool(getBatch()) != hasScore() || bool(getHead()) != hasScore())
    return emitOpError("has a batch, a head and a score region, or none of "
                       "them");
  return success();
}

void StepOp::dropReach() {
  getLiveBeginMutable().clear();
  getLiveEndMutable().clear();
  getFullBeginMutable().clear();
  getFullEndMutable().clear();
}

/// The type of what a region yields, or null.
static Type yieldedType(Block &block) {
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  return yield ? yield.getValue().getType() : Type();
}

LogicalResult StepOp::verifyRegions() {
  Builder b(getContext());
  Type f32 = b.getF32Type(), index = b.getIndexType(), i32 = b.getI32Type();
  if (hasScore()) {
    Block &block = getScore().front();
    if (block.getArgumentTypes() != TypeRange{f32, index, index, i32, i32})
      return emitOpError("score takes a score (f32), a batch and a head "
                         "(index), and a query and a key position (i32)");
    if (yieldedType(block) != f32)
      return emitOpError("score yields one f32");
  }
  if (hasMask()) {
    Block &block = getMask().front();
    if (block.getArgumentTypes() != TypeRange{i32, i32})
      return emitOpError("mask takes a query and a key position, both i32");
    if (yieldedType(block) != b.getI1Type())
      return emitOpError("mask yields one i1");
  }
  return success();
}

FloatAttr StepOp::getStateScaleAttr() {
  return hasScore() ? Builder(getContext()).getF64FloatAttr(1.0)
                    : getScaleAttr();
}

//===----------------------------------------------------------------------===//
// Ends of loops
//===----------------------------------------------------------------------===//

/// Checks that `state` is one that only exact steps have made.
static LogicalResult verifyExact(Operation *op, StateType state) {
  if (state.getTrusting())
    return op->emitOpError()
           << "takes an exact state, got " << state << "; settle it first";
  return success();
}

/// Checks m [lead..., rows], l [lead..., rows] and A [lead..., rows, Dv] of a
/// state.
static LogicalResult verifyStateTensors(Operation *op, StateType state,
                                        ValueRange tensors,
                                        ArrayRef<int64_t> lead = {}) {
  SmallVector<int64_t> row(lead), tile(lead);
  row.push_back(state.getRows());
  tile.append({state.getRows(), state.getValueSize()});
  SmallVector<int64_t> shapes[] = {row, row, tile};
  Type f32 = Float32Type::get(op->getContext());
  for (auto [tensor, shape] : llvm::zip_equal(tensors, shapes)) {
    auto expected = RankedTensorType::get(shape, f32);
    if (tensor.getType() != expected)
      return op->emitOpError() << "expects m, l and A of the state, "
                               << expected << ", got " << tensor.getType();
  }
  return verifyExact(op, state);
}

LogicalResult StoreStateOp::verify() {
  return verifyStateTensors(
      *this, getState().getType(),
      {getMaximumInit(), getSumInit(), getAccumulatorInit()});
}

LogicalResult MergeStoredOp::verify() {
  if (failed(verifyScale(*this, getScale())))
    return failure();
  auto maximum = cast<RankedTensorType>(getMaximum().getType());
  int64_t lead = getAt().size() + 1;
  if (maximum.getRank() != lead + 1)
    return emitOpError() << "expects m to have " << getAt().size()
                         << " dimensions that are indexed, a number of parts, "
                            "and rows, got "
                         << maximum;
  return verifyStateTensors(*this, getState().getType(),
                            {getMaximum(), getSum(), getAccumulator()},
                            maximum.getShape().take_front(lead));
}

/// Checks that `lse` is f32, one for each row of the tile `output`.
static LogicalResult verifyTileLse(Operation *op, Value lse, Value output) {
  auto type = cast<RankedTensorType>(lse.getType());
  auto tile = cast<RankedTensorType>(output.getType());
  if (type.getRank() == 1 && type.getElementType().isF32() &&
      (type.isDynamicDim(0) || type.getDimSize(0) == tile.getDimSize(0)))
    return success();
  return op->emitOpError() << "log-sum-exp must be f32, one a row of the "
                           << "output, got " << type;
}

LogicalResult ResultStateOp::verify() {
  StateType state = getState().getType();
  Type element = getElementTypeOrSelf(getOutput());
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return emitOpError() << "output must be of f16, bf16 or f32, got "
                         << element;
  if (failed(verifyTile(*this, "output", getOutput(), state.getRows(),
                        state.getValueSize(), element)) ||
      failed(verifyTileLse(*this, getLse(), getOutput())))
    return failure();
  return verifyExact(*this, state);
}

LogicalResult MergeStatesOp::verify() {
  if (failed(verifyScale(*this, getScale())))
    return failure();
  return verifyExact(*this, getState().getType());
}

LogicalResult IsTrustedOp::verify() {
  if (failed(verifyScale(*this, getScale())))
    return failure();
  if (getState().getType().getTrusting())
    return success();
  return emitOpError() << "takes a trusting state, got "
                       << getState().getType();
}

LogicalResult RestartOp::verify() {
  StateType from = getState().getType(), to = getResult().getType();
  if (from.getTrusting() && from.withTrust(to.getTrusting()) == to)
    return success();
  return emitOpError() << "takes a trusting state and gives one of the same "
                          "sizes, got "
                       << from << " and " << to;
}

LogicalResult SettleOp::verify() {
  StateType from = getState().getType(), to = getResult().getType();
  if (from.getTrusting() && to == from.withTrust(false))
    return success();
  return emitOpError() << "makes an exact state of a trusting one, got " << from
                       << " and " << to;
}

LogicalResult FinishOp::verify() {
  StateType state = getState().getType();
  if (failed(verifyScale(*this, getScale())) ||
      failed(verifyExact(*this, state)) ||
      failed(verifyTile(*this, "output", getOutputInit(), state.getRows(),
                        state.getValueSize(), state.getElementType())))
    return failure();
  if (bool(getLse()) != bool(getLseInit()) ||
      (getLse() && getLse().getType() != getLseInit().getType()))
    return emitOpError("has a log-sum-exp of its destination's type, or "
                       "neither");
  auto sinks = getSink() ? dyn_cast<RankedTensorType>(getSink().getType())
                         : RankedTensorType();
  if (sinks && !sinks.isDynamicDim(0) && sinks.getDimSize(0) > state.getRows())
    return emitOpError("has sinks of ")
           << sinks.getDimSize(0) << " rows, of a state of " << state.getRows();
  if (!getLse())
    return success();
  return verifyTileLse(*this, getLse(), getOutput());
}
