//===- StageOperands.cpp - --sparse-attn-stage-operands -------------------===//

#include "SharedLayout.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNSTAGEOPERANDS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;
using namespace mlir::sparse_attn::mask;

/// Slots start at multiples of what the widest swizzle repeats after.
constexpr int64_t kSlotAlignment = 1024;

namespace {
/// One tile of a ring's slot.
struct StagedRead {
  vector::TransferReadOp read;
  int64_t offset; ///< within the slot

  int64_t rows() { return read.getVectorType().getDimSize(0); }
};

/// The tiles that one block of operations brings: in each iteration, where it
/// is the body of a loop over key tiles.
struct Ring {
  Block *block;
  SmallVector<StagedRead> reads;
  int64_t slotBytes = 0;

  scf::ForOp getLoop() const {
    return dyn_cast<scf::ForOp>(block->getParentOp());
  }
};
} // namespace

static int64_t rowBytes(VectorType type) {
  return type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
}

/// Whether a product takes this as its left (0) or right (1) operand; a right
/// one may also be looked at, whole or a row at a time.
static bool isUseOnSide(OpOperand &use, unsigned side) {
  Operation *user = use.getOwner();
  if (isa<vector::ContractionOp>(user))
    return use.getOperandNumber() == side;
  return side == 1 && (isa<vector::ExtractOp>(user) ||
                       OpTrait::hasElementwiseMappableTraits(user));
}

/// True for a read of whole rows from global memory that products take as
/// their left (0) or right (1) operand.
static bool isOperand(vector::TransferReadOp read, unsigned side) {
  VectorType type = read.getVectorType();
  return type.getRank() == 2 && isa<MemRefType>(read.getShapedType()) &&
         read.getPermutationMap().isIdentity() &&
         llvm::all_of(read->getUses(),
                      [&](OpOperand &use) { return isUseOnSide(use, side); }) &&
         llvm::any_of(read->getUsers(), llvm::IsaPred<vector::ContractionOp>);
}

/// Where queries and keys are one tensor, one read may serve as both operands,
/// which are staged apart: what is no left operand gets a read of its own.
static void separateOperands(gpu::LaunchOp launch) {
  SmallVector<vector::TransferReadOp> reads;
  launch.walk([&](vector::TransferReadOp read) { reads.push_back(read); });
  for (vector::TransferReadOp read : reads) {
    auto isOnSide = [](unsigned side) {
      return [=](OpOperand &use) {
        return isa<vector::ContractionOp>(use.getOwner()) &&
               use.getOperandNumber() == side;
      };
    };
    if (llvm::none_of(read->getUses(), isOnSide(0)) ||
        llvm::none_of(read->getUses(), isOnSide(1)))
      continue;
    OpBuilder b(read);
    Operation *copy = b.clone(*read);
    read.getResult().replaceUsesWithIf(
        copy->getResult(0), [&](OpOperand &use) { return !isOnSide(0)(use); });
  }
}

