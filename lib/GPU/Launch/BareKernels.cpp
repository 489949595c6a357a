//===- BareKernels.cpp - --sparse-attn-bare-kernels -----------------------===//

#include "Launch/Launches.h"
#include "SparseAttn/GPU/Passes.h"
#include "Staging/BufferPointers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNBAREKERNELS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static LLVM::LLVMPointerType globalPointer(MLIRContext *context) {
  return LLVM::LLVMPointerType::get(context, /*addressSpace=*/1);
}

static LogicalResult verifyArgument(gpu::GPUFuncOp kernel, Type type) {
  if (type.isIndex() || type.isInteger(32))
    return success();
  auto memref = dyn_cast<MemRefType>(type);
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!memref || failed(memref.getStridesAndOffset(strides, offset)) ||
      offset != 0)
    return kernel.emitOpError("takes a ")
           << type
           << "; only integers, and buffers that start at their pointer and "
              "have strides, can be passed as a pointer, sizes and strides";
  return success();
}

/// The dimensions whose strides the type leaves open. Those of a dense buffer
/// follow from its sizes.
static SmallVector<unsigned> openStrides(MemRefType type) {
  SmallVector<unsigned> dims;
  if (type.getLayout().isIdentity())
    return dims;
  auto [strides, offset] = type.getStridesAndOffset();
  for (auto [dim, stride] : llvm::enumerate(strides))
    if (ShapedType::isDynamic(stride))
      dims.push_back(dim);
  return dims;
}

namespace {
/// A buffer inside the kernel: the descriptor of `type` over a bare pointer,
/// with the dynamic sizes and the open strides given.
class DescriptorBuilder {
public:
  DescriptorBuilder(OpBuilder &b, Location loc, MemRefType type)
      : b(b), loc(loc), type(type) {
    fields = LLVM::UndefOp::create(
        b, loc, descriptorType(type, globalPointer(b.getContext())));
  }

  Value build(Value pointer, ValueRange dynamicSizes, ValueRange open) {
    insert(pointer, 0);
    insert(pointer, 1);
    insert(constant(0), 2);
    SmallVector<Value> sizes;
    for (int64_t size : type.getShape()) {
      if (!ShapedType::isDynamic(size)) {
        sizes.push_back(constant(size));
        continue;
      }
      sizes.push_back(
          arith::ExtSIOp::create(b, loc, b.getI64Type(), dynamicSizes.front()));
      dynamicSizes = dynamicSizes.drop_front();
    }
    SmallVector<Value> strides = type.getLayout().isIdentity()
                                     ? denseStrides(sizes)
                                     : givenStrides(open);
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      insert(sizes[dim], {3, dim});
      insert(strides[dim], {4, dim});
    }
    return UnrealizedConversionCastOp::create(b, loc, type, fields)
        .getResult(0);
  }

private:
  SmallVector<Value> denseStrides(ArrayRef<Value> sizes) {
    SmallVector<Value> strides(sizes.size());
    Value stride = constant(1);
    for (size_t dim = sizes.size(); dim-- > 0;) {
      strides[dim] = stride;
      stride = b.createOrFold<arith::MulIOp>(loc, stride, sizes[dim]);
    }
    return strides;
  }

  SmallVector<Value> givenStrides(ValueRange open) {
    SmallVector<Value> strides;
    for (int64_t stride : type.getStridesAndOffset().first) {
      if (!ShapedType::isDynamic(stride)) {
        strides.push_back(constant(stride));
        continue;
      }
      strides.push_back(open.front());
      open = open.drop_front();
    }
    return strides;
  }

  void insert(Value value, ArrayRef<int64_t> place) {
    fields = LLVM::InsertValueOp::create(b, loc, fields, value, place);
  }
  Value constant(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }

  OpBuilder &b;
  Location loc;
  MemRefType type;
  Value fields;
};
} // namespace

