//===- DistributeFragments.cpp - --sparse-attn-distribute-fragments -------===//
//
// Walks a launch once. Each operation on vectors of a tile's shape is replaced
// by one on fragments (Fragment.h), by the few rules below; there is no rule a
// mask or a score modifier would need.
//
//===----------------------------------------------------------------------===//

#include "Distribution.h"
#include "Form/TileForm.h"
#include "Fragments/PendingSums.h"
#include "Fragments/Progression.h"
#include "RarePositions.h"
#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNDISTRIBUTEFRAGMENTS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

Fragment Distribution::fragmentOf(Value value) {
  if (auto known = fragments.find(value); known != fragments.end())
    return known->second;
  Fragment fragment;
  fragment.lanes = value;
  // Constants may stand outside the launch.
  SplatElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)))
    fragment.lanes = arith::ConstantOp::create(
        b, value.getLoc(), splat.getSplatValue<TypedAttr>());
  return fragment;
}

Fragment Distribution::complete(Value value) {
  Location loc = value.getLoc();
  Fragment fragment = fragmentOf(value);
  fragment = materialize(b, loc, fragment);
  if (!fragment.isPendingSum)
    return fragment;
  fragment.isPendingSum = false;
  // An earlier operation of the block, or of one around it, may have taken the
  // sum.
  Block *here = b.getInsertionBlock();
  for (Block *block = here; block; block = block->getParentOp()->getBlock())
    if (Value sum = sums.lookup({value, block})) {
      fragment.lanes = sum;
      return fragment;
    }
  fragment.lanes = sums[{value, here}] =
      reduceOverQuad(b, loc, fragment.lanes,
                     [&](OpBuilder &nested, Value x, Value y) -> Value {
                       return arith::AddFOp::create(nested, loc, x, y);
                     });
  return fragment;
}

void Distribution::setLanes(Value value, Extent extent, Value lanes,
                            bool isPendingSum) {
  Fragment fragment;
  fragment.extent = extent;
  fragment.lanes = lanes;
  fragment.isPendingSum = isPendingSum;
  fragments[value] = fragment;
}

Extent Distribution::naturalExtent(Value value) const {
  if (cast<VectorType>(value.getType()).getRank() == 2)
    return {true, true};
  bool alongColumns = axes.isAlongColumns(value);
  return {!alongColumns, alongColumns};
}

Value Distribution::expanded(Value value, Extent extent, VectorType shape) {
  auto [rows, columns] = shapeOf(shape);
  return threads.expand(b, value.getLoc(), complete(value), extent, rows,
                        columns);
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

LogicalResult Distribution::distribute(Operation *op) {
  b.setInsertionPoint(op);
  if (auto forOp = dyn_cast<scf::ForOp>(op))
    return loop(forOp);
  if (auto ifOp = dyn_cast<scf::IfOp>(op);
      ifOp && llvm::any_of(op->getResults(), isVector))
    return branch(ifOp);
  // How it is copied is for a later pass to say.
  if (isa<StageOp, RingOp, ReleaseOp>(op)) {
    tellThread(op);
    return success();
  }
  if (op->getNumRegions() > 0 && llvm::none_of(op->getResults(), isVector)) {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (failed(distribute(block)))
          return failure();
    return success();
  }
  if (auto rows = dyn_cast<HasRowsOp>(op))
    return hasRows(rows);
  if (auto rows = dyn_cast<HasOtherRowsOp>(op))
    return hasOtherRows(rows);
  bool isOfTiles = isa<memref::StoreOp>(op) ||
                   llvm::any_of(op->getResults(), isVector) ||
                   llvm::any_of(op->getOperands(), isVector);
  if (!isOfTiles || op->hasTrait<OpTrait::IsTerminator>())
    return success();
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](vector::BroadcastOp o) { return broadcast(o); })
          .Case([&](vector::TransposeOp o) { return transpose(o); })
          .Case([&](vector::StepOp o) { return step(o); })
          .Case([&](vector::MultiDimReductionOp o) { return reduction(o); })
          .Case([&](vector::ContractionOp o) { return product(o); })
          .Case([&](vector::TransferReadOp o) { return read(o); })
          .Case([&](vector::TransferWriteOp o) { return write(o); })
          .Case([&](WriteRowsOp o) { return writeRows(o); })
          .Case([&](StagedTileOp o) { return staged(o); })
          .Case([&](vector::ExtractOp o) { return row(o); })
          .Case([&](memref::StoreOp o) { return store(o); })
          .Case([&](vector::GatherOp o) { return gather(o); })
          .Default([&](Operation *o) -> LogicalResult {
            SplatElementsAttr splat;
            if (matchPattern(o, m_Constant(&splat)))
              return success();
            if (OpTrait::hasElementwiseMappableTraits(o) &&
                o->getNumResults() == 1 && o->getNumRegions() == 0)
              return elementwise(o);
            return emitNotInForm(o);
          });
  replaced.push_back(op);
  return result;
}

LogicalResult Distribution::distribute(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(distribute(&op)))
      return failure();
  return success();
}

namespace {
struct DistributeFragmentsPass
    : sparse_attn::impl::SparseAttnDistributeFragmentsBase<
          DistributeFragmentsPass> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](gpu::LaunchOp launch) {
      std::optional<int64_t> size = getConstantIntValue(launch.getBlockSizeX());
      if (!size || *size % 32 != 0) {
        launch.emitOpError("has no constant number of whole warps along x");
        return WalkResult::interrupt();
      }
      bringPositions(launch, *size);
      separatePositions(launch);
      OpBuilder b = OpBuilder::atBlockBegin(&launch.getBody().front());
      Distribution distribution(launch, *size / 32, b);
      return failed(distribution.run()) ? WalkResult::interrupt()
                                        : WalkResult::skip();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
