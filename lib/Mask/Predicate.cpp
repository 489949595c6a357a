//===- Predicate.cpp - How code tells whether a pair is live --------------===//

#include "SparseAttn/Mask/Predicate.h"
#include "PieceAlgebra.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

Predicate Predicate::unionOf(Pieces pieces) {
  Predicate result;
  result.pieces = std::move(pieces);
  return result;
}

static Predicate combine(Predicate::Kind kind,
                         std::vector<Predicate> operands) {
  if (operands.size() == 1)
    return std::move(operands.front());
  Predicate result;
  result.kind = kind;
  result.operands = std::move(operands);
  return result;
}

Predicate Predicate::all(std::vector<Predicate> operands) {
  return combine(Kind::All, std::move(operands));
}

/// Unions among the operands become one.
Predicate Predicate::any(std::vector<Predicate> operands) {
  Pieces pieces;
  std::vector<Predicate> rest;
  for (Predicate &operand : operands) {
    if (operand.kind != Kind::Union) {
      rest.push_back(std::move(operand));
      continue;
    }
    for (Piece &piece : operand.pieces)
      addPiece(pieces, std::move(piece));
  }
  if (!pieces.empty() || rest.empty())
    rest.push_back(unionOf(std::move(pieces)));
  return combine(Kind::Any, std::move(rest));
}

//===----------------------------------------------------------------------===//
// What is asked of a pair
//===----------------------------------------------------------------------===//

bool mask::boundsRows(const OpaqueLiteral &literal) {
  const LastBlock *last = literal.leaf->getLastBlock();
  return last ? last->ofRows : literal.leaf->getDataFact() == ListedRow;
}

bool mask::boundsFromAbove(const OpaqueLiteral &literal) {
  const LastBlock *last = literal.leaf->getLastBlock();
  return last && !last->ofRows && literal.negated;
}

bool mask::boundsFromBelow(const OpaqueLiteral &literal) {
  const LastBlock *last = literal.leaf->getLastBlock();
  return last && !last->ofRows && !literal.negated;
}

static bool isAbove(const Piece &piece) {
  return !piece.upper.empty() || llvm::any_of(piece.opaque, boundsFromAbove);
}

static bool isBelow(const Piece &piece) {
  return !piece.lower.empty() || llvm::any_of(piece.opaque, boundsFromBelow);
}

/// A leaf that only its own code can tell.
static bool isLeaf(const OpaqueLiteral &literal) {
  return !literal.leaf->getLastBlock() && !boundsRows(literal);
}

/// Such a leaf that asks of the key alone.
static bool isOfKey(const OpaqueLiteral &literal) {
  return literal.leaf->getDataFact() == ListedKey;
}

static bool asksOfPair(const Residue &residue) {
  return residue.subject != Residue::Subject::Query;
}

static bool hasBoundsOnly(const Piece &piece) {
  return llvm::none_of(piece.residues, asksOfPair) &&
         llvm::none_of(piece.opaque, isLeaf);
}

static bool dependsOnRow(const Piece &piece) {
  auto moves = [](const Bound &bound) { return bound.dependsOnQuery(); };
  return piece.hasRowBounds() || llvm::any_of(piece.lower, moves) ||
         llvm::any_of(piece.upper, moves) ||
         llvm::any_of(piece.residues,
                      [](const Residue &residue) {
                        return residue.subject != Residue::Subject::Key;
                      }) ||
         llvm::any_of(piece.opaque, [](const OpaqueLiteral &literal) {
           return (isLeaf(literal) && !isOfKey(literal)) || boundsRows(literal);
         });
}

/// The piece sees all keys of its rows or none.
static bool hasWholeRows(const Piece &piece) {
  if (isBelow(piece))
    return false;
  return !isAbove(piece) || (dependsOnRow(piece) && piece.upper.size() == 1 &&
                             piece.upper[0] == Bound::fromEnd(0) &&
                             llvm::none_of(piece.opaque, boundsFromAbove));
}

