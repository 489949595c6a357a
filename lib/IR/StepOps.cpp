//===- StepOps.cpp - The ops that steps are made of -----------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// !sparse_attn.state
//===----------------------------------------------------------------------===//

/// `<32x64xbf16>`
Type StateType::parse(AsmParser &parser) {
  SmallVector<int64_t, 2> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc, "a state has two sizes, rows and elements of a value "
                          "row, got ")
        << shape.size();
    return {};
  }
  return parser.getChecked<StateType>(loc, parser.getContext(), shape[0],
                                      shape[1], element);
}

void StateType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getValueSize() << 'x'
          << getElementType() << '>';
}

LogicalResult
StateType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                  int64_t rows, int64_t valueSize, Type elementType) {
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
  return success();
}

LogicalResult StepOp::verifyRegions() {
  if (!hasMask())
    return success();
  Block &block = getMask().front();
  TypeRange arguments = block.getArgumentTypes();
  if (arguments.size() != 2 || !arguments[0].isInteger(32) ||
      !arguments[1].isInteger(32))
    return emitOpError("mask takes a query and a key position, both i32");
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || !yield.getValue().getType().isInteger(1))
    return emitOpError("mask yields one i1");
  return success();
}

//===----------------------------------------------------------------------===//
// Ends of loops
//===----------------------------------------------------------------------===//

/// Checks m [rows], l [rows] and A [rows, Dv] of a state.
static LogicalResult verifyStateTensors(Operation *op, StateType state,
                                        ValueRange tensors) {
  SmallVector<int64_t> row = {state.getRows()};
  SmallVector<int64_t> tile = {state.getRows(), state.getValueSize()};
  Type f32 = Float32Type::get(op->getContext());
  for (auto [tensor, shape] : llvm::zip(tensors, ArrayRef{row, row, tile})) {
    auto expected = RankedTensorType::get(shape, f32);
    if (tensor.getType() != expected)
      return op->emitOpError() << "expects m, l and A of the state, "
                               << expected << ", got " << tensor.getType();
  }
  return success();
}

LogicalResult StoreStateOp::verify() {
  return verifyStateTensors(
      *this, getState().getType(),
      {getMaximumInit(), getSumInit(), getAccumulatorInit()});
}

LogicalResult LoadStateOp::verify() {
  return verifyStateTensors(*this, getState().getType(),
                            {getMaximum(), getSum(), getAccumulator()});
}

LogicalResult FinishOp::verify() {
  StateType state = getState().getType();
  if (failed(verifyTile(*this, "output", getOutputInit(), state.getRows(),
                        state.getValueSize(), state.getElementType())))
    return failure();
  if (bool(getLse()) != bool(getLseInit()) ||
      (getLse() && getLse().getType() != getLseInit().getType()))
    return emitOpError("has a log-sum-exp of its destination's type, or "
                       "neither");
  if (!getLse())
    return success();
  auto lse = cast<RankedTensorType>(getLse().getType());
  auto output = cast<RankedTensorType>(getOutput().getType());
  if (lse.getRank() != 1 || !lse.getElementType().isF32() ||
      lse.getDimSize(0) != output.getDimSize(0))
    return emitOpError() << "log-sum-exp must be f32, one a row of the output, "
                         << "got " << lse;
  return success();
}
