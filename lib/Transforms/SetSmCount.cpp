//===- SetSmCount.cpp - --sparse-attn-set-sm-count ------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNSETSMCOUNT
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
struct SetSmCountPass
    : sparse_attn::impl::SparseAttnSetSmCountBase<SetSmCountPass> {
  using Base::Base;

  void runOnOperation() override {
    if (count < 1) {
      getOperation()->emitError("a device has at least 1 multiprocessor; got ")
          << count.getValue();
      return signalPassFailure();
    }
    getOperation()->walk([&](SmCountOp op) {
      OpBuilder b(op);
      op.replaceAllUsesWith(
          arith::ConstantIndexOp::create(b, op.getLoc(), count).getResult());
      op.erase();
    });
    getOperation()->walk([](LaunchArgumentOp op) {
      op.replaceAllUsesWith(op.getValue());
      op.erase();
    });
  }
};
} // namespace
