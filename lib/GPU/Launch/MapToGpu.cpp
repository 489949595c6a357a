//===- MapToGpu.cpp - --sparse-attn-map-to-gpu ----------------------------===//

#include "Form/TileRead.h"
#include "Launch/Grid.h"
#include "Launch/Launches.h"
#include "RequireGpu.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/MathExtras.h"

#define DEBUG_TYPE "sparse-attn-map-to-gpu"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNMAPTOGPU
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Along x of a grid.
constexpr int64_t kMaxBlocks = 2147483647;

//===----------------------------------------------------------------------===//
// Size of a block
//===----------------------------------------------------------------------===//

/// The query rows of the body's tiles: those of its products and of what it
/// writes; 0 where it computes with no tiles.
static int64_t tileRows(scf::ForallOp forall) {
  int64_t rows = 0;
  forall.walk([&](vector::ContractionOp op) {
    rows = std::max(rows, cast<VectorType>(op.getResultType()).getDimSize(0));
  });
  forall.walk([&](vector::TransferWriteOp op) {
    rows = std::max(rows, op.getVectorType().getDimSize(0));
  });
  forall.walk([&](WriteRowsOp op) {
    rows = std::max(rows,
                    cast<ShapedType>(op.getSource().getType()).getDimSize(0));
  });
  return rows;
}

/// Whether a vector numbers its elements from a start.
static bool isNumbering(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<vector::StepOp, vector::BroadcastOp, arith::ConstantOp>(op))
    return true;
  return isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::AddIOp,
             arith::SubIOp>(op) &&
         llvm::all_of(op->getOperands(), isNumbering);
}

/// How many values of each key a step over a tile holds for its mask, beside
/// the key's position: remainders, blocks, membership.
static int64_t numKeyValues(scf::ForallOp forall) {
  int64_t most = 0;
  forall.walk([&](Block *block) {
    llvm::SmallPtrSet<Value, 8> values;
    for (auto broadcast : block->getOps<vector::BroadcastOp>()) {
      auto type = dyn_cast<VectorType>(broadcast.getSource().getType());
      if (type && type.getRank() == 1 &&
          broadcast.getResultVectorType().getRank() == 2 &&
          isa<IntegerType, IndexType>(type.getElementType()) &&
          !isNumbering(broadcast.getSource()))
        values.insert(broadcast.getSource());
    }
    most = std::max<int64_t>(most, values.size());
  });
  return most;
}

/// The most columns that a product holds: those of its result and, where it is
/// computed, those of its left operand, as probabilities are.
static int64_t heldColumns(scf::ForallOp forall) {
  int64_t most = 0;
  forall.walk([&](vector::ContractionOp op) {
    int64_t columns = cast<VectorType>(op.getResultType()).getDimSize(1);
    if (!kernels::TileRead::of(op.getLhs()))
      columns += op.getLhsType().getDimSize(1);
    most = std::max(most, columns);
  });
  return most;
}

/// Whether all operands of products have 2 bytes an element.
static bool hasHalfOperands(scf::ForallOp forall) {
  return !forall
              .walk([](vector::ContractionOp op) {
                bool isHalf = op.getRhsType().getElementTypeBitWidth() == 16;
                return isHalf ? WalkResult::advance() : WalkResult::interrupt();
              })
              .wasInterrupted();
}

