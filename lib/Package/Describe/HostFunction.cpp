//===- HostFunction.cpp - The launches of a host function -----------------===//

#include "HostBuffers.h"
#include "SparseAttn/CPU/Passes.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {
class HostReader {
public:
  HostReader(func::FuncOp host, Program interface)
      : host(host), program(std::move(interface)),
        buffers(host, program, scalars) {}

  FailureOr<Program> read() {
    if (!host.getBody().hasOneBlock())
      return host.emitOpError("has control flow; a package needs the launches "
                              "in a row, in one block");
    auto end = cast<func::ReturnOp>(host.getBody().front().getTerminator());
    if (failed(buffers.readArguments(end)))
      return failure();
    for (Operation &op : host.getBody().front().without_terminator())
      if (failed(readOp(&op)))
        return failure();
    if (failed(buffers.readResults(end)))
      return failure();
    return std::move(program);
  }

private:
  LogicalResult readOp(Operation *op) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return buffers.readAlloc(alloc);
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
      return readLaunch(launch);
    if (auto call = findKernelCall(op))
      return readCalls(dyn_cast<scf::ForallOp>(op), call);
    if (auto dim = dyn_cast<memref::DimOp>(op)) {
      buffers.readDim(dim);
      return success();
    }
    if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(op)) {
      buffers.readStrides(metadata);
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

  /// The call of a kernel for processors, alone or in a loop over all its
  /// workgroups.
  static func::CallOp findKernelCall(Operation *op) {
    auto loop = dyn_cast<scf::ForallOp>(op);
    auto call = dyn_cast<func::CallOp>(loop ? &loop.getBody()->front() : op);
    Operation *callee =
        call ? SymbolTable::lookupNearestSymbolFrom(call, call.getCalleeAttr())
             : nullptr;
    return callee && callee->hasAttr(kLoopKernelAttr) ? call : func::CallOp();
  }

  /// Kernels for processors take pointers, then the dynamic sizes of all
  /// buffers; the number of the workgroup is no argument to be passed.
  LogicalResult readCalls(scf::ForallOp loop, func::CallOp call) {
    LaunchSpec launch;
    launch.kernel = call.getCallee().str();
    launch.grid = launch.block = {SizeExpr::constant(1), SizeExpr::constant(1),
                                  SizeExpr::constant(1)};
    OpFoldResult count;
    if (loop)
      count = loop.getMixedUpperBound().front();
    if (!loop) {
      // One workgroup.
    } else if (auto value = dyn_cast<Value>(count)) {
      FailureOr<SizeExpr> formula = scalars.get(value, "the grid of a launch");
      if (failed(formula))
        return failure();
      launch.grid[0] = *formula;
    } else {
      launch.grid[0] = SizeExpr::constant(*getConstantIntValue(count));
    }
    std::vector<KernelArgument> sizes;
    for (auto [index, operand] :
         llvm::enumerate(call.getArgOperands().drop_back())) {
      std::optional<BufferRef> buffer = buffers.find(operand);
      if (!buffer)
        return call.emitOpError("passes as argument ")
               << index << " of '" << call.getCallee()
               << "' what is neither an argument nor an allocation of '"
               << host.getName() << "'";
      launch.arguments.push_back(PointerArgument{*buffer});
      auto type = cast<MemRefType>(operand.getType());
      for (auto [dim, size] : llvm::enumerate(buffers.getSpec(*buffer).shape))
        if (type.isDynamicDim(dim))
          sizes.push_back(IntegerArgument{size, 32});
    }
    llvm::append_range(launch.arguments, sizes);
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
      std::optional<BufferRef> buffer = buffers.findPointer(operand);
      if (!buffer)
        return op.emitOpError("passes a pointer as argument ")
               << index << " of '" << op.getKernelName().getValue()
               << "' that is neither an argument nor an allocation of '"
               << host.getName() << "'";
      return KernelArgument(PointerArgument{*buffer});
    }
    if (auto cast = operand.getDefiningOp<arith::IndexCastOp>())
      if (auto stride = buffers.findStride(cast.getIn()))
        return KernelArgument(*stride);
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
    std::optional<BufferRef> buffer = buffers.find(op.getSource());
    if (!buffer)
      return op.emitOpError(
                 "describes a buffer that is neither an argument nor "
                 "an allocation of '")
             << host.getName() << "'";
    const BufferSpec &spec = buffers.getSpec(*buffer);
    TensorMapArgument map;
    map.buffer = *buffer;
    llvm::raw_string_ostream(map.elementType)
        << op.getSourceType().getElementType();
    map.elementBits = op.getSourceType().getElementTypeBitWidth();
    map.sizes.assign(spec.shape.begin(), spec.shape.end());
    map.isStrided = spec.isStrided;
    llvm::append_range(map.box, op.getBox());
    map.swizzle = op.getSwizzle();
    return KernelArgument(std::move(map));
  }

  func::FuncOp host;
  Program program;
  HostScalars scalars;
  HostBuffers buffers;
};
} // namespace

FailureOr<Program> package::describeProgram(func::FuncOp host,
                                            Program interface) {
  return HostReader(host, std::move(interface)).read();
}
