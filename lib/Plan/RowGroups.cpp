//===- RowGroups.cpp - The live keys of every row -------------------------===//
//
// A sweep over rows. Between two rows at which pieces begin or end the same
// pieces are live, and where none of them has a bound that follows the row, all
// rows of that stretch are one group.
//
//===----------------------------------------------------------------------===//

#include "RowGroups.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using llvm::SmallVector;

/// A mask of more pieces than this takes long to bring into their form.
static constexpr unsigned maxPieces = 1024;
/// Intervals of all groups together, and rows.
static constexpr size_t maxIntervals = size_t(1) << 22;

namespace {
class RowSweep {
public:
  RowSweep(const Pieces &pieces, const Lengths &n) : pieces(pieces), n(n) {}

  std::optional<std::vector<RowGroup>> run();

private:
  /// The positions that the bounds of rows leave a piece.
  Range rowsOf(const Piece &piece) const;
  /// Where the keys of the active pieces may change next after position i.
  int64_t nextChange(int64_t i, int64_t end) const;
  IntervalSet keysAt(int64_t i) const;
  /// Groups of the positions [begin, end), of which no active piece begins or
  /// ends inside. False where they are too many.
  bool addStretch(int64_t begin, int64_t end);

  const Pieces &pieces;
  Lengths n;
  SmallVector<const Piece *> active;
  std::vector<RowGroup> groups;
  size_t intervals = 0;
};
} // namespace

Range RowSweep::rowsOf(const Piece &piece) const {
  Range rows = {n.firstQuery(), n.nk};
  for (const Bound &bound : piece.rowLower)
    rows.begin = std::max(rows.begin, bound.evaluate(0, n.nk));
  for (const Bound &bound : piece.rowUpper)
    rows.end = std::min(rows.end, bound.evaluate(0, n.nk));
  return rows;
}

static int64_t floorTo(int64_t i, int64_t block) {
  int64_t rest = i % block;
  return i - (rest < 0 ? rest + block : rest);
}

int64_t RowSweep::nextChange(int64_t i, int64_t end) const {
  for (const Piece *piece : active) {
    bool followsRow = llvm::any_of(piece->residues, [](const Residue &residue) {
      return residue.subject != Residue::Subject::Key;
    });
    followsRow |= llvm::any_of(
        piece->sets, [](const PositionSet &set) { return !set.ofKey; });
    if (followsRow || !piece->opaque.empty())
      return i + 1;
    for (const auto *bounds : {&piece->lower, &piece->upper})
      for (const Bound &bound : *bounds)
        if (bound.dependsOnQuery())
          end = std::min(end, floorTo(i, bound.block) + bound.block);
  }
  return end;
}

IntervalSet RowSweep::keysAt(int64_t i) const {
  SmallVector<Range> ranges;
  for (const Piece *piece : active) {
    Range band = bandOfRow(*piece, n.nk, i, {0, n.nk});
    if (band.empty())
      continue;
    if (piece->isBand()) {
      ranges.push_back(band);
      continue;
    }
    IntervalSet keys = keysOfSets(*piece, n.nk, band);
    for (const Residue &residue : piece->residues) {
      bool ofRow = residue.subject == Residue::Subject::Query;
      bool ofKey = residue.subject == Residue::Subject::Key;
      if (ofRow && !residue.holds(i, 0))
        keys = IntervalSet();
      else if (!ofRow)
        keys = keys.intersect(residueClass(residue, ofKey ? 0 : i, band));
    }
    for (const OpaqueLiteral &literal : piece->opaque) {
      IntervalSet leaf = literal.leaf->liveKeys(n, /*head=*/0, i, band);
      keys = keys.intersect(literal.negated ? leaf.complementIn(band) : leaf);
    }
    ranges.append(keys.ranges().begin(), keys.ranges().end());
  }
  return IntervalSet::fromRanges(std::move(ranges));
}

bool RowSweep::addStretch(int64_t begin, int64_t end) {
  for (int64_t i = begin, next = begin; i < end; i = next) {
    next = std::min(end, nextChange(i, end));
    IntervalSet keys = keysAt(i);
    int64_t endRow = next - n.firstQuery();
    if (!groups.empty() && groups.back().keys == keys) {
      groups.back().rows.end = endRow;
      continue;
    }
    intervals += 1 + keys.ranges().size();
    if (intervals > maxIntervals)
      return false;
    groups.push_back({{i - n.firstQuery(), endRow}, std::move(keys)});
  }
  return true;
}

std::optional<std::vector<RowGroup>> RowSweep::run() {
  struct Live {
    Range rows;
    const Piece *piece;
  };
  std::vector<Live> live;
  std::vector<int64_t> turns = {n.firstQuery(), n.nk};
  for (const Piece &piece : pieces) {
    Range rows = rowsOf(piece);
    if (rows.empty())
      continue;
    live.push_back({rows, &piece});
    turns.push_back(rows.begin);
    turns.push_back(rows.end);
  }
  // The pieces are in one array, so that their order is that of the union.
  llvm::sort(live, [](const Live &a, const Live &b) {
    return std::pair(a.rows.begin, a.piece) < std::pair(b.rows.begin, b.piece);
  });
  llvm::sort(turns);
  turns.erase(llvm::unique(turns), turns.end());
  std::vector<Live> now;
  auto next = live.begin();
  for (size_t k = 0; k + 1 < turns.size(); ++k) {
    int64_t begin = turns[k];
    llvm::erase_if(now,
                   [&](const Live &piece) { return piece.rows.end <= begin; });
    for (; next != live.end() && next->rows.begin <= begin; ++next)
      now.push_back(*next);
    active.clear();
    for (const Live &piece : now)
      active.push_back(piece.piece);
    if (!addStretch(begin, turns[k + 1]))
      return std::nullopt;
  }
  return std::move(groups);
}

std::optional<std::vector<RowGroup>> plan::findRowGroups(const Mask &mask,
                                                         const Lengths &n) {
  if (!mask.isHeadInvariant() || n.nq > static_cast<int64_t>(maxIntervals))
    return std::nullopt;
  std::optional<Pieces> pieces = mask.pieces(maxPieces);
  if (!pieces)
    return std::nullopt;
  for (const Piece &piece : *pieces)
    for (const OpaqueLiteral &literal : piece.opaque)
      if (!literal.leaf->getLastBlock())
        return std::nullopt;
  return RowSweep(*pieces, n).run();
}