/// Whether operations behind `read` and before `user` bring tiles of their own.
static bool areTilesBetween(vector::TransferReadOp read, Operation *user) {
  for (Operation *op = read->getNextNode(); op && op != user;
       op = op->getNextNode()) {
    WalkResult result = op->walk([&](vector::ContractionOp product) {
      return product == op ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return true;
  }
  return false;
}

/// The outermost block inside of `ancestor` that holds `op`; the block of both
/// where they are one.
static Block *blockBelow(Operation *ancestor, Operation *op) {
  while (op != ancestor && op->getParentOp() != ancestor)
    op = op->getParentOp();
  return op->getBlock();
}

/// A tile that no loop brings stays in shared memory until the next loop brings
/// its own: what uses it after that gets a read of its own.
static void separateFromLoops(gpu::LaunchOp launch) {
  SmallVector<vector::TransferReadOp> reads;
  launch.walk([&](vector::TransferReadOp read) { reads.push_back(read); });
  while (!reads.empty()) {
    vector::TransferReadOp read = reads.pop_back_val();
    if (!isOperand(read, 1))
      continue;
    llvm::MapVector<Block *, SmallVector<OpOperand *>> uses;
    for (OpOperand &use : read->getUses()) {
      Operation *user = use.getOwner();
      Operation *ancestor = read->getBlock()->findAncestorOpInBlock(*user);
      if (areTilesBetween(read, ancestor))
        uses[blockBelow(ancestor, user)].push_back(&use);
    }
    for (auto &[block, operands] : uses) {
      Operation *first = nullptr;
      for (OpOperand *use : operands) {
        Operation *user = block->findAncestorOpInBlock(*use->getOwner());
        if (!first || user->isBeforeInBlock(first))
          first = user;
      }
      OpBuilder b(first);
      auto copy = cast<vector::TransferReadOp>(b.clone(*read));
      for (OpOperand *use : operands)
        use->set(copy.getResult());
      reads.push_back(copy);
    }
    if (read.use_empty())
      read.erase();
  }
}

/// Registers that a thread needs to hold a left operand; those of f32 are split
/// into two numbers each.
static int64_t registersOf(VectorType type, int64_t numThreads) {
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  return bytes / 4 / numThreads * (type.getElementType().isF32() ? 2 : 1);
}

static LogicalResult verifyRead(vector::TransferReadOp read) {
  VectorType type = read.getVectorType();
  if (rowBytes(type) % 32 != 0 || type.getDimSize(0) % 16 != 0)
    return read.emitOpError("brings a tile of ")
           << type
           << " into shared memory; rows must be multiples of 32 bytes and "
              "their number one of 16: choose a head size that is a multiple "
              "of 16 and a tile of a multiple of 16 keys";
  // Copies past the end fill with zeros.
  if (read.hasOutOfBoundsDim() &&
      !matchPattern(read.getPadding(), m_AnyZeroFloat()))
    return read.emitOpError("is padded with a value other than zero; pad key "
                            "and value tiles with zeros");
  return success();
}

static FailureOr<Ring> findRing(Block *block) {
  Ring ring{block, {}, 0};
  for (auto read : block->getOps<vector::TransferReadOp>()) {
    if (!isOperand(read, 1))
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

/// Emits at `b` the values that `value` depends on inside the loop, with the
/// induction variable replaced as `map` says.
static Value cloneSlice(OpBuilder &b, scf::ForOp loop, Value value,
                        IRMapping &map) {
  if (Value known = map.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != loop.getBody())
    return value;
  llvm::SetVector<Value> operands;
  operands.insert_range(op->getOperands());
  getUsedValuesDefinedAbove(op->getRegions(), operands);
  for (Value operand : operands)
    (void)cloneSlice(b, loop, operand, map);
  b.clone(*op, map);
  return map.lookup(value);
}

/// Tiles that no loop brings are copied where they are read, and waited for.
static void stageInPlace(OpBuilder &b, Ring &ring, Value shared) {
  for (StagedRead &staged : ring.reads) {
    vector::TransferReadOp read = staged.read;
    Location loc = read.getLoc();
    b.setInsertionPoint(read);
    Value offset = arith::ConstantIndexOp::create(b, loc, staged.offset);
    // Others may still read what lies there.
    gpu::BarrierOp::create(b, loc);
    StageTileOp::create(b, loc, read.getBase(), shared, offset, staged.rows());
    NVVM::CpAsyncCommitGroupOp::create(b, loc);
    NVVM::CpAsyncWaitGroupOp::create(b, loc, b.getI32IntegerAttr(0));
    gpu::BarrierOp::create(b, loc);
    auto tile =
        StagedTileOp::create(b, loc, read.getVectorType(), shared, offset);
    read.replaceAllUsesWith(tile.getTile());
    read.erase();
  }
}

/// Queries are copied once, as the oldest group: the first tile's wait includes
/// it.
static void stageQueries(OpBuilder &b, StagedRead &staged, Value shared) {
  vector::TransferReadOp read = staged.read;
  Location loc = read.getLoc();
  b.setInsertionPoint(read);
  Value offset = arith::ConstantIndexOp::create(b, loc, staged.offset);
  StageTileOp::create(b, loc, read.getBase(), shared, offset, staged.rows());
  NVVM::CpAsyncCommitGroupOp::create(b, loc);
  auto tile =
      StagedTileOp::create(b, loc, read.getVectorType(), shared, offset);
  read.replaceAllUsesWith(tile.getTile());
  read.erase();
}

namespace {
/// Rewrites one loop.
class RingEmitter {
public:
  RingEmitter(Ring &ring, Value shared, int64_t stages)
      : ring(ring), loop(ring.getLoop()), loc(loop.getLoc()), shared(shared),
        stages(stages) {}

  void run(OpBuilder &b) {
    emitPrologue(b);
    b.setInsertionPointToStart(loop.getBody());
    // Tile t has landed when all but the newest stages - 2 groups have.
    NVVM::CpAsyncWaitGroupOp::create(b, loc, b.getI32IntegerAttr(stages - 2));
    gpu::BarrierOp::create(b, loc);
    Value ahead = index(b, stages - 1);
    stageIfInside(b,
                  arith::AddIOp::create(b, loc, loop.getInductionVar(), ahead));
    Value slot = slotOf(b, loop.getInductionVar());
    for (StagedRead &staged : ring.reads) {
      vector::TransferReadOp read = staged.read;
      Value offset =
          arith::AddIOp::create(b, loc, slot, index(b, staged.offset));
      auto tile = StagedTileOp::create(b, read.getLoc(), read.getVectorType(),
                                       shared, offset);
      read.replaceAllUsesWith(tile.getTile());
      read.erase();
    }
  }

private:
  Value index(OpBuilder &b, int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  /// The first tiles. The barrier keeps them from overwriting what a loop
  /// before this one may still read.
  void emitPrologue(OpBuilder &b) {
    b.setInsertionPoint(loop);
    gpu::BarrierOp::create(b, loc);
    for (int64_t s = 0; s + 1 < stages; ++s)
      stageIfInside(b, b.createOrFold<arith::AddIOp>(loc, loop.getLowerBound(),
                                                     index(b, s)));
  }

  /// Byte offset of the slot of iteration t.
  Value slotOf(OpBuilder &b, Value t) {
    Value count = arith::SubIOp::create(b, loc, t, loop.getLowerBound());
    Value slot = arith::RemUIOp::create(b, loc, count, index(b, stages));
    return arith::MulIOp::create(b, loc, slot, index(b, ring.slotBytes));
  }

  /// Stages the tiles of iteration t if there is one, as one group of copies.
  void stageIfInside(OpBuilder &b, Value t) {
    Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, t,
                                         loop.getUpperBound());
    scf::IfOp::create(b, loc, inside, [&](OpBuilder &then, Location) {
      IRMapping map;
      map.map(loop.getInductionVar(), t);
      Value slot = slotOf(then, t);
      for (StagedRead &staged : ring.reads) {
        vector::TransferReadOp read = staged.read;
        Value source = cloneSlice(then, loop, read.getBase(), map);
        Value offset =
            arith::AddIOp::create(then, loc, slot, index(then, staged.offset));
        StageTileOp::create(then, read.getLoc(), source, shared, offset,
                            staged.rows());
      }
      scf::YieldOp::create(then, loc);
    });
    NVVM::CpAsyncCommitGroupOp::create(b, loc);
  }

  Ring &ring;
  scf::ForOp loop;
  Location loc;
  Value shared;
  int64_t stages;
};

struct StageOperandsPass
    : sparse_attn::impl::SparseAttnStageOperandsBase<StageOperandsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (stages < 2) {
      getOperation().emitError("stages must be at least 2");
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](gpu::LaunchOp launch) {
      return failed(stage(launch)) ? WalkResult::interrupt()
                                   : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult stage(gpu::LaunchOp launch) {
    separateOperands(launch);
    separateFromLoops(launch);
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
    FailureOr<SmallVector<StagedRead>> queries = findQueries(launch, bytes);
    if (failed(queries))
      return failure();
    int64_t own = ownBytes(launch);
    if (bytes + own > sharedLimit)
      return launch.emitOpError("needs ")
             << bytes + own << " bytes of shared memory for " << int64_t(stages)
             << " stages of keys and values, the queries and lists, "
             << bytes + own - sharedLimit << " more than the "
             << int64_t(sharedLimit)
             << " that a block may use; choose fewer keys a tile";
    OpBuilder b = OpBuilder::atBlockBegin(&launch.getBody().front());
    auto space =
        gpu::AddressSpaceAttr::get(&getContext(), gpu::AddressSpace::Workgroup);
    auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type(),
                                MemRefLayoutAttrInterface(), space);
    Value shared = gpu::DynamicSharedMemoryOp::create(b, launch.getLoc(), type);
    for (StagedRead &staged : *queries)
      stageQueries(b, staged, shared);
    for (Ring &ring : rings) {
      if (ring.getLoop())
        RingEmitter(ring, shared, stages).run(b);
      else
        stageInPlace(b, ring, shared);
    }
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
  FailureOr<SmallVector<StagedRead>> findQueries(gpu::LaunchOp launch,
                                                 int64_t &bytes) {
    SmallVector<StagedRead> queries;
    std::optional<int64_t> threads =
        getConstantIntValue(launch.getBlockSizeX());
    WalkResult result = launch.walk([&](vector::TransferReadOp read) {
      if (!threads || !isOperand(read, 0) ||
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
