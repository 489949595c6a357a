//===- RandomTables.h - Random blocks at run time ---------------*- C++ -*-===//
//
// The draws of a random mask are stateless, so a table of them is computed
// when the kernel starts: heads x row blocks x blocks a row entries, O(live
// tiles) memory at any length, static or dynamic; for each sequence where they
// have lengths of their own. The arithmetic is that of
// docs/Patterns.md and of sparse_attn::drawRandomBlocks.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_RANDOMTABLES_H
#define SPARSEATTN_LIB_TRANSFORMS_RANDOMTABLES_H

#include "ReductionShapes.h"
#include "VisitLoop.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::sparse_attn::transforms {

/// Marks a forall as one of ours, each iteration of which a target may give to
/// a thread or a block of threads. Targets replace the mark by their own
/// mapping.
void markAsGrid(scf::ForallOp loop);

/// Fails where a part of the op's mask cannot become code.
LogicalResult verifyMaskHasCode(MaskedReductionOpInterface op);

class RandomTables {
public:
  /// Emits the loops that fill the tables.
  RandomTables(OpBuilder &b, MaskedReductionOpInterface op,
               const ReductionShapes &shapes, const plan::Plan &plan);

  /// The entry for (batch, query head, row block, t), an i32, -1 where none is
  /// drawn. `rowBlock` is an i32 that may lie outside the table; `here` are the
  /// sizes of the sequence.
  Value drawn(OpBuilder &b, Location loc,
              const mask::Mask::RandomOptions &options,
              const ReductionShapes &here, Value batch, Value queryHead,
              Value rowBlock, int64_t t) const;

  /// Tiles drawn for the query tile `at`, without those of `runs`, each once.
  TileList listTiles(OpBuilder &b, Location loc, const plan::RowClass &cls,
                     plan::TileShape tile, const TileExprVariables &variables,
                     ArrayRef<TileRun> runs, const QueryTile &at,
                     const ReductionShapes &here) const;

private:
  struct Table {
    mask::Mask::RandomOptions options;
    Value blocks;    ///< tensor<heads x row blocks x r x i32>
    Value rowBlocks; ///< ceil(N / block), or of all rows, index
    Value heads;     ///< those of one sequence, index
  };
  void fill(OpBuilder &b, Location loc, const ReductionShapes &shapes,
            Table &table);
  /// The head of a table that is that of a query head.
  Value headOf(OpBuilder &b, Location loc, const Table &table, Value batch,
               Value queryHead) const;
  /// The row block that is the first of a sequence's table, an index.
  Value firstBlock(OpBuilder &b, Location loc, const Table &table,
                   const ReductionShapes &here) const;
  const Table *find(const mask::Mask::RandomOptions &options) const;

  SmallVector<Table> tables;
  /// Whether each sequence has draws of its own, with heads one sequence after
  /// the other.
  bool areOfBatches;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_RANDOMTABLES_H
