//===- CountProducts.cpp - --sparse-attn-count-products -------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNCOUNTPRODUCTS
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// The multiply-adds of a product of tiles; 0 for any other op.
static int64_t countMultiplyAdds(linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op) ||
      !op->getParentOfType<LoopLikeOpInterface>())
    return 0;
  int64_t count = 1;
  for (int64_t range : op.getStaticLoopRanges())
    count = ShapedType::isDynamic(range) ? 0 : count * range;
  return count;
}

namespace {
struct CountProductsPass
    : sparse_attn::impl::SparseAttnCountProductsBase<CountProductsPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    OpBuilder b(module.getBodyRegion());
    FailureOr<LLVM::LLVMFuncOp> counter = LLVM::lookupOrCreateFn(
        b, module, "sparse_attn_count_multiply_adds", b.getI64Type(),
        LLVM::LLVMVoidType::get(&getContext()));
    if (failed(counter))
      return signalPassFailure();
    module.walk([&](linalg::LinalgOp op) {
      int64_t count = countMultiplyAdds(op);
      if (count == 0)
        return;
      b.setInsertionPoint(op);
      Value added = arith::ConstantIntOp::create(b, op.getLoc(), count, 64);
      LLVM::CallOp::create(b, op.getLoc(), *counter, added);
    });
  }
};
} // namespace
