//===- ChooseProof.cpp - Choice of a proof route --------------------------===//

#include "Proofs.h"
#include "SparseAttn/Proof/Certificate.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

/// Up to here rows are tried first: they give the plainest witnesses. Up to
/// the limit they are tried where formulas fail.
static constexpr double cheapSteps = 2e7, maxSteps = 5e8;

/// True when all numbers leave room for sums and products of a proof.
static bool isTame(const TileExpr &expr) {
  constexpr int64_t limit = int64_t(1) << 56;
  switch (expr.getKind()) {
  case TileExpr::Kind::Constant:
    return -limit < expr.getConstant() && expr.getConstant() < limit;
  case TileExpr::Kind::QueryTile:
  case TileExpr::Kind::NumQueries:
  case TileExpr::Kind::NumKeys:
    return true;
  case TileExpr::Kind::Mul:
  case TileExpr::Kind::FloorDiv:
    return -limit < expr.getConstant() && expr.getConstant() < limit &&
           isTame(expr.getLhs());
  default:
    return isTame(expr.getLhs()) && isTame(expr.getRhs());
  }
}

static bool isTame(const RowClass &cls) {
  auto boundsAreTame = [](const auto &part) {
    return isTame(part.begin) && isTame(part.end) && isTame(part.when);
  };
  return isTame(cls.rowBegin) && isTame(cls.rowEnd) &&
         llvm::all_of(cls.segments, boundsAreTame) &&
         llvm::all_of(cls.draws, boundsAreTame);
}

/// What of a class's layouts is no layout, or is not proven.
static std::string findProblem(const RowClass &cls) {
  auto ofLayout = [](const Layout &layout) -> std::string {
    std::string problem = layout.findProblem();
    if (problem.empty() && !layout.isContiguous() && layout.tile <= 0)
      return "tile sizes must be positive";
    return problem;
  };
  std::string problem = ofLayout(cls.layout);
  for (const Segment &segment : cls.segments) {
    if (problem.empty())
      problem = ofLayout(segment.layout);
    if (problem.empty())
      problem = segment.findProblem();
  }
  if (problem.empty() && !cls.layout.isContiguous() && !cls.draws.empty())
    return "blocks are drawn for rows that stand in a layout";
  return problem;
}

/// What is wrong with the table of a class, as a clause.
static std::string findTableProblem(const RowClass &cls,
                                    const TileShape &tile) {
  if (!cls.hasTable())
    return {};
  if (cls.heavy || !cls.layout.isContiguous() || !cls.segments.empty() ||
      !cls.draws.empty() ||
      cls.rowBegin != TileExpr::constant(cls.table.cuts.front()) ||
      cls.rowEnd != TileExpr::constant(cls.table.cuts.back()))
    return "a class with a table has its rows and tiles from there";
  return cls.table.findProblem(tile);
}

bool proof::holds(const Pieces &pieces, const Lengths &n, int64_t i,
                  int64_t j) {
  return llvm::any_of(pieces, [&](const Piece &piece) {
    Range band = bandOfRow(piece, n.nk, i, {j, j + 1});
    return !band.empty() && !keysOfSets(piece, n.nk, band).empty() &&
           llvm::all_of(piece.residues, [&](const Residue &residue) {
             return residue.holds(i, j);
           });
  });
}

/// What keeps a plan, or a part of one, from being looked at, or an empty text.
static std::string findObstacle(const TileShape &tile,
                                llvm::ArrayRef<RowClass> classes) {
  if (tile.queries <= 0 || tile.keys <= 0)
    return "tile sizes must be positive";
  if (!llvm::all_of(classes, [](const RowClass &cls) { return isTame(cls); }))
    return "a bound of the plan has a number beyond 2^56";
  for (const RowClass &cls : classes)
    if (std::string problem = findProblem(cls); !problem.empty())
      return problem;
  for (const RowClass &cls : classes)
    if (std::string problem = findTableProblem(cls, tile); !problem.empty())
      return problem;
  return {};
}

