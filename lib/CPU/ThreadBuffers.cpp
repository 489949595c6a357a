//===- ThreadBuffers.cpp - --sparse-attn-thread-buffers -------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTHREADBUFFERS
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;

/// Moves the body of `scope` to where it stands, if all its allocations are of
/// static size and so can be hoisted.
static void inlineScope(RewriterBase &rewriter, memref::AllocaScopeOp scope) {
  WalkResult dynamic = scope.walk([](memref::AllocaOp alloca) {
    return alloca.getType().hasStaticShape() ? WalkResult::advance()
                                             : WalkResult::interrupt();
  });
  if (dynamic.wasInterrupted() || !scope.getBodyRegion().hasOneBlock())
    return;
  Block *body = &scope.getBodyRegion().front();
  Operation *terminator = body->getTerminator();
  SmallVector<Value> results(terminator->getOperands());
  rewriter.inlineBlockBefore(body, scope);
  rewriter.eraseOp(terminator);
  rewriter.replaceOp(scope, results);
}

namespace {
struct ThreadBuffersPass
    : sparse_attn::impl::SparseAttnThreadBuffersBase<ThreadBuffersPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk(
        [&](memref::AllocaScopeOp scope) { inlineScope(rewriter, scope); });
    getOperation()->walk([&](memref::AllocaOp alloca) {
      if (alloca->getNumOperands() == 0)
        hoist(rewriter, alloca);
    });
    getOperation()->walk([](omp::WsloopOp loop) {
      if (!loop.getScheduleKind())
        loop.setScheduleKind(omp::ClauseScheduleKind::Dynamic);
    });
  }

  /// Moves `alloca` to the entry of the region a thread enters once.
  void hoist(RewriterBase &rewriter, memref::AllocaOp alloca) {
    Operation *parent = alloca->getParentOp();
    while (parent && !isa<omp::ParallelOp, FunctionOpInterface>(parent)) {
      if (isa<memref::AllocaScopeOp>(parent))
        return;
      parent = parent->getParentOp();
    }
    if (!parent)
      return;
    rewriter.moveOpBefore(alloca, &parent->getRegion(0).front(),
                          parent->getRegion(0).front().begin());
    remark::analysis(alloca.getLoc(),
                     remark::RemarkOpts::name("thread-buffer")
                         .category("sparse-attn-thread-buffers"))
        << remark::metric("elements", alloca.getType().getNumElements());
  }
};
} // namespace
