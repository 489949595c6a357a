//===- PlanOracle.cpp -----------------------------------------------------===//

#include "PlanOracle.h"
#include "Mask/PieceOracle.h"
#include "SparseAttn/Plan/TablePlan.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;

//===----------------------------------------------------------------------===//
// Invariants
//===----------------------------------------------------------------------===//

/// The slot that is the row, looked for one by one.
static std::optional<int64_t> findSlot(const RowClass &cls, int64_t row,
                                       const Lengths &n) {
  int64_t end = cls.rowEnd.evaluate(0, n);
  for (int64_t x = cls.rowBegin.evaluate(0, n); x < end; ++x) {
    if (cls.layout.isContiguous()) {
      if (x == row)
        return x;
      continue;
    }
    if (x < 0 || x >= cls.layout.numSlots().value_or(x + 1))
      continue;
    int64_t position = cls.layout.position(x);
    if (position - n.firstQuery() == row && row >= 0 && position < n.nk)
      return x;
    if (position >= n.nk)
      break;
  }
  return std::nullopt;
}

bool plan_test::hasRow(const RowClass &cls, int64_t row, const Lengths &n) {
  return findSlot(cls, row, n).has_value();
}

int64_t plan_test::queryTileOf(const RowClass &cls, const TileShape &tile,
                               int64_t row, const Lengths &n) {
  int64_t size = cls.layout.isContiguous() ? tile.queries : cls.layout.tile;
  return (*findSlot(cls, row, n) - cls.rowBegin.evaluate(0, n)) / size;
}

const RowClass *plan_test::ownerOf(const Plan &plan, int64_t row,
                                   const Lengths &n) {
  const RowClass *owner = nullptr;
  for (const RowClass &cls : plan.classes)
    if (hasRow(cls, row, n))
      owner = &cls;
  return owner;
}

/// Everything about one row of one class.
static std::string checkRow(const Mask &mask, const Plan &plan,
                            const RowClass &cls, const Lengths &n, int64_t head,
                            int64_t row) {
  int64_t keys = plan.tile.keys;
  int64_t q = queryTileOf(cls, plan.tile, row, n);
  std::map<int64_t, bool> visited;
  for (VisitedTile tile : visitedTiles(cls, plan.tile, n, head, q)) {
    if (!visited.insert({tile.keyTile, tile.full}).second)
      return "twice";
    if (tile.keyTile < 0 || tile.keyTile * keys >= n.nk)
      return "range";
    if (tile.full && (tile.keyTile + 1) * keys > n.nk)
      return "past the end";
  }
  if (ownerOf(plan, row, n) != &cls)
    return "";
  int64_t i = row + n.firstQuery();
  for (const Segment &segment : cls.segments) {
    Range tiles = segment.keyTiles(q, n);
    if (!segment.where || tiles.empty())
      continue;
    for (int64_t j = tiles.begin * keys; j < tiles.end * keys; ++j)
      if (test::holdsLiterally(*segment.where, n, head, i, j) !=
          (j < n.nk && mask.contains(n, head, i, j)))
        return "pairs of a partial tile at key " + std::to_string(j);
  }
  for (int64_t j = 0; j < n.nk; ++j) {
    auto it = visited.find(j / keys);
    if (mask.contains(n, head, row + n.firstQuery(), j)) {
      if (it == visited.end())
        return "coverage";
    } else if (it != visited.end() && it->second) {
      return "masked pair in a full tile";
    }
  }
  return "";
}

/// The position of a slot, or -1 where a list has no such one.
static int64_t positionOf(const Layout &layout, int64_t slot) {
  if (layout.numSlots() && slot >= *layout.numSlots())
    return -1;
  return layout.position(slot);
}

int plan_test::timesComputed(const Mask &mask, const Plan &plan,
                             const RowClass &cls, const Lengths &n,
                             int64_t head, int64_t row, int64_t j) {
  int64_t q = queryTileOf(cls, plan.tile, row, n);
  int64_t i = row + n.firstQuery();
  int times = 0;
  for (VisitedTile tile : visitedTiles(cls, plan.tile, n, head, q)) {
    const Layout &layout = tile.segment->layout;
    int64_t size = layout.tileSize(plan.tile.keys);
    for (int64_t m = 0; m < size && tile.keyTile >= 0; ++m) {
      if (positionOf(layout, tile.keyTile * size + m) != j)
        continue;
      bool isNamed =
          tile.segment->where
              ? test::holdsLiterally(*tile.segment->where, n, head, i,
                                     j < 0 ? maxSequenceLength : j)
              : j < n.nk && mask.contains(n, head, i, j);
      times += tile.full || isNamed;
    }
  }
  return times;
}

