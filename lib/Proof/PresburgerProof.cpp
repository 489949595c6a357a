//===- PresburgerProof.cpp - Proof at all lengths -------------------------===//
//
// Each invariant is negated, over the row r, query tile q, key tile kt and key
// j as integer unknowns, and the search must find no solution. Opaque leaves
// have no formula. Where a pair might be live they are taken to hold and where
// it might be masked to fail, so that absence of a solution is still a proof; a
// solution is then only a candidate, and every candidate is checked against
// mask and plan by evaluation before it is called a witness.
//
//===----------------------------------------------------------------------===//

#include "PresburgerProof.h"
#include "RowSlots.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

//===----------------------------------------------------------------------===//
// Parts of formulas
//===----------------------------------------------------------------------===//

void PresburgerProof::requireRowOfTile(Unknowns &x, const RowClass &cls) const {
  // rowBegin + q * Bm <= slot < min(rowBegin + q * Bm + Bm, rowEnd).
  int64_t size = cls.tileRows(plan.tile);
  x.domain.push_back(hasRow(x, cls.layout, [&](const Linear &slot) {
    Linear inTile = slot + x.q * -size;
    return Formula::all({x.inside(cls.rowBegin, inTile, cls.rowBegin + size),
                         x.above(cls.rowEnd, slot)});
  }));
  x.domain.push_back(Formula::nonNegative(x.row));
  x.domain.push_back(Formula::less(x.row, x.nq));
}

void PresburgerProof::requireTile(Unknowns &x, const RowClass &cls) const {
  if (cls.layout.isContiguous())
    return requireRowOfTile(x, cls);
  // rowBegin + q * B < rowEnd, with the row in the place of the first slot.
  Linear first = x.row + x.q * -cls.layout.tile;
  x.domain.push_back(x.inside(cls.rowBegin, first, cls.rowBegin + 1));
  x.domain.push_back(x.above(cls.rowEnd, x.row));
}

void PresburgerProof::requireOutside(Unknowns &x, const RowClass &cls) const {
  x.domain.push_back(hasNoRow(x, cls.layout, [&](const Linear &slot) {
    return x.outside(cls.rowBegin, slot, cls.rowEnd);
  }));
}

void PresburgerProof::requireOwned(Unknowns &x, unsigned classIndex) const {
  for (const RowClass &later : llvm::drop_begin(plan.classes, classIndex + 1))
    requireOutside(x, later);
}

void PresburgerProof::requireKeyOfTile(Unknowns &x) const {
  // Not for the question whether all tiles have keys.
  x.domain.push_back(Formula::nonNegative(x.key));
  x.domain.push_back(Formula::less(x.key, x.nk));
  requireTileOfKey(x);
}

