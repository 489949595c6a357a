//===- Emulate.cpp - --sparse-attn-emulate --------------------------------===//

#include "KernelRewriter.h"
#include "SparseAttn/Emulator/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNEMULATE
#include "SparseAttn/Emulator/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;
using emulator::SharedVariable;

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// x86 converts f32 to bf16 by an instruction that flushes subnormals, or by a
/// function that few C libraries have. In integers, to nearest even:
///
///   bits = f32 as i32
///   bf16 = isnan(x) ? bits >> 16 | quiet : (bits + 0x7fff + odd) >> 16
void KernelRewriter::rewriteBfloatTruncation(LLVM::FPTruncOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value x = op.getArg();
  auto like = [&](Type element) -> Type {
    auto vector = dyn_cast<VectorType>(x.getType());
    return vector ? vector.clone(element) : element;
  };
  Type i32Type = like(b.getI32Type());
  auto constant = [&](int64_t value) -> Value {
    TypedAttr attr = b.getI32IntegerAttr(value);
    if (auto vector = dyn_cast<VectorType>(i32Type))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return LLVM::ConstantOp::create(b, loc, i32Type, attr);
  };
  Value bits = LLVM::BitcastOp::create(b, loc, i32Type, x);
  Value upper = LLVM::LShrOp::create(b, loc, bits, constant(16));
  Value odd = LLVM::AndOp::create(b, loc, upper, constant(1));
  Value half = LLVM::AddOp::create(b, loc, odd, constant(0x7fff));
  Value sum = LLVM::AddOp::create(b, loc, bits, half);
  Value rounded = LLVM::LShrOp::create(b, loc, sum, constant(16));
  Value quiet = LLVM::OrOp::create(b, loc, upper, constant(0x40));
  Value isNaN = LLVM::FCmpOp::create(b, loc, LLVM::FCmpPredicate::uno, x, x);
  Value chosen = LLVM::SelectOp::create(b, loc, isNaN, quiet, rounded);
  Value narrow = LLVM::TruncOp::create(b, loc, like(b.getI16Type()), chosen);
  op.replaceAllUsesWith(
      LLVM::BitcastOp::create(b, loc, op.getType(), narrow).getResult());
  op.erase();
}

LogicalResult KernelRewriter::rewriteOp(Operation *op) {
  operationOffset = -1;
  if (isa<NVVM::InlinePtxOp, LLVM::CallIntrinsicOp>(op))
    return rewritePTX(op);
  if (isa<NVVM::NVVMDialect>(op->getDialect()))
    return rewriteNVVM(op);
  if (isa<LLVM::InlineAsmOp>(op))
    return op->emitError("inline assembly cannot be emulated; emulate before "
                         "'convert-nvvm-to-llvm'");
  if (auto truncation = dyn_cast<LLVM::FPTruncOp>(op))
    if (getElementTypeOrSelf(truncation.getType()).isBF16() &&
        getElementTypeOrSelf(truncation.getArg().getType()).isF32()) {
      rewriteBfloatTruncation(truncation);
      return success();
    }
  if (auto address = dyn_cast<LLVM::AddressOfOp>(op)) {
    auto *variable =
        sharedVariables.find(address.getGlobalNameAttr().getAttr());
    if (variable == sharedVariables.end())
      return success();
    OpBuilder b(op);
    Value index = i32(b, op->getLoc(), variable - sharedVariables.begin());
    Value base = call(b, op->getLoc(), "sparse_attn_emu_shared",
                      LLVM::LLVMPointerType::get(op->getContext()), index)
                     .getResult();
    // Accesses still have to know that it is shared.
    base.setType(address.getType());
    address.replaceAllUsesWith(base);
    op->erase();
    return success();
  }
  if (auto callOp = dyn_cast<LLVM::CallOp>(op)) {
    auto callee = callOp.getCallee();
    auto function =
        callee ? symbols.lookup<LLVM::LLVMFuncOp>(*callee) : nullptr;
    if (!function || function.isExternal())
      return op->emitError("a call of a function without a body cannot be "
                           "emulated");
  }
  return rewriteAccess(op);
}

