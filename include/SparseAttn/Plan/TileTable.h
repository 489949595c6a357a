//===- TileTable.h - Tiles of a row class, one by one -----------*- C++ -*-===//
//
// Where closed forms would visit far more tiles than have a live pair, and
// lengths are known, a row class says of each query tile which rows it has and
// where its key tiles begin. Rows are cut where that pays, and a key tile
// begins at any key, so that both follow the mask and not a grid.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_TILETABLE_H
#define SPARSEATTN_PLAN_TILETABLE_H

#include "SparseAttn/Mask/Interval.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/Support/Compiler.h"
#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::sparse_attn::plan {

struct TileShape;

struct TileTable {
  /// The most rows and key tiles together that a plan may write down: 4 MiB of
  /// constants in a kernel.
  static constexpr int64_t maxEntries = int64_t(1) << 20;

  /// Query tile q has the rows cuts[q] <= r < cuts[q + 1].
  std::vector<int64_t> cuts = {};
  /// Its partial key tiles begin at starts[k] for offsets[2 q] <= k <
  /// offsets[2 q + 1], its full ones from there to offsets[2 q + 2].
  std::vector<int64_t> offsets = {};
  /// First keys, in ascending order within each list.
  std::vector<int64_t> starts = {};

  /// No table: the class has segments and draws.
  bool empty() const { return cuts.empty(); }
  int64_t numQueryTiles() const {
    return empty() ? 0 : static_cast<int64_t>(cuts.size()) - 1;
  }
  mask::Range rowsOf(int64_t q) const { return {cuts[q], cuts[q + 1]}; }
  llvm::ArrayRef<int64_t> partialOf(int64_t q) const LLVM_LIFETIME_BOUND {
    return slice(2 * q);
  }
  llvm::ArrayRef<int64_t> fullOf(int64_t q) const LLVM_LIFETIME_BOUND {
    return slice(2 * q + 1);
  }
  /// Whether one of its key tiles, each `keys` long, passes the end of `nk`.
  bool passesEnd(int64_t keys, int64_t nk) const;

  /// Adds a query tile of the rows up to `endRow`; the first one begins at
  /// `firstRow`.
  void append(int64_t firstRow, int64_t endRow, llvm::ArrayRef<int64_t> partial,
              llvm::ArrayRef<int64_t> full);

  /// What is wrong with it for tiles of that shape, and what to do, as a
  /// clause, or an empty text. In a valid table rows follow each other, a query
  /// tile has at most as many as a tile, and no two of its key tiles have a
  /// key in common.
  std::string findProblem(const TileShape &tile) const;

  /// `[<0 to 64, partial = [192], full = [0, 64, 128]>, <64 to 100>]`.
  void print(llvm::raw_ostream &os) const;
  /// One query tile of that.
  void printQueryTile(llvm::raw_ostream &os, int64_t q) const;

  friend bool operator==(const TileTable &a, const TileTable &b) {
    return a.cuts == b.cuts && a.offsets == b.offsets && a.starts == b.starts;
  }

private:
  llvm::ArrayRef<int64_t> slice(int64_t list) const {
    return llvm::ArrayRef(starts).slice(offsets[list],
                                        offsets[list + 1] - offsets[list]);
  }
};

llvm::hash_code hash_value(const TileTable &table);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_TILETABLE_H
