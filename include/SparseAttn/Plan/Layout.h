//===- Layout.h - Which positions the slots of tiles hold -------*- C++ -*-===//
//
// The tiles of a part of a plan have numbered slots: slot m of tile t is slot
// x = t * tile + m of the part. A layout says at which position slot x stands.
// Slots come in runs of `width` neighbours, and x is number x mod width of run
// r = floor(x / width), which begins at
//
//   contiguous  x, as if all were one run
//   lattice     shift + r * step
//   list        starts[r]
//
// Keys of a segment have one, and rows of a class. A layout knows nothing of
// where a position lies in memory.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_LAYOUT_H
#define SPARSEATTN_PLAN_LAYOUT_H

#include "llvm/ADT/Hashing.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::sparse_attn::plan {

struct Layout {
  enum class Kind { Contiguous, Lattice, List };
  Kind kind = Kind::Contiguous;
  /// Neighbours in a run.
  int64_t width = 1;
  /// The distance of a lattice's runs, and where the first one begins.
  int64_t step = 1, shift = 0;
  /// A list's runs begin at these positions, which ascend.
  std::vector<int64_t> starts = {};
  /// Slots of a tile. Contiguous tiles have the size of the plan's, and 0 here.
  int64_t tile = 0;

  static Layout lattice(int64_t step, int64_t width, int64_t shift,
                        int64_t tile) {
    return {Kind::Lattice, width, step, shift, {}, tile};
  }
  static Layout list(std::vector<int64_t> starts, int64_t width, int64_t tile) {
    return {Kind::List, width, 1, 0, std::move(starts), tile};
  }

  bool isContiguous() const { return kind == Kind::Contiguous; }
  bool isList() const { return kind == Kind::List; }
  /// Slots of a tile in a plan whose tiles have `planKeys` keys.
  int64_t tileSize(int64_t planKeys) const { return tile ? tile : planKeys; }
  /// The slots of a list; nullopt where there is no end.
  std::optional<int64_t> numSlots() const;
  /// The position of a slot, which exists.
  int64_t position(int64_t slot) const;
  /// The slots that stand at positions below `end`, which are the first ones.
  int64_t slotsBelow(int64_t end) const;
  /// The slot that stands at a position, or nullopt where none does.
  std::optional<int64_t> slotAt(int64_t position) const;

  /// What is wrong with it and what to do, as a clause, or an empty text. A
  /// valid layout gives each slot a position of its own, in ascending order.
  std::string findProblem() const;

  /// `lattice<step = 128, width = 8, shift = 120, tile = 32>`,
  /// `list<[5, 77], width = 1, tile = 16>`, `contiguous`.
  void print(llvm::raw_ostream &os) const;

  friend bool operator==(const Layout &a, const Layout &b) {
    return a.kind == b.kind && a.width == b.width && a.step == b.step &&
           a.shift == b.shift && a.starts == b.starts && a.tile == b.tile;
  }
};

llvm::hash_code hash_value(const Layout &layout);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_LAYOUT_H
