//===- StageOperands.cpp - --sparse-attn-stage-operands -------------------===//

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

static LogicalResult verifyRead(vector::TransferReadOp read) {
  if (hasPanels(read.getVectorType()) && startsBuffer(read) &&
      isZeroPadded(read))
    return success();
  return emitNotInForm(read);
}

static FailureOr<Ring> findRing(Block *block) {
  Ring ring{block, {}, 0};
  for (auto read : block->getOps<vector::TransferReadOp>()) {
    if (!isOperand(read, Side::Right))
      continue;
    if (failed(verifyRead(read)))
      return failure();
    VectorType type = read.getVectorType();
    ring.reads.push_back({read, ring.slotBytes});
    SharedLayout layout(type.getDimSize(0), rowBytes(type));
    ring.slotBytes += llvm::alignTo(layout.sizeInBytes(), kSlotAlignment);
  }
  return ring;
}

namespace {
/// What a target allows.
struct Limits {
  int64_t sharedBytes, queryRegisters;
};

struct StageOperandsPass
    : sparse_attn::impl::SparseAttnStageOperandsBase<StageOperandsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (stages < 2) {
      getOperation().emitError("stages must be at least 2");
      return signalPassFailure();
    }
    Limits limits = {sharedLimit, queryRegisters};
    if (!target.empty()) {
      const target::GpuTarget *gpu = requireGpu(getOperation(), target);
      if (!gpu)
        return signalPassFailure();
      limits = {gpu->sharedLimit, gpu->queryRegisters};
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
    int64_t bytes = 0;
    WalkResult result = launch.getBody().walk([&](Block *block) {
      FailureOr<Ring> ring = findRing(block);
      if (failed(ring))
        return WalkResult::interrupt();
      if (!ring->reads.empty())
        rings.push_back(*ring);
      int64_t slots = ring->getLoop() ? int64_t(stages) : 1;
      bytes = std::max(bytes, slots * ring->slotBytes);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
    if (rings.empty())
      return success();
    FailureOr<SmallVector<StagedRead>> queries =
        findQueries(launch, bytes, limits.queryRegisters);
    if (failed(queries))
      return failure();
    int64_t own = ownBytes(launch);
    if (bytes + own > limits.sharedBytes)
      return launch.emitOpError("needs ")
             << bytes + own << " bytes of shared memory for " << int64_t(stages)
             << " stages of keys and values, the queries and lists, "
             << bytes + own - limits.sharedBytes << " more than the "
             << limits.sharedBytes
             << " that a block may use; choose fewer keys a tile";
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
      stageRing(b, ring, shared, stages, copied);
    b.setInsertionPoint(launch);
    launch.getDynamicSharedMemorySizeMutable().assign(arith::ConstantOp::create(
        b, launch.getLoc(), b.getI32IntegerAttr(bytes)));
    return success();
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

  /// The left operands that would take too many registers, each behind what
  /// `bytes` of shared memory are used for already.
  FailureOr<SmallVector<StagedRead>>
  findQueries(gpu::LaunchOp launch, int64_t &bytes, int64_t queryRegisters) {
    SmallVector<StagedRead> queries;
    std::optional<int64_t> threads =
        getConstantIntValue(launch.getBlockSizeX());
    WalkResult result = launch.walk([&](vector::TransferReadOp read) {
      if (!threads || !isOperand(read, Side::Left) ||
          registersOf(read.getVectorType(), *threads) < queryRegisters)
        return WalkResult::advance();
      if (failed(verifyRead(read)))
        return WalkResult::interrupt();
      queries.push_back({read, bytes});
      SharedLayout layout(read.getVectorType().getDimSize(0),
                          rowBytes(read.getVectorType()));
      bytes += llvm::alignTo(layout.sizeInBytes(), kSlotAlignment);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
    return queries;
  }
};
} // namespace
