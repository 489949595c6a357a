//===- HostFunction.cpp - The launches of a host function -----------------===//

#include "HostScalars.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

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

namespace {
class HostReader {
public:
  HostReader(func::FuncOp host, Program interface)
      : host(host), program(std::move(interface)) {
    expected.swap(program.results);
  }

  FailureOr<Program> read() {
    if (!host.getBody().hasOneBlock())
      return host.emitOpError("has control flow; a package needs the launches "
                              "in a row, in one block");
    auto end = cast<func::ReturnOp>(host.getBody().front().getTerminator());
    for (Value result : end.getOperands())
      returned.insert(traceBuffer(result));
    for (BlockArgument argument : host.getArguments())
      if (failed(readHostArgument(argument, end)))
        return failure();
    for (Operation &op : host.getBody().front().without_terminator())
      if (failed(readOp(&op)))
        return failure();
    if (failed(readResults(end)))
      return failure();
    return std::move(program);
  }

private:
  /// Behind the function's own arguments come buffers for its results.
  LogicalResult readHostArgument(BlockArgument argument, func::ReturnOp end) {
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

  LogicalResult readOp(Operation *op) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return readAlloc(alloc);
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
      return readLaunch(launch);
    if (auto dim = dyn_cast<memref::DimOp>(op)) {
      readDim(dim);
      return success();
    }
    if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(op)) {
      readStrides(metadata);
      return success();
    }
    scalars.visit(op);
    if (isMemoryEffectFree(op) || isa<memref::DeallocOp>(op))
      return success();
    if (isa<memref::CopyOp>(op))
      return op->emitOpError("copies a tensor on the host, which a package "
                             "cannot; give each attention an init of its own, "
                             "such as a tensor.empty");
    return op->emitOpError("runs on the host; a package holds kernels and "
                           "formulas for launching them only, so compute this "
                           "outside the function");
  }

