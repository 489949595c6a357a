//===- StageOperands.cpp - --sparse-attn-stage-operands -------------------===//

#include "FewRegisters.h"
#include "Form/Elements.h"
#include "Form/TileForm.h"
#include "RequireGpu.h"
#include "SharedLayout.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/GPU/Passes.h"
#include "TileRing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNSTAGEOPERANDS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

constexpr int64_t kWarpSize = 32;

/// What a multiprocessor's shared memory holds besides for each block.
constexpr int64_t kBlockBytes = 1024;

/// Slots start at multiples of what the widest swizzle repeats after.
constexpr int64_t kSlotAlignment = 1024;

static int64_t rowBytes(VectorType type) {
  return type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
}

/// Registers that a thread needs to hold a left operand; those of f32 are split
/// into two numbers each.
static int64_t registersOf(VectorType type, int64_t numThreads) {
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  return bytes / 4 / numThreads * (type.getElementType().isF32() ? 2 : 1);
}

static LogicalResult verifyRead(TileRead read) {
  if (read.isStageable() &&
      (!read.getPositions() ||
       !findWhole(read.getPositions(), read.getOperation())))
    return success();
  return emitNotInForm(read.getOperation());
}

static FailureOr<Ring> findRing(Block *block) {
  Ring ring{block, {}, 0};
  for (Operation &op : *block) {
    TileRead read(&op);
    if (!read || !isOperand(read, Side::Right))
      continue;
    if (failed(verifyRead(read)))
      return failure();
    VectorType type = read.getType();
    ring.reads.push_back({read, ring.slotBytes});
    SharedLayout layout(type.getDimSize(0), rowBytes(type));
    ring.slotBytes += llvm::alignTo(layout.sizeInBytes(), kSlotAlignment);
  }
  return ring;
}

/// Registers in which a thread has what the products with the tiles of `ring`
/// come to.
static int64_t accumulatorsOf(const Ring &ring, int64_t numThreads) {
  int64_t elements = 0;
  for (StagedRead staged : ring.reads) {
    int64_t most = 0;
    for (Operation *user : staged.read->getUsers())
      if (auto product = dyn_cast<vector::ContractionOp>(user))
        most = std::max(
            most, cast<VectorType>(product.getResultType()).getNumElements());
    elements += most;
  }
  return elements / numThreads;
}

