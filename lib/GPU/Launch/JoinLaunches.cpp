//===- JoinLaunches.cpp - --sparse-attn-join-launches ---------------------===//
//
//   launch A of a blocks of 32 threads        launch of a + b blocks of 128:
//   launch B of b blocks of 128 threads         if (block < a)
//                                                 if (thread < 32) A
//                                               else
//                                                 B, of block - a
//
//===----------------------------------------------------------------------===//

#include "Launch/Launches.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define DEBUG_TYPE "sparse-attn-join-launches"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNJOINLAUNCHES
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// A body that has fewer threads than the block waits at this one of the
/// block's sixteen barriers. Barrier 0 is for all threads.
constexpr int64_t kBarrierOfSome = 1;

//===----------------------------------------------------------------------===//
// Which launches
//===----------------------------------------------------------------------===//

/// True for what may run before a launch that it stood behind: no memory that
/// was there is read or written.
static bool mayRunEarlier(Operation *op) {
  return isMemoryEffectFree(op) || isa<memref::AllocOp>(op);
}

/// Launches of ours have one dimension, and a number of threads that is known.
static bool isJoinable(gpu::LaunchOp launch) {
  return launch->hasAttr(kTogetherAttr) &&
         getConstantIntValue(launch.getBlockSizeX());
}

/// Runs of launches that may be one, in `block`.
static SmallVector<SmallVector<gpu::LaunchOp>> findRuns(Block &block) {
  SmallVector<SmallVector<gpu::LaunchOp>> runs(1);
  for (Operation &op : block) {
    auto launch = dyn_cast<gpu::LaunchOp>(op);
    if (launch && isJoinable(launch))
      runs.back().push_back(launch);
    else if (!mayRunEarlier(&op) && !runs.back().empty())
      runs.emplace_back();
  }
  return runs;
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

static Value constantI32(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(b, loc, b.getI32Type(), value);
}

/// What `barrier` finds, among some threads of the block. The NVVM dialect has
/// such a vote for all of them only.
static Value voteOfSome(OpBuilder &b, NVVM::BarrierOp barrier, Value id,
                        Value threads) {
  Location loc = barrier.getLoc();
  Value zero = constantI32(b, loc, 0);
  Value vote = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                     barrier.getReductionPredicate(), zero);
  NVVM::BarrierReduction kind = *barrier.getReductionOp();
  bool isCount = kind == NVVM::BarrierReduction::POPC;
  Type type = isCount ? b.getI32Type() : b.getI1Type();
  std::string name = ("llvm.nvvm.barrier.cta.red." +
                      NVVM::stringifyBarrierReduction(kind) + ".aligned.count")
                         .str();
  Value result =
      LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name),
                                    ValueRange{id, threads, vote})
          .getResult(0);
  return isCount ? result
                 : arith::ExtUIOp::create(b, loc, b.getI32Type(), result);
}

/// Lets the barriers of a body wait for its own threads only.
static void narrowBarriers(Block &body, int64_t threads) {
  body.walk([&](Operation *op) {
    auto barrier = dyn_cast<NVVM::BarrierOp>(op);
    if (!barrier && !isa<gpu::BarrierOp>(op))
      return;
    OpBuilder b(op);
    Location loc = op->getLoc();
    Value id = constantI32(b, loc, kBarrierOfSome);
    Value count = constantI32(b, loc, threads);
    if (barrier && barrier.getReductionOp())
      barrier.getResult(0).replaceAllUsesWith(
          voteOfSome(b, barrier, id, count));
    else
      NVVM::BarrierOp::create(b, loc, /*resultTypes=*/TypeRange(), id, count,
                              /*reductionOp=*/nullptr,
                              /*reductionPredicate=*/Value());
    op->erase();
  });
}

namespace {
/// Makes one launch of several, where the last of them stands.
class Join {
public:
  explicit Join(MutableArrayRef<gpu::LaunchOp> launches)
      : launches(launches), loc(launches.front().getLoc()), b(launches.back()) {
  }

  /// Erases `launches`.
  gpu::LaunchOp run() {
    SmallVector<Value> ends = countBlocks();
    joint = makeLaunch(ends.back());
    b.setInsertionPointToStart(&joint.getBody().front());
    Value block = joint.getBlockIds().x;
    for (auto [launch, end] : llvm::zip(launches.drop_back(), ends)) {
      Value isBefore = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                             joint.getBlockIds().x, end);
      auto choice = scf::IfOp::create(b, loc, isBefore,
                                      /*withElseRegion=*/true);
      b.setInsertionPointToStart(choice.thenBlock());
      moveBody(launch, block);
      b.setInsertionPointToStart(choice.elseBlock());
      block = arith::SubIOp::create(b, loc, joint.getBlockIds().x, end);
    }
    moveBody(launches.back(), block);
    b.setInsertionPointToEnd(&joint.getBody().front());
    gpu::TerminatorOp::create(b, loc);
    for (gpu::LaunchOp launch : launches)
      launch.erase();
    kernels::sinkScalars(joint);
    kernels::moveToGlobalSpace(joint);
    return joint;
  }

