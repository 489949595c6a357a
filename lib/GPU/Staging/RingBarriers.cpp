//===- RingBarriers.cpp - Rings whose slots have mbarriers ----------------===//

#include "RingBarriers.h"
#include "BufferPointers.h"
#include "SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

constexpr int64_t kBarrierBytes = 8;
constexpr int64_t kWarpSize = 32;

namespace {
/// Lowers one ring.
class RingLowering {
public:
  RingLowering(RingOp ring, int64_t threads, bool canSuspend)
      : ring(ring), slots(ring.getRing().getType().getSlots()),
        threads(threads), canSuspend(canSuspend), b(ring) {}

  LogicalResult run() {
    if (!ring.getThread())
      return emitUnknownThread(ring);
    initialise();
    DominanceInfo dominance;
    for (Operation *user : llvm::make_early_inc_range(ring->getUsers())) {
      b.setInsertionPoint(user);
      if (auto wait = dyn_cast<WaitOp>(user)) {
        if (failed(lower(wait, dominance)))
          return failure();
      } else if (auto reserve = dyn_cast<ReserveOp>(user)) {
        lower(reserve);
      } else if (auto fill = dyn_cast<FillOp>(user)) {
        lower(fill);
      } else if (failed(lower(cast<ReleaseOp>(user)))) {
        return failure();
      }
    }
    invalidateInLoops();
    ring.erase();
    return success();
  }

private:
  static LogicalResult emitUnknownThread(Operation *op) {
    return op->emitOpError("does not know the thread that executes it; run "
                           "'sparse-attn-distribute-fragments' first");
  }

  /// One thread initialises; the others learn of it where all meet.
  void initialise() {
    Location loc = ring.getLoc();
    barriers = sharedPointer(b, loc, ring.getMemory(), ring.getOffset());
    byFirstThread([&](OpBuilder &then, Value barrier, int64_t number) {
      int64_t arrivals = number < slots ? threads : threads / kWarpSize;
      NVVM::MBarrierInitOp::create(
          then, loc, barrier,
          arith::ConstantOp::create(then, loc,
                                    then.getI32IntegerAttr(arrivals)),
          /*predicate=*/Value());
    });
    gpu::BarrierOp::create(b, loc);
  }

  /// Where a loop around makes the ring once more, nobody may still be in it.
  void invalidateInLoops() {
    auto outer = ring->getParentOfType<LoopLikeOpInterface>();
    auto launch = ring->getParentOfType<gpu::LaunchOp>();
    if (!outer || !launch->isProperAncestor(outer))
      return;
    Location loc = ring.getLoc();
    b.setInsertionPoint(ring->getBlock()->getTerminator());
    gpu::BarrierOp::create(b, loc);
    byFirstThread([&](OpBuilder &then, Value barrier, int64_t) {
      NVVM::MBarrierInvalOp::create(then, loc, barrier);
    });
  }

  void byFirstThread(
      llvm::function_ref<void(OpBuilder &, Value, int64_t)> forBarrier) {
    Location loc = ring.getLoc();
    Value isFirst = isZero(ring.getThread());
    scf::IfOp::create(b, loc, isFirst, [&](OpBuilder &then, Location) {
      for (int64_t number = 0; number < 2 * slots; ++number)
        forBarrier(then, advance(then, loc, barriers, kBarrierBytes * number),
                   number);
      scf::YieldOp::create(then, loc);
    });
  }

  Value isZero(Value value) {
    Location loc = value.getLoc();
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, value,
                                 LaneMath{b, loc}.constant(0));
  }

  /// Tile `number` has come: the thread's own copies, which have started before
  /// those of the ring, are older.
  LogicalResult lower(WaitOp wait, DominanceInfo &dominance) {
    for (Value token : wait.getTokens().drop_front())
      if (!dominance.properlyDominates(token, ring))
        return wait.emitOpError("waits at a ring for copies that may have been "
                                "started when the ring was there already");
    Place place = placeOf(wait.getLoc(), wait.getNumber());
    waitFor(wait.getLoc(), place.full, place.parity);
    wait.erase();
    return success();
  }

