//===- JoinLaunches.cpp - --sparse-attn-join-launches ---------------------===//
//
//   launch A of a blocks of 32 threads      launch of c + b blocks of 128,
//   where launch B of b blocks of 128 threads     c = ceil(a / 4):
//                                             if (block < c)
//                                               A's block 4 block + thread /
//                                               32, if there is one
//                                             else
//                                               B, of block - c
//
//===----------------------------------------------------------------------===//

#include "Launch/Launches.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "Staging/SharedLayout.h"
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
using kernels::kSharedAlignment;

constexpr int64_t kWarpSize = 32;

/// A block has sixteen barriers. Barrier 0 is for all threads; bodies of fewer
/// threads wait at others, of which each that runs beside others needs its own.
constexpr int64_t kFirstBarrierOfSome = 1;
constexpr int64_t kMaxBeside = 15;

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

/// Lets the barriers of a body wait for its own threads only, at barrier `id`
/// where they are not one warp, whose lanes meet without any.
static void narrowBarriers(Block &body, int64_t threads, Value id) {
  body.walk([&](Operation *op) {
    auto barrier = dyn_cast<NVVM::BarrierOp>(op);
    if (!barrier && !isa<gpu::BarrierOp>(op))
      return;
    OpBuilder b(op);
    Location loc = op->getLoc();
    Value count = constantI32(b, loc, threads);
    if (barrier && barrier.getReductionOp())
      barrier.getResult(0).replaceAllUsesWith(
          voteOfSome(b, barrier, id, count));
    else if (threads == kWarpSize)
      NVVM::SyncWarpOp::create(b, loc, constantI32(b, loc, -1));
    else
      NVVM::BarrierOp::create(b, loc, /*resultTypes=*/TypeRange(), id, count,
                              /*reductionOp=*/nullptr,
                              /*reductionPredicate=*/Value());
    op->erase();
  });
}

static int64_t threadsOf(gpu::LaunchOp launch) {
  return *getConstantIntValue(launch.getBlockSizeX());
}

/// The dynamic part, in bytes, where it is known.
static std::optional<int64_t> sharedBytesOf(gpu::LaunchOp launch) {
  Value bytes = launch.getDynamicSharedMemorySize();
  return bytes ? getConstantIntValue(bytes) : int64_t(0);
}

/// How many blocks of `launch` run beside one another in a block of so many
/// threads, which has the dynamic shared memory that `launches` need: each has
/// threads and memory of its own. Static memory is one for all, so that blocks
/// with some are alone.
static int64_t countBeside(gpu::LaunchOp launch, int64_t threads,
                           ArrayRef<gpu::LaunchOp> launches) {
  std::optional<int64_t> own = sharedBytesOf(launch);
  if (!own || !launch.getWorkgroupAttributions().empty())
    return 1;
  int64_t shared = 0;
  for (gpu::LaunchOp other : launches)
    shared = std::max(shared, sharedBytesOf(other).value_or(0));
  int64_t count = std::min(threads / threadsOf(launch), kMaxBeside);
  if (*own > 0)
    count = std::min<int64_t>(count,
                              shared / llvm::alignTo(*own, kSharedAlignment));
  return std::max<int64_t>(count, 1);
}

