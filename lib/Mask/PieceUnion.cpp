//===- PieceUnion.cpp - Union, intersection and complement of pieces ------===//

#include "PieceAlgebra.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

/// `piece` without the literal at `index` of the list `member`.
template <typename List>
static Piece without(const Piece &piece, List Piece::*member, size_t index) {
  Piece result = piece;
  List &list = result.*member;
  list.erase(list.begin() + index);
  return result;
}

/// Where p = p' and x, q = q' and y, and one of x and y holds for every pair,
/// p or q = p' and q' provided that p implies q' and q implies p': a pair of
/// the right side satisfies x, and is in p, or y, and is in q.
static std::optional<Piece> joinWithout(const Piece &p, const Piece &q,
                                        const Piece &rest,
                                        const Piece &otherRest) {
  if (!implies(p, otherRest) || !implies(q, rest))
    return std::nullopt;
  Piece joined = conjunction(rest, otherRest);
  if (!simplify(joined))
    return std::nullopt;
  return joined;
}

/// Joins over a pair of bounds x < u and x >= l with l <= u.
template <typename List>
static std::optional<Piece> joinBounds(const Piece &p, const Piece &q,
                                       List Piece::*lower, List Piece::*upper) {
  for (size_t u = 0; u < (p.*upper).size(); ++u)
    for (size_t l = 0; l < (q.*lower).size(); ++l) {
      std::optional<int64_t> overlap =
          minDifference((p.*upper)[u], (q.*lower)[l]);
      if (!overlap || *overlap < 0)
        continue;
      if (std::optional<Piece> joined =
              joinWithout(p, q, without(p, upper, u), without(q, lower, l)))
        return joined;
    }
  return std::nullopt;
}

/// Two sets of one kind as one, where all else is the same.
static std::optional<Piece> joinSets(const Piece &p, const Piece &q) {
  if (p.sets.empty() || p.sets.size() != q.sets.size())
    return std::nullopt;
  for (size_t a = 0; a < p.sets.size(); ++a)
    for (size_t b = 0; b < q.sets.size(); ++b) {
      const PositionSet &x = p.sets[a], &y = q.sets[b];
      if (!x.isOf(y))
        continue;
      Piece rest = without(p, &Piece::sets, a);
      if (!(rest == without(q, &Piece::sets, b)))
        continue;
      PositionSet both = x;
      both.positions =
          std::make_shared<const IntervalSet>(x.positions->unite(*y.positions));
      rest.sets.push_back(std::move(both));
      if (simplify(rest))
        return rest;
    }
  return std::nullopt;
}

/// p or q as one piece, where a literal of each tells them apart.
static std::optional<Piece> join(const Piece &p, const Piece &q) {
  if (auto joined = joinSets(p, q))
    return joined;
  if (auto joined = joinBounds(p, q, &Piece::lower, &Piece::upper))
    return joined;
  if (auto joined = joinBounds(p, q, &Piece::rowLower, &Piece::rowUpper))
    return joined;
  for (size_t a = 0; a < p.opaque.size(); ++a)
    for (size_t b = 0; b < q.opaque.size(); ++b)
      if (p.opaque[a].leaf == q.opaque[b].leaf &&
          p.opaque[a].negated != q.opaque[b].negated)
        if (auto joined = joinWithout(p, q, without(p, &Piece::opaque, a),
                                      without(q, &Piece::opaque, b)))
          return joined;
  // [begin, middle) and [middle, end) of one residue.
  for (size_t a = 0; a < p.residues.size(); ++a)
    for (size_t b = 0; b < q.residues.size(); ++b) {
      const Residue &x = p.residues[a], &y = q.residues[b];
      if (x.subject != y.subject || x.modulus != y.modulus ||
          x.begin > y.begin || x.end < y.begin)
        continue;
      Piece rest = without(p, &Piece::residues, a);
      Piece otherRest = without(q, &Piece::residues, b);
      if (!implies(rest, otherRest) || !implies(otherRest, rest))
        continue;
      Residue both = x;
      both.end = std::max(x.end, y.end);
      rest.residues.push_back(both);
      if (simplify(rest))
        return rest;
    }
  return std::nullopt;
}

void mask::addPiece(Pieces &pieces, Piece piece) {
  if (!simplify(piece))
    return;
  for (size_t k = 0; k < pieces.size();) {
    if (implies(piece, pieces[k]))
      return;
    std::optional<Piece> joined = join(piece, pieces[k]);
    if (!joined)
      joined = join(pieces[k], piece);
    if (joined || implies(pieces[k], piece)) {
      pieces.erase(pieces.begin() + k);
      // What has grown may swallow pieces that were looked at before.
      if (joined) {
        piece = std::move(*joined);
        k = 0;
      }
      continue;
    }
    ++k;
  }
  pieces.push_back(std::move(piece));
}

bool mask::addPieces(Pieces &pieces, const Pieces &more, unsigned maxPieces) {
  for (const Piece &piece : more)
    addPiece(pieces, piece);
  return pieces.size() <= maxPieces;
}

std::optional<Pieces> mask::intersectPieces(const Pieces &a, const Pieces &b,
                                            unsigned maxPieces) {
  Pieces result;
  for (const Piece &p : a)
    for (const Piece &q : b) {
      addPiece(result, conjunction(p, q));
      if (result.size() > maxPieces)
        return std::nullopt;
    }
  return result;
}

/// The complement of a conjunction: one piece for each literal.
static Pieces negate(const Piece &piece) {
  Pieces result;
  auto add = [&](auto member, const auto &literal) {
    Piece single;
    (single.*member).push_back(literal);
    addPiece(result, std::move(single));
  };
  for (const Bound &bound : piece.rowLower)
    add(&Piece::rowUpper, bound);
  for (const Bound &bound : piece.rowUpper)
    add(&Piece::rowLower, bound);
  for (const Bound &bound : piece.lower)
    add(&Piece::upper, bound);
  for (const Bound &bound : piece.upper)
    add(&Piece::lower, bound);
  for (const Residue &r : piece.residues) {
    if (r.begin > 0)
      add(&Piece::residues, Residue{r.subject, r.modulus, 0, r.begin});
    if (r.end < r.modulus)
      add(&Piece::residues, Residue{r.subject, r.modulus, r.end, r.modulus});
  }
  for (const PositionSet &set : piece.sets)
    add(&Piece::sets, set.complement());
  for (const OpaqueLiteral &literal : piece.opaque)
    add(&Piece::opaque, OpaqueLiteral{literal.leaf, !literal.negated});
  return result;
}

std::optional<Pieces> mask::complementPieces(const Pieces &pieces,
                                             unsigned maxPieces) {
  // not (p or q or ...) = (not p) and (not q) and ...
  if (maxPieces == 0 && pieces.empty())
    return std::nullopt;
  std::optional<Pieces> result = Pieces{Piece()};
  for (const Piece &piece : pieces) {
    result = intersectPieces(*result, negate(piece), maxPieces);
    if (!result)
      return std::nullopt;
  }
  return result;
}

std::optional<Pieces> mask::subtractPieces(const Pieces &pieces,
                                           const Pieces &others,
                                           unsigned maxPieces) {
  std::optional<Pieces> result = pieces;
  for (const Piece &other : others) {
    result = intersectPieces(*result, negate(other), maxPieces);
    if (!result)
      return std::nullopt;
  }
  return result;
}
