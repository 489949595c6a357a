//===- CopyGroups.h - Copies counted in groups ------------------*- C++ -*-===//
//
// Asynchronous copies of a thread have no names: it puts those started since
// into a group, by committing it, and waits until no more than N of the groups
// are left, the newest. So a token becomes a number, how many groups have been
// committed since its own, which this computes for each wait:
//
//   N = min over the tokens of the wait, and over all ways that lead there, of
//       the commits between the token's group and the wait
//
// Fewer commits than that never lie in between, and groups end in the order in
// which they were committed; so every copy that a token stands for has ended.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_STAGING_COPYGROUPS_H
#define SPARSEATTN_LIB_GPU_STAGING_COPYGROUPS_H

#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::sparse_attn::kernels {

class CopyGroups {
public:
  /// Counts through loops and branches from `block` on. Fails with an error
  /// where copies are moved by other control flow.
  static FailureOr<CopyGroups> count(Block &block);

  /// Operations behind which a group is committed: a copy, a join, or the
  /// branch that copies stand in. One that other threads of control skip is
  /// empty there, so that all count the same.
  ArrayRef<Operation *> getCommits() const { return commits.getArrayRef(); }
  /// N of every wait that is not of a ring; none where nothing is left to wait
  /// for.
  ArrayRef<std::pair<WaitOp, std::optional<int64_t>>> getWaits() const {
    return waits.getArrayRef();
  }

private:
  LogicalResult countIn(Block &block);
  LogicalResult countIn(scf::ForOp loop);
  LogicalResult countIn(scf::IfOp branch);
  /// A token for several.
  void countJoined(Operation *join, ValueRange tokens, Value token);
  LogicalResult countIn(WaitOp wait);
  LogicalResult countThrough(Operation *op);

  /// Commits since the group of `token`, at least; none before its own.
  std::optional<int64_t> ageOf(Value token) const;
  /// The same; fails with an error at `op` where the group is not known.
  FailureOr<int64_t> requireAge(Operation *op, Value token) const;
  void setAge(Value token, int64_t age) { births[token] = committed - age; }
  void commitBehind(Operation *op, Value token);

  /// There are at least so many on the way that has been followed.
  int64_t committed = 0;
  /// What `committed` was when the token's group had been committed.
  DenseMap<Value, int64_t> births;
  llvm::SetVector<Operation *> commits;
  llvm::MapVector<WaitOp, std::optional<int64_t>> waits;
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_STAGING_COPYGROUPS_H
