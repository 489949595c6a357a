//===- ExhaustiveProof.cpp - Proof row by row -----------------------------===//
//
// At known lengths every row's live keys are an exact interval set, and so are
// the keys of the tiles that its query tile visits. Sets are compared; no pair
// is evaluated by itself.
//
//===----------------------------------------------------------------------===//

#include "RowProof.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

RowProof::RowProof(const Mask &mask, const Plan &plan, const Lengths &n,
                   int64_t head)
    : mask(mask), plan(plan), n(n), head(head) {}

Proof RowProof::refute(const char *reason, int64_t row, int64_t j) const {
  Proof proof;
  proof.verdict = Verdict::Refuted;
  proof.reason = reason;
  proof.witness = Witness{n, head, row + n.firstQuery(), j};
  return proof;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

std::optional<Proof> RowProof::setSlots() {
  for (const RowClass &cls : plan.classes) {
    const Layout &layout = cls.layout;
    Range slots = {cls.rowBegin.evaluate(0, n), cls.rowEnd.evaluate(0, n)};
    if (slots.empty())
      slots = {};
    if (layout.isContiguous()) {
      if (slots.begin < 0 || slots.end > n.nq)
        return refute(reasons::rows,
                      slots.begin < 0 ? slots.begin : slots.end - 1, 0);
    } else {
      if (slots.begin < 0 || slots.end > layout.numSlots().value_or(slots.end))
        return refute(reasons::slots, 0, 0);
      slots = slots.intersect(
          {layout.slotsBelow(n.firstQuery()), layout.slotsBelow(n.nk)});
    }
    classSlots.push_back(slots.empty() ? Range() : slots);
  }
  return std::nullopt;
}

IntervalSet RowProof::rowsOf(unsigned classIndex) const {
  const RowClass &cls = plan.classes[classIndex];
  Range slots = classSlots[classIndex];
  if (cls.layout.isContiguous())
    return slots;
  llvm::SmallVector<Range> rows;
  for (int64_t slot = slots.begin; slot < slots.end; ++slot) {
    int64_t row = cls.layout.position(slot) - n.firstQuery();
    rows.push_back({row, row + 1});
  }
  return IntervalSet::fromRanges(std::move(rows));
}

bool RowProof::hasRow(unsigned classIndex, int64_t row) const {
  const Layout &layout = plan.classes[classIndex].layout;
  if (layout.isContiguous())
    return classSlots[classIndex].contains(row);
  int64_t position = row + n.firstQuery();
  int64_t slot = layout.slotsBelow(position);
  return classSlots[classIndex].contains(slot) &&
         layout.position(slot) == position;
}

bool RowProof::owns(unsigned classIndex, int64_t row) const {
  if (!hasRow(classIndex, row))
    return false;
  for (unsigned later = classIndex + 1; later < plan.classes.size(); ++later)
    if (hasRow(later, row))
      return false;
  return true;
}

std::optional<Proof> RowProof::run() {
  if (std::optional<Proof> violation = setSlots())
    return violation;
  IntervalSet covered;
  for (unsigned k = 0; k < plan.classes.size(); ++k) {
    const RowClass &cls = plan.classes[k];
    covered = covered.unite(rowsOf(k));
    // In a layout a tile may have no row, and is visited all the same.
    for (int64_t q = 0, end = cls.numQueryTiles(plan.tile, n); q < end; ++q)
      if (std::optional<Proof> violation =
              cls.hasTable() ? checkTableTile(k, q) : checkTile(k, q))
        return violation;
  }
  // Rows of no class must be dead.
  IntervalSet gaps = covered.complementIn({0, n.nq});
  for (Range gap : gaps.ranges())
    for (int64_t row = gap.begin; row < gap.end; ++row)
      if (std::optional<Proof> violation = checkRow(row, IntervalSet(), {}))
        return violation;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

std::optional<Proof> RowProof::checkClaims(llvm::SmallVectorImpl<Claim> &claims,
                                           int64_t row) const {
  int64_t keys = plan.tile.keys;
  llvm::sort(claims, [](const Claim &a, const Claim &b) {
    return a.tiles.begin < b.tiles.begin;
  });
  for (auto [index, claim] : llvm::enumerate(claims)) {
    if (claim.tiles.begin < 0)
      return refute(reasons::range, row, claim.tiles.begin * keys);
    if ((claim.tiles.end - 1) * keys >= n.nk)
      return refute(reasons::range, row, (claim.tiles.end - 1) * keys);
    if (claim.full && claim.tiles.end * keys > n.nk)
      return refute(reasons::fullPastEnd, row, n.nk);
    if (index != 0 && claims[index - 1].tiles.end > claim.tiles.begin)
      return refute(reasons::once, row, claim.tiles.begin * keys);
  }
  return std::nullopt;
}

std::optional<Proof>
RowProof::addDrawn(const RowClass &cls, int64_t q, Range rows,
                   llvm::SmallVectorImpl<Range> &keys,
                   llvm::SmallVectorImpl<Claim> &claims) const {
  size_t numSegments = claims.size();
  auto isVisited = [&](int64_t kt) {
    return llvm::any_of(
        llvm::ArrayRef<Claim>(claims).take_front(numSegments),
        [&](const Claim &claim) { return claim.tiles.contains(kt); });
  };
  for (const Draw &draw : cls.draws) {
    Range limit = draw.keyTiles(q, n);
    int64_t block = draw.random.block, previous = INT64_MIN;
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      int64_t i = row + n.firstQuery();
      int64_t rowBlock = (i - ((i % block) + block) % block) / block;
      if (rowBlock == previous)
        continue;
      previous = rowBlock;
      for (int64_t drawn :
           drawRandomBlocks(draw.random, n.nk, head, rowBlock)) {
        // A drawn tile is visited when one of its keys is in a drawn block.
        for (int64_t kt = drawn * block / plan.tile.keys;
             kt * plan.tile.keys < std::min((drawn + 1) * block, n.nk); ++kt) {
          if (!limit.contains(kt))
            continue;
          keys.push_back({kt * plan.tile.keys, (kt + 1) * plan.tile.keys});
          if (!draw.full || isVisited(kt))
            continue;
          if ((kt + 1) * plan.tile.keys > n.nk)
            return refute(reasons::fullPastEnd, row, n.nk);
          claims.push_back({{kt, kt + 1}, /*full=*/true});
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<Proof> RowProof::checkTile(unsigned classIndex, int64_t q) {
  const RowClass &cls = plan.classes[classIndex];
  int64_t size = cls.tileRows(plan.tile);
  int64_t first = cls.rowBegin.evaluate(0, n) + q * size;
  Range slots = classSlots[classIndex].intersect({first, first + size});
  llvm::SmallVector<int64_t> rows;
  for (int64_t slot = slots.begin; slot < slots.end; ++slot)
    rows.push_back(cls.rowOf(slot, n));
  int64_t anyRow = rows.empty() ? 0 : rows.front();

  llvm::SmallVector<Claim> claims;
  for (const Segment &segment : cls.segments) {
    Range tiles = segment.keyTiles(q, n);
    if (!tiles.empty() && segment.layout.isContiguous())
      claims.push_back(
          {tiles, segment.full, segment.where ? &*segment.where : nullptr});
  }
  if (std::optional<Proof> violation = checkClaims(claims, anyRow))
    return violation;

  llvm::SmallVector<Range> keys;
  std::vector<Share> shares;
  for (const Claim &claim : claims) {
    keys.push_back(
        {claim.tiles.begin * plan.tile.keys, claim.tiles.end * plan.tile.keys});
    shares.push_back({keys.back(), claim.full, claim.where});
  }
  IntervalSet ofSegments = IntervalSet::fromRanges(keys);
  size_t numSegments = claims.size();
  if (std::optional<Proof> violation = addDrawn(cls, q, slots, keys, claims))
    return violation;
  IntervalSet visited = IntervalSet::fromRanges(std::move(keys));
  if (cls.hasLayouts()) {
    Range any = {0, n.nk + plan.tile.keys};
    shares.push_back({visited.intersect(ofSegments.complementIn(any))});
    if (std::optional<Proof> violation = addLayouts(cls, q, anyRow, shares))
      return violation;
    for (int64_t row : rows) {
      if (!owns(classIndex, row))
        continue;
      if (std::optional<Proof> violation = checkShares(row, shares))
        return violation;
      // Full draws.
      if (std::optional<Proof> violation =
              checkRow(row, Range{0, n.nk},
                       llvm::ArrayRef(claims).drop_front(numSegments)))
        return violation;
    }
    return std::nullopt;
  }
  for (int64_t row : rows)
    if (owns(classIndex, row))
      if (std::optional<Proof> violation = checkRow(row, visited, claims))
        return violation;
  return std::nullopt;
}

IntervalSet proof::keysOfRow(const Pieces &pieces, const Lengths &n, int64_t i,
                             Range keys) {
  IntervalSet all;
  for (const Piece &piece : pieces) {
    Range band = bandOfRow(piece, n.nk, i, keys);
    IntervalSet some = keysOfSets(piece, n.nk, band);
    for (const Residue &residue : piece.residues) {
      if (residue.subject == Residue::Subject::Query) {
        if (!residue.holds(i, 0))
          some = IntervalSet();
        continue;
      }
      bool ofKey = residue.subject == Residue::Subject::Key;
      some = some.intersect(residueClass(residue, ofKey ? 0 : i, band));
    }
    all = all.unite(some);
  }
  return all;
}

/// The first key that only one of both sets has.
static std::optional<int64_t> findDifference(const IntervalSet &a,
                                             const IntervalSet &b, Range keys) {
  IntervalSet onlyA = a.intersect(b.complementIn(keys));
  IntervalSet onlyB = b.intersect(a.complementIn(keys));
  IntervalSet either = onlyA.unite(onlyB);
  if (either.empty())
    return std::nullopt;
  return either.ranges().front().begin;
}

std::optional<Proof> RowProof::checkRow(int64_t row, const IntervalSet &visited,
                                        llvm::ArrayRef<Claim> claims) const {
  Range allKeys = {0, n.nk};
  IntervalSet live = mask.liveKeys(n, head, row + n.firstQuery(), allKeys);
  for (Range range : live.ranges()) {
    if (visited.covers(range))
      continue;
    IntervalSet missed = visited.complementIn(range);
    return refute(reasons::coverage, row, missed.ranges().front().begin);
  }
  for (const Claim &claim : claims) {
    Range keys = {claim.tiles.begin * plan.tile.keys,
                  claim.tiles.end * plan.tile.keys};
    if (claim.where) {
      IntervalSet named =
          keysOfRow(*claim.where, n, row + n.firstQuery(), keys);
      IntervalSet wanted = live.intersect(keys);
      if (std::optional<int64_t> j = findDifference(named, wanted, keys))
        return refute(reasons::where, row, *j);
    }
    if (!claim.full || live.covers(keys))
      continue;
    IntervalSet masked = live.complementIn(keys);
    return refute(reasons::fullMasked, row, masked.ranges().front().begin);
  }
  return std::nullopt;
}

/// True when rows of the mask cost a pair-by-pair evaluation.
static bool hasForeignLeaf(const std::optional<Pieces> &pieces) {
  return !pieces || llvm::any_of(*pieces, [](const Piece &piece) {
    return llvm::any_of(piece.opaque, [](const OpaqueLiteral &literal) {
      return !literal.leaf->getRandomBlocks();
    });
  });
}

double proof::exhaustiveCost(const Mask &mask, const Plan &plan,
                             const Lengths &n, int64_t numHeads) {
  double heads = mask.isHeadInvariant() ? 1 : numHeads;
  double perRow = 16;
  for (const RowClass &cls : plan.classes)
    perRow += cls.segments.size() + 32 * cls.draws.size();
  // The runs of a layout are intervals of each row.
  for (const RowClass &cls : plan.classes)
    for (const Segment &segment : cls.segments)
      if (const Layout &layout = segment.layout; !layout.isContiguous()) {
        int64_t runs = layout.slotsBelow(n.nk) / layout.width + 1;
        perRow += 8 * static_cast<double>(runs);
      }
  constexpr unsigned maxPieces = 1024;
  std::optional<Pieces> pieces = mask.pieces(maxPieces);
  if (hasForeignLeaf(pieces)) {
    perRow += n.nk;
  } else {
    // Plans in closed form are for few of them.
    if (plan.hasTables())
      perRow += 8.0 * pieces->size();
    // Congruences make rows of many intervals; a few rows tell how many.
    size_t most = 0;
    for (int64_t row : {int64_t(0), n.nq / 2, n.nq - 1})
      most = std::max(
          most,
          mask.liveKeys(n, 0, row + n.firstQuery(), {0, n.nk}).ranges().size());
    perRow += 4.0 * most;
  }
  // Rows in a layout are looked at again, and so are tiles without any.
  double visits = n.nq;
  for (const RowClass &cls : plan.classes)
    if (!cls.layout.isContiguous())
      visits += cls.numQueryTiles(plan.tile, n) + cls.rowSlots(n).size();
  return heads * perRow * visits;
}

Proof proof::proveByRows(const Mask &mask, const Plan &plan, const Lengths &n,
                         int64_t numHeads) {
  int64_t heads = mask.isHeadInvariant() ? 1 : std::max<int64_t>(1, numHeads);
  Proof proof;
  for (int64_t head = 0; head < heads; ++head) {
    if (std::optional<Proof> violation = RowProof(mask, plan, n, head).run()) {
      violation->method = "exhaustive rows";
      return *violation;
    }
  }
  proof.verdict = Verdict::Proven;
  proof.reason = "every row was checked";
  proof.method = "exhaustive rows";
  return proof;
}
