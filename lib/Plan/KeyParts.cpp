//===- KeyParts.cpp - Pieces split by the layouts of their keys -----------===//
//
// A piece whose keys are a residue class stands on a lattice, and pieces of a
// few keys each, wherever they are, on a list. Contiguous tiles compute the
// other pieces; what these have is taken off the parts on lattices, and what
// all of them have off the lists.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "SparseAttn/Mask/Predicate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// A part of more pieces costs too much in each of its tiles.
static constexpr unsigned maxPieces = 8;

/// A kernel has loops for each part, and upstream's bufferization takes twice
/// as long for each loop more that carries a state.
static constexpr size_t maxParts = 8;

//===----------------------------------------------------------------------===//
// Lattices
//===----------------------------------------------------------------------===//

/// The residue of keys that leaves the fewest of them, or null.
static const Residue *findKeyResidue(const Piece &piece) {
  const Residue *best = nullptr;
  auto isSparser = [](const Residue &a, const Residue &b) {
    return (a.end - a.begin) * b.modulus < (b.end - b.begin) * a.modulus;
  };
  for (const Residue &residue : piece.residues)
    if (residue.subject == Residue::Subject::Key &&
        (!best || isSparser(residue, *best)))
      best = &residue;
  return best;
}

static Layout latticeOf(const Residue &residue, const TileShape &tile) {
  return Layout::lattice(residue.modulus, residue.end - residue.begin,
                         residue.begin, tile.keys);
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

namespace {
/// A few keys, and what else pieces ask of a pair.
struct Column {
  Range keys;
  Pieces rest;
};

/// Columns of which the rest is the same.
struct Columns {
  llvm::SmallVector<Range> keys;
  Pieces rest;
};
} // namespace

/// The value of a bound that is the same in all rows, where it is known.
static std::optional<int64_t> constantOf(const Bound &bound,
                                         const LengthFacts &facts) {
  if (bound.dependsOnQuery() || (bound.perKey != 0 && !facts.nk))
    return std::nullopt;
  return bound.evaluate(0, facts.nk.value_or(0));
}

/// Keys that contiguous tiles would hold among many others.
static std::optional<Column> findColumn(const Piece &piece,
                                        const TileShape &tile,
                                        const LengthFacts &facts) {
  Column column = {{0, facts.nk.value_or(maxSequenceLength)}, {piece}};
  Piece &rest = column.rest.front();
  llvm::erase_if(rest.lower, [&](const Bound &bound) {
    std::optional<int64_t> value = constantOf(bound, facts);
    column.keys.begin = std::max(column.keys.begin, value.value_or(0));
    return value.has_value();
  });
  llvm::erase_if(rest.upper, [&](const Bound &bound) {
    std::optional<int64_t> value = constantOf(bound, facts);
    column.keys.end =
        std::min(column.keys.end, value.value_or(column.keys.end));
    return value.has_value();
  });
  bool isWhole =
      column.keys.begin % tile.keys == 0 && column.keys.end % tile.keys == 0;
  if (column.keys.empty() || column.keys.size() > tile.keys || isWhole)
    return std::nullopt;
  return column;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

namespace {
class KeySplitter {
public:
  KeySplitter(const TileShape &tile, const LengthFacts &facts)
      : tile(tile), facts(facts) {}

  std::vector<KeyPart> run(const Pieces &pieces);

private:
  void addLattice(const Piece &piece, const Residue &residue);
  void addColumn(const Column &column);
  void addTokens(const Piece &piece, const PositionSet &tokens);
  std::vector<Columns> groupColumns() const;
  /// Adds a part that computes what of `pieces` no part before does; false
  /// where that has no short form.
  bool addPart(Layout layout, const Pieces &pieces,
               std::vector<KeyPart> &parts) const;

  const TileShape &tile;
  const LengthFacts &facts;
  Pieces contiguous;
  /// Pieces with the residue that the lattice stands for, and without.
  struct Lattice {
    Residue residue;
    Pieces pieces, rest;
  };
  std::vector<Lattice> lattices;
  std::vector<Column> columns;
};
} // namespace

void KeySplitter::addLattice(const Piece &piece, const Residue &residue) {
  auto same = llvm::find_if(lattices, [&](const Lattice &lattice) {
    return lattice.residue == residue;
  });
  if (same == lattices.end())
    same = lattices.insert(same, {residue, {}, {}});
  same->pieces.push_back(piece);
  Piece rest = piece;
  llvm::erase_if(rest.residues, [&](const Residue &r) { return r == residue; });
  same->rest.push_back(rest);
}

/// Pieces of the same keys are one column.
void KeySplitter::addColumn(const Column &column) {
  auto same = llvm::find_if(
      columns, [&](const Column &other) { return other.keys == column.keys; });
  if (same == columns.end())
    columns.push_back(column);
  else
    same->rest.append(column.rest);
}

void KeySplitter::addTokens(const Piece &piece, const PositionSet &tokens) {
  IntervalSet keys = tokens.positions->intersect(
      Range{0, facts.nk.value_or(maxSequenceLength)});
  Piece rest = piece;
  llvm::erase_if(rest.sets,
                 [&](const PositionSet &set) { return set == tokens; });
  for (Range range : keys.ranges())
    addColumn({range, {rest}});
}

std::vector<Columns> KeySplitter::groupColumns() const {
  std::vector<Columns> lists;
  for (const Column &column : columns) {
    auto same = llvm::find_if(
        lists, [&](const Columns &list) { return list.rest == column.rest; });
    if (same == lists.end())
      same = lists.insert(same, {{}, column.rest});
    same->keys.push_back(column.keys);
  }
  return lists;
}

bool KeySplitter::addPart(Layout layout, const Pieces &pieces,
                          std::vector<KeyPart> &parts) const {
  std::optional<Pieces> left = subtractPieces(pieces, contiguous, maxPieces);
  if (!left || !layout.findProblem().empty())
    return false;
  if (!left->empty())
    parts.push_back({std::move(layout), std::move(*left)});
  return true;
}

std::vector<KeyPart> KeySplitter::run(const Pieces &pieces) {
  for (const Piece &piece : pieces) {
    // What a leaf computes cannot be named in a segment.
    if (!piece.opaque.empty())
      return {};
    if (const Residue *residue = findKeyResidue(piece))
      addLattice(piece, *residue);
    else if (const PositionSet *tokens = findListable(piece, /*ofKey=*/true))
      addTokens(piece, *tokens);
    else if (std::optional<Column> column = findColumn(piece, tile, facts))
      addColumn(*column);
    else
      contiguous.push_back(piece);
  }
  std::vector<KeyPart> parts = {{Layout(), contiguous}};
  for (const Lattice &lattice : lattices) {
    if (!addPart(latticeOf(lattice.residue, tile), lattice.rest, parts))
      return {};
    // From here on they count as taken.
    contiguous.append(lattice.pieces);
  }
  IntervalSet listed;
  for (const Columns &list : groupColumns()) {
    IntervalSet keys = IntervalSet::fromRanges(list.keys);
    if (!keys.intersect(listed).empty() ||
        !addPart(makeList(keys, tile.keys), list.rest, parts))
      return {};
    listed = listed.unite(keys);
  }
  return parts;
}

std::vector<KeyPart> plan::splitByLayout(const Pieces &pieces,
                                         const TileShape &tile,
                                         const LengthFacts &facts) {
  std::vector<KeyPart> parts = KeySplitter(tile, facts).run(pieces);
  if (parts.size() < 2 || parts.size() > maxParts)
    parts.clear();
  return parts;
}
