//===- SpecialPlans.cpp - Plans for some of the lengths -------------------===//

#include "SparseAttn/Plan/SpecialPlans.h"
#include "Planner.h"
#include "SparseAttn/Mask/Piece.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// So much more work than that of the best plan is none. Where more is, the
/// mask is in a loop that the best plan may not have, and that takes registers,
/// too.
static constexpr double kNearlyBest = 1.02;

/// Blocks are never larger than this where alignment to them is worth asking
/// for.
static constexpr int64_t kMaxBlock = 1024;

/// The least common multiple of the blocks that the mask is made of; 1 where it
/// has none, or too large ones.
static int64_t findBlock(const Mask &mask) {
  std::optional<Pieces> pieces = mask.pieces();
  int64_t block = 1;
  auto add = [&](int64_t period) {
    if (period > 1 && block <= kMaxBlock)
      block = std::lcm(block, std::min(period, kMaxBlock + 1));
  };
  if (!pieces)
    return 1;
  for (const Piece &piece : *pieces) {
    for (const auto *bounds : {&piece.lower, &piece.upper})
      for (const Bound &bound : *bounds)
        add(bound.block);
    for (const OpaqueLiteral &literal : piece.opaque) {
      if (const RandomBlocks *random = literal.leaf->getRandomBlocks())
        add(random->block);
      if (const LastBlock *last = literal.leaf->getLastBlock())
        add(last->block);
    }
  }
  return block <= kMaxBlock ? block : 1;
}

static PlanWork measure(const Plan &plan, const Lengths &n) {
  PlanWork work;
  work.tiles = countTiles(plan, n, /*head=*/0);
  double area = double(plan.tile.queries) * double(plan.tile.keys);
  work.pairs =
      (double(work.tiles.full) + kPartialCost * double(work.tiles.partial)) *
      area;
  return work;
}

/// Whether `a` holds wherever `b` does.
static bool isWeaker(const LengthAssumption &a, const LengthAssumption &b) {
  bool isOffset = a.offsetMultiple == 0
                      ? b.offsetMultiple == 0
                      : b.offsetMultiple % a.offsetMultiple == 0;
  return !(a == b) && isOffset && b.keysMultiple % a.keysMultiple == 0;
}

namespace {
class SpecialPlanner {
public:
  SpecialPlanner(const Mask &mask, const Plan &general,
                 const LengthFacts &facts,
                 llvm::function_ref<TileShape(const LengthFacts &)> chooseTile)
      : mask(mask), general(general), facts(facts), chooseTile(chooseTile) {}

  llvm::SmallVector<SpecialPlan, 2> run();

private:
  /// Sets the assumptions to try, weaker ones first, lengths that satisfy all
  /// of them, and the tile.
  void findAssumptions();
  void makeCandidates();
  bool pays(const SpecialPlan &candidate) const {
    return candidate.work.pairs * kLeastGain <= candidate.generalWork.pairs;
  }
  /// The first of those that `isOf` selects which do nearly the least work.
  const SpecialPlan *
  findBest(llvm::function_ref<bool(const SpecialPlan &)> isOf) const;

  const Mask &mask;
  const Plan &general;
  const LengthFacts &facts;
  llvm::function_ref<TileShape(const LengthFacts &)> chooseTile;
  llvm::SmallVector<LengthAssumption> assumptions;
  TileShape tile;
  Lengths at{0, 0};
  std::vector<SpecialPlan> candidates;
};
} // namespace

void SpecialPlanner::findAssumptions() {
  int64_t block = findBlock(mask);
  LengthAssumption equal{0, block};
  TileShape blocks = chooseTile(facts.assuming(equal));
  int64_t offset = std::lcm(blocks.queries, blocks.keys);
  int64_t keys = std::lcm(offset, block);
  std::optional<int64_t> known = facts.nk ? facts.nk : facts.nq;
  if (known && *known % keys != 0)
    keys = 1;
  int64_t length =
      known.value_or(keys * std::max<int64_t>(1, kSampleLength / keys));
  at = {length, length};
  assumptions = {{offset, 1}, {0, 1}, {offset, keys}, {0, keys}};
  if (keys == 1)
    assumptions.truncate(2);
  // Where all blocks are whole the tile fits them; where only the last is not,
  // it is the right one, too.
  tile = chooseTile(facts.assuming(assumptions.back()));
}

void SpecialPlanner::makeCandidates() {
  PlanWork generalWork = measure(general, at);
  for (const LengthAssumption &assumption : assumptions) {
    LengthFacts assumed = facts.assuming(assumption);
    Plan plan = makePlan(mask, tile, assumed);
    PlanWork work = measure(plan, at);
    candidates.push_back({std::move(plan), at, work, generalWork});
  }
}

const SpecialPlan *SpecialPlanner::findBest(
    llvm::function_ref<bool(const SpecialPlan &)> isOf) const {
  const SpecialPlan *best = nullptr;
  for (const SpecialPlan &candidate : candidates)
    if (isOf(candidate) && pays(candidate) &&
        (!best || candidate.work.pairs * kNearlyBest < best->work.pairs))
      best = &candidate;
  return best;
}

llvm::SmallVector<SpecialPlan, 2> SpecialPlanner::run() {
  // What is folded has no blocks that lengths could be multiples of.
  if ((facts.nq && facts.nk) || !general.parts.empty())
    return {};
  findAssumptions();
  makeCandidates();
  const SpecialPlan *best = findBest([](const SpecialPlan &) { return true; });
  if (!best)
    return {};
  llvm::SmallVector<SpecialPlan, 2> plans = {*best};
  const SpecialPlan *weaker = findBest([&](const SpecialPlan &candidate) {
    return isWeaker(candidate.plan.assumed, best->plan.assumed);
  });
  if (weaker)
    plans.push_back(*weaker);
  return plans;
}

llvm::SmallVector<SpecialPlan, 2> plan::makeSpecialPlans(
    const Mask &mask, const Plan &general, const LengthFacts &facts,
    llvm::function_ref<TileShape(const LengthFacts &)> chooseTile) {
  return SpecialPlanner(mask, general, facts, chooseTile).run();
}
