//===- PartPairs.cpp - Each pair of the mask belongs to one part ----------===//
//
// A pair (i, j) of positions belongs to a part folded by s where s divides j -
// i and the numbers (floor(i / s), floor(j / s)) are one of the part's pairs.
// With t = floor((j - i) / s) the second number is the first one and t, so that
// what bounds j - i of both speaks of t alone.
//
//===----------------------------------------------------------------------===//

#include "PresburgerProof.h"
#include "RowProof.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

/// Whether the last part computes all pairs of the row.
static bool isOfLaterClass(const Plan &plan, const Lengths &n, int64_t row) {
  return llvm::any_of(
      llvm::drop_begin(plan.parts.back().classes), [&](const RowClass &cls) {
        return Range{cls.rowBegin.evaluate(0, n), cls.rowEnd.evaluate(0, n)}
            .contains(row);
      });
}

//===----------------------------------------------------------------------===//
// Row by row
//===----------------------------------------------------------------------===//

/// The keys of a row that belong to the part.
static IntervalSet keysOfPart(const Part &part, const Lengths &n, int64_t i) {
  if (part.step == 1)
    return keysOfRow(part.pairs, n, i, {0, n.nk});
  int64_t number = llvm::divideFloorSigned(i, part.step);
  int64_t residue = i - number * part.step;
  int64_t nk = countResidue(n.nk, part.step, residue);
  if (nk == 0)
    return {};
  IntervalSet folded = keysOfRow(part.pairs, {nk, nk}, number, {0, nk});
  llvm::SmallVector<Range> keys;
  for (Range range : folded.ranges())
    for (int64_t m = range.begin; m < range.end; ++m) {
      int64_t key = residue + m * part.step;
      keys.push_back({key, key + 1});
    }
  return IntervalSet::fromRanges(std::move(keys));
}

static std::optional<Proof> checkRow(const Mask &mask, const Plan &plan,
                                     const Lengths &n, int64_t head,
                                     int64_t row) {
  int64_t i = row + n.firstQuery();
  Range all = {0, n.nk};
  auto refute = [&](const char *reason, const IntervalSet &wrong) {
    return Proof{Verdict::Refuted, reason, "exhaustive rows",
                 Witness{n, head, i, wrong.ranges().front().begin}};
  };
  IntervalSet live = mask.liveKeys(n, head, i, all), masked, computed;
  masked = live.complementIn(all);
  bool isOfLast = isOfLaterClass(plan, n, row);
  for (const Part &part : plan.parts) {
    if (isOfLast && &part != &plan.parts.back())
      continue;
    IntervalSet keys = keysOfPart(part, n, i);
    if (IntervalSet wrong = keys.intersect(masked); !wrong.empty())
      return refute(reasons::partMasked, wrong);
    if (IntervalSet twice = keys.intersect(computed); !twice.empty())
      return refute(reasons::partOnce, twice);
    computed = computed.unite(keys);
  }
  if (IntervalSet missed = live.intersect(computed.complementIn(all));
      !missed.empty())
    return refute(reasons::partMissed, missed);
  return std::nullopt;
}

Proof proof::checkPartsByRows(const Mask &mask, const Plan &plan,
                              const Lengths &n, int64_t numHeads) {
  int64_t heads = mask.isHeadInvariant() ? 1 : std::max<int64_t>(1, numHeads);
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t row = 0; row < n.nq; ++row)
      if (std::optional<Proof> bad = checkRow(mask, plan, n, head, row))
        return *bad;
  return {Verdict::Proven, {}, "exhaustive rows", {}};
}

//===----------------------------------------------------------------------===//
// At all lengths
//===----------------------------------------------------------------------===//

namespace {
class PartPairs {
public:
  PartPairs(const Mask &mask, const Plan &plan, const LengthFacts &facts,
            int64_t numHeads, Pieces pieces)
      : mask(mask), plan(plan), facts(facts), pieces(std::move(pieces)),
        search(mask, plan, facts, numHeads, this->pieces) {}

  Proof run();

private:
  Unknowns anyPair() const;
  /// The pair of row and key is one of `piece` of a part, or it is none of any
  /// of the part's.
  Formula isOf(Unknowns &x, const Part &part, const Piece &piece) const;
  Formula isNoneOf(Unknowns &x, const Part &part) const;
  Formula pieceOf(Unknowns &x, const Part &part, const Piece &piece,
                  bool negated) const;
  Formula isRowOfLast(Unknowns &x, bool negated) const;
  bool belongs(const Part &part, const Candidate &at) const;

  const Mask &mask;
  const Plan &plan;
  LengthFacts facts;
  Pieces pieces;
  PresburgerProof search;
};
} // namespace

Unknowns PartPairs::anyPair() const {
  Unknowns x(facts);
  x.domain.push_back(Formula::nonNegative(x.row));
  x.domain.push_back(Formula::less(x.row, x.nq));
  x.domain.push_back(Formula::nonNegative(x.key));
  x.domain.push_back(Formula::less(x.key, x.nk));
  return x;
}

static bool dependsOnLength(const Piece &piece) {
  return llvm::any_of(
      std::initializer_list<llvm::ArrayRef<Bound>>{
          piece.rowLower, piece.rowUpper, piece.lower, piece.upper},
      [](llvm::ArrayRef<Bound> bounds) {
        return llvm::any_of(bounds,
                            [](const Bound &b) { return b.perKey != 0; });
      });
}