  /// Shape of a buffer of `type` whose dynamic sizes are these.
  FailureOr<BufferSpec> makeBuffer(MemRefType type, ValueRange dynamicSizes) {
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

  LogicalResult readAlloc(memref::AllocOp op) {
    FailureOr<BufferSpec> buffer =
        makeBuffer(op.getType(), op.getDynamicSizes());
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

  const BufferSpec *getSpec(Value buffer) const {
    auto known = buffers.find(buffer);
    if (known == buffers.end())
      return nullptr;
    BufferRef ref = known->second;
    switch (ref.kind) {
    case BufferRef::Kind::Argument:
      return &program.arguments[ref.index];
    case BufferRef::Kind::Result:
      return &resultAllocs[ref.index];
    case BufferRef::Kind::Workspace:
      return &program.workspaces[ref.index];
    }
    return nullptr;
  }

  void readDim(memref::DimOp op) {
    const BufferSpec *buffer = getSpec(traceBuffer(op.getSource()));
    std::optional<int64_t> dim = op.getConstantIndex();
    if (buffer && dim && *dim < static_cast<int64_t>(buffer->shape.size()))
      scalars.set(op.getResult(), buffer->shape[*dim]);
  }

  void readStrides(memref::ExtractStridedMetadataOp op) {
    auto known = buffers.find(traceBuffer(op.getSource()));
    if (known == buffers.end())
      return;
    for (auto [dim, stride] : llvm::enumerate(op.getStrides()))
      strides[stride] = {known->second, static_cast<unsigned>(dim)};
  }

  LogicalResult readLaunch(gpu::LaunchFuncOp op) {
    if (op.hasClusterSize() || op.getAsyncToken() || op.getAsyncObject() ||
        !op.getAsyncDependencies().empty())
      return op.emitOpError("launches asynchronously or in clusters, which a "
                            "package cannot say");
    Operation *kernels =
        SymbolTable::lookupNearestSymbolFrom(op, op.getKernelModuleName());
    if (!kernels || !kernels->hasAttr(kKernelsAttr))
      return op.emitOpError("launches '")
             << op.getKernelName().getValue()
             << "', which comes from no attention; a package has kernels of "
                "attention only, so launch it outside the function";
    LaunchSpec launch;
    launch.kernel = op.getKernelName().str();
    gpu::KernelDim3 grid = op.getGridSizeOperandValues();
    gpu::KernelDim3 block = op.getBlockSizeOperandValues();
    if (failed(readDim3(grid, "the grid of a launch", launch.grid)) ||
        failed(readDim3(block, "the block of a launch", launch.block)))
      return failure();
    if (Value bytes = op.getDynamicSharedMemorySize()) {
      FailureOr<SizeExpr> formula =
          scalars.get(bytes, "the shared memory of a launch");
      if (failed(formula))
        return failure();
      launch.sharedBytes = *formula;
    }
    for (auto [index, operand] : llvm::enumerate(op.getKernelOperands())) {
      FailureOr<KernelArgument> argument = readArgument(op, index, operand);
      if (failed(argument))
        return failure();
      launch.arguments.push_back(*argument);
    }
    program.launches.push_back(std::move(launch));
    return success();
  }

  LogicalResult readDim3(gpu::KernelDim3 sizes, StringRef what,
                         std::array<SizeExpr, 3> &formulas) {
    Value axes[] = {sizes.x, sizes.y, sizes.z};
    for (auto [size, formula] : llvm::zip_equal(axes, formulas)) {
      FailureOr<SizeExpr> found = scalars.get(size, what);
      if (failed(found))
        return failure();
      formula = *found;
    }
    return success();
  }

  FailureOr<KernelArgument> readArgument(gpu::LaunchFuncOp op, size_t index,
                                         Value operand) {
    if (auto map = operand.getDefiningOp<kernels::TensorMapOp>())
      return readTensorMap(map);
    if (isa<LLVM::LLVMPointerType>(operand.getType())) {
      auto known = buffers.find(tracePointer(operand));
      if (known == buffers.end())
        return op.emitOpError("passes a pointer as argument ")
               << index << " of '" << op.getKernelName().getValue()
               << "' that is neither an argument nor an allocation of '"
               << host.getName() << "'";
      return KernelArgument(PointerArgument{known->second});
    }
    if (auto cast = operand.getDefiningOp<arith::IndexCastOp>())
      if (auto stride = strides.find(cast.getIn()); stride != strides.end())
        return KernelArgument(stride->second);
    if (!operand.getType().isInteger(32) && !operand.getType().isInteger(64))
      return op.emitOpError("passes a value of type ")
             << operand.getType() << " as argument " << index << " of '"
             << op.getKernelName().getValue()
             << "'; a package passes pointers, tensor maps and integers of 32 "
                "and 64 bits";
    FailureOr<SizeExpr> formula =
        scalars.get(operand, "an argument of a kernel");
    if (failed(formula))
      return failure();
    return KernelArgument(
        IntegerArgument{*formula, operand.getType().getIntOrFloatBitWidth()});
  }

  FailureOr<KernelArgument> readTensorMap(kernels::TensorMapOp op) {
    auto known = buffers.find(traceBuffer(op.getSource()));
    if (known == buffers.end())
      return op.emitOpError(
                 "describes a buffer that is neither an argument nor "
                 "an allocation of '")
             << host.getName() << "'";
    const BufferSpec &spec = *getSpec(known->first);
    TensorMapArgument map;
    map.buffer = known->second;
    llvm::raw_string_ostream(map.elementType)
        << op.getSourceType().getElementType();
    map.elementBits = op.getSourceType().getElementTypeBitWidth();
    map.sizes.assign(spec.shape.begin(), spec.shape.end());
    map.isStrided = spec.isStrided;
    llvm::append_range(map.box, op.getBox());
    map.swizzle = op.getSwizzle();
    return KernelArgument(std::move(map));
  }

  /// Results in the order of the function; those that are one buffer share it.
  LogicalResult readResults(func::ReturnOp end) {
    SmallVector<unsigned> renumbered(resultAllocs.size(), ~0u);
    for (auto [index, operand] : llvm::enumerate(end.getOperands())) {
      auto known = buffers.find(traceBuffer(operand));
      if (known == buffers.end())
        return end.emitOpError("returns a buffer as result ")
               << index << " that is neither an argument nor an allocation";
      BufferSpec spec = *getSpec(known->first);
      spec.roles = expected[index].roles;
      program.results.push_back(std::move(spec));
      BufferRef ref = known->second;
      if (ref.kind == BufferRef::Kind::Result) {
        if (renumbered[ref.index] == ~0u)
          renumbered[ref.index] = index;
        ref.index = renumbered[ref.index];
      }
      program.resultBuffers.push_back(ref);
    }
    for (LaunchSpec &launch : program.launches)
      for (KernelArgument &argument : launch.arguments)
        if (BufferRef *buffer = getBuffer(argument);
            buffer && buffer->kind == BufferRef::Kind::Result)
          buffer->index = renumbered[buffer->index];
    return success();
  }

  func::FuncOp host;
  Program program;
  HostScalars scalars;
  llvm::DenseMap<Value, BufferRef> buffers;
  llvm::DenseSet<Value> returned;
  /// Strides of buffers, as kernels take them.
  llvm::DenseMap<Value, StrideArgument> strides;
  /// Results as the interface has them.
  std::vector<BufferSpec> expected;
  /// The buffers are in the order of their allocation.
  std::vector<BufferSpec> resultAllocs;
};
} // namespace

FailureOr<Program> package::describeProgram(func::FuncOp host,
                                            Program interface) {
  return HostReader(host, std::move(interface)).read();
}
