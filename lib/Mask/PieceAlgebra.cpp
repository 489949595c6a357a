//===- PieceAlgebra.cpp - Set algebra on unions of pieces -----------------===//

#include "PieceAlgebra.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVectorImpl;

std::optional<int64_t> mask::minDifference(const Bound &a, const Bound &b) {
  int64_t keys = a.perKey - b.perKey;
  int64_t difference = a.offset - b.offset;
  if (a.block && b.block) {
    // i - (block - 1) <= block * floor(i / block) <= i.
    if (a.block != b.block)
      difference -= a.block - 1;
  } else if (a.block) {
    return std::nullopt;
  } else if (b.block) {
    // N - block * floor(i / block) >= N - i >= 1.
    --keys;
    ++difference;
  }
  if (keys < 0)
    return std::nullopt;
  return difference + keys;
}

/// a(i) >= b(i) everywhere.
static bool atLeast(const Bound &a, const Bound &b) {
  std::optional<int64_t> difference = minDifference(a, b);
  return difference && *difference >= 0;
}

/// x >= one of `bounds` implies x >= bound.
static bool impliesLower(llvm::ArrayRef<Bound> bounds, const Bound &bound) {
  return llvm::any_of(bounds,
                      [&](const Bound &b) { return atLeast(b, bound); });
}

static bool impliesUpper(llvm::ArrayRef<Bound> bounds, const Bound &bound) {
  return llvm::any_of(bounds,
                      [&](const Bound &b) { return atLeast(bound, b); });
}

/// Keeps the bounds that no other one implies.
static void keepTightest(SmallVectorImpl<Bound> &bounds, bool isLower) {
  llvm::SmallVector<Bound, 2> kept;
  for (const Bound &bound : bounds) {
    if (isLower ? impliesLower(kept, bound) : impliesUpper(kept, bound))
      continue;
    llvm::erase_if(kept, [&](const Bound &b) {
      return isLower ? atLeast(bound, b) : atLeast(b, bound);
    });
    kept.push_back(bound);
  }
  bounds.assign(kept.begin(), kept.end());
}

static bool contradict(llvm::ArrayRef<Bound> lower,
                       llvm::ArrayRef<Bound> upper) {
  return llvm::any_of(lower,
                      [&](const Bound &b) { return impliesUpper(upper, b); });
}

/// Intersects residues of the same subject and modulus; false when nothing is
/// left of one.
static bool mergeResidues(llvm::SmallVectorImpl<Residue> &residues) {
  llvm::SmallVector<Residue, 1> kept;
  for (const Residue &residue : residues) {
    auto *same = llvm::find_if(kept, [&](const Residue &r) {
      return r.subject == residue.subject && r.modulus == residue.modulus;
    });
    if (same == kept.end()) {
      kept.push_back(residue);
      continue;
    }
    same->begin = std::max(same->begin, residue.begin);
    same->end = std::min(same->end, residue.end);
  }
  if (llvm::any_of(kept, [](const Residue &r) { return r.begin >= r.end; }))
    return false;
  llvm::erase_if(kept, [](const Residue &r) {
    return r.begin == 0 && r.end == r.modulus;
  });
  residues.assign(kept.begin(), kept.end());
  return true;
}

/// Drops repeated leaves; false when one is required and excluded.
static bool mergeOpaque(llvm::SmallVectorImpl<OpaqueLiteral> &opaque) {
  llvm::SmallVector<OpaqueLiteral, 1> kept;
  for (const OpaqueLiteral &literal : opaque) {
    auto *same = llvm::find_if(
        kept, [&](const OpaqueLiteral &o) { return o.leaf == literal.leaf; });
    if (same == kept.end())
      kept.push_back(literal);
    else if (same->negated != literal.negated)
      return false;
  }
  opaque.assign(kept.begin(), kept.end());
  return true;
}

//===----------------------------------------------------------------------===//
// Sets of positions
//===----------------------------------------------------------------------===//

/// The positions that the bounds of the subject of `kind` leave, of those that
/// are constants, or constants from N.
static Range rangeOf(const Piece &piece, const PositionSet &kind) {
  Range range = kind.universe();
  for (const Bound &bound : kind.ofKey ? llvm::ArrayRef<Bound>(piece.lower)
                                       : llvm::ArrayRef<Bound>(piece.rowLower))
    if (!bound.dependsOnQuery() && bound.perKey == kind.fromEnd)
      range.begin = std::max(range.begin, bound.offset);
  for (const Bound &bound : kind.ofKey ? llvm::ArrayRef<Bound>(piece.upper)
                                       : llvm::ArrayRef<Bound>(piece.rowUpper))
    if (!bound.dependsOnQuery() && bound.perKey == kind.fromEnd)
      range.end = std::min(range.end, bound.offset);
  return range;
}

static PositionSet withPositions(PositionSet set, IntervalSet positions) {
  set.positions = std::make_shared<const IntervalSet>(std::move(positions));
  return set;
}

/// Adds the bounds of the least range that has all of the set.
static void addHull(Piece &piece, const PositionSet &set) {
  auto add = [&](SmallVectorImpl<Bound> &bounds, int64_t offset) {
    bounds.insert(bounds.begin(), Bound{0, set.fromEnd, offset});
  };
  llvm::ArrayRef<Range> ranges = set.positions->ranges();
  Range hull = {ranges.front().begin, ranges.back().end};
  if (hull.begin > set.universe().begin)
    set.ofKey ? add(piece.lower, hull.begin) : add(piece.rowLower, hull.begin);
  if (hull.end < set.universe().end)
    set.ofKey ? add(piece.upper, hull.end) : add(piece.rowUpper, hull.end);
}