namespace {
/// Makes one launch of several, where the last of them stands.
class Join {
public:
  explicit Join(MutableArrayRef<gpu::LaunchOp> launches)
      : launches(launches), loc(launches.front().getLoc()), b(launches.back()) {
    for (gpu::LaunchOp launch : launches)
      threads = std::max(threads, threadsOf(launch));
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
  /// The most blocks that run in one.
  int64_t getMostBeside() const { return mostBeside; }

private:
  /// The number of blocks of the first, of the first two, ...
  SmallVector<Value> countBlocks();
  gpu::LaunchOp makeLaunch(Value blocks);
  /// Moves a body to where `b` is, as what block number `block` does.
  void moveBody(gpu::LaunchOp launch, Value block);
  /// Lets the threads that have work of `beside` blocks, the first of which has
  /// that number, do what follows at `b`. The number of a thread's own block,
  /// and of the thread in it.
  std::pair<Value, Value> enterBeside(gpu::LaunchOp launch, Value first,
                                      int64_t beside);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  MutableArrayRef<gpu::LaunchOp> launches;
  Location loc;
  OpBuilder b;
  gpu::LaunchOp joint;
  int64_t threads = 0; ///< of a block
  int64_t mostBeside = 1;
};
} // namespace

SmallVector<Value> Join::countBlocks() {
  SmallVector<Value> ends;
  Value sum;
  for (gpu::LaunchOp launch : launches) {
    Value blocks = launch.getGridSizeX();
    if (int64_t beside = countBeside(launch, threads, launches); beside > 1) {
      mostBeside = std::max(mostBeside, beside);
      blocks = b.createOrFold<arith::CeilDivUIOp>(loc, blocks, index(beside));
    }
    sum = sum ? b.createOrFold<arith::AddIOp>(loc, sum, blocks) : blocks;
    ends.push_back(sum);
  }
  return ends;
}

gpu::LaunchOp Join::makeLaunch(Value blocks) {
  Value shared;
  for (gpu::LaunchOp launch : launches)
    if (Value own = launch.getDynamicSharedMemorySize())
      shared = shared ? b.createOrFold<arith::MaxUIOp>(loc, shared, own) : own;
  Value one = index(1);
  auto launch = gpu::LaunchOp::create(b, loc, blocks, one, one, index(threads),
                                      one, one, shared);
  launch.setModuleAttr(launches.front().getModuleAttr());
  return launch;
}

/// Shared memory of a body that runs beside others starts where theirs ends.
static void shiftSharedMemory(Block &body, Value place, int64_t bytes) {
  body.walk([&](gpu::DynamicSharedMemoryOp memory) {
    OpBuilder b(memory);
    b.setInsertionPointAfter(memory);
    Location loc = memory.getLoc();
    Value size = arith::ConstantIndexOp::create(b, loc, bytes);
    Value shift = arith::MulIOp::create(b, loc, place, size);
    auto view = memref::ViewOp::create(b, loc, memory.getType(), memory, shift,
                                       ValueRange{size});
    memory.getResult().replaceAllUsesExcept(view, view);
  });
}

/// The same in all lanes, as the compiler of the kernel is to see it.
static Value broadcastLane(OpBuilder &b, Location loc, Value number) {
  Value narrow = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), number);
  Value same = NVVM::ShflOp::create(
      b, loc, b.getI32Type(), constantI32(b, loc, -1), narrow,
      constantI32(b, loc, 0), constantI32(b, loc, kWarpSize - 1),
      NVVM::ShflKind::idx, /*return_value_and_is_valid=*/UnitAttr());
  return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), same);
}

std::pair<Value, Value> Join::enterBeside(gpu::LaunchOp launch, Value first,
                                          int64_t beside) {
  Value thread = joint.getThreadIds().x;
  int64_t own = threadsOf(launch);
  Value place, number = first, hasWork;
  if (beside > 1) {
    place = broadcastLane(b, loc,
                          arith::DivUIOp::create(b, loc, thread, index(own)));
    number = arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, first, index(beside)), place);
    hasWork = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number,
                                    launch.getGridSizeX());
  }
  if (own * beside < threads) {
    Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        place ? place : thread,
                                        index(place ? beside : own));
    hasWork = hasWork ? arith::AndIOp::create(b, loc, isOne, hasWork) : isOne;
  }
  auto some = scf::IfOp::create(b, loc, hasWork, /*withElseRegion=*/false);
  b.setInsertionPointToStart(some.thenBlock());
  Block &body = launch.getBody().front();
  Value barrier = constantI32(b, loc, kFirstBarrierOfSome);
  if (place) {
    shiftSharedMemory(
        body, place,
        llvm::alignTo(sharedBytesOf(launch).value(), kSharedAlignment));
    Value narrow = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), place);
    barrier = arith::AddIOp::create(b, loc, barrier, narrow);
    thread = arith::RemUIOp::create(b, loc, thread, index(own));
  }
  narrowBarriers(body, own, barrier);
  return {number, thread};
}

void Join::moveBody(gpu::LaunchOp launch, Value block) {
  auto replaceAll = [](gpu::KernelDim3 old, Value x, Value y, Value z) {
    old.x.replaceAllUsesWith(x);
    old.y.replaceAllUsesWith(y);
    old.z.replaceAllUsesWith(z);
  };
  OpBuilder::InsertionGuard guard(b);
  gpu::KernelDim3 blocks = joint.getBlockIds(), thread = joint.getThreadIds();
  if (threadsOf(launch) < threads)
    std::tie(block, thread.x) =
        enterBeside(launch, block, countBeside(launch, threads, launches));
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
        << remark::metric("threads", join.getThreads())
        << remark::metric("beside", join.getMostBeside());
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
