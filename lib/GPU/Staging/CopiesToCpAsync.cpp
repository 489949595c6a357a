//===- CopiesToCpAsync.cpp - --sparse-attn-copies-to-cp-async -------------===//

#include "BufferPointers.h"
#include "CopyGroups.h"
#include "RequireGpu.h"
#include "RingBarriers.h"
#include "SharedAddress.h"
#include "SharedLayout.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNCOPIESTOCPASYNC
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
/// Copies one panel: consecutive threads take consecutive chunks of a row, then
/// rows, so that a warp reads whole rows of global memory.
class PanelCopy {
public:
  PanelCopy(OpBuilder &b, StageOp op, int64_t numThreads, bool onePointer,
            const SharedPanel &panel)
      : b(b), loc(op.getLoc()), math{b, op.getLoc()}, op(op),
        numThreads(numThreads), onePointer(onePointer), panel(panel),
        type(op.getSourceType()),
        elementBytes(type.getElementTypeBitWidth() / 8) {}

  void emit(Value target) {
    int64_t rowsAtOnce = numThreads / panel.chunks();
    row = math.div(op.getThread(), panel.chunks());
    chunk = math.mod(op.getThread(), panel.chunks());
    int64_t rows = op.getRows();
    Value start = startIn(op.hasPosition() ? Value() : row);
    for (int64_t first = 0; first < rows; first += rowsAtOnce) {
      if (first > 0 && !op.hasPosition())
        start = advanceRows(start, rowsAtOnce);
      // The last step may have more threads than rows.
      if (first + rowsAtOnce <= rows) {
        copy(sourceOf(start, first), target, first);
        continue;
      }
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           row, math.constant(rows - first));
      auto guarded = scf::IfOp::create(b, loc, inside, /*withElse=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(guarded.thenBlock());
      copy(sourceOf(start, first), target, first);
    }
  }

private:
  /// A chunk to row first + row of the tile. What `first` adds to
  /// the addresses is constant but for its part below 8, on which the swizzle
  /// depends: so one pointer a thread serves all steps.
  void copy(Value source, Value target, int64_t first) {
    Value swizzled = math.add(row, math.constant(first % 8));
    Value phase =
        math.mod(math.div(swizzled, 128 / panel.width), panel.chunks());
    Value place = math.add(math.mul(swizzled, panel.width),
                           math.mul(math.bitXor(chunk, phase), 16));
    Value destination = advance(b, loc, target, place);
    destination = advance(b, loc, destination,
                          panel.offset + (first - first % 8) * panel.width);
    NVVM::CpAsyncOp::create(b, loc, destination, source, 16,
                            NVVM::LoadCacheModifierKind::CG,
                            presentBytes(first));
  }

  Value toI64(Value x) {
    return arith::ExtUIOp::create(b, loc, b.getI64Type(), x);
  }
  Value constantI64(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }
  Value step(Value pointer, LLVM::GEPArg elements) {
    return LLVM::GEPOp::create(b, loc, pointer.getType(), type.getElementType(),
                               pointer, ArrayRef<LLVM::GEPArg>{elements});
  }

  /// The thread's chunk of a row of the source, or of its first one. The
  /// thread's own part comes before the tile's, so that their sum with the
  /// buffer's first element is one value of a loop. With one pointer all comes
  /// first that is the same for all tiles, and a loop over them adds no more
  /// than which rows the tile has.
  Value startIn(Value ofRow) {
    Value lane = toI64(math.mul(chunk, 16 / elementBytes));
    if (ofRow)
      lane = arith::AddIOp::create(
          b, loc, b.createOrFold<arith::MulIOp>(loc, toI64(ofRow), rowStride()),
          lane);
    RowsOfBuffer rows = rowsOfBuffer(b, loc, op.getSource(), onePointer);
    Value start = step(rows.pointer, lane);
    if (rows.offset)
      start = step(start, rows.offset);
    if (panel.firstByte > 0)
      start = step(start, static_cast<int32_t>(panel.firstByte / elementBytes));
    if (rows.first)
      start = step(start,
                   b.createOrFold<arith::MulIOp>(loc, rows.first, rowStride()));
    return start;
  }

  /// The row of the source that row `number` of the tile is.
  Value positionOf(Value number) {
    Block &block = op.getPosition().front();
    IRMapping map;
    map.map(block.getArgument(0), number);
    for (Operation &inner : block.without_terminator())
      b.clone(inner, map);
    Value position = map.lookupOrDefault(
        cast<kernels::YieldOp>(block.getTerminator()).getPosition());
    Value end = memref::DimOp::create(b, loc, op.getSource(), 0);
    end = arith::IndexCastOp::create(b, loc, b.getI32Type(), end);
    return b.createOrFold<arith::MinSIOp>(loc, position,
                                          math.add(end, math.constant(-1)));
  }

  /// What the thread copies to row `row` + first: `start`, or the row that the
  /// region names.
  Value sourceOf(Value start, int64_t first) {
    if (!op.hasPosition())
      return start;
    Value number = toI64(positionOf(math.add(row, math.constant(first))));
    return step(start, b.createOrFold<arith::MulIOp>(loc, number, rowStride()));
  }

  /// The same `rows` rows on. A constant becomes the copy's own offset; adding
  /// to one pointer is cheaper than keeping one for every step.
  Value advanceRows(Value pointer, int64_t rows) {
    Value offset =
        b.createOrFold<arith::MulIOp>(loc, rowStride(), constantI64(rows));
    if (std::optional<int64_t> known = getConstantIntValue(offset))
      return step(pointer, static_cast<int32_t>(*known));
    return step(pointer, offset);
  }

  Value rowStride() {
    int64_t stride = type.getStridesAndOffset().first[0];
    if (!ShapedType::isDynamic(stride))
      return constantI64(stride);
    auto metadata =
        memref::ExtractStridedMetadataOp::create(b, loc, op.getSource());
    return arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                      metadata.getStrides()[0]);
  }

  /// 16, or 0 past the source's end, where the copy fills with zeros; null
  /// where all rows are present.
  Value presentBytes(int64_t first) {
    if (op.hasPosition())
      return {};
    if (!type.isDynamicDim(0) &&
        type.getDimSize(0) >= static_cast<int64_t>(op.getRows()))
      return {};
    Value end = memref::DimOp::create(b, loc, op.getSource(), 0);
    end = arith::IndexCastOp::create(b, loc, b.getI32Type(), end);
    Value present =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                              math.add(row, math.constant(first)), end);
    return arith::SelectOp::create(b, loc, present, math.constant(16),
                                   math.constant(0));
  }

  OpBuilder &b;
  Location loc;
  LaneMath math;
  StageOp op;
  int64_t numThreads; ///< of the block
  bool onePointer;    ///< a loop keeps of a matrix
  SharedPanel panel;
  MemRefType type;
  int64_t elementBytes;
  Value row, chunk; ///< of this thread in the first step
};
} // namespace

static void emitCopy(OpBuilder &b, StageOp op, int64_t numThreads,
                     bool onePointer) {
  Location loc = op.getLoc();
  MemRefType type = op.getSourceType();
  SharedLayout layout(op.getRows(),
                      type.getDimSize(1) * type.getElementTypeBitWidth() / 8);
  b.setInsertionPoint(op);
  Value target = sharedPointer(b, loc, op.getMemory(), op.getOffset());
  for (const SharedPanel &panel : layout.getPanels())
    PanelCopy(b, op, numThreads, onePointer, panel).emit(target);
}

/// Whether a loop counts the tiles of a copy in 32 bits, as one does that has
/// few registers.
static bool isCountedIn32Bits(StageOp op) {
  auto loop = op->getParentOfType<scf::ForOp>();
  return loop && loop.getInductionVar().getType().isInteger(32);
}

/// Groups end where tokens are waited for; the barrier is for what other
/// threads have copied.
static void emitWait(OpBuilder &b, WaitOp op, std::optional<int64_t> groups) {
  b.setInsertionPoint(op);
  if (groups)
    NVVM::CpAsyncWaitGroupOp::create(b, op.getLoc(),
                                     b.getI32IntegerAttr(*groups));
  gpu::BarrierOp::create(b, op.getLoc());
}

//===----------------------------------------------------------------------===//
// Tokens, which nothing needs any more
//===----------------------------------------------------------------------===//

namespace {
template <typename Op> struct DropTokens : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  using OneToNOpAdaptor = typename OpConversionPattern<Op>::OneToNOpAdaptor;

  LogicalResult
  matchAndRewrite(Op op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<ValueRange> nothing(op->getNumResults());
    rewriter.replaceOpWithMultiple(op, nothing);
    return success();
  }
};
} // namespace

/// Loops and branches lose the tokens that they hand on.
static LogicalResult dropTokens(gpu::LaunchOp launch) {
  MLIRContext *context = launch.getContext();
  TypeConverter converter;
  converter.addConversion([](Type type) { return type; });
  converter.addConversion(
      [](TokenType, SmallVectorImpl<Type> &) { return success(); });
  RewritePatternSet patterns(context);
  patterns.add<DropTokens<StageOp>, DropTokens<JoinOp>, DropTokens<WaitOp>>(
      converter, context);
  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  target.addIllegalOp<StageOp, JoinOp, WaitOp>();
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  return applyPartialConversion(launch, target, std::move(patterns));
}

namespace {
struct CopiesToCpAsyncPass
    : sparse_attn::impl::SparseAttnCopiesToCpAsyncBase<CopiesToCpAsyncPass> {
  using Base::Base;

  void runOnOperation() override {
    const target::GpuTarget *gpu = requireGpu(getOperation(), target);
    if (!gpu)
      return signalPassFailure();
    SmallVector<gpu::LaunchOp> launches;
    getOperation().walk(
        [&](gpu::LaunchOp launch) { launches.push_back(launch); });
    for (gpu::LaunchOp launch : launches)
      if (failed(lower(launch, gpu->canSuspend)))
        return signalPassFailure();
  }

  static LogicalResult lower(gpu::LaunchOp launch, bool canSuspend) {
    SmallVector<StageOp> copies;
    launch.walk([&](StageOp op) { copies.push_back(op); });
    std::optional<int64_t> threads =
        getConstantIntValue(launch.getBlockSizeX());
    for (StageOp op : copies)
      if (failed(verifyThreads(op, threads)))
        return failure();
    FailureOr<CopyGroups> groups = CopyGroups::count(launch.getBody().front());
    if (failed(groups))
      return failure();
    OpBuilder b(launch);
    bool onePointer = llvm::any_of(copies, isCountedIn32Bits);
    for (StageOp op : copies)
      emitCopy(b, op, *threads, onePointer);
    // Copies that nobody waits for by their groups need none.
    if (!groups->getWaits().empty())
      for (Operation *op : groups->getCommits()) {
        b.setInsertionPointAfter(op);
        NVVM::CpAsyncCommitGroupOp::create(b, op->getLoc());
      }
    for (auto [op, newer] : groups->getWaits())
      emitWait(b, op, newer);
    if (threads && failed(lowerRings(launch, *threads, canSuspend)))
      return failure();
    return dropTokens(launch);
  }

  /// Each step of a copy takes whole rows of chunks.
  static LogicalResult verifyThreads(StageOp op,
                                     std::optional<int64_t> threads) {
    if (!op.getThread())
      return op.emitOpError("does not know the thread that executes it; run "
                            "'sparse-attn-distribute-fragments' first");
    if (!threads || *threads % 32 != 0)
      return op.emitOpError("is executed by a number of threads that is not "
                            "known, or not a multiple of 32");
    return success();
  }
};
} // namespace