/// Everything about one row of a class in which tiles may share keys.
static std::string checkPairs(const Mask &mask, const Plan &plan,
                              const RowClass &cls, const Lengths &n,
                              int64_t head, int64_t row) {
  int64_t q = queryTileOf(cls, plan.tile, row, n);
  std::map<int64_t, bool> contiguous;
  int64_t end = n.nk;
  for (VisitedTile tile : visitedTiles(cls, plan.tile, n, head, q)) {
    const Layout &layout = tile.segment->layout;
    int64_t size = layout.tileSize(plan.tile.keys);
    if (tile.keyTile < 0)
      return "range";
    int64_t first = positionOf(layout, tile.keyTile * size);
    int64_t last = positionOf(layout, tile.keyTile * size + size - 1);
    if (first < 0 || (first >= n.nk && !layout.isList()))
      return "range";
    if (tile.full && (last < 0 || last >= n.nk))
      return "past the end";
    if (layout.isContiguous() &&
        !contiguous.insert({tile.keyTile, true}).second)
      return "twice";
    end = std::max(end, last + 1);
  }
  if (ownerOf(plan, row, n) != &cls)
    return "";
  for (int64_t j = -1; j < end; ++j) {
    bool isLive =
        j >= 0 && j < n.nk && mask.contains(n, head, row + n.firstQuery(), j);
    if (int times = timesComputed(mask, plan, cls, n, head, row, j);
        times != isLive)
      return "key " + std::to_string(j) + " computed " + std::to_string(times) +
             " times";
  }
  return "";
}

/// Whether a visited tile has a key, and a full one nothing else.
static bool hasKey(const VisitedTile &tile, const TileShape &shape,
                   const Lengths &n) {
  Layout layout = tile.segment ? tile.segment->layout : Layout();
  int64_t slot = tile.keyTile * layout.tileSize(shape.keys);
  if (tile.keyTile < 0)
    return false;
  int64_t size = layout.tileSize(shape.keys);
  int64_t first = positionOf(layout, slot);
  int64_t last = positionOf(layout, slot + size - 1);
  if (tile.full && (last < 0 || last >= n.nk))
    return false;
  return first >= 0 && (first < n.nk || layout.isList());
}

int64_t plan_test::tileOfTable(const TileTable &table, int64_t row) {
  int64_t q = 0;
  while (table.cuts[q + 1] <= row)
    ++q;
  return q;
}

int plan_test::timesVisited(const RowClass &cls, const TileShape &tile,
                            int64_t q, int64_t j, bool fullOnly) {
  int times = 0;
  for (VisitedTile visited : visitedTiles(cls, tile, {0, 0}, /*head=*/0, q))
    times += (visited.full || !fullOnly) && visited.keyTile <= j &&
             j < visited.keyTile + tile.keys;
  return times;
}

/// Everything about one row of a class with a table.
static std::string checkTable(const Mask &mask, const Plan &plan,
                              const RowClass &cls, const Lengths &n,
                              int64_t head, int64_t row) {
  int64_t q = tileOfTable(cls.table, row);
  for (VisitedTile tile : visitedTiles(cls, plan.tile, n, head, q)) {
    if (tile.keyTile < 0 || tile.keyTile >= n.nk)
      return "range";
    if (tile.full && tile.keyTile + plan.tile.keys > n.nk)
      return "past the end";
  }
  bool isOwner = ownerOf(plan, row, n) == &cls;
  for (int64_t j = 0; j < n.nk; ++j) {
    int times = timesVisited(cls, plan.tile, q, j, /*fullOnly=*/false);
    bool isFull = timesVisited(cls, plan.tile, q, j, /*fullOnly=*/true) > 0;
    bool isLive = mask.contains(n, head, row + n.firstQuery(), j);
    if (times > 1)
      return "twice";
    if (isOwner && isLive && times == 0)
      return "coverage";
    if (isOwner && !isLive && isFull)
      return "masked pair in a full tile";
  }
  return "";
}

