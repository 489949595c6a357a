//===- EmulateMBarriers.cpp - Operations on mbarriers to calls ------------===//

#include "KernelRewriter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;

static LogicalResult emitUnsupported(Operation *op, const Twine &what) {
  return op->emitError("the emulator does not know '")
         << op->getName() << "' " << what;
}

namespace {
/// Rewrites one op; it is erased where that succeeds.
class MBarrierRewriter {
public:
  MBarrierRewriter(KernelRewriter &kernel, Operation *op)
      : kernel(kernel), op(op), b(op), loc(op->getLoc()) {}

  LogicalResult run() {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<NVVM::MBarrierInitOp, NVVM::MBarrierInvalOp,
              NVVM::MBarrierArriveOp, NVVM::MBarrierArriveNocompleteOp,
              NVVM::CpAsyncMBarrierArriveOp, NVVM::MBarrierTryWaitParityOp>(
            [&](auto known) { return rewrite(known); })
        .Case<NVVM::MBarrierTestWaitOp, NVVM::MBarrierTryWaitOp>(
            [&](auto test) { return rewriteTest(test); })
        .Default(
            [](Operation *other) { return emitUnsupported(other, "yet"); });
  }

private:
  LogicalResult rewrite(NVVM::MBarrierInitOp init) {
    if (init.getPredicate())
      return emitUnsupported(op, "with a predicate");
    call("sparse_attn_emu_mbarrier_init", {},
         {init.getAddr(), init.getCount(), text()});
    return erase();
  }

  LogicalResult rewrite(NVVM::MBarrierInvalOp invalidation) {
    call("sparse_attn_emu_mbarrier_invalidate", {},
         {invalidation.getAddr(), text()});
    return erase();
  }

  LogicalResult rewrite(NVVM::MBarrierArriveOp arrival) {
    if (failed(checkOrder(arrival)))
      return failure();
    Value count = arrival.getCount() ? arrival.getCount() : i32(1);
    return arrive(arrival.getAddr(), count, /*mayComplete=*/true);
  }

  LogicalResult rewrite(NVVM::MBarrierArriveNocompleteOp arrival) {
    return arrive(arrival.getAddr(), arrival.getCount(), /*mayComplete=*/false);
  }

  LogicalResult rewrite(NVVM::CpAsyncMBarrierArriveOp arrival) {
    call("sparse_attn_emu_mbarrier_arrive_with_copies", {},
         {arrival.getAddr(), i32(arrival.getNoinc()), text()});
    return erase();
  }

  /// This test alone is repeated until it succeeds.
  LogicalResult rewrite(NVVM::MBarrierTryWaitParityOp wait) {
    test(wait.getAddr(), wait.getPhase(), /*waits=*/true);
    return erase();
  }

  LogicalResult arrive(Value address, Value count, bool mayComplete) {
    Value state = call("sparse_attn_emu_mbarrier_arrive", b.getI64Type(),
                       {address, count, i32(mayComplete), text()});
    return op->getNumResults() > 0 ? replace(state) : erase();
  }

  /// How long it tries is no business of the emulator.
  template <typename Op> LogicalResult rewriteTest(Op op) {
    if (failed(checkOrder(op)))
      return failure();
    Value result = test(op.getAddr(), op.getStateOrPhase(), /*waits=*/false);
    return replace(LLVM::TruncOp::create(b, loc, b.getI1Type(), result));
  }

  /// A phase is named by a state of 64 bits or by its parity, of 32.
  Value test(Value address, Value phase, bool waits) {
    if (phase.getType().isInteger(64))
      return call("sparse_attn_emu_mbarrier_test", b.getI32Type(),
                  {address, phase, text()});
    return call("sparse_attn_emu_mbarrier_test_parity", b.getI32Type(),
                {address, phase, i32(waits), text()});
  }

  /// Operations order the memory of their block unless they say otherwise.
  template <typename Op> LogicalResult checkOrder(Op op) {
    if (op.getRelaxed() || op.getScope() != NVVM::MemScopeKind::CTA)
      return emitUnsupported(op, "that is relaxed or of a cluster");
    return success();
  }

  Value i32(int64_t value) { return KernelRewriter::i32(b, loc, value); }
  Value text() { return kernel.nameOperation(b, op); }
  Value call(StringRef callee, Type type, ValueRange arguments) {
    LLVM::CallOp result = kernel.call(b, loc, callee, type, arguments);
    return type ? result.getResult() : Value();
  }
  LogicalResult replace(Value value) {
    op->replaceAllUsesWith(ValueRange(value));
    return erase();
  }
  LogicalResult erase() {
    op->erase();
    return success();
  }

  KernelRewriter &kernel;
  Operation *op;
  OpBuilder b;
  Location loc;
};
} // namespace

LogicalResult KernelRewriter::rewriteMBarrier(Operation *op) {
  return MBarrierRewriter(*this, op).run();
}
