//===- HostBuffers.cpp - Buffers of a host function -----------------------===//

#include "HostBuffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

/// The buffer that `value` is, under another type.
static Value traceBuffer(Value value) {
  while (true) {
    if (auto cast = value.getDefiningOp<memref::CastOp>())
      value = cast.getSource();
    else if (auto cast = value.getDefiningOp<memref::MemorySpaceCastOp>())
      value = cast.getSource();
    else
      return value;
  }
}

/// The buffer whose address `pointer` is, or null.
static Value tracePointer(Value pointer) {
  auto toPointer = pointer.getDefiningOp<LLVM::IntToPtrOp>();
  if (!toPointer)
    return {};
  Value address = toPointer.getArg();
  while (auto cast = address.getDefiningOp<arith::IndexCastOp>())
    address = cast.getIn();
  auto extract =
      address.getDefiningOp<memref::ExtractAlignedPointerAsIndexOp>();
  return extract ? traceBuffer(extract.getSource()) : Value();
}

HostBuffers::HostBuffers(func::FuncOp host, Program &program,
                         HostScalars &scalars)
    : host(host), program(program), scalars(scalars) {
  expected.swap(program.results);
}

LogicalResult HostBuffers::readArguments(func::ReturnOp end) {
  for (Value result : end.getOperands())
    returned.insert(traceBuffer(result));
  for (BlockArgument argument : host.getArguments())
    if (failed(readArgument(argument, end)))
      return failure();
  return success();
}

LogicalResult HostBuffers::readArgument(BlockArgument argument,
                                        func::ReturnOp end) {
  unsigned number = argument.getArgNumber();
  auto type = dyn_cast<MemRefType>(argument.getType());
  bool isStrided = type && !type.getLayout().isIdentity();
  if (number < program.arguments.size()) {
    buffers[argument] = {BufferRef::Kind::Argument, number};
    program.arguments[number].isStrided = isStrided;
    return success();
  }
  for (auto [index, operand] : llvm::enumerate(end.getOperands())) {
    if (traceBuffer(operand) != argument)
      continue;
    BufferSpec spec = expected[index];
    spec.isStrided = isStrided;
    if (llvm::any_of(spec.shape, [](const SizeExpr &size) {
          return size.asConstant() == ShapedType::kDynamic;
        }))
      return end.emitOpError("returns as result ")
             << index
             << " a tensor of a size that is none of its arguments'; return "
                "what attention gives";
    buffers[argument] = {BufferRef::Kind::Result,
                         static_cast<unsigned>(resultAllocs.size())};
    resultAllocs.push_back(std::move(spec));
    return success();
  }
  return host.emitOpError("takes argument ")
         << number << ", which is no argument of its interface and no result";
}

/// Shape of a buffer of `type` whose dynamic sizes are these.
FailureOr<BufferSpec> HostBuffers::makeBuffer(MemRefType type,
                                              ValueRange dynamicSizes) {
  BufferSpec buffer;
  llvm::raw_string_ostream(buffer.elementType) << type.getElementType();
  buffer.elementBits = type.getElementTypeBitWidth();
  for (int64_t size : type.getShape()) {
    if (!ShapedType::isDynamic(size)) {
      buffer.shape.push_back(SizeExpr::constant(size));
      continue;
    }
    FailureOr<SizeExpr> formula =
        scalars.get(dynamicSizes.front(), "the size of a buffer");
    if (failed(formula))
      return failure();
    buffer.shape.push_back(*formula);
    dynamicSizes = dynamicSizes.drop_front();
  }
  return buffer;
}

LogicalResult HostBuffers::readAlloc(memref::AllocOp op) {
  FailureOr<BufferSpec> buffer = makeBuffer(op.getType(), op.getDynamicSizes());
  if (failed(buffer))
    return failure();
  bool isResult = returned.contains(op.getResult());
  auto &list = isResult ? resultAllocs : program.workspaces;
  BufferRef::Kind kind =
      isResult ? BufferRef::Kind::Result : BufferRef::Kind::Workspace;
  buffers[op.getResult()] = {kind, static_cast<unsigned>(list.size())};
  list.push_back(std::move(*buffer));
  return success();
}

std::optional<BufferRef> HostBuffers::find(Value value) const {
  auto known = buffers.find(traceBuffer(value));
  if (known == buffers.end())
    return std::nullopt;
  return known->second;
}

std::optional<BufferRef> HostBuffers::findPointer(Value pointer) const {
  Value buffer = tracePointer(pointer);
  return buffer ? find(buffer) : std::nullopt;
}

std::optional<StrideArgument> HostBuffers::findStride(Value value) const {
  auto known = strides.find(value);
  if (known == strides.end())
    return std::nullopt;
  return known->second;
}

const BufferSpec &HostBuffers::getSpec(BufferRef buffer) const {
  switch (buffer.kind) {
  case BufferRef::Kind::Argument:
    return program.arguments[buffer.index];
  case BufferRef::Kind::Result:
    return resultAllocs[buffer.index];
  case BufferRef::Kind::Workspace:
    return program.workspaces[buffer.index];
  }
  llvm_unreachable("all kinds of buffers");
}

void HostBuffers::readDim(memref::DimOp op) {
  std::optional<BufferRef> buffer = find(op.getSource());
  std::optional<int64_t> dim = op.getConstantIndex();
  if (!buffer || !dim)
    return;
  const BufferSpec &spec = getSpec(*buffer);
  if (*dim < static_cast<int64_t>(spec.shape.size()))
    scalars.set(op.getResult(), spec.shape[*dim]);
}

void HostBuffers::readStrides(memref::ExtractStridedMetadataOp op) {
  std::optional<BufferRef> buffer = find(op.getSource());
  if (!buffer)
    return;
  for (auto [dim, stride] : llvm::enumerate(op.getStrides()))
    strides[stride] = {*buffer, static_cast<unsigned>(dim)};
}

LogicalResult HostBuffers::readResults(func::ReturnOp end) {
  SmallVector<unsigned> renumbered(resultAllocs.size(), ~0u);
  for (auto [index, operand] : llvm::enumerate(end.getOperands())) {
    std::optional<BufferRef> ref = find(operand);
    if (!ref)
      return end.emitOpError("returns a buffer as result ")
             << index << " that is neither an argument nor an allocation";
    BufferSpec spec = getSpec(*ref);
    spec.roles = expected[index].roles;
    program.results.push_back(std::move(spec));
    if (ref->kind == BufferRef::Kind::Result) {
      if (renumbered[ref->index] == ~0u)
        renumbered[ref->index] = index;
      ref->index = renumbered[ref->index];
    }
    program.resultBuffers.push_back(*ref);
  }
  for (LaunchSpec &launch : program.launches)
    for (KernelArgument &argument : launch.arguments)
      if (BufferRef *buffer = getBuffer(argument);
          buffer && buffer->kind == BufferRef::Kind::Result)
        buffer->index = renumbered[buffer->index];
  return success();
}