LogicalResult KernelRewriter::rewriteBody(LLVM::LLVMFuncOp function) {
  SmallVector<Operation *> ops;
  function.getBody().walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops)
    if (failed(rewriteOp(op)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

static bool isKernel(LLVM::LLVMFuncOp function) {
  return function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()) ||
         function->hasAttr(gpu::GPUDialect::getKernelFuncAttrName());
}

static bool isShared(LLVM::GlobalOp global) {
  return global.getAddrSpace() ==
         static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);
}

static SharedVariable getSharedVariable(LLVM::GlobalOp global) {
  DataLayout layout = DataLayout::closest(global);
  int64_t bytes = layout.getTypeSize(global.getGlobalType());
  uint64_t alignment = global.getAlignment().value_or(
      layout.getTypeABIAlignment(global.getGlobalType()));
  return {bytes, static_cast<int64_t>(alignment)};
}

/// The threads that a kernel promises to be launched with at most; 0 if none.
static int64_t getMaxThreads(LLVM::LLVMFuncOp function) {
  for (StringRef name : {NVVM::NVVMDialect::getReqntidAttrName(),
                         NVVM::NVVMDialect::getMaxntidAttrName()})
    if (auto sizes = function->getAttrOfType<DenseI32ArrayAttr>(name)) {
      int64_t product = 1;
      for (int32_t size : sizes.asArrayRef())
        product *= size;
      return product;
    }
  return 0;
}

static LogicalResult checkFunction(LLVM::LLVMFuncOp function) {
  for (Type type : function.getArgumentTypes())
    if (isKernel(function) &&
        !isa<LLVM::LLVMPointerType, IntegerType, FloatType>(type))
      return function.emitError("kernel '")
             << function.getName() << "' takes a value of type " << type
             << "; the emulator passes pointers, integers and floats";
  WalkResult result = function.getBody().walk([](Operation *op) {
    if (isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()))
      return WalkResult::advance();
    op->emitError("'") << op->getName()
                       << "' cannot be emulated; kernels must be in the LLVM "
                          "and NVVM dialects";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

static LogicalResult checkModule(gpu::GPUModuleOp module) {
  for (Operation &op : *module.getBody()) {
    if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op)) {
      if (failed(checkFunction(function)))
        return failure();
    } else if (!isa<LLVM::GlobalOp>(op)) {
      return op.emitError("'") << op.getName()
                               << "' cannot be emulated; lower the kernels to "
                                  "the LLVM and NVVM dialects first";
    }
  }
  return success();
}

/// The names of all calls and tables of the runtime start with this.
static constexpr StringRef kRuntimePrefix = "sparse_attn_emu_";

/// Calls of the runtime would meet what has one of its names.
static LogicalResult checkNames(ModuleOp host) {
  for (auto symbol : host.getOps<SymbolOpInterface>())
    if (symbol.getName().starts_with(kRuntimePrefix))
      return symbol.emitError("'")
             << symbol.getName()
             << "' is a name for the emulator's runtime, as all are that begin "
                "with '"
             << kRuntimePrefix << "'; choose another";
  return success();
}

/// A function or variable `@x` of module `@m` becomes `@m_x`. Only ops of
/// unknown dialects could keep uses from being replaced, and there are none.
void KernelRewriter::rename(gpu::GPUModuleOp module, Operation *op) {
  std::string joined =
      (module.getName() + "_" + SymbolTable::getSymbolName(op).getValue())
          .str();
  if (StringRef(joined).starts_with(kRuntimePrefix))
    joined.insert(0, "_");
  auto name = StringAttr::get(op->getContext(), uniqueName(joined));
  (void)SymbolTable::replaceAllSymbolUses(op, name, module);
  SymbolTable::setSymbolName(op, name);
}

/// A fresh function: attributes for the GPU, and promises about aliasing, do
/// not hold for fibers on a host.
LLVM::LLVMFuncOp KernelRewriter::moveFunction(LLVM::LLVMFuncOp function) {
  OpBuilder b = OpBuilder::atBlockEnd(host.getBody());
  auto moved =
      LLVM::LLVMFuncOp::create(b, function.getLoc(), function.getName(),
                               cast<LLVM::LLVMFunctionType>(stripAddressSpaces(
                                   function.getFunctionType())),
                               LLVM::Linkage::Internal);
  moved.getBody().takeBody(function.getBody());
  function.erase();
  symbols.insert(moved);
  return moved;
}

