//===- RowOps.cpp - Rows by their numbers ---------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// gather_rows
//===----------------------------------------------------------------------===//

/// The type of rows source[at..., positions[m], ...]; null where the source has
/// no such rows.
static RankedTensorType gatheredType(RankedTensorType source, size_t numLead,
                                     RankedTensorType positions) {
  ArrayRef<int64_t> shape = source.getShape();
  if (shape.size() <= numLead)
    return {};
  SmallVector<int64_t> sizes = {positions.getDimSize(0)};
  llvm::append_range(sizes, shape.drop_front(numLead + 1));
  return RankedTensorType::get(sizes, source.getElementType());
}

void GatherRowsOp::build(OpBuilder &b, OperationState &state, Value source,
                         ValueRange at, Value positions) {
  build(b, state,
        gatheredType(cast<RankedTensorType>(source.getType()), at.size(),
                     cast<RankedTensorType>(positions.getType())),
        source, at, positions);
}

LogicalResult GatherRowsOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType());
  RankedTensorType expected = gatheredType(
      source, getAt().size(), cast<RankedTensorType>(getPositions().getType()));
  if (!expected)
    return emitOpError() << "has " << getAt().size()
                         << " indices, which leave no rows of " << source;
  if (!expected.hasStaticShape())
    return emitOpError() << "gathers a static number of rows of a static size, "
                            "got "
                         << expected;
  if (getResult().getType() != expected)
    return emitOpError() << "gathers rows as " << expected << ", got "
                         << getResult().getType();
  return success();
}

//===----------------------------------------------------------------------===//
// read_rows
//===----------------------------------------------------------------------===//

void ReadRowsOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (isa<MemRefType>(getSource().getType()))
    effects.emplace_back(MemoryEffects::Read::get(), &getSourceMutable(),
                         SideEffects::DefaultResource::get());
}

LogicalResult ReadRowsOp::verify() {
  auto source = cast<ShapedType>(getSource().getType());
  if (source.getRank() != 2 || source.isDynamicDim(1))
    return emitOpError() << "reads rows of a source of two dimensions, which "
                            "are of a static size, got "
                         << source;
  auto expected = VectorType::get(
      {getPositions().getType().getDimSize(0), source.getDimSize(1)},
      source.getElementType());
  if (getVectorType() != expected)
    return emitOpError() << "reads rows as " << expected << ", got "
                         << getVectorType();
  return success();
}

//===----------------------------------------------------------------------===//
// scatter_rows
//===----------------------------------------------------------------------===//

MutableOperandRange ScatterRowsOp::getUpdatedDestinations() {
  return getDestMutable();
}

Operation *ScatterRowsOp::getIteratingParent() {
  auto parent =
      dyn_cast_if_present<InParallelOpInterface>(getOperation()->getParentOp());
  return parent ? parent->getParentOp() : nullptr;
}

/// Checks that there is a position for each row of `source`, and that rows
/// [columns...] of `element`s have as many of these.
static LogicalResult verifyRows(Operation *op, ShapedType source,
                                ShapedType positions, Type element,
                                ArrayRef<int64_t> columns) {
  if (positions.getRank() != 1 || !positions.hasStaticShape() ||
      !positions.getElementType().isInteger(32))
    return op->emitOpError()
           << "takes a static number of positions in i32, got " << positions;
  SmallVector<int64_t> shape = {positions.getDimSize(0)};
  llvm::append_range(shape, columns);
  if (source.getShape() == ArrayRef(shape) &&
      source.getElementType() == element)
    return success();
  InFlightDiagnostic error = op->emitOpError() << "writes rows of ";
  llvm::interleave(shape, error, "x");
  return error << " elements of " << element << ", got " << source;
}

LogicalResult ScatterRowsOp::verify() {
  if (!getIteratingParent())
    return emitOpError() << "stands outside of 'scf.forall.in_parallel'; it is "
                            "for what iterations give to a loop's results";
  auto dest = cast<RankedTensorType>(getDest().getType());
  size_t lead = getAt().size();
  if (dest.getRank() <= static_cast<int64_t>(lead) ||
      dest.getRank() > static_cast<int64_t>(lead) + 2)
    return emitOpError() << "has " << lead
                         << " indices, which leave no rows of one dimension, "
                            "or of none, of "
                         << dest;
  auto source = cast<ShapedType>(getSource().getType());
  SmallVector<int64_t> columns(dest.getShape().drop_front(lead + 1));
  if (getColumn()) {
    if (columns.empty())
      return emitOpError() << "names a column, but rows of " << dest
                           << " are elements";
    columns.back() = source.getShape().back();
  }
  return verifyRows(*this, source, cast<ShapedType>(getPositions().getType()),
                    dest.getElementType(), columns);
}

//===----------------------------------------------------------------------===//
// write_rows
//===----------------------------------------------------------------------===//

void WriteRowsOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  auto *resource = SideEffects::DefaultResource::get();
  for (OpOperand *operand : {&getSourceMutable(), &getPositionsMutable()})
    if (isa<MemRefType>(operand->get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), operand, resource);
  effects.emplace_back(MemoryEffects::Write::get(), &getDestMutable(),
                       resource);
}

LogicalResult WriteRowsOp::verify() {
  auto dest = cast<MemRefType>(getDest().getType());
  if (dest.getRank() != 1 && dest.getRank() != 2)
    return emitOpError() << "writes rows of a buffer of one or two dimensions, "
                            "got "
                         << dest;
  return verifyRows(*this, cast<ShapedType>(getSource().getType()),
                    cast<ShapedType>(getPositions().getType()),
                    dest.getElementType(), dest.getShape().drop_front(1));
}