std::string plan_test::findViolation(const Mask &mask, const Plan &plan,
                                     const Lengths &n, int64_t numHeads) {
  for (int64_t head = 0; head < numHeads; ++head) {
    for (const RowClass &cls : plan.classes) {
      int64_t begin = cls.rowBegin.evaluate(0, n);
      int64_t end = cls.rowEnd.evaluate(0, n);
      int64_t most = cls.layout.isContiguous()
                         ? n.nq
                         : cls.layout.numSlots().value_or(end);
      if (begin < end && (begin < 0 || end > most))
        return cls.layout.isContiguous() ? "rows" : "slots";
      // Tiles of which no slot is a row are visited all the same.
      for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q)
        for (VisitedTile tile : visitedTiles(cls, plan.tile, n, head, q))
          if (!cls.hasTable() && !hasKey(tile, plan.tile, n))
            return "range of query tile " + std::to_string(q);
      for (int64_t row = 0; row < n.nq; ++row) {
        if (!hasRow(cls, row, n))
          continue;
        std::string problem =
            cls.hasTable()     ? checkTable(mask, plan, cls, n, head, row)
            : cls.hasLayouts() ? checkPairs(mask, plan, cls, n, head, row)
                               : checkRow(mask, plan, cls, n, head, row);
        if (!problem.empty())
          return problem + " at row " + std::to_string(row) + " head " +
                 std::to_string(head);
      }
    }
    for (int64_t row = 0; row < n.nq; ++row) {
      if (ownerOf(plan, row, n))
        continue;
      for (int64_t j = 0; j < n.nk; ++j)
        if (mask.contains(n, head, row + n.firstQuery(), j))
          return "coverage of a row without class";
    }
  }
  return "";
}

int64_t plan_test::countUselessTiles(const Mask &mask, const Plan &plan,
                                     const Lengths &n, int64_t numHeads) {
  int64_t useless = 0;
  for (int64_t head = 0; head < numHeads; ++head) {
    for (const RowClass &cls : plan.classes) {
      int64_t begin = cls.rowBegin.evaluate(0, n) + n.firstQuery();
      int64_t end = cls.rowEnd.evaluate(0, n) + n.firstQuery();
      for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q) {
        Range rows = Range{begin + q * plan.tile.queries,
                           begin + (q + 1) * plan.tile.queries}
                         .intersect({begin, end});
        for (VisitedTile tile : visitedTiles(cls, plan.tile, n, head, q)) {
          Range keys = Range{tile.keyTile * plan.tile.keys,
                             (tile.keyTile + 1) * plan.tile.keys}
                           .intersect({0, n.nk});
          bool isLive = false;
          for (int64_t i = rows.begin; i < rows.end && !isLive; ++i)
            for (int64_t j = keys.begin; j < keys.end && !isLive; ++j)
              isLive = mask.contains(n, head, i, j);
          useless += !isLive;
        }
      }
    }
  }
  return useless;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

Mask plan_test::bigBird(int64_t block, int64_t windowBlocks,
                        int64_t randomBlocks, uint64_t seed, int64_t last) {
  int64_t radius = (windowBlocks - 1) / 2;
  Mask::RandomOptions random;
  random.block = block;
  random.blocksPerRow = randomBlocks;
  random.seed = seed;
  random.bigBirdWindowRadius = radius;
  return Mask::unionOf({Mask::slidingWindow(radius, radius, 1, block),
                        Mask::global({}, block, last), Mask::random(random)});
}

Mask plan_test::longformer(int64_t window, llvm::ArrayRef<int64_t> tokens) {
  return Mask::unionOf(
      {Mask::slidingWindow(window / 2, window / 2), Mask::global(tokens)});
}

Plan plan_test::makeAnyPlan(const Mask &mask, TileShape tile,
                            const LengthFacts &facts,
                            llvm::SmallVectorImpl<PlanLoss> *list) {
  llvm::SmallVector<PlanLoss> losses;
  Plan plan = makePlan(mask, tile, facts, &losses);
  std::optional<Plan> byTable = makeTablePlan(mask, plan, facts, losses);
  if (list)
    list->append(losses);
  return byTable.value_or(plan);
}