/// Drops the bounds of the kind, which the set says.
static void dropBounds(Piece &piece, const PositionSet &set) {
  auto dropFrom = [&](llvm::SmallVectorImpl<Bound> &bounds) {
    llvm::erase_if(bounds, [&](const Bound &bound) {
      return !bound.dependsOnQuery() && bound.perKey == set.fromEnd;
    });
  };
  if (set.ofKey) {
    dropFrom(piece.lower);
    dropFrom(piece.upper);
  } else {
    dropFrom(piece.rowLower);
    dropFrom(piece.rowUpper);
  }
}

/// Intersects sets of one kind, and with the bounds of it, which they then say;
/// what is one range becomes bounds. False where nothing is left of one.
static bool mergeSets(Piece &piece) {
  llvm::SmallVector<PositionSet, 1> merged;
  for (const PositionSet &set : piece.sets) {
    auto *same = llvm::find_if(
        merged, [&](const PositionSet &other) { return other.isOf(set); });
    if (same == merged.end())
      merged.push_back(set);
    else
      *same = withPositions(set, same->positions->intersect(*set.positions));
  }
  piece.sets.clear();
  for (const PositionSet &set : merged) {
    IntervalSet left = set.positions->intersect(rangeOf(piece, set));
    if (left.empty())
      return false;
    dropBounds(piece, set);
    PositionSet alone = withPositions(set, std::move(left));
    if (alone.positions->ranges().size() == 1)
      addHull(piece, alone);
    else
      piece.sets.push_back(std::move(alone));
  }
  return true;
}

/// `piece` with the bounds that its sets imply.
static Piece withHulls(const Piece &piece) {
  Piece result = piece;
  for (const PositionSet &set : piece.sets)
    addHull(result, set);
  return result;
}

/// Whether all that satisfies `piece` is in `wanted`.
static bool impliesSet(const Piece &piece, const PositionSet &wanted) {
  IntervalSet left = rangeOf(piece, wanted);
  for (const PositionSet &set : piece.sets)
    if (set.isOf(wanted))
      left = left.intersect(*set.positions);
  return left.intersect(*wanted.positions) == left;
}

/// What every pair satisfies: 0 <= j < N and i < N.
static const Bound firstKey = Bound::constant(0);
static const Bound pastEnd = Bound::fromEnd(0);

bool mask::simplify(Piece &piece) {
  if (!piece.sets.empty() && !mergeSets(piece))
    return false;
  llvm::erase_if(piece.rowUpper,
                 [](const Bound &b) { return atLeast(b, pastEnd); });
  llvm::erase_if(piece.lower,
                 [](const Bound &b) { return atLeast(firstKey, b); });
  llvm::erase_if(piece.upper,
                 [](const Bound &b) { return atLeast(b, pastEnd); });
  keepTightest(piece.rowLower, /*isLower=*/true);
  keepTightest(piece.rowUpper, /*isLower=*/false);
  keepTightest(piece.lower, /*isLower=*/true);
  keepTightest(piece.upper, /*isLower=*/false);
  return !contradict(piece.rowLower, piece.rowUpper) &&
         !contradict(piece.rowLower, pastEnd) &&
         !contradict(piece.lower, piece.upper) &&
         !contradict(piece.lower, pastEnd) &&
         !contradict(firstKey, piece.upper) && mergeResidues(piece.residues) &&
         mergeOpaque(piece.opaque);
}

bool mask::implies(const Piece &a, const Piece &b) {
  if (!llvm::all_of(b.sets, [&](const PositionSet &wanted) {
        return impliesSet(a, wanted);
      }))
    return false;
  if (!a.sets.empty()) {
    Piece bounded = withHulls(a);
    bounded.sets.clear();
    Piece rest = b;
    rest.sets.clear();
    return implies(bounded, rest);
  }
  auto lower = [](llvm::ArrayRef<Bound> from, llvm::ArrayRef<Bound> to) {
    return llvm::all_of(
        to, [&](const Bound &bound) { return impliesLower(from, bound); });
  };
  auto upper = [](llvm::ArrayRef<Bound> from, llvm::ArrayRef<Bound> to) {
    return llvm::all_of(
        to, [&](const Bound &bound) { return impliesUpper(from, bound); });
  };
  auto residueHolds = [&](const Residue &wanted) {
    return llvm::any_of(a.residues, [&](const Residue &r) {
      return r.subject == wanted.subject && r.modulus == wanted.modulus &&
             wanted.begin <= r.begin && r.end <= wanted.end;
    });
  };
  auto opaqueHolds = [&](const OpaqueLiteral &wanted) {
    return llvm::any_of(a.opaque, [&](const OpaqueLiteral &o) {
      return o.leaf == wanted.leaf && o.negated == wanted.negated;
    });
  };
  return lower(a.rowLower, b.rowLower) && upper(a.rowUpper, b.rowUpper) &&
         lower(a.lower, b.lower) && upper(a.upper, b.upper) &&
         llvm::all_of(b.residues, residueHolds) &&
         llvm::all_of(b.opaque, opaqueHolds);
}

Piece mask::conjunction(const Piece &a, const Piece &b) {
  Piece result = a;
  llvm::append_range(result.rowLower, b.rowLower);
  llvm::append_range(result.rowUpper, b.rowUpper);
  llvm::append_range(result.lower, b.lower);
  llvm::append_range(result.upper, b.upper);
  llvm::append_range(result.residues, b.residues);
  llvm::append_range(result.sets, b.sets);
  llvm::append_range(result.opaque, b.opaque);
  return result;
}