/// 32 rows a warp halve what each product reads from shared memory, but twice
/// as many accumulators must fit the registers of a thread, one for each column
/// that is held. With them must fit what the mask holds of each of its keys.
static int64_t chooseWarps(scf::ForallOp forall,
                           const target::WarpRules &rules) {
  int64_t rows = tileRows(forall);
  if (rows == 0)
    return 1;
  int64_t columns = heldColumns(forall);
  int64_t most =
      hasHalfOperands(forall) ? rules.wideHalfColumns : rules.wideColumns;
  int64_t keyValues = numKeyValues(forall);
  bool isWide = rows % rules.wideRows == 0 && rows >= rules.wideTileRows &&
                columns <= most && keyValues < rules.wideKeyValues;
  int64_t rowsOfWarp = isWide ? rules.wideRows : rules.rows;
  LDBG() << "a warp takes " << rowsOfWarp << " of " << rows
         << " rows: products hold up to " << columns
         << " columns, and the mask holds " << keyValues << " values a key";
  return std::max<int64_t>(rows / rowsOfWarp, 1);
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

static Value constantIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

/// Buffers that the body allocates (lists of drawn tiles) are the block's own.
static LogicalResult moveToSharedMemory(gpu::LaunchOp launch) {
  SmallVector<memref::AllocOp> allocs;
  launch.getBody().walk([&](memref::AllocOp op) { allocs.push_back(op); });
  for (memref::AllocOp op : allocs) {
    if (!op.getType().hasStaticShape())
      return op.emitOpError("allocates a buffer of unknown size inside a "
                            "kernel, which cannot be in shared memory");
    Value shared = launch.addWorkgroupAttribution(
        kernels::inSpace(op.getType(), gpu::AddressSpace::Workgroup),
        op.getLoc());
    op.getMemref().replaceAllUsesWith(shared);
    op.erase();
  }
  return success();
}

/// The empty module for the kernels of `func` and its variants. Kernels of
/// others are not to come into it, so a name that is taken is not used again.
static gpu::GPUModuleOp makeModule(func::FuncOp func, StringRef name,
                                   SymbolTable &symbols) {
  OpBuilder b(func.getContext());
  auto module =
      gpu::GPUModuleOp::create(b, func.getLoc(), (name + "_kernels").str());
  module->setAttr(kKernelsAttr, b.getUnitAttr());
  symbols.insert(module, std::next(func->getIterator()));
  return module;
}

/// A block is one iteration of the outermost loop.
static void remarkNested(scf::ForallOp forall) {
  forall.getBody()->walk([&](scf::ForallOp inner) {
    inner.emitRemark("runs one iteration after another in each block, as it "
                     "stands in another scf.forall, whose iterations are the "
                     "blocks; take the attention out of that loop, or give the "
                     "loop fewer of its dimensions");
  });
}

static FailureOr<gpu::LaunchOp> mapForall(scf::ForallOp forall, int64_t warps,
                                          int64_t cacheBytes,
                                          kernels::KernelTables &tables) {
  OpBuilder b(forall);
  Location loc = forall.getLoc();
  kernels::Grid grid(b, forall, cacheBytes);
  Value one = constantIndex(b, loc, 1);
  auto launch =
      gpu::LaunchOp::create(b, loc, grid.getBlocks(), one, one,
                            constantIndex(b, loc, 32 * warps), one, one);
  Block &block = launch.getBody().front();
  b.setInsertionPointToStart(&block);
  SmallVector<Value> indices = grid.indices(b, loc, launch.getBlockIds().x);
  for (auto [old, fresh] : llvm::zip(forall.getInductionVars(), indices))
    old.replaceAllUsesWith(fresh);
  forall.getTerminator()->erase();
  block.getOperations().splice(block.end(), forall.getBody()->getOperations());
  b.setInsertionPointToEnd(&block);
  gpu::TerminatorOp::create(b, loc);
  if (Attribute together = forall->getDiscardableAttr(kTogetherAttr))
    launch->setDiscardableAttr(kTogetherAttr, together);
  forall.erase();
  kernels::sinkScalars(launch);
  if (failed(moveToSharedMemory(launch)))
    return failure();
  tables.sinkInto(launch);
  kernels::moveToGlobalSpace(launch);
  return launch;
}

/// The iterations, where they are known; those that no number counts are one
/// more than a grid takes.
static std::optional<int64_t> countBlocks(scf::ForallOp forall) {
  int64_t blocks = 1;
  for (OpFoldResult bound : forall.getMixedUpperBound()) {
    std::optional<int64_t> size = getConstantIntValue(bound);
    if (!size)
      return std::nullopt;
    if (*size <= 0)
      return 0;
    if (llvm::MulOverflow(blocks, *size, blocks))
      blocks = kMaxBlocks + 1;
    blocks = std::min(blocks, kMaxBlocks + 1);
  }
  return blocks;
}

static LogicalResult verifyForall(scf::ForallOp forall, int64_t warps,
                                  int64_t rowsOfWarp) {
  if (forall.getNumResults() != 0)
    return forall.emitOpError(
        "has tensor results; bufferise before mapping to a GPU");
  if (!forall.isNormalized())
    return forall.emitOpError("does not count from 0 in steps of 1; normalise "
                              "it before mapping to a GPU");
  std::optional<int64_t> blocks = countBlocks(forall);
  if (blocks && *blocks > kMaxBlocks)
    return forall.emitOpError("has more than ")
           << kMaxBlocks
           << " iterations, and so many blocks are the most that a grid has: "
              "split the batch";
  int64_t rows = tileRows(forall);
  if (warps > kMaxWarps)
    return forall.emitOpError("computes tiles of ")
           << rows << " rows, for which a block would need " << warps
           << " warps; it has at most " << kMaxWarps
           << ": choose fewer query rows";
  if (rows % (rowsOfWarp * warps) != 0)
    return forall.emitOpError("computes tiles of ")
           << rows << " rows, which " << warps << " warps of " << rowsOfWarp
           << " rows each cannot share evenly; choose a multiple of "
           << rowsOfWarp * warps << " query rows or fewer warps";
  return success();
}

namespace {
struct MapToGpuPass : sparse_attn::impl::SparseAttnMapToGpuBase<MapToGpuPass> {
  using Base::Base;

  void runOnOperation() override {
    if (warps < 0 || warps > kMaxWarps) {
      getOperation().emitError("warps must lie between 1 and 32, or be 0 to "
                               "let the tile choose");
      return signalPassFailure();
    }
    const target::GpuTarget *gpu = kernels::requireGpu(getOperation(), target);
    if (!gpu)
      return signalPassFailure();
    SymbolTable symbols(getOperation());
    kernels::KernelTables tables(symbols);
    KernelModules modules;
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (failed(mapFunction(func, tables, modules, *gpu)))
        return signalPassFailure();
  }

  /// The modules of kernels by the names that they are called after.
  using KernelModules = llvm::DenseMap<StringAttr, gpu::GPUModuleOp>;

  LogicalResult mapFunction(func::FuncOp func, kernels::KernelTables &tables,
                            KernelModules &modules,
                            const target::GpuTarget &gpu) const {
    const target::WarpRules &rules = gpu.warps;
    SmallVector<scf::ForallOp> foralls;
    func.walk<WalkOrder::PreOrder>([&](scf::ForallOp forall) {
      foralls.push_back(forall);
      return WalkResult::skip();
    });
    if (foralls.empty())
      return success();
    auto variantOf = func->getAttrOfType<StringAttr>(kVariantOfAttr);
    gpu::GPUModuleOp &module =
        modules[variantOf ? variantOf : func.getNameAttr()];
    if (!module)
      module =
          makeModule(func, variantOf ? variantOf.getValue() : func.getName(),
                     tables.getSymbols());
    for (auto [number, forall] : llvm::enumerate(foralls)) {
      // A tile of few rows, as rows that are split have, gets as few warps.
      int64_t rows = tileRows(forall);
      int64_t most = rows / rules.rows;
      int64_t count = warps > 0 && most > 0 ? std::min<int64_t>(warps, most)
                                            : chooseWarps(forall, rules);
      if (failed(verifyForall(forall, count, rules.rows)))
        return failure();
      remarkNested(forall);
      FailureOr<gpu::LaunchOp> launch =
          mapForall(forall, count, gpu.cacheBytes / 2, tables);
      if (failed(launch))
        return failure();
      launch->setModuleAttr(FlatSymbolRefAttr::get(module.getSymNameAttr()));
      kernels::nameKernel(*launch, number);
      remark::analysis(launch->getLoc(),
                       remark::RemarkOpts::name("launch").category(DEBUG_TYPE))
          << remark::metric("warps", count) << remark::metric("rows", rows);
    }
    return success();
  }
};
} // namespace