Mask plan_test::rectangle(Range rows, Range keys) {
  auto rowsBelow = [](int64_t end) {
    return Mask::global({}, /*first=*/end, 0, Mask::Direction::Rows);
  };
  return Mask::intersectionOf({rowsBelow(rows.end), Mask::prefix(keys.end),
                               Mask::complementOf(rowsBelow(rows.begin)),
                               Mask::complementOf(Mask::prefix(keys.begin))});
}

Mask plan_test::randomPatches(std::mt19937_64 &rng, int64_t count,
                              int64_t length) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  auto range = [&]() -> Range {
    int64_t begin = pick(0, length - 1);
    return {begin, begin + pick(1, length / 8 + 1)};
  };
  llvm::SmallVector<Mask> members;
  for (int64_t k = 0; k < count; ++k) {
    Range rows = range();
    if (pick(0, 3)) {
      members.push_back(rectangle(rows, range()));
      continue;
    }
    int64_t left = pick(-4, 9);
    members.push_back(Mask::intersectionOf(
        {rectangle(rows, {0, 2 * length}),
         pick(0, 3) ? Mask::slidingWindow(left, pick(-left, 9))
                    : Mask::slidingWindow(2, 2, pick(2, 3))}));
  }
  return Mask::unionOf(members);
}

Mask plan_test::randomColumnsMask(std::mt19937_64 &rng) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  llvm::SmallVector<Mask> members;
  if (pick(0, 3)) {
    int64_t period = pick(1, 12);
    members.push_back(Mask::periodicColumns(period, pick(1, period)));
  }
  if (members.empty() || pick(0, 1)) {
    llvm::SmallVector<int64_t> tokens;
    for (int64_t k = pick(1, 5); k > 0; --k)
      tokens.push_back(pick(-4, 40));
    members.push_back(Mask::global(tokens, 0, 0, Mask::Direction::Columns));
  }
  if (pick(0, 3))
    members.push_back(Mask::slidingWindow(pick(0, 5), pick(0, 5)));
  if (pick(0, 3) == 0)
    members.push_back(Mask::chunked(pick(1, 12)));
  Mask mask = Mask::unionOf(members);
  if (pick(0, 1))
    mask = Mask::intersectionOf({Mask::causal(), mask});
  if (pick(0, 7) == 0)
    mask = Mask::unionOf({mask, Mask::global({pick(0, 20)})});
  return mask;
}

Mask plan_test::randomRowsMask(std::mt19937_64 &rng) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  llvm::SmallVector<Mask> members;
  for (int64_t sets = pick(0, 2); sets > 0; --sets) {
    llvm::SmallVector<int64_t> tokens;
    for (int64_t k = pick(1, 7); k > 0; --k)
      tokens.push_back(pick(pick(0, 3) ? 0 : -9, 60));
    members.push_back(Mask::global(tokens, pick(0, 1), 0,
                                   pick(0, 1) ? Mask::Direction::Both
                                              : Mask::Direction::Rows));
    if (pick(0, 3) == 0)
      members.back() = Mask::complementOf(members.back());
  }
  if (members.empty() || pick(0, 1)) {
    int64_t period = pick(2, 16);
    members.push_back(Mask::periodicRows(period, pick(1, period / 2)));
  }
  if (pick(0, 7) == 0) {
    Mask::RandomOptions options;
    options.block = pick(1, 8);
    options.blocksPerRow = pick(1, 2);
    members.push_back(Mask::random(options));
  }
  if (pick(0, 1))
    members.push_back(randomColumnsMask(rng));
  if (pick(0, 3))
    members.push_back(Mask::slidingWindow(pick(0, 5), pick(0, 5)));
  Mask mask =
      pick(0, 5) ? Mask::unionOf(members) : Mask::intersectionOf(members);
  if (pick(0, 1))
    mask = Mask::intersectionOf({Mask::causal(), mask});
  return mask;
}