  int64_t getThreads() const { return threads; }

private:
  /// The number of blocks of the first, of the first two, ...
  SmallVector<Value> countBlocks() {
    SmallVector<Value> ends;
    Value sum;
    for (gpu::LaunchOp launch : launches) {
      Value blocks = launch.getGridSizeX();
      sum = sum ? b.createOrFold<arith::AddIOp>(loc, sum, blocks) : blocks;
      ends.push_back(sum);
    }
    return ends;
  }

  gpu::LaunchOp makeLaunch(Value blocks);
  /// Moves a body to where `b` is, as what block number `block` does.
  void moveBody(gpu::LaunchOp launch, Value block);

  MutableArrayRef<gpu::LaunchOp> launches;
  Location loc;
  OpBuilder b;
  gpu::LaunchOp joint;
  int64_t threads = 0; ///< of a block
};
} // namespace

static int64_t threadsOf(gpu::LaunchOp launch) {
  return *getConstantIntValue(launch.getBlockSizeX());
}

gpu::LaunchOp Join::makeLaunch(Value blocks) {
  Value shared;
  for (gpu::LaunchOp launch : launches) {
    threads = std::max(threads, threadsOf(launch));
    // One body runs in a block, so all of them start at the same address.
    if (Value own = launch.getDynamicSharedMemorySize())
      shared = shared ? b.createOrFold<arith::MaxUIOp>(loc, shared, own) : own;
  }
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value size = arith::ConstantIndexOp::create(b, loc, threads);
  auto launch =
      gpu::LaunchOp::create(b, loc, blocks, one, one, size, one, one, shared);
  launch.setModuleAttr(launches.front().getModuleAttr());
  return launch;
}

void Join::moveBody(gpu::LaunchOp launch, Value block) {
  auto replaceAll = [](gpu::KernelDim3 old, Value x, Value y, Value z) {
    old.x.replaceAllUsesWith(x);
    old.y.replaceAllUsesWith(y);
    old.z.replaceAllUsesWith(z);
  };
  gpu::KernelDim3 blocks = joint.getBlockIds(), thread = joint.getThreadIds();
  replaceAll(launch.getBlockIds(), block, blocks.y, blocks.z);
  replaceAll(launch.getThreadIds(), thread.x, thread.y, thread.z);
  gpu::KernelDim3 grid = launch.getGridSizeOperandValues();
  replaceAll(launch.getGridSize(), grid.x, grid.y, grid.z);
  gpu::KernelDim3 size = launch.getBlockSizeOperandValues();
  replaceAll(launch.getBlockSize(), size.x, size.y, size.z);
  for (BlockArgument old : launch.getWorkgroupAttributions())
    old.replaceAllUsesWith(
        joint.addWorkgroupAttribution(old.getType(), old.getLoc()));
  Block &body = launch.getBody().front();
  body.getTerminator()->erase();
  OpBuilder::InsertionGuard guard(b);
  if (int64_t own = threadsOf(launch); own < threads) {
    narrowBarriers(body, own);
    Value count = arith::ConstantIndexOp::create(b, loc, own);
    Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        thread.x, count);
    auto some = scf::IfOp::create(b, loc, isOne, /*withElseRegion=*/false);
    b.setInsertionPointToStart(some.thenBlock());
  }
  b.getInsertionBlock()->getOperations().splice(b.getInsertionPoint(),
                                                body.getOperations());
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct JoinLaunchesPass
    : sparse_attn::impl::SparseAttnJoinLaunchesBase<JoinLaunchesPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<SmallVector<gpu::LaunchOp>> runs;
    getOperation().walk([&](Block *block) {
      if (isa_and_nonnull<gpu::LaunchOp>(block->getParentOp()))
        return WalkResult::skip();
      llvm::append_range(runs, findRuns(*block));
      return WalkResult::advance();
    });
    for (MutableArrayRef<gpu::LaunchOp> run : runs)
      joinRun(run);
    numberKernels();
  }

  static void joinRun(MutableArrayRef<gpu::LaunchOp> run) {
    for (gpu::LaunchOp launch : run)
      launch->removeAttr(kTogetherAttr);
    if (run.size() < 2)
      return;
    size_t count = run.size();
    Join join(run);
    gpu::LaunchOp joint = join.run();
    remark::analysis(joint.getLoc(),
                     remark::RemarkOpts::name("joint").category(DEBUG_TYPE))
        << remark::metric("launches", static_cast<int64_t>(count))
        << remark::metric("threads", join.getThreads());
  }

  /// Anew, as some are gone.
  void numberKernels() {
    int64_t number = 0;
    getOperation().walk([&](gpu::LaunchOp launch) {
      if (launch.getModuleAttr())
        kernels::nameKernel(launch, number++);
    });
  }
};
} // namespace