Formula PartPairs::pieceOf(Unknowns &x, const Part &part, const Piece &piece,
                           bool negated) const {
  if (part.step == 1)
    return x.literals(piece, negated);
  Linear i = x.position();
  Linear number = x.problem.floorDiv(i, part.step);
  Linear distance = x.problem.floorDiv(x.key - i, part.step);
  // ceil((nk - residue) / s), and the residue is i - number * s.
  Linear keys = x.nk;
  if (dependsOnLength(piece))
    keys = x.problem.floorDiv(x.nk - i + number * part.step + (part.step - 1),
                              part.step);
  return x.literals(piece, number, number + distance, keys, negated);
}

/// j - i is a multiple of the step, or, with `negated`, it is none.
static Formula isOfOneResidue(Unknowns &x, int64_t step, bool negated) {
  if (step == 1)
    return negated ? Formula::any({}) : Formula::all({});
  Linear distance = x.key - x.position();
  Linear multiple = x.problem.floorDiv(distance, step) * step;
  return negated ? Formula::less(multiple, distance)
                 : Formula::lessEqual(distance, multiple);
}

Formula PartPairs::isOf(Unknowns &x, const Part &part,
                        const Piece &piece) const {
  return Formula::all({isOfOneResidue(x, part.step, /*negated=*/false),
                       pieceOf(x, part, piece, /*negated=*/false)});
}

Formula PartPairs::isNoneOf(Unknowns &x, const Part &part) const {
  std::vector<Formula> none;
  for (const Piece &piece : part.pairs)
    none.push_back(pieceOf(x, part, piece, /*negated=*/true));
  return Formula::any({isOfOneResidue(x, part.step, /*negated=*/true),
                       Formula::all(std::move(none))});
}

Formula PartPairs::isRowOfLast(Unknowns &x, bool negated) const {
  std::vector<Formula> parts;
  for (const RowClass &cls : llvm::drop_begin(plan.parts.back().classes))
    parts.push_back(negated ? x.outside(cls.rowBegin, x.row, cls.rowEnd)
                            : x.inside(cls.rowBegin, x.row, cls.rowEnd));
  return negated ? Formula::all(std::move(parts))
                 : Formula::any(std::move(parts));
}

bool PartPairs::belongs(const Part &part, const Candidate &at) const {
  if (&part != &plan.parts.back() && isOfLaterClass(plan, at.n, at.row))
    return false;
  return keysOfPart(part, at.n, at.row + at.n.firstQuery())
      .covers({at.key, at.key + 1});
}

Proof PartPairs::run() {
  const Part &last = plan.parts.back();
  bool hasLaterClasses = last.classes.size() > 1;
  for (const Part &part : plan.parts) {
    for (const Piece &piece : part.pairs) {
      Unknowns x = anyPair();
      x.domain.push_back(isOf(x, part, piece));
      if (hasLaterClasses && &part != &last)
        x.domain.push_back(isRowOfLast(x, /*negated=*/true));
      for (const Piece &live : pieces)
        if (live.opaque.empty())
          x.domain.push_back(x.literals(live, /*negated=*/true));
      search.ask(x, reasons::partMasked,
                 [&](const Candidate &at, int64_t head) {
                   return belongs(part, at) && !isLive(mask, at, head);
                 });
      for (const Part &other : plan.parts) {
        if (&other <= &part)
          continue;
        for (const Piece &its : other.pairs) {
          Unknowns y = anyPair();
          y.domain.push_back(isOf(y, part, piece));
          y.domain.push_back(isOf(y, other, its));
          if (hasLaterClasses)
            y.domain.push_back(isRowOfLast(y, /*negated=*/true));
          search.ask(y, reasons::partOnce, [&](const Candidate &at, int64_t) {
            return belongs(part, at) && belongs(other, at);
          });
        }
      }
    }
  }
  auto isMissed = [&](const Candidate &at, int64_t head) {
    return isLive(mask, at, head) &&
           llvm::none_of(plan.parts,
                         [&](const Part &part) { return belongs(part, at); });
  };
  for (const Piece &live : pieces) {
    Unknowns x = anyPair();
    x.domain.push_back(x.literals(live, /*negated=*/false));
    for (const Part &part : plan.parts)
      x.domain.push_back(isNoneOf(x, part));
    search.ask(x, reasons::partMissed, isMissed);
    if (!hasLaterClasses)
      continue;
    Unknowns y = anyPair();
    y.domain.push_back(y.literals(live, /*negated=*/false));
    y.domain.push_back(isRowOfLast(y, /*negated=*/false));
    y.domain.push_back(isNoneOf(y, last));
    search.ask(y, reasons::partMissed, isMissed);
  }
  return search.conclude();
}

Proof proof::checkPartsByPresburger(const Mask &mask, const Plan &plan,
                                    const LengthFacts &facts,
                                    int64_t numHeads) {
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces)
    return {Verdict::Unsupported,
            "the mask is a union of too many pieces",
            "presburger",
            {}};
  dropKnownLeaves(*pieces, facts.assumed.keysMultiple);
  return PartPairs(mask, plan, facts, numHeads, std::move(*pieces)).run();
}
