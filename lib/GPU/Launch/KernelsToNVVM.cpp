//===- KernelsToNVVM.cpp - --sparse-attn-kernels-to-nvvm ------------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMInterface.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNKERNELSTONVVM
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Upstream's patterns for GPUs are tried after those of the operations' own
/// dialects: they would call a library for what the LLVM dialect can say.
static constexpr unsigned kLastBenefit = 0;

/// How the operations of `dialect` become LLVM's; null where nothing registered
/// says so. Other dialects of a compiler, and those that upstream's load, may
/// only promise it: a build with assertions ends where a promise is asked for.
static ConvertToLLVMPatternInterface *getToLLVM(Dialect *dialect) {
  if (dialect->hasPromisedInterface(
          dialect->getTypeID(),
          ConvertToLLVMPatternInterface::getInterfaceID()))
    return nullptr;
  return dyn_cast<ConvertToLLVMPatternInterface>(dialect);
}

/// Takes all that is left in `module` to the LLVM and NVVM dialects.
static LogicalResult convert(gpu::GPUModuleOp module) {
  MLIRContext *context = module.getContext();
  LowerToLLVMOptions options(context);
  options.overrideIndexBitwidth(64);
  LLVMTypeConverter converter(context, options);
  configureGpuToNVVMTypeConverter(converter);
  LLVMConversionTarget target(*context);
  RewritePatternSet patterns(context);
  for (Dialect *dialect : context->getLoadedDialects())
    if (ConvertToLLVMPatternInterface *toLLVM = getToLLVM(dialect))
      toLLVM->populateConvertToLLVMConversionPatterns(target, converter,
                                                      patterns);
  populateGpuToNVVMConversionPatterns(converter, patterns, kLastBenefit);
  configureGpuToNVVMConversionLegality(target);
  ConversionConfig config;
  // Where a pattern fails so does the pass, and nobody needs the kernels then.
  config.allowPatternRollback = false;
  return applyPartialConversion(module, target, std::move(patterns), config);
}

namespace {
struct KernelsToNVVMPass
    : sparse_attn::impl::SparseAttnKernelsToNVVMBase<KernelsToNVVMPass> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // Equal blocks merge here: LLVM would find fewer of them.
    (void)simplifyRegions(rewriter, getOperation()->getRegions());
    if (failed(convert(getOperation())))
      return signalPassFailure();
    // Passes before have made some, too, to compute with pointers.
    SmallVector<UnrealizedConversionCastOp> casts;
    getOperation().walk(
        [&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
    reconcileUnrealizedCasts(casts);
  }
};
} // namespace
