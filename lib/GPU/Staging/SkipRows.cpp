//===- SkipRows.cpp - --sparse-attn-skip-rows -----------------------------===//
//
//   for ...:                           for ...:
//     wait, start copies                 wait, start copies
//     live_rows a to b, full c to d      next = if has_rows a to b:
//     S = Q K                  ==>         S = Q K
//     S = mask ? S : -inf                  S = if has_other_rows c to d:
//     ...                                    yield mask ? S : -inf
//     release                              else: yield S
//     yield next                           ...; release; yield next
//                                        else: release; yield state
//                                        yield next
//
// where tiles come through a ring whose warps run apart. What warps do together
// stays outside: each starts its share of copies and
// waits for tiles, whether it computes with them or not.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNSKIPROWS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// Whether threads of the block may meet in `op`: to agree is to meet.
static bool mayMeet(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        auto reduction = dyn_cast<vector::MultiDimReductionOp>(inner);
        bool agrees = reduction && reduction.getType().isInteger(1);
        return agrees || isa<gpu::BarrierOp, StageOp, WaitOp, RingOp>(inner)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

namespace {
/// The body of one loop.
class Branch {
public:
  Branch(scf::ForOp loop, LiveRowsOp live) : loop(loop), live(live) {}

  void run() {
    findProducts();
    takeInWhatServesThem(inside);
    if (runApart() && isPossible()) {
      emit();
      skipMasks();
    }
    live.erase();
  }

private:
  Operation *inBody(Operation *op) {
    return loop.getBody()->findAncestorOpInBlock(*op);
  }
  bool isInside(Operation *op) { return inside.contains(op); }

  using Operations = llvm::SmallPtrSet<Operation *, 32>;

  void findProducts();
  static void takeInWhatServesThem(Operations &some);
  bool runApart();
  bool isPossible();
  void emit();
  void skipMasks();
  void skip(arith::SelectOp mask);

  scf::ForOp loop;
  LiveRowsOp live;
  /// What the branch takes in, in no order.
  Operations inside;
  /// Numbers of the values that the loop yields and the branch computes.
  SmallVector<unsigned> yielded;
  /// The rows of tiles.
  int64_t rows = 0;
};
} // namespace

/// All that depends on the tiles in shared memory, and what follows their last
/// use.
void Branch::findProducts() {
  Operation *yield = loop.getBody()->getTerminator();
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (isa<ReleaseOp>(op)) {
      inside.insert(&op);
      continue;
    }
    if (!isa<StagedTileOp>(op) && !isInside(&op))
      continue;
    for (Operation *user : op.getUsers())
      if (Operation *next = inBody(user); next != yield)
        inside.insert(next);
    if (auto product = dyn_cast<vector::ContractionOp>(op))
      rows = cast<VectorType>(product.getResultType()).getDimSize(0);
  }
  for (OpOperand &operand : yield->getOpOperands())
    if (Operation *op = operand.get().getDefiningOp(); op && isInside(op))
      yielded.push_back(operand.getOperandNumber());
}

/// Adds to operations of one block those of it that nothing else uses: masks,
/// for the most part.
void Branch::takeInWhatServesThem(Operations &some) {
  if (some.empty())
    return;
  Block *block = (*some.begin())->getBlock();
  auto isOnlyForThem = [&](Operation &op) {
    return isMemoryEffectFree(&op) && !op.use_empty() &&
           llvm::all_of(op.getUsers(), [&](Operation *user) {
             return some.contains(block->findAncestorOpInBlock(*user));
           });
  };
  for (Operation &op : llvm::reverse(block->without_terminator()))
    if (isOnlyForThem(op))
      some.insert(&op);
}

/// Where the warps of a block meet for each tile, one that leaves a tile out
/// waits for the others, and the branch takes registers: kernels of 48 keys and
/// heads of 128 then spill in loops over full tiles on sm_80.
bool Branch::runApart() {
  return llvm::any_of(*loop.getBody(),
                      [](Operation &op) { return isa<ReleaseOp>(op); });
}

