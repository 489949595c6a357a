//===- PartPlanner.cpp - Which pairs a plan folds -------------------------===//
//
// Pieces whose keys are a multiple of a step away from the query are a group,
// which a part folded by the step may compute; a part without a step computes
// all other pieces. What several have, the first of these computes: other
// pieces that can be told in the numbers of each group, groups, smaller steps
// first, and other pieces that cannot.
//
// Other pieces that are as simple without what groups have come last, too, as a
// causal window no longer than a step without its diagonal: folded, the first
// row of each residue would see no key without that, and on GPUs a tile with
// such a row is computed a second time.
//
// Whole rows, as those of global tokens, are classes of their own in the last
// part, which computes all of their pairs, so that nobody gives up any.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "SparseAttn/Plan/PlanParts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/MathExtras.h"
#include <map>

#define DEBUG_TYPE "sparse-attn-plan"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// A part of more pieces costs too much in each of its partial tiles.
static constexpr unsigned maxPieces = 8;

/// All choices among the groups are tried.
static constexpr unsigned maxGroups = 3;

/// Nobody folds by more, and counting takes a step for each residue.
static constexpr int64_t maxStep = int64_t(1) << 16;

/// The largest step such that the piece is one of a residue; 1 if there is
/// none.
static int64_t stepOf(const Piece &piece) {
  int64_t step = 1;
  for (const Residue &residue : piece.residues)
    if (residue.subject == Residue::Subject::KeyMinusQuery &&
        residue.begin == 0 && residue.end == 1 && residue.modulus <= maxStep)
      step = std::max(step, residue.modulus);
  return foldPiece(piece, step) ? step : 1;
}

static std::optional<Pieces> foldPieces(const Pieces &pieces, int64_t step) {
  Pieces all;
  for (const Piece &piece : pieces) {
    std::optional<Pieces> folded = foldPiece(piece, step);
    if (!folded)
      return std::nullopt;
    all.append(*folded);
  }
  return all;
}

/// Some rows, all keys.
static bool isWholeRows(const Piece &piece) {
  return piece.hasRowBounds() && piece.isBand() && piece.lower.empty() &&
         piece.upper.empty();
}

namespace {
class PartPlanner {
public:
  PartPlanner(ChooseTileFn chooseTile, const LengthFacts &facts,
              const PlanForms &forms)
      : chooseTile(chooseTile), facts(facts), forms(forms),
        n(sampleLengths(facts)) {}

  /// The plan that is the least work, or nothing where that is `contiguous`.
  std::optional<Plan> run(const Mask &mask, const Plan &contiguous);

private:
  using Groups = std::map<int64_t, Pieces>;

  /// A plan whose last part has the pieces `rest`, and nothing where parts
  /// cannot be told apart.
  std::optional<Plan> plan(const Groups &groups, const Pieces &rest) const;
  static bool isFirst(const Piece &piece, const Groups &groups);
  static std::optional<Pieces> leave(const Groups &groups, const Piece &piece);
  static std::optional<Pieces> giveUp(const Groups &groups,
                                      const Pieces &pieces);
  std::optional<Part> planPart(int64_t step, const Pieces &pairs) const;
  std::optional<Part> planPart(int64_t step, const Pieces &pairs,
                               TileShape tile) const;
  double measure(const Plan &plan) const;
  double measure(const Part &part) const;

  ChooseTileFn chooseTile;
  const LengthFacts &facts;
  const PlanForms &forms;
  Lengths n;
};
} // namespace

/// What the groups leave of a piece; nullopt where that has no short form.
std::optional<Pieces> PartPlanner::leave(const Groups &groups,
                                         const Piece &piece) {
  std::optional<Pieces> left = Pieces{piece};
  for (const auto &[step, group] : groups)
    if (left)
      left = subtractPieces(*left, group, maxPieces);
  if (left)
    left = normalizePieces(std::move(*left));
  return left;
}

