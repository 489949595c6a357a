//===- MakeTileTable.h - Tables of tiles, made from a mask ------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PLAN_MAKETILETABLE_H
#define SPARSEATTN_LIB_PLAN_MAKETILETABLE_H

#include "RowGroups.h"
#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn::plan {

/// The pairs in those tiles of the regular grid that have a live pair.
uint64_t countLiveTilePairs(llvm::ArrayRef<RowGroup> groups, TileShape tile,
                            const mask::Lengths &n);

/// Query tiles and key tiles for the rows, of which there is one, cut where the
/// keys of rows change much and that saves work; nullopt where it would have
/// more than TileTable::maxEntries.
std::optional<TileTable> makeTileTable(llvm::ArrayRef<RowGroup> groups,
                                       TileShape tile, const mask::Lengths &n);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_LIB_PLAN_MAKETILETABLE_H