/// A row that is left out keeps what the loop carries of it.
bool Branch::isPossible() {
  return rows > 0 && llvm::none_of(inside, mayMeet) &&
         llvm::all_of(yielded, [&](unsigned i) {
           return isa<VectorType>(loop.getRegionIterArg(i).getType());
         });
}

void Branch::emit() {
  Location loc = live.getLoc();
  Operation *yield = loop.getBody()->getTerminator();
  OpBuilder b(yield);
  SmallVector<Value> next, before;
  for (unsigned i : yielded) {
    next.push_back(yield->getOperand(i));
    before.push_back(loop.getRegionIterArg(i));
  }
  Value some = HasRowsOp::create(b, loc, b.getI1Type(), live.getBegin(),
                                 live.getEnd(), rows);
  auto branch = scf::IfOp::create(b, loc, TypeRange(ValueRange(next)), some,
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder then = branch.getThenBodyBuilder();
  OpBuilder otherwise = branch.getElseBodyBuilder();
  Operation *end = scf::YieldOp::create(then, loc, next);
  for (Operation &op :
       llvm::make_early_inc_range(loop.getBody()->without_terminator())) {
    if (!isInside(&op))
      continue;
    if (isa<ReleaseOp>(op))
      otherwise.clone(op);
    op.moveBefore(end);
  }
  scf::YieldOp::create(otherwise, loc, before);
  for (auto [i, result] : llvm::zip(yielded, branch.getResults()))
    yield->setOperand(i, result);
}

/// Whether it leaves elements of a tile out.
static bool isMask(arith::SelectOp select) {
  auto type = dyn_cast<VectorType>(select.getCondition().getType());
  return type && type.getRank() == 2 &&
         matchPattern(select.getFalseValue(), m_NegInfFloat());
}

void Branch::skipMasks() {
  if (!live.getFullBegin())
    return;
  SmallVector<arith::SelectOp> masks;
  auto branch = cast<scf::IfOp>(loop.getBody()
                                    ->getTerminator()
                                    ->getOperand(yielded.front())
                                    .getDefiningOp());
  for (auto select : branch.thenBlock()->getOps<arith::SelectOp>())
    if (isMask(select))
      masks.push_back(select);
  for (arith::SelectOp mask : masks)
    skip(mask);
}

/// A warp all of whose rows are full takes the tile as it is.
void Branch::skip(arith::SelectOp mask) {
  Location loc = mask.getLoc();
  OpBuilder b(mask);
  Value others = HasOtherRowsOp::create(
      b, loc, b.getI1Type(), live.getFullBegin(), live.getFullEnd(), rows);
  auto branch = scf::IfOp::create(b, loc, mask->getResultTypes(), others,
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder then = branch.getThenBodyBuilder();
  OpBuilder otherwise = branch.getElseBodyBuilder();
  scf::YieldOp::create(otherwise, loc, mask.getTrueValue());
  mask->replaceAllUsesWith(branch);
  Operation *end = scf::YieldOp::create(then, loc, mask.getResult());
  // The tile is the other way's as well, so it stays.
  Operations some;
  some.insert(mask);
  takeInWhatServesThem(some);
  for (Operation &op : llvm::make_early_inc_range(*branch->getBlock()))
    if (some.contains(&op))
      op.moveBefore(end);
}

namespace {
struct SkipRowsPass : sparse_attn::impl::SparseAttnSkipRowsBase<SkipRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<LiveRowsOp> marks;
    getOperation().walk([&](LiveRowsOp live) { marks.push_back(live); });
    for (LiveRowsOp live : marks) {
      auto loop = dyn_cast<scf::ForOp>(live->getParentOp());
      auto launch = live->getParentOfType<gpu::LaunchOp>();
      std::optional<int64_t> threads =
          launch ? getConstantIntValue(launch.getBlockSizeX()) : std::nullopt;
      // A warp that has all rows has some that live.
      if (loop && threads && *threads > kWarpSize)
        Branch(loop, live).run();
      else
        live.erase();
    }
  }

  static constexpr int64_t kWarpSize = 32;
};
} // namespace