void plan_test::addScatteredRows(std::mt19937_64 &rng, Mask &mask, Plan &plan,
                                 const Lengths &n) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  RowClass cls;
  cls.heavy = pick(0, 1);
  int64_t width = pick(1, 3);
  if (pick(0, 1)) {
    std::vector<int64_t> starts;
    llvm::SmallVector<int64_t> tokens;
    for (int64_t at = pick(0, 9), k = pick(1, 5); k > 0; --k) {
      starts.push_back(at);
      for (int64_t x = at; x < at + width; ++x)
        tokens.push_back(x);
      at += width + pick(0, 12);
    }
    cls.layout = Layout::list(std::move(starts), width, pick(1, 6));
    mask = Mask::unionOf(
        {mask, Mask::global(tokens, 0, 0, Mask::Direction::Rows)});
    cls.rowEnd = TileExpr::constant(*cls.layout.numSlots());
  } else {
    int64_t period = width + pick(0, 9);
    cls.layout = Layout::lattice(period, width, period - width, pick(1, 6));
    // No layout has rows before position 0.
    Mask before = Mask::prefix(0).transpose();
    mask = Mask::unionOf(
        {mask, Mask::intersectionOf({Mask::periodicRows(period, width),
                                     Mask::complementOf(before)})});
    cls.rowEnd = TileExpr::constant(cls.layout.slotsBelow(n.nk));
  }
  TileExpr full = TileExpr::numKeys().floorDiv(plan.tile.keys);
  TileExpr all = TileExpr::numKeys().ceilDiv(plan.tile.keys);
  cls.segments.push_back({TileExpr::constant(0), full, /*full=*/true});
  cls.segments.push_back({full, all});
  plan.classes.push_back(std::move(cls));
}

Mask plan_test::streaming(int64_t sinks, int64_t window) {
  return Mask::intersectionOf(
      {Mask::causal(), Mask::unionOf({Mask::prefix(sinks),
                                      Mask::slidingWindow(window - 1, 0)})});
}

/// A mask without closed form: an arbitrary fixed pattern.
namespace {
class ScatteredNode : public MaskNode {
public:
  bool contains(const Lengths &, int64_t head, int64_t i,
                int64_t j) const override {
    return splitmix64(uint64_t(i) * 1000003 + uint64_t(j) * 7 + head) % 5 < 2;
  }
  bool isHeadInvariant() const override { return false; }
  void print(llvm::raw_ostream &os) const override { os << "scattered"; }
};
} // namespace

static Mask randomLeaf(std::mt19937_64 &rng, bool allowOpaque) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  auto side = [&]() -> std::optional<int64_t> {
    return pick(0, 5) ? std::optional<int64_t>(pick(-3, 9)) : std::nullopt;
  };
  switch (pick(0, allowOpaque ? 13 : 10)) {
  case 0:
    return Mask::causal();
  case 1:
    return Mask::slidingWindow(side(), side());
  case 2:
    return Mask::slidingWindow(pick(0, 9), pick(0, 9));
  case 3:
    return Mask::slidingWindow(pick(0, 2), pick(0, 2), 1, pick(2, 6));
  case 4:
    return Mask::slidingWindow(pick(0, 4), pick(0, 4), pick(2, 4));
  case 5:
    return Mask::global({pick(-4, 20)}, 0, 0, Mask::Direction(pick(0, 2)));
  case 6:
    return Mask::global({pick(0, 5), pick(-9, -1)}, pick(0, 3), pick(0, 3),
                        Mask::Direction(pick(0, 2)));
  case 7:
    return Mask::chunked(pick(1, 9));
  case 8:
    return Mask::strided(pick(2, 5));
  case 9:
    return Mask::prefix(pick(0, 20));
  case 10:
    return Mask::periodicColumns(6, pick(1, 4));
  case 11:
    return Mask(std::make_shared<ScatteredNode>());
  default: {
    Mask::RandomOptions options;
    options.block = pick(1, 6);
    options.blocksPerRow = pick(1, 3);
    options.seed = pick(0, 9);
    options.perHead = pick(0, 1);
    if (pick(0, 2) == 0)
      options.bigBirdWindowRadius = pick(0, 1);
    return Mask::random(options);
  }
  }
}

Mask plan_test::randomPlanMask(std::mt19937_64 &rng, unsigned depth,
                               bool allowOpaque) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  int64_t shape = depth == 0 ? 0 : pick(0, 7);
  if (shape <= 1)
    return randomLeaf(rng, allowOpaque);
  if (shape == 2)
    return Mask::complementOf(randomPlanMask(rng, depth - 1, allowOpaque));
  llvm::SmallVector<Mask> members;
  for (int64_t k = 0, e = pick(2, 3); k < e; ++k)
    members.push_back(randomPlanMask(rng, depth - 1, allowOpaque));
  return shape <= 5 ? Mask::unionOf(members) : Mask::intersectionOf(members);
}
