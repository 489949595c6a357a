//===- Distribution.h - A launch on fragments -------------------*- C++ -*-===//
//
// The rules of --sparse-attn-distribute-fragments, by kinds of operations:
// DistributeValues.cpp, DistributeProducts.cpp, DistributeMemory.cpp and
// DistributeLoops.cpp; DistributeFragments.cpp walks.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_DISTRIBUTION_DISTRIBUTION_H
#define SPARSEATTN_LIB_GPU_DISTRIBUTION_DISTRIBUTION_H

#include "Axes.h"
#include "Fragments/Fragment.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn::kernels {

inline bool isVector(Value value) { return isa<VectorType>(value.getType()); }

/// Rows and columns of a value: a vector<N> has N of both, of which only one
/// matters.
inline std::pair<int64_t, int64_t> shapeOf(VectorType type) {
  if (type.getRank() == 1)
    return {type.getDimSize(0), type.getDimSize(0)};
  return {type.getDimSize(0), type.getDimSize(1)};
}

/// Distributes one launch.
class Distribution {
public:
  Distribution(gpu::LaunchOp launch, int64_t numWarps, OpBuilder &b)
      : launch(launch), axes(launch), b(b), threads(b, launch, numWarps),
        isTested(hasFallback(launch)) {}

  LogicalResult run() {
    if (failed(distribute(launch.getBody().front())))
      return failure();
    for (Operation *op : llvm::reverse(replaced))
      op->dropAllReferences();
    for (Operation *op : llvm::reverse(replaced))
      op->erase();
    return success();
  }

private:
  static bool hasFallback(gpu::LaunchOp launch);
  LogicalResult distribute(Block &block);
  LogicalResult distribute(Operation *op);

  LogicalResult elementwise(Operation *op);
  LogicalResult flatElementwise(Operation *op);
  LogicalResult broadcast(vector::BroadcastOp op);
  LogicalResult transpose(vector::TransposeOp op);
  LogicalResult step(vector::StepOp op);
  LogicalResult reduction(vector::MultiDimReductionOp op);
  LogicalResult agreement(vector::MultiDimReductionOp op);
  LogicalResult product(vector::ContractionOp op);
  LogicalResult read(vector::TransferReadOp op);
  LogicalResult write(vector::TransferWriteOp op);
  LogicalResult writeRows(WriteRowsOp op);
  LogicalResult staged(StagedTileOp op);
  LogicalResult row(vector::ExtractOp op);
  /// Tells what the threads of a block do together which of them executes it.
  void tellThread(Operation *op);
  LogicalResult store(memref::StoreOp op);
  LogicalResult gather(vector::GatherOp op);
  LogicalResult loop(scf::ForOp op);
  LogicalResult branch(scf::IfOp op);
  bool handOn(scf::IfOp branch, unsigned number, Extent extent);
  LogicalResult hasRows(HasRowsOp op);
  LogicalResult hasOtherRows(HasOtherRowsOp op);
  struct WarpRows {
    Value first, end;
  };
  WarpRows rowsOfWarp(Location loc, int64_t rows);
  LogicalResult answer(Operation *op, Value answer);

  /// What `value` is held as; a scalar is a uniform fragment of itself.
  Fragment fragmentOf(Value value);
  /// The same with its elements at hand and its sum over the row's lanes taken.
  Fragment complete(Value value);
  void setLanes(Value value, Extent extent, Value lanes,
                bool isPendingSum = false);
  /// The extent of a vector that loops carry or memory holds.
  Extent naturalExtent(Value value) const;
  Value expanded(Value value, Extent extent, VectorType shape);

  gpu::LaunchOp launch;
  Axes axes;
  OpBuilder &b;
  Threads threads;
  /// Whether the walk is in a block that only rare inputs reach.
  bool isRare = false;
  /// Whether the launch has such a block, behind a test of what it computes
  /// elsewhere.
  bool isTested;
  DenseMap<Value, Fragment> fragments;
  /// Pending sums that have been taken in a block. The parts stay in
  /// `fragments`: what is linear in them goes on with those.
  DenseMap<std::pair<Value, Block *>, Value> sums;
  SmallVector<Operation *> replaced;
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_DISTRIBUTION_DISTRIBUTION_H