void PresburgerProof::requireTileOfKey(Unknowns &x) const {
  // keyTile * Bn <= key < keyTile * Bn + Bn.
  Linear first = x.keyTile * plan.tile.keys;
  x.domain.push_back(Formula::lessEqual(first, x.key));
  x.domain.push_back(Formula::less(x.key, first + plan.tile.keys));
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

void PresburgerProof::ask(
    Unknowns &x, const char *reason,
    llvm::function_ref<bool(const Candidate &, int64_t head)> isTrue) {
  if (isDone())
    return;
  llvm::SmallVector<int64_t> sample;
  Formula question = Formula::all(std::move(x.domain));
  Problem::Answer answer = x.problem.solve(question, budget, sample);
  if (answer == Problem::Answer::Unsat)
    return;
  if (answer == Problem::Answer::Unknown) {
    obstacle = "the search for '" + std::string(reason) + "' is too long";
    return;
  }
  // The first solution may be at lengths of a billion; look for a short one.
  if (!facts.nq || !facts.nk) {
    for (int64_t limit : {32, 256, 2048, 16384}) {
      llvm::SmallVector<int64_t> shorter;
      int attempt = std::min(budget, 1000);
      Formula small = Formula::all(
          {question, Formula::lessEqual(x.nq, Linear::number(limit)),
           Formula::lessEqual(x.nk, Linear::number(limit))});
      if (x.problem.solve(small, attempt, shorter) != Problem::Answer::Sat)
        continue;
      sample = shorter;
      break;
    }
  }
  auto valueOf = [&](const Linear &form) {
    int64_t value = form.constant;
    for (auto [variable, coefficient] : form.terms)
      value += coefficient * sample[variable];
    return value;
  };
  Candidate at = {{valueOf(x.nq), valueOf(x.nk)},
                  valueOf(x.q),
                  valueOf(x.row),
                  valueOf(x.keyTile),
                  valueOf(x.key)};
  int64_t heads = mask.isHeadInvariant() ? 1 : std::max<int64_t>(1, numHeads);
  for (int64_t head = 0; head < heads; ++head) {
    if (!isTrue(at, head))
      continue;
    proof.verdict = Verdict::Refuted;
    proof.reason = reason;
    proof.witness = Witness{at.n, head, at.row + at.n.firstQuery(), at.key};
    return;
  }
  obstacle = "'" + std::string(reason) +
             "' cannot be excluded for a mask without closed form";
}

static bool contains(const Segment &segment, const Candidate &at) {
  return segment.keyTiles(at.q, at.n).contains(at.keyTile);
}

bool proof::isLive(const Mask &mask, const Candidate &at, int64_t head) {
  return at.key >= 0 && at.key < at.n.nk &&
         mask.contains(at.n, head, at.row + at.n.firstQuery(), at.key);
}

/// True when a random block drawn for a row of the query tile touches the key
/// tile.
static bool isDrawn(const Draw &draw, const RowClass &cls,
                    const TileShape &tile, const Candidate &at, int64_t head) {
  if (!draw.keyTiles(at.q, at.n).contains(at.keyTile))
    return false;
  int64_t first = cls.rowBegin.evaluate(0, at.n) + at.q * tile.queries;
  int64_t end = std::min(first + tile.queries, cls.rowEnd.evaluate(0, at.n));
  Range keys = {at.keyTile * tile.keys, (at.keyTile + 1) * tile.keys};
  for (int64_t row = first; row < end; ++row) {
    int64_t i = row + at.n.firstQuery();
    if (i < 0)
      continue; // Nothing is drawn before the first key.
    for (int64_t block :
         drawRandomBlocks(draw.random, at.n.nk, head, i / draw.random.block))
      if (!Range{block * draw.random.block, (block + 1) * draw.random.block}
               .intersect(keys)
               .intersect({0, at.n.nk})
               .empty())
        return true;
  }
  return false;
}

static bool isVisited(const RowClass &cls, const TileShape &tile,
                      const Candidate &at, int64_t head) {
  return llvm::any_of(cls.segments,
                      [&](const Segment &s) { return contains(s, at); }) ||
         llvm::any_of(cls.draws, [&](const Draw &draw) {
           return isDrawn(draw, cls, tile, at, head);
         });
}

/// True when the draw lists every tile of the literal's live pairs.
static bool isDrawOf(const Draw &draw, const OpaqueLiteral &literal) {
  const RandomBlocks *blocks =
      literal.negated ? nullptr : literal.leaf->getRandomBlocks();
  return blocks && draw.random == *blocks;
}

/// The draws of `cls` that list every tile of the piece's live pairs.
static llvm::SmallVector<const Draw *> drawsOf(const RowClass &cls,
                                               const Piece &piece) {
  llvm::SmallVector<const Draw *> draws;
  for (const OpaqueLiteral &literal : piece.opaque)
    for (const Draw &draw : cls.draws)
      if (isDrawOf(draw, literal))
        draws.push_back(&draw);
  return draws;
}

void PresburgerProof::checkCoverage(unsigned classIndex) {
  const RowClass &cls = plan.classes[classIndex];
  for (const Piece &piece : pieces) {
    Unknowns x(facts);
    requireRowOfTile(x, cls);
    requireOwned(x, classIndex);
    requireKeyOfTile(x);
    x.domain.push_back(x.literals(piece, /*negated=*/false));
    for (const Segment &segment : cls.segments)
      x.domain.push_back(x.outside(segment));
    for (const Draw *draw : drawsOf(cls, piece))
      x.domain.push_back(x.outside(*draw));
    ask(x, reasons::coverage, [&](const Candidate &at, int64_t head) {
      return isLive(mask, at, head) && !isVisited(cls, plan.tile, at, head);
    });
  }
}

void PresburgerProof::checkUnownedRows() {
  for (const Piece &piece : pieces) {
    Unknowns x(facts);
    x.domain.push_back(Formula::nonNegative(x.row));
    x.domain.push_back(Formula::less(x.row, x.nq));
    x.domain.push_back(Formula::nonNegative(x.key));
    x.domain.push_back(Formula::less(x.key, x.nk));
    for (const RowClass &cls : plan.classes)
      requireOutside(x, cls);
    x.domain.push_back(x.literals(piece, /*negated=*/false));
    ask(x, reasons::coverage, [&](const Candidate &at, int64_t head) {
      return isLive(mask, at, head);
    });
  }
}

void PresburgerProof::checkRowRange(const RowClass &cls) {
  Unknowns x(facts);
  x.domain.push_back(x.inside(cls.rowBegin, x.row, cls.rowEnd));
  // Where rows stand in a layout, these are slots of it.
  bool isContiguous = cls.layout.isContiguous();
  std::vector<Formula> outside = {Formula::less(x.row, Linear::number(0))};
  if (isContiguous)
    outside.push_back(Formula::lessEqual(x.nq, x.row));
  if (std::optional<int64_t> slots = cls.layout.numSlots())
    outside.push_back(Formula::lessEqual(Linear::number(*slots), x.row));
  x.domain.push_back(Formula::any(std::move(outside)));
  ask(x, isContiguous ? reasons::rows : reasons::slots,
      [](const Candidate &, int64_t) { return true; });
}

void PresburgerProof::checkOnce(const RowClass &cls) {
  for (unsigned a = 0; a < cls.segments.size(); ++a) {
    for (unsigned b = a + 1; b < cls.segments.size(); ++b) {
      const Segment &first = cls.segments[a], &second = cls.segments[b];
      if (!first.layout.isContiguous() || !second.layout.isContiguous())
        continue;
      Unknowns x(facts);
      requireTile(x, cls);
      requireKeyOfTile(x);
      x.domain.push_back(x.inside(first));
      x.domain.push_back(x.inside(second));
      ask(x, reasons::once, [&](const Candidate &at, int64_t) {
        return contains(first, at) && contains(second, at);
      });
    }
  }
}

void PresburgerProof::checkRange(const RowClass &cls, const Segment &segment) {
  auto askFor = [&](const char *reason,
                    llvm::function_ref<Formula(Unknowns &)> violation) {
    Unknowns x(facts);
    requireTile(x, cls);
    requireTileOfKey(x);
    x.domain.push_back(x.inside(segment));
    x.domain.push_back(violation(x));
    ask(x, reason,
        [&](const Candidate &at, int64_t) { return contains(segment, at); });
  };
  askFor(reasons::range, [&](Unknowns &x) {
    return Formula::any({Formula::less(x.keyTile, Linear::number(0)),
                         Formula::lessEqual(x.nk, x.keyTile * plan.tile.keys)});
  });
  if (segment.full)
    askFor(reasons::fullPastEnd,
           [](Unknowns &x) { return Formula::lessEqual(x.nk, x.key); });
}

void PresburgerProof::checkFull(unsigned classIndex, const Segment &segment) {
  Unknowns x(facts);
  requireRowOfTile(x, plan.classes[classIndex]);
  requireOwned(x, classIndex);
  requireKeyOfTile(x);
  x.domain.push_back(x.inside(segment));
  for (const Piece &piece : pieces)
    if (piece.opaque.empty())
      x.domain.push_back(x.literals(piece, /*negated=*/true));
  ask(x, reasons::fullMasked, [&](const Candidate &at, int64_t head) {
    return contains(segment, at) && !isLive(mask, at, head);
  });
}

void PresburgerProof::checkWhere(unsigned classIndex, const Segment &segment) {
  auto askFor = [&](llvm::function_ref<void(Unknowns &)> require) {
    Unknowns x(facts);
    requireRowOfTile(x, plan.classes[classIndex]);
    requireOwned(x, classIndex);
    requireTileOfKey(x);
    x.domain.push_back(Formula::nonNegative(x.key));
    x.domain.push_back(x.inside(segment));
    require(x);
    ask(x, reasons::where, [&](const Candidate &at, int64_t head) {
      int64_t i = at.row + at.n.firstQuery();
      return contains(segment, at) &&
             holds(*segment.where, at.n, i, at.key) != isLive(mask, at, head);
    });
  };
  // A pair that is named and not live.
  for (const Piece &named : *segment.where)
    askFor([&](Unknowns &x) {
      x.domain.push_back(x.literals(named, /*negated=*/false));
      std::vector<Formula> masked;
      for (const Piece &piece : pieces)
        if (piece.opaque.empty())
          masked.push_back(x.literals(piece, /*negated=*/true));
      x.domain.push_back(Formula::any(
          {Formula::lessEqual(x.nk, x.key), Formula::all(std::move(masked))}));
    });
  // A pair that is live and not named.
  for (const Piece &piece : pieces)
    askFor([&](Unknowns &x) {
      x.domain.push_back(Formula::less(x.key, x.nk));
      x.domain.push_back(x.literals(piece, /*negated=*/false));
      for (const Piece &named : *segment.where)
        x.domain.push_back(x.literals(named, /*negated=*/true));
    });
}

void PresburgerProof::checkFull(const RowClass &cls, const Draw &draw) {
  // Enough, and not necessary: the tiles of a query tile lie inside key blocks
  // that its one row block draws, and the draw is a piece of the mask.
  bool isPiece = llvm::any_of(pieces, [&](const Piece &piece) {
    return !piece.hasRowBounds() && piece.lower.empty() &&
           piece.upper.empty() && piece.residues.empty() &&
           piece.sets.empty() && piece.opaque.size() == 1 &&
           isDrawOf(draw, piece.opaque[0]);
  });
  bool areWhole = isPiece && draw.random.block % plan.tile.queries == 0 &&
                  draw.random.block % plan.tile.keys == 0;
  // BigBird's never draw the last block, the one that Sk may cut.
  if (!areWhole || !startsAtTiles(cls) ||
      !(draw.random.bigBirdWindowRadius || hasWholeTilesOfKeys()))
    obstacle = "the tiles of a full draw cannot be shown to be full";
}

/// Whether `form` is a multiple of `divisor` wherever `x.domain` holds.
static bool isMultiple(Unknowns &x, const Linear &form, int64_t divisor,
                       int &budget) {
  Linear quotient = x.problem.floorDiv(form, divisor);
  x.domain.push_back(Formula::less(quotient * divisor, form));
  llvm::SmallVector<int64_t> sample;
  return x.problem.solve(Formula::all(std::move(x.domain)), budget, sample) ==
         Problem::Answer::Unsat;
}

bool PresburgerProof::startsAtTiles(const RowClass &cls) {
  Unknowns x(facts);
  x.domain.push_back(x.inside(cls.rowBegin, x.row, cls.rowBegin + 1));
  return isMultiple(x, x.position(), plan.tile.queries, budget);
}

bool PresburgerProof::hasWholeTilesOfKeys() {
  Unknowns x(facts);
  return isMultiple(x, x.nk, plan.tile.keys, budget);
}

/// Positions that all rows of class `index` that it owns are among, or all rows
/// of no class: lists are told apart here, and not by cases of a search.
static IntervalSet rowsOwned(const Plan &plan, std::optional<unsigned> index) {
  Range all = {-2 * maxSequenceLength, 2 * maxSequenceLength};
  IntervalSet rows = all;
  for (auto [k, cls] : llvm::enumerate(plan.classes)) {
    std::optional<int64_t> begin = cls.rowBegin.asConstant();
    std::optional<int64_t> end = cls.rowEnd.asConstant();
    bool isOwn = k == index;
    if (!cls.layout.isList() || (index && k < *index))
      continue;
    // The slots of other bounds are not known here.
    bool isWhole = begin == 0 && end == cls.layout.numSlots();
    if (!isOwn && !isWhole)
      continue;
    llvm::SmallVector<Range> ranges;
    for (int64_t start : cls.layout.starts)
      ranges.push_back({start, start + cls.layout.width});
    IntervalSet listed = IntervalSet::fromRanges(std::move(ranges));
    rows = rows.intersect(isOwn ? listed : listed.complementIn(all));
  }
  return rows;
}

Pieces proof::restrictSets(const Pieces &pieces, bool ofKey,
                           const IntervalSet &among) {
  Pieces result;
  for (Piece piece : pieces) {
    bool isDead = false;
    llvm::erase_if(piece.sets, [&](PositionSet &set) {
      if (set.ofKey != ofKey || set.fromEnd)
        return false;
      IntervalSet left = set.positions->intersect(among);
      isDead |= left.empty();
      bool hasAll = left == among;
      set.positions = std::make_shared<const IntervalSet>(std::move(left));
      return hasAll;
    });
    if (!isDead)
      result.push_back(std::move(piece));
  }
  return result;
}

Proof PresburgerProof::run() {
  for (const RowClass &cls : plan.classes) {
    if (cls.rowBegin.dependsOnQueryTile() || cls.rowEnd.dependsOnQueryTile()) {
      proof.reason = "the row bounds of a class depend on q";
      return proof;
    }
  }
  const Pieces ofMask = pieces;
  for (unsigned k = 0; k < plan.classes.size() && !isDone(); ++k) {
    const RowClass &cls = plan.classes[k];
    pieces = restrictSets(ofMask, /*ofKey=*/false, rowsOwned(plan, k));
    checkRowRange(cls);
    if (cls.hasLayouts()) {
      checkLayouts(k);
      continue;
    }
    checkOnce(cls);
    for (const Segment &segment : cls.segments)
      checkRange(cls, segment);
    for (const Segment &segment : cls.segments)
      if (segment.full)
        checkFull(k, segment);
    for (const Segment &segment : cls.segments)
      if (segment.where)
        checkWhere(k, segment);
    for (const Draw &draw : cls.draws)
      if (draw.full)
        checkFull(cls, draw);
    checkCoverage(k);
  }
  pieces = restrictSets(ofMask, /*ofKey=*/false, rowsOwned(plan, std::nullopt));
  checkUnownedRows();
  return conclude();
}

Proof PresburgerProof::conclude() {
  if (isDone())
    return proof;
  if (!obstacle.empty()) {
    proof.reason = obstacle;
    return proof;
  }
  proof.verdict = Verdict::Proven;
  proof.reason = "no violation exists at any of the lengths";
  return proof;
}

Proof proof::proveByPresburger(const Mask &mask, const Plan &plan,
                               const LengthFacts &facts, int64_t numHeads) {
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces) {
    Proof proof;
    proof.method = "presburger";
    proof.reason = "the mask is a union of too many pieces";
    return proof;
  }
  dropKnownLeaves(*pieces, facts.assumed.keysMultiple);
  return PresburgerProof(mask, plan, facts, numHeads, std::move(*pieces)).run();
}