/// Why the lengths are none that the plan is for.
static std::optional<Proof> checkLengths(const Plan &plan, const Lengths &n) {
  Proof invalid;
  if (n.nq < 1 || n.nk < 1)
    invalid.reason = "lengths must be at least 1";
  else if (!plan.assumed.holds(n))
    invalid.reason = "the plan is for lengths of which " + plan.assumed.str() +
                     ", which " + std::to_string(n.nq) + " and " +
                     std::to_string(n.nk) + " are not";
  if (invalid.reason.empty())
    return std::nullopt;
  return invalid;
}

static Proof proveWithoutData(const Mask &mask, const Plan &plan,
                              const LengthFacts &known, int64_t numHeads) {
  LengthFacts facts = known.assuming(plan.assumed);
  Proof invalid;
  invalid.reason = plan.parts.empty() ? findObstacle(plan.tile, plan.classes)
                                      : findProblem(plan.parts);
  if (!invalid.reason.empty())
    return invalid;
  if (facts.nq && facts.nk) {
    if (std::optional<Proof> bad = checkLengths(plan, {*facts.nq, *facts.nk}))
      return *bad;
  }
  if (!plan.parts.empty())
    return proveParts(mask, plan, facts, numHeads);
  if (plan.hasTables() && (!facts.nq || !facts.nk)) {
    invalid.reason = "a table is for lengths that are known at compile time";
    return invalid;
  }
  if (!facts.nq || !facts.nk)
    return proveByPresburger(mask, plan, facts, numHeads);

  Lengths n = {*facts.nq, *facts.nk};
  double steps = exhaustiveCost(mask, plan, n, numHeads);
  if (steps <= cheapSteps || (plan.hasTables() && steps <= maxSteps))
    return proveByRows(mask, plan, n, numHeads);
  if (plan.hasTables()) {
    invalid.reason = "a table is proven row by row, which would take too long";
    return invalid;
  }
  Proof proof = proveByPresburger(mask, plan, facts, numHeads);
  if (proof.verdict == Verdict::Unsupported && steps <= maxSteps)
    return proveByRows(mask, plan, n, numHeads);
  return proof;
}

/// What is sure to be visited of pairs of which `facts` hold, and no others.
static Plan withData(Plan plan, unsigned facts) {
  for (RowClass &cls : plan.classes) {
    llvm::erase_if(cls.segments, [&](const Segment &segment) {
      return !segment.within.holds(facts);
    });
    for (Segment &segment : cls.segments) {
      segment.full &= !segment.within.documents || (facts & OneDocument) != 0;
      segment.within = {};
    }
  }
  return plan;
}

static unsigned factsOf(const Plan &plan) {
  unsigned facts = plan.readsDocuments() ? OneDocument : 0;
  return facts | (plan.readsListed() ? ListedRow | ListedKey : 0);
}

/// Whether a pair is live depends, where data decides, on a few facts, such as
/// whether it is of one document. Whatever the others are, the tiles of all
/// segments are visited that hold it if the facts are those that the segment
/// asks for; of others no tile is sure to be. So a plan is right for any data
/// where it is for pairs of which all, any and none of the facts hold.
Proof proof::provePlan(const Mask &mask, const Plan &plan,
                       const LengthFacts &facts, int64_t numHeads) {
  unsigned all = mask.getDataFacts() | factsOf(plan);
  if (all == 0)
    return proveWithoutData(mask, plan, facts, numHeads);
  // Before segments are taken for what they are to one kind of pairs.
  Proof invalid;
  invalid.reason = findObstacle(plan.tile, plan.classes);
  if (plan.parts.empty() && !invalid.reason.empty())
    return invalid;
  // All subsets of `all`, the empty one first.
  for (unsigned some = 0;; some = (some - all) & all) {
    Proof proof = proveWithoutData(mask.withData(some), withData(plan, some),
                                   facts, numHeads);
    if (proof.verdict != Verdict::Proven || some == all)
      return proof;
  }
}