namespace {
/// What a target allows.
struct Limits {
  int64_t sharedBytes, queryRegisters;
  target::RingRules rings;
};

struct StageOperandsPass
    : sparse_attn::impl::SparseAttnStageOperandsBase<StageOperandsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (stages < 2) {
      getOperation().emitError("stages must be at least 2");
      return signalPassFailure();
    }
    Limits limits = {sharedLimit, queryRegisters, {}};
    if (!target.empty()) {
      const target::GpuTarget *gpu = requireGpu(getOperation(), target);
      if (!gpu)
        return signalPassFailure();
      limits = {gpu->sharedLimit, gpu->queryRegisters, gpu->rings};
    }
    WalkResult result = getOperation().walk([&](gpu::LaunchOp launch) {
      return failed(stage(launch, limits)) ? WalkResult::interrupt()
                                           : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult stage(gpu::LaunchOp launch, const Limits &limits) {
    separateReads(launch);
    SmallVector<Ring> rings;
    WalkResult result = launch.getBody().walk([&](Block *block) {
      FailureOr<Ring> ring = findRing(block);
      if (failed(ring))
        return WalkResult::interrupt();
      if (!ring->reads.empty())
        rings.push_back(*ring);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
    if (rings.empty())
      return success();
    int64_t queryBytes = 0;
    FailureOr<SmallVector<StagedRead>> queries =
        findQueries(launch, queryBytes, limits.queryRegisters);
    if (failed(queries))
      return failure();
    int64_t own = ownBytes(launch);
    std::optional<int64_t> threads =
        getConstantIntValue(launch.getBlockSizeX());
    // The lanes of one warp meet without a barrier of the block.
    bool apart =
        mbarriers || (threads && *threads > kWarpSize &&
                      areApart(rings, *threads, queryBytes + own, limits));
    if (threads && llvm::any_of(rings, [&](const Ring &ring) {
          return leavesFewRegisters(accumulatorsOf(ring, *threads));
        }))
      for (Ring &ring : rings)
        ring.isNarrow = true;
    int64_t bytes = layOut(rings, apart);
    for (StagedRead &staged : *queries)
      staged.offset += bytes;
    bytes += queryBytes;
    if (apart)
      bytes = layOutBarriers(rings, bytes);
    if (failed(verifyFits(launch, bytes + own, limits.sharedBytes)))
      return failure();
    IRRewriter b(&getContext());
    b.setInsertionPointToStart(&launch.getBody().front());
    auto space =
        gpu::AddressSpaceAttr::get(&getContext(), gpu::AddressSpace::Workgroup);
    auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type(),
                                MemRefLayoutAttrInterface(), space);
    Value shared = gpu::DynamicSharedMemoryOp::create(b, launch.getLoc(), type);
    SmallVector<StagedQueries> copied;
    for (StagedRead &staged : *queries)
      copied.push_back(stageQueries(b, staged, shared, rings));
    for (Ring &ring : rings)
      stageRing(b, ring, shared, stages - 1, copied);
    b.setInsertionPoint(launch);
    launch.getDynamicSharedMemorySizeMutable().assign(arith::ConstantOp::create(
        b, launch.getLoc(), b.getI32IntegerAttr(bytes)));
    return success();
  }

  LogicalResult verifyFits(gpu::LaunchOp launch, int64_t bytes,
                           int64_t limit) const {
    if (bytes <= limit)
      return success();
    return launch.emitOpError("needs ")
           << bytes << " bytes of shared memory for " << int64_t(stages)
           << " stages of keys and values, the queries and lists, "
           << bytes - limit << " more than the " << limit
           << " that a block may use; choose fewer keys or queries a tile, or "
              "fewer stages";
  }

  /// Gives rings their slots, and returns what they take: one ring is there at
  /// a time. Where warps run apart, one more slot lets them be a tile apart.
  int64_t layOut(MutableArrayRef<Ring> rings, bool apart) const {
    int64_t bytes = 0;
    for (Ring &ring : rings) {
      ring.slots = ring.getLoop() ? stages + apart : 1;
      bytes = std::max(bytes, ring.slots * ring.slotBytes);
    }
    return bytes;
  }

  /// Behind `bytes` of other memory. Returns what all of it takes.
  static int64_t layOutBarriers(MutableArrayRef<Ring> rings, int64_t bytes) {
    for (Ring &ring : rings)
      if (ring.getLoop()) {
        ring.barriers = bytes;
        bytes += RingOp::bytesOf(ring.slots);
      }
    return bytes;
  }

  /// Whether the warps of a block meet for no tile: where the target's rule has
  /// it so, and the slot that this takes costs no second block its place on a
  /// multiprocessor, beside `others` bytes of shared memory.
  bool areApart(ArrayRef<Ring> rings, int64_t numThreads, int64_t others,
                const Limits &limits) const {
    const target::RingRules &rule = limits.rings;
    bool isInRule = llvm::all_of(rings, [&](const Ring &ring) {
      return accumulatorsOf(ring, numThreads) <= rule.mbarrierAccumulators &&
             llvm::all_of(ring.reads, [&](const StagedRead &staged) {
               Value tile = staged.read->getResult(0);
               return cast<VectorType>(tile.getType())
                          .getElementTypeBitWidth() <=
                      8 * rule.mbarrierElementBytes;
             });
    });
    if (!isInRule)
      return false;
    SmallVector<Ring> tried(rings);
    int64_t meeting = others + layOut(tried, /*apart=*/false);
    int64_t apart =
        layOutBarriers(tried, others + layOut(tried, /*apart=*/true));
    auto twoFit = [&](int64_t bytes) {
      return 2 * (bytes + kBlockBytes) <= limits.sharedBytes + kBlockBytes;
    };
    return apart <= limits.sharedBytes && (twoFit(apart) || !twoFit(meeting));
  }

  /// What the launch's own buffers, such as lists of drawn tiles, take.
  static int64_t ownBytes(gpu::LaunchOp launch) {
    int64_t bytes = 0;
    for (BlockArgument buffer : launch.getWorkgroupAttributions()) {
      auto type = cast<MemRefType>(buffer.getType());
      unsigned bits =
          type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
      bytes += llvm::alignTo(llvm::divideCeil(type.getNumElements() * bits, 8),
                             kSharedAlignment);
    }
    return bytes;
  }

  /// The left operands that would take too many registers, one behind the
  /// other; `bytes` is what they take.
  FailureOr<SmallVector<StagedRead>>
  findQueries(gpu::LaunchOp launch, int64_t &bytes, int64_t queryRegisters) {
    SmallVector<StagedRead> queries;
    std::optional<int64_t> threads =
        getConstantIntValue(launch.getBlockSizeX());
    WalkResult result = launch.walk([&](Operation *op) {
      TileRead read(op);
      if (!threads || !read || !isOperand(read, Side::Left) ||
          (!read.getPositions() &&
           registersOf(read.getType(), *threads) < queryRegisters))
        return WalkResult::advance();
      if (failed(verifyRead(read)))
        return WalkResult::interrupt();
      queries.push_back({read, bytes});
      SharedLayout layout(read.getRows(), rowBytes(read.getType()));
      bytes += llvm::alignTo(layout.sizeInBytes(), kSlotAlignment);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
    return queries;
  }
};
} // namespace