/// Whether groups need not compute a piece: it can be told in the numbers of
/// each of them, and without what they have it would be less simple.
bool PartPlanner::isFirst(const Piece &piece, const Groups &groups) {
  std::optional<Pieces> left = leave(groups, piece);
  if (left && left->size() <= 1 && llvm::all_of(*left, [&](const Piece &rest) {
        return rest.residues.size() <= piece.residues.size();
      }))
    return false;
  return llvm::all_of(groups, [&](const auto &group) {
    return foldPiece(piece, group.first).has_value();
  });
}

/// What groups leave of the pieces that do not come before them, and those that
/// do; nullopt where that has no short form.
std::optional<Pieces> PartPlanner::giveUp(const Groups &groups,
                                          const Pieces &pieces) {
  Pieces left;
  for (const Piece &piece : pieces) {
    std::optional<Pieces> some =
        isFirst(piece, groups) ? Pieces{piece} : leave(groups, piece);
    if (!some)
      return std::nullopt;
    left.append(*some);
  }
  return left;
}

/// The pairs in visited tiles, those of partial ones weighted.
static double countWork(const Plan &plan, const TileShape &tile,
                        const Lengths &n) {
  TileCounts counts = countTiles(plan, n, /*head=*/0);
  return (double(counts.full) + kPartialCost * double(counts.partial)) *
         double(tile.queries) * double(tile.keys);
}

double PartPlanner::measure(const Part &part) const {
  Plan alone;
  alone.parts = {part};
  return countWork(alone, part.tile, n);
}

double PartPlanner::measure(const Plan &plan) const {
  if (plan.parts.empty())
    return countWork(plan, plan.tile, n);
  double pairs = double(plan.parts.size() - 1) * double(n.nq) *
                 double(*forms.mergedRowPairs);
  for (const Part &part : plan.parts)
    pairs += measure(part);
  return pairs;
}

std::optional<Part> PartPlanner::planPart(int64_t step, const Pieces &pairs,
                                          TileShape tile) const {
  llvm::SmallVector<PlanLoss> losses;
  // The keys of a fold stand one after the other.
  KeyLayouts layouts = step == 1 ? forms.layouts : KeyLayouts::Contiguous;
  Plan one = makePlan(Mask::ofPieces(pairs), tile, foldFacts(facts, step),
                      &losses, layouts);
  Part part = {step, pairs, tile, one.classes};
  if (!losses.empty() || !findProblem(part).empty())
    return std::nullopt;
  return part;
}

/// With the tile of the mask, or smaller ones: the residues of a long step are
/// short, and what is left of a mask is narrow.
std::optional<Part> PartPlanner::planPart(int64_t step,
                                          const Pieces &pairs) const {
  TileShape tile = chooseTile(Mask::ofPieces(pairs), foldFacts(facts, step));
  std::optional<Part> best = planPart(step, pairs, tile);
  auto halved = [](int64_t size, int64_t least) {
    constexpr int64_t granule = 16;
    int64_t half = llvm::alignTo<granule>(size / 2);
    return std::min(size, std::max(least, half));
  };
  for (bool isBetter = true; best && isBetter;) {
    isBetter = false;
    const TileShape from = best->tile, &least = forms.leastTile;
    for (TileShape smaller :
         {TileShape{halved(from.queries, least.queries), from.keys},
          TileShape{from.queries, halved(from.keys, least.keys)}}) {
      std::optional<Part> part = planPart(step, pairs, smaller);
      if (!part || measure(*part) * kLeastGain >= measure(*best))
        continue;
      best = std::move(part);
      isBetter = true;
    }
  }
  return best;
}

