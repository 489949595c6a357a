//===- TileLoop.h - Loops of one step over key tiles ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_TILELOOP_H
#define SPARSEATTN_LIB_TRANSFORMS_TILELOOP_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::sparse_attn::transforms {

/// A loop of one step, whose place decides on the key tile and nothing else.
struct TileLoop {
  scf::ForOp loop;
  StepOp step;
  /// What computes the position of the key tile, in order, and nothing else
  /// that is used.
  SetVector<Operation *> position;
  /// What computes the step's reach, and nothing else that is used.
  SetVector<Operation *> reach;

  /// Nothing where the loop is of another form.
  static std::optional<TileLoop> match(scf::ForOp loop);
  /// Whether both make the same scores of the same products, as far as their
  /// steps themselves say, of as many keys a tile.
  bool isLike(TileLoop &other);
  /// Emits the position of the tile at place `t`.
  Value emitPosition(OpBuilder &b, Value t);

private:
  void findReach();
  bool positionIsAll();
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_TILELOOP_H