  void lower(ReserveOp reserve) {
    Location loc = reserve.getLoc();
    Place place = placeOf(loc, reserve.getNumber());
    LaneMath math{b, loc};
    waitFor(loc, place.empty, math.bitXor(place.parity, math.constant(1)));
    reserve.erase();
  }

  /// All copies that the thread has started, which are those of this tile and
  /// older ones. Its token has nobody left to wait for it.
  void lower(FillOp fill) {
    NVVM::CpAsyncMBarrierArriveOp::create(
        b, fill.getLoc(), placeOf(fill.getLoc(), fill.getNumber()).full,
        /*noinc=*/true);
    fill.replaceAllUsesWith(
        JoinOp::create(b, fill.getLoc(), fill.getType(), fill.getTokens())
            .getToken());
    fill.erase();
  }

  /// The first of the operations before `op` that need no more than registers
  /// up to it, and nothing of which it takes.
  static Operation *firstWithoutMemory(Operation *op) {
    Operation *first = op;
    while (Operation *before = first->getPrevNode()) {
      bool isTaken = llvm::is_contained(before->getUsers(), op);
      if (isTaken || (!isa<NVVM::MmaOp>(before) && !isMemoryEffectFree(before)))
        break;
      first = before;
    }
    return first;
  }

  /// The slot is free when the tile has been read, which is before the last
  /// products with it.
  LogicalResult lower(ReleaseOp release) {
    if (!release.getThread())
      return emitUnknownThread(release);
    b.setInsertionPoint(firstWithoutMemory(release));
    Location loc = release.getLoc();
    LaneMath math{b, loc};
    Value empty = placeOf(loc, release.getNumber()).empty;
    NVVM::SyncWarpOp::create(b, loc, math.constant(-1));
    Value isFirst = isZero(math.mod(release.getThread(), kWarpSize));
    scf::IfOp::create(b, loc, isFirst, [&](OpBuilder &then, Location) {
      NVVM::MBarrierArriveOp::create(then, loc, then.getI64Type(), empty,
                                     /*count=*/Value());
      scf::YieldOp::create(then, loc);
    });
    release.erase();
    return success();
  }

  /// The mbarriers of a tile's slot, and the parity of their phase for it.
  struct Place {
    Value full, empty, parity;
  };
  Place placeOf(Location loc, Value number) {
    LaneMath math{b, loc};
    Value narrow = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), number);
    Value count = math.constant(slots);
    Value slot = arith::RemUIOp::create(b, loc, narrow, count);
    Value phase = arith::DivUIOp::create(b, loc, narrow, count);
    Value full = advance(b, loc, barriers, math.mul(slot, kBarrierBytes));
    return {full, advance(b, loc, full, kBarrierBytes * slots),
            math.mod(phase, 2)};
  }

  void waitFor(Location loc, Value barrier, Value parity) {
    scf::WhileOp::create(
        b, loc, TypeRange(), ValueRange(),
        [&](OpBuilder &before, Location, ValueRange) {
          Value yes =
              arith::ConstantOp::create(before, loc, before.getBoolAttr(true));
          Value again = arith::XOrIOp::create(
              before, loc, test(before, loc, barrier, parity), yes);
          scf::ConditionOp::create(before, loc, again, ValueRange());
        },
        [&](OpBuilder &after, Location, ValueRange) {
          scf::YieldOp::create(after, loc);
        });
  }

  Value test(OpBuilder &before, Location loc, Value barrier, Value parity) {
    if (canSuspend)
      return NVVM::MBarrierTryWaitOp::create(before, loc, before.getI1Type(),
                                             barrier, parity,
                                             /*ticks=*/Value());
    return NVVM::MBarrierTestWaitOp::create(before, loc, before.getI1Type(),
                                            barrier, parity);
  }

  RingOp ring;
  int64_t slots, threads;
  bool canSuspend;
  OpBuilder b;
  Value barriers; ///< the pointer to the first
};
} // namespace

LogicalResult kernels::lowerRings(gpu::LaunchOp launch, int64_t threads,
                                  bool canSuspend) {
  SmallVector<RingOp> rings;
  launch.walk([&](RingOp ring) { rings.push_back(ring); });
  for (RingOp ring : rings)
    if (failed(RingLowering(ring, threads, canSuspend).run()))
      return failure();
  return success();
}