std::optional<Plan> PartPlanner::plan(const Groups &groups,
                                      const Pieces &pieces) const {
  // Rows of few pieces are classes, whose pairs the last part computes alone.
  Pieces rest, wholeRows;
  TileShape tile = chooseTile(Mask::ofPieces(pieces), facts);
  RowClasses classes = classifyRows(pieces, tile, facts, RowOptions());
  if (classes.areTooMany)
    return std::nullopt;
  for (const Piece &piece : pieces) {
    bool isOrdinary = llvm::is_contained(classes.classes.front().pieces, piece);
    if (!isOrdinary && !isWholeRows(piece))
      return std::nullopt;
    (isOrdinary ? rest : wholeRows).push_back(piece);
  }
  std::optional<Pieces> left = giveUp(groups, rest);
  if (!left)
    return std::nullopt;
  Plan result;
  result.assumed = facts.assumed;
  for (auto group = groups.begin(); group != groups.end(); ++group) {
    int64_t step = group->first;
    std::optional<Pieces> pairs = foldPieces(group->second, step);
    Pieces before;
    for (const Piece &piece : rest)
      if (isFirst(piece, groups))
        before.append(*foldPiece(piece, step));
    for (auto smaller = groups.begin(); pairs && smaller != group; ++smaller) {
      std::optional<Pieces> its = foldPieces(smaller->second, step);
      if (!its)
        return std::nullopt;
      before.append(*its);
    }
    if (pairs)
      pairs = subtractPieces(*pairs, before, maxPieces);
    if (!pairs)
      return std::nullopt;
    if (pairs->empty())
      continue;
    std::optional<Part> part = planPart(step, *pairs);
    if (!part)
      return std::nullopt;
    result.parts.push_back(std::move(*part));
  }
  rest = std::move(*left);
  rest.append(wholeRows);
  if (rest.size() > maxPieces)
    return std::nullopt;
  if (!rest.empty()) {
    std::optional<Part> part = planPart(/*step=*/1, rest);
    if (!part)
      return std::nullopt;
    result.parts.push_back(std::move(*part));
  }
  if (result.parts.empty() || !findProblem(result.parts).empty())
    return std::nullopt;
  result.tile = result.parts.back().tile;
  return result;
}

std::optional<Plan> PartPlanner::run(const Mask &mask, const Plan &contiguous) {
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces)
    return std::nullopt;
  dropKnownLeaves(*pieces, facts.assumed.keysMultiple);
  // Rows in layouts have no place in parts.
  pieces = expandSets(*pieces, defaultMaxPieces);
  if (!pieces)
    return std::nullopt;
  *pieces = normalizePieces(std::move(*pieces));
  Groups groups;
  Pieces others;
  for (const Piece &piece : *pieces) {
    // What a leaf computes cannot be named in a part.
    if (!piece.opaque.empty())
      return std::nullopt;
    int64_t step = stepOf(piece);
    (step > 1 ? groups[step] : others).push_back(piece);
  }
  if (groups.empty() || groups.size() > maxGroups)
    return std::nullopt;
  std::optional<Plan> best;
  double least = measure(contiguous) / kLeastGain;
  for (unsigned chosen = 1; chosen < 1u << groups.size(); ++chosen) {
    Groups some;
    Pieces rest = others;
    unsigned index = 0;
    for (const auto &[step, group] : groups) {
      if (chosen >> index++ & 1)
        some[step] = group;
      else
        rest.append(group);
    }
    std::optional<Plan> candidate = plan(some, rest);
    double work = candidate ? measure(*candidate) : 0;
    LDBG() << "parts for choice " << chosen << " of "
           << (1u << groups.size()) - 1 << " take " << work
           << " pairs, and a better plan no more than " << least;
    if (candidate && work <= least) {
      best = std::move(candidate);
      least = work;
    }
  }
  return best;
}

Plan plan::makePlanOfParts(const Mask &mask, ChooseTileFn chooseTile,
                           const LengthFacts &facts, const PlanForms &forms,
                           llvm::SmallVectorImpl<PlanLoss> *losses) {
  llvm::SmallVector<PlanLoss> found;
  Plan contiguous = makePlan(mask, chooseTile(mask, facts), facts, &found,
                             forms.layouts, forms.rowLayouts);
  if (forms.mergedRowPairs)
    if (std::optional<Plan> parts =
            PartPlanner(chooseTile, facts, forms).run(mask, contiguous))
      return *parts;
  if (losses)
    losses->append(found);
  return contiguous;
}
