//===- Piece.cpp - Closed form of a mask: a union of bands ----------------===//

#include "SparseAttn/Mask/Piece.h"
#include "Integer.h"
#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVector;
using BoundList = llvm::SmallVectorImpl<Bound>;

bool Bound::isSmall() const {
  // |floorTo(i, b)| < 2^30 + b, and N <= 2^30.
  int64_t reach = block > 1 ? block : 0;
  bool isOneTerm = block == 0 ? perKey == 0 || perKey == 1 : perKey == 0;
  return isOneTerm && offset < maxSequenceLength - reach &&
         offset > reach - maxSequenceLength;
}

int64_t Bound::evaluate(int64_t i, int64_t n) const {
  int64_t query = block == 0 ? 0 : block == 1 ? i : block * floorDiv(i, block);
  return query + perKey * n + offset;
}

unsigned OpaqueLiteral::getDataFact() const {
  return negated ? 0 : leaf->getDataFact();
}

bool OpaqueLiteral::isDocument() const { return getDataFact() == OneDocument; }

unsigned Piece::getDataFacts() const {
  unsigned facts = 0;
  for (const OpaqueLiteral &literal : opaque)
    facts |= literal.getDataFact();
  return facts;
}

bool Piece::isBandOfDocuments() const {
  return residues.empty() && sets.empty() &&
         llvm::all_of(opaque, [](const OpaqueLiteral &literal) {
           return literal.isDocument();
         });
}

bool Residue::holds(int64_t i, int64_t j) const {
  int64_t x = subject == Subject::Key     ? j
              : subject == Subject::Query ? i
                                          : j - i;
  int64_t r = floorMod(x, modulus);
  return begin <= r && r < end;
}

Range PositionSet::universe() const {
  return {ofKey && !fromEnd ? 0 : -2 * maxSequenceLength,
          fromEnd ? 0 : 2 * maxSequenceLength};
}

PositionSet PositionSet::complement() const {
  PositionSet result = *this;
  result.positions =
      std::make_shared<const IntervalSet>(positions->complementIn(universe()));
  return result;
}

IntervalSet PositionSet::at(int64_t n) const {
  if (!fromEnd)
    return *positions;
  SmallVector<Range> ranges;
  for (Range range : positions->ranges())
    ranges.push_back({range.begin + n, range.end + n});
  return IntervalSet::fromRanges(std::move(ranges));
}

static bool contains(const PositionSet &set, int64_t n, int64_t x) {
  if (set.fromEnd)
    x -= n;
  return set.positions->covers({x, x + 1});
}

static llvm::hash_code hashOf(const Piece &piece) {
  llvm::hash_code code = llvm::hash_value(piece.opaque.size());
  for (const auto *bounds : {&piece.rowLower, &piece.rowUpper})
    for (const Bound &bound : *bounds)
      code = llvm::hash_combine(code, bound.block, bound.perKey, bound.offset);
  for (const auto *bounds : {&piece.lower, &piece.upper})
    for (const Bound &bound : *bounds)
      code = llvm::hash_combine(code, bound.block, bound.perKey, bound.offset);
  for (const Residue &residue : piece.residues)
    code = llvm::hash_combine(code, unsigned(residue.subject), residue.modulus,
                              residue.begin, residue.end);
  for (const PositionSet &set : piece.sets) {
    code = llvm::hash_combine(code, set.ofKey, set.fromEnd);
    for (Range range : set.positions->ranges())
      code = llvm::hash_combine(code, range.begin, range.end);
  }
  return code;
}

llvm::hash_code mask::hash_value(const Pieces &pieces) {
  llvm::hash_code code = llvm::hash_value(pieces.size());
  for (const Piece &piece : pieces)
    code = llvm::hash_combine(code, hashOf(piece));
  return code;
}

Range mask::bandOfRow(const Piece &piece, int64_t n, int64_t i, Range keys) {
  for (const Bound &bound : piece.rowLower)
    if (i < bound.evaluate(i, n))
      return {};
  for (const Bound &bound : piece.rowUpper)
    if (i >= bound.evaluate(i, n))
      return {};
  for (const PositionSet &set : piece.sets)
    if (!set.ofKey && !contains(set, n, i))
      return {};
  for (const Bound &bound : piece.lower)
    keys.begin = std::max(keys.begin, bound.evaluate(i, n));
  for (const Bound &bound : piece.upper)
    keys.end = std::min(keys.end, bound.evaluate(i, n));
  return keys.empty() ? Range() : keys;
}

IntervalSet mask::keysOfSets(const Piece &piece, int64_t n, Range band) {
  IntervalSet keys = band;
  for (const PositionSet &set : piece.sets)
    if (set.ofKey)
      keys = keys.intersect(set.at(n));
  return keys;
}

/// `piece` with a range in the place of set number `index`.
static Piece withRange(const Piece &piece, size_t index, Range range) {
  Piece result = piece;
  PositionSet set = piece.sets[index];
  result.sets.erase(result.sets.begin() + index);
  Range all = set.universe();
  auto bound = [&](int64_t offset) { return Bound{0, set.fromEnd, offset}; };
  if (range.begin > all.begin)
    (set.ofKey ? static_cast<BoundList &>(result.lower)
               : static_cast<BoundList &>(result.rowLower))
        .push_back(bound(range.begin));
  if (range.end < all.end)
    (set.ofKey ? static_cast<BoundList &>(result.upper)
               : static_cast<BoundList &>(result.rowUpper))
        .push_back(bound(range.end));
  return result;
}

namespace {
/// Which sets are to be ranges, and how many pieces there may be.
struct Expansion {
  bool ofRows, ofKeys;
  size_t maxPieces;
  Pieces result;

  bool add(const Piece &piece) {
    for (size_t index = 0; index < piece.sets.size(); ++index) {
      const PositionSet &set = piece.sets[index];
      if (set.ofKey ? !ofKeys : !ofRows)
        continue;
      return llvm::all_of(set.positions->ranges(), [&](Range range) {
        return add(withRange(piece, index, range));
      });
    }
    result.push_back(piece);
    return result.size() <= maxPieces;
  }
};
} // namespace

std::optional<Pieces> mask::expandSets(const Pieces &pieces, size_t maxPieces,
                                       bool ofRows, bool ofKeys) {
  Expansion expansion = {ofRows, ofKeys, maxPieces, {}};
  for (const Piece &piece : pieces)
    if (!expansion.add(piece))
      return std::nullopt;
  return std::move(expansion.result);
}

IntervalSet mask::residueClass(const Residue &residue, int64_t origin,
                               Range range) {
  SmallVector<Range> ranges;
  if (range.empty() || residue.begin >= residue.end)
    return {};
  // The copies of [begin, end) repeat every `modulus`; the first one to look
  // at is the last that starts at or before range.begin.
  int64_t x = range.begin -
              floorMod(range.begin - origin - residue.begin, residue.modulus);
  for (; x < range.end; x += residue.modulus) {
    Range copy{x, x + (residue.end - residue.begin)};
    copy = copy.intersect(range);
    if (!copy.empty())
      ranges.push_back(copy);
  }
  return IntervalSet::fromRanges(std::move(ranges));
}

void mask::dropKnownLeaves(Pieces &pieces, int64_t keysMultiple) {
  for (Piece &piece : pieces)
    llvm::erase_if(piece.opaque, [&](const OpaqueLiteral &literal) {
      const LastBlock *last = literal.leaf->getLastBlock();
      return last && literal.bounded && !literal.negated &&
             keysMultiple % last->block == 0;
    });
}