void KernelRewriter::moveVariable(LLVM::GlobalOp global) {
  int64_t bytes =
      DataLayout::closest(global).getTypeSize(global.getGlobalType());
  variables.push_back({global.getSymName().str(), bytes});
  global->remove();
  global.setAddrSpace(0);
  symbols.insert(global, host.getBody()->begin());
}

/// The shared variables of the module, those that this kernel does not use left
/// out. What functions use, every kernel of the module may use.
SmallVector<SharedVariable>
KernelRewriter::getSharedVariablesOf(const DeviceFunction &kernel,
                                     ArrayRef<DeviceFunction> functions) {
  auto uses = [](const DeviceFunction &function, StringAttr name) {
    return function.variables.contains(name);
  };
  SmallVector<SharedVariable> shared;
  for (auto &[name, variable] : sharedVariables) {
    bool isUsed =
        uses(kernel, name) ||
        llvm::any_of(functions, [&, name = name](const DeviceFunction &other) {
          return !other.isKernel && uses(other, name);
        });
    shared.push_back(isUsed ? variable
                            : SharedVariable{SharedVariable::kUnused, 1});
  }
  return shared;
}

LogicalResult KernelRewriter::moveOut(gpu::GPUModuleOp module) {
  if (failed(checkModule(module)))
    return failure();
  sharedVariables.clear();
  SmallVector<DeviceFunction> functions;
  for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
    if (auto global = dyn_cast<LLVM::GlobalOp>(op)) {
      if (isShared(global)) {
        sharedVariables.insert(
            {global.getSymNameAttr(), getSharedVariable(global)});
        continue;
      }
      rename(module, global);
      moveVariable(global);
      continue;
    }
    auto function = cast<LLVM::LLVMFuncOp>(op);
    DeviceFunction device{function,
                          function.getSymNameAttr(),
                          isKernel(function),
                          getMaxThreads(function),
                          {}};
    if (function.isExternal())
      continue;
    function.walk([&](LLVM::AddressOfOp address) {
      device.variables.insert(address.getGlobalNameAttr().getAttr());
    });
    rename(module, function);
    functions.push_back(device);
  }
  for (DeviceFunction &device : functions)
    device.function = moveFunction(device.function);
  for (DeviceFunction &device : functions)
    if (failed(rewriteBody(device.function)))
      return failure();
  for (DeviceFunction &device : functions) {
    if (!device.isKernel)
      continue;
    EmulatedKernel kernel{device.function, ""};
    emitDescriptor(kernel, device.name, device.maxThreads,
                   getSharedVariablesOf(device, functions));
    kernels[SymbolRefAttr::get(module.getNameAttr(),
                               {FlatSymbolRefAttr::get(device.name)})] = kernel;
  }
  module.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Pointers of every address space become plain ones, so a cast between them is
/// nothing.
static void stripModule(ModuleOp module) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](LLVM::LLVMPointerType pointer) -> Type {
    return LLVM::LLVMPointerType::get(pointer.getContext());
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  module.walk([](LLVM::AddrSpaceCastOp cast) {
    cast.replaceAllUsesWith(cast.getArg());
    cast.erase();
  });
}

namespace {
struct EmulatePass : sparse_attn::impl::SparseAttnEmulateBase<EmulatePass> {
  using SparseAttnEmulateBase::SparseAttnEmulateBase;

  void runOnOperation() override {
    ModuleOp host = getOperation();
    SmallVector<gpu::GPUModuleOp> modules(host.getOps<gpu::GPUModuleOp>());
    if (modules.empty())
      return;
    if (failed(checkNames(host)))
      return signalPassFailure();
    KernelRewriter rewriter(host);
    for (gpu::GPUModuleOp module : modules)
      if (failed(rewriter.moveOut(module)))
        return signalPassFailure();
    SmallVector<gpu::LaunchFuncOp> launches;
    host.walk([&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    for (gpu::LaunchFuncOp launch : launches)
      if (failed(rewriter.rewriteLaunch(launch)))
        return signalPassFailure();
    if (exportKernels)
      rewriter.emitKernelModule();
    rewriter.emitOperationTexts();
    stripModule(host);
    host->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }
};
} // namespace