/// Replaces the kernel's buffers by pointers, then all their dynamic sizes and
/// strides, and indices and integers, at their places among these, by integers.
static LogicalResult flattenKernel(gpu::GPUFuncOp kernel) {
  Block &body = kernel.getBody().front();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  Location loc = kernel.getLoc();
  // Buffers in shared memory are arguments of the block too, behind these.
  size_t count = kernel.getNumArguments();
  SmallVector<Value> old(body.getArguments().take_front(count));
  unsigned end = count;
  auto addArgument = [&](Type type) {
    return body.insertArgument(end++, type, loc);
  };
  SmallVector<Value> pointers(count);
  for (auto [argument, pointer] : llvm::zip_equal(old, pointers)) {
    if (failed(verifyArgument(kernel, argument.getType())))
      return failure();
    if (isa<MemRefType>(argument.getType()))
      pointer = addArgument(globalPointer(b.getContext()));
  }
  for (auto [i, argument] : llvm::enumerate(old)) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type) {
      Value passed = addArgument(b.getI32Type());
      if (argument.getType().isIndex())
        passed = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), passed);
      argument.replaceAllUsesWith(passed);
      continue;
    }
    SmallVector<Value> sizes, strides;
    for (size_t dim = 0; dim < type.getNumDynamicDims(); ++dim)
      sizes.push_back(addArgument(b.getI32Type()));
    for (size_t i = 0; i < openStrides(type).size(); ++i)
      strides.push_back(addArgument(b.getI64Type()));
    auto space =
        gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Global);
    auto global = MemRefType::get(type.getShape(), type.getElementType(),
                                  type.getLayout(), space);
    Value buffer =
        DescriptorBuilder(b, loc, global).build(pointers[i], sizes, strides);
    for (Operation *user : llvm::make_early_inc_range(argument.getUsers())) {
      auto cast = dyn_cast<memref::MemorySpaceCastOp>(user);
      if (!cast || cast.getType() != global)
        return user->emitOpError("uses a kernel's buffer outside the global "
                                 "address space");
      cast.replaceAllUsesWith(buffer);
      cast.erase();
    }
  }
  body.eraseArguments(0, count);
  // One block a multiprocessor is enough: ptxas is not to spill registers so
  // that more fit.
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  b.getI32IntegerAttr(1));
  auto types = body.getArgumentTypes();
  kernel.setFunctionType(b.getFunctionType(
      SmallVector<Type>(types.begin(), types.begin() + end - count), {}));
  return success();
}

/// Passes to the launch what the kernel takes now.
static void flattenLaunch(gpu::LaunchFuncOp launch) {
  OpBuilder b(launch);
  Location loc = launch.getLoc();
  SmallVector<Value> pointers, scalars;
  for (Value buffer : launch.getKernelOperands()) {
    auto type = dyn_cast<MemRefType>(buffer.getType());
    if (!type) {
      if (buffer.getType().isIndex())
        buffer = arith::IndexCastOp::create(b, loc, b.getI32Type(), buffer);
      scalars.push_back(buffer);
      continue;
    }
    Value address =
        memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
    pointers.push_back(LLVM::IntToPtrOp::create(
        b, loc, globalPointer(b.getContext()), address));
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      Value size = memref::DimOp::create(b, loc, buffer, dim);
      scalars.push_back(
          arith::IndexCastOp::create(b, loc, b.getI32Type(), size));
    }
    SmallVector<unsigned> open = openStrides(type);
    if (open.empty())
      continue;
    auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
    for (unsigned dim : open)
      scalars.push_back(arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                                   metadata.getStrides()[dim]));
  }
  llvm::append_range(pointers, scalars);
  launch.getKernelOperandsMutable().assign(pointers);
}

namespace {
struct BareKernelsPass
    : sparse_attn::impl::SparseAttnBareKernelsBase<BareKernelsPass> {
  using Base::Base;

  void runOnOperation() override {
    kernels::dropTables(getOperation());
    llvm::SmallPtrSet<Operation *, 8> flattened;
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>()) {
      if (!module->hasAttr(kKernelsAttr))
        continue;
      for (auto kernel : module.getOps<gpu::GPUFuncOp>()) {
        if (!kernel.isKernel())
          continue;
        if (failed(flattenKernel(kernel)))
          return signalPassFailure();
        flattened.insert(kernel);
      }
    }
    getOperation().walk([&](gpu::LaunchFuncOp launch) {
      if (flattened.contains(
              SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernel())))
        flattenLaunch(launch);
    });
  }
};
} // namespace
