//===- DistributeMemory.cpp - Reads and writes ----------------------------===//

#include "Distribution.h"
#include "Form/TileForm.h"
#include "Fragments/FlatTile.h"
#include "Fragments/Progression.h"
#include "Fragments/StagedRow.h"
#include "Fragments/Transfers.h"
#include "Staging/BufferPointers.h"
#include "Staging/SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

LogicalResult Distribution::read(vector::TransferReadOp op) {
  VectorType type = op.getVectorType();
  if (type.getRank() == 2 && type.getDimSize(0) % (16 * threads.numWarps) != 0)
    return op.emitOpError("is of ")
           << type.getDimSize(0) << " rows, which " << threads.numWarps
           << " warps of 16 rows each cannot share evenly, and no product "
              "takes it from shared memory";
  FailureOr<Fragment> fragment = emitRead(b, threads, op);
  if (failed(fragment))
    return failure();
  fragments[op.getResult()] = *fragment;
  return success();
}

LogicalResult Distribution::write(vector::TransferWriteOp op) {
  return emitWrite(b, threads, op, complete(op.getVector()));
}

LogicalResult Distribution::writeRows(WriteRowsOp op) {
  auto positions = dyn_cast<VectorType>(op.getPositions().getType());
  if (!positions || !isVector(op.getSource()))
    return emitNotInForm(op);
  Value numbers = expanded(op.getPositions(), {true, false}, positions);
  emitWriteRows(b, threads, op, complete(op.getSource()), numbers);
  return success();
}

LogicalResult Distribution::staged(StagedTileOp op) {
  Fragment fragment;
  fragment.staged.type = cast<VectorType>(op.getTile().getType());
  fragment.staged.pointer =
      sharedPointer(b, op.getLoc(), op.getMemory(), op.getOffset());
  fragments[op.getTile()] = fragment;
  return success();
}

LogicalResult Distribution::row(vector::ExtractOp op) {
  Fragment source = fragmentOf(op.getSource());
  if (!source.staged.pointer || op.getNumIndices() != 1)
    return emitNotInForm(op);
  Location loc = op.getLoc();
  Value number =
      getValueOrCreateConstantIndexOp(b, loc, op.getMixedPosition()[0]);
  number = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), number);
  fragments[op.getResult()] =
      loadStagedRow(b, loc, threads, source.staged, number);
  return success();
}

void Distribution::tellThread(Operation *op) {
  llvm::TypeSwitch<Operation *>(op).Case<StageOp, RingOp, ReleaseOp>(
      [&](auto known) { known.getThreadMutable().assign(threads.thread); });
}

/// The rows of tiles of `rows` rows that the executing warp has.
Distribution::WarpRows Distribution::rowsOfWarp(Location loc, int64_t rows) {
  LaneMath math{b, loc};
  Value first = threads.firstRow(b, loc, rows);
  return {first, math.add(first, math.constant(16 * threads.bands(rows)))};
}

/// Replaces what an operation asks of the warp by `answer`, on which all lanes
/// agree; by a vote, so that the optimiser knows that they stay together.
LogicalResult Distribution::answer(Operation *op, Value answer) {
  Location loc = op->getLoc();
  Value all = LaneMath{b, loc}.constant(-1);
  op->replaceAllUsesWith(NVVM::VoteSyncOp::create(
      b, loc, b.getI1Type(), all, answer, NVVM::VoteSyncKind::any));
  replaced.push_back(op);
  return success();
}

LogicalResult Distribution::hasRows(HasRowsOp op) {
  Location loc = op.getLoc();
  WarpRows warp = rowsOfWarp(loc, static_cast<int64_t>(op.getRows()));
  Value isBefore = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                         op.getBegin(), warp.end);
  Value isBehind = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                         op.getEnd(), warp.first);
  return answer(op, arith::AndIOp::create(b, loc, isBefore, isBehind));
}

LogicalResult Distribution::hasOtherRows(HasOtherRowsOp op) {
  Location loc = op.getLoc();
  WarpRows warp = rowsOfWarp(loc, static_cast<int64_t>(op.getRows()));
  Value isLate = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                       op.getBegin(), warp.first);
  Value isEarly = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                        op.getEnd(), warp.end);
  return answer(op, arith::OrIOp::create(b, loc, isLate, isEarly));
}

/// What a block stores once, its first thread stores; into shared memory, for
/// all to read.
LogicalResult Distribution::store(memref::StoreOp op) {
  Location loc = op.getLoc();
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                        threads.thread, zero);
  scf::IfOp::create(b, loc, isFirst, [&](OpBuilder &then, Location) {
    then.clone(*op);
    scf::YieldOp::create(then, loc);
  });
  if (gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(op.getMemRefType()))
    gpu::BarrierOp::create(b, loc);
  return success();
}

/// Entries of a table, one for each element along which the index varies.
LogicalResult Distribution::gather(vector::GatherOp op) {
  Location loc = op.getLoc();
  if (!matchPattern(op.getMask(), m_One()))
    return emitNotInForm(op);
  Fragment index = complete(op.getIndices());
  Type element = op.getVectorType().getElementType();
  auto load = [&](Value place) {
    return loadFlat(b, loc, op.getBase(), op.getOffsets(), place);
  };
  if (index.extent.isUniform()) {
    setLanes(op.getResult(), {}, load(index.lanes));
    return success();
  }
  auto places = vector::ToElementsOp::create(b, loc, index.lanes);
  SmallVector<Value> loaded = llvm::map_to_vector(places.getResults(), load);
  auto type = VectorType::get({static_cast<int64_t>(loaded.size())}, element);
  setLanes(op.getResult(), index.extent,
           vector::FromElementsOp::create(b, loc, type, loaded));
  return success();
}