PiecesByTest::PiecesByTest(const Pieces &withSets) {
  Pieces pieces = *expandSets(withSets, /*maxPieces=*/SIZE_MAX);
  for (const Piece &piece : pieces) {
    Pieces &rest = dependsOnRow(piece) ? others : columns;
    Pieces &bounded = hasWholeRows(piece) ? wholeRows
                      : !isBelow(piece)   ? below
                      : !isAbove(piece)   ? from
                                          : rest;
    (hasBoundsOnly(piece) ? bounded : rest).push_back(piece);
  }
  // Where none of them moves, one comparison would serve no row more.
  for (Pieces *side : {&below, &from})
    if (llvm::none_of(*side, dependsOnRow)) {
      columns.append(*side);
      side->clear();
    }
}

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

/// What a leaf asks of a pair: a comparison for each block that a row draws; of
/// other leaves we know nothing.
static unsigned costOf(const OpaqueLiteral &literal) {
  if (!isLeaf(literal))
    return 0;
  if (const RandomBlocks *blocks = literal.leaf->getRandomBlocks())
    return 2 * blocks->blocksPerRow;
  return isOfKey(literal) ? 0 : 16;
}

/// What a piece costs that is asked for by itself.
static unsigned costOf(const Piece &piece) {
  // Two bounds are a subtraction and an unsigned comparison.
  unsigned tests = isAbove(piece) || isBelow(piece);
  unsigned cost = isAbove(piece) + isBelow(piece);
  for (const Residue &residue : piece.residues) {
    if (!asksOfPair(residue))
      continue;
    ++tests;
    if (residue.subject == Residue::Subject::KeyMinusQuery)
      cost += residue.end - residue.begin == 1 ? 1 : 3;
  }
  for (const OpaqueLiteral &literal : piece.opaque) {
    tests += isLeaf(literal);
    cost += costOf(literal);
  }
  return cost + std::max(1u, tests) - 1;
}

static unsigned costOf(const Pieces &pieces) {
  PiecesByTest by(pieces);
  bool hasBelow = !by.below.empty(), hasFrom = !by.from.empty();
  unsigned cost = hasBelow + hasFrom;
  unsigned terms = cost + !by.columns.empty() + by.others.size();
  for (const Piece &piece : by.others)
    cost += costOf(piece);
  return cost + std::max(1u, terms) - 1;
}

unsigned Predicate::cost() const {
  if (kind == Kind::Union)
    return costOf(pieces);
  unsigned cost = std::max<size_t>(1, operands.size()) - 1;
  for (const Predicate &operand : operands)
    cost += operand.cost();
  return cost;
}

//===----------------------------------------------------------------------===//
// Predicates of masks
//===----------------------------------------------------------------------===//

Predicate MaskNode::predicate(bool negated) const {
  if (std::optional<Pieces> closed = pieces(negated, defaultMaxPieces))
    return Predicate::unionOf(std::move(*closed));
  // Only a combinator has more pieces than that, and it has members.
  Piece leaf;
  leaf.opaque.push_back({shared_from_this(), negated});
  return Predicate::unionOf({leaf});
}

Predicate mask::makePredicate(const Mask &mask) {
  return mask.getNode().predicate(/*negated=*/false);
}

//===----------------------------------------------------------------------===//
// Keys past the end
//===----------------------------------------------------------------------===//

void mask::endAtLastKey(Piece &piece) {
  Bound end = Bound::fromEnd(0);
  bool isImplied = llvm::any_of(piece.upper, [&](const Bound &bound) {
    std::optional<int64_t> room = minDifference(end, bound);
    return room && *room >= 0;
  });
  if (!isImplied)
    piece.upper.push_back(end);
}

/// A conjunction ends where one of its members does.
static void endInside(Predicate &predicate) {
  for (Piece &piece : predicate.pieces)
    endAtLastKey(piece);
  if (predicate.kind == Predicate::Kind::All && !predicate.operands.empty())
    return endInside(predicate.operands.front());
  for (Predicate &operand : predicate.operands)
    endInside(operand);
}

Predicate mask::amongKeys(Predicate predicate) {
  Predicate inside = predicate;
  endInside(inside);
  Piece exists;
  exists.upper.push_back(Bound::fromEnd(0));
  bool isTrue =
      predicate.kind == Predicate::Kind::All && predicate.operands.empty();
  Predicate outside = isTrue ? Predicate::unionOf({exists})
                             : Predicate::all({Predicate::unionOf({exists}),
                                               std::move(predicate)});
  return inside.cost() <= outside.cost() && !isTrue ? inside : outside;
}
