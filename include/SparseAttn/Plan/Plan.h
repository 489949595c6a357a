//===- Plan.h - Which tiles a kernel visits ---------------------*- C++ -*-===//
//
// A plan says, for each query tile, which key tiles to visit and whether each
// is full (no mask arithmetic needed) or partial. Affine masks give segments
// with closed-form bounds; random masks add draws, whose tiles are listed at
// run time in memory O(live tiles). No mask is ever evaluated over Sq * Sk.
//
// Rows are partitioned into classes. classes[0] is the ordinary class, which
// covers all rows, or, in a layout, those that the period of another class
// leaves; each later class covers rows that see other keys than their
// neighbours, such as those of global tokens: a short range, or rows that stand
// where a layout says. A row belongs to the *last* class that contains it;
// earlier classes may compute it too, but their result for it is dropped.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_PLAN_H
#define SPARSEATTN_PLAN_PLAN_H

#include "SparseAttn/Mask/Mask.h"
#include "SparseAttn/Plan/Layout.h"
#include "SparseAttn/Plan/TileExpr.h"
#include "SparseAttn/Plan/TileTable.h"
#include "SparseAttn/Plan/Within.h"
#include "llvm/ADT/SmallVector.h"
#include <string>
#include <tuple>
#include <vector>

namespace mlir::sparse_attn::plan {

/// Tile sizes: queries = Bm rows, keys = Bn columns.
struct TileShape {
  int64_t queries = 0;
  int64_t keys = 0;
};

/// The key tiles begin(q) <= kt < end(q), empty when end <= begin; none where
/// when(q) <= 0. The slots of key tile kt are kt * B .. kt * B + B - 1, where B
/// is the plan's Bn or the layout's own; the keys that they stand at are cut at
/// Sk. A tile of a full segment has no masked pair and all its slots, at keys
/// inside [0, Sk).
///
/// A segment computes its tiles' pairs: those that `where` names, else those of
/// the mask. Together the segments of a class compute each live pair of its
/// rows once. Contiguous tiles are disjoint, so that their `where` is what the
/// mask comes to there; tiles of other layouts stand across them.
struct Segment {
  TileExpr begin, end;
  bool full = false;
  TileExpr when = TileExpr::constant(1);
  /// The live pairs that a partial segment computes, for the rows that the
  /// class has of its own; no pair with j >= Sk is among them. They are told by
  /// the literals that cut its tiles. Without it, the pairs of the mask.
  std::optional<mask::Pieces> where = std::nullopt;
  /// At which keys the slots of its tiles stand.
  Layout layout = {};
  /// Which of its tiles are visited, where data decides on it: all live pairs
  /// of its tiles lie in those. Then its tiles are contiguous. Within documents
  /// a full segment promises no masked pair where all rows and all keys are of
  /// one document, and others of its tiles are partial. Of tokens that are
  /// listed only some are in a tile, so that such tiles are partial, and
  /// `where` does not tell.
  Within within = {};

  mask::Range keyTiles(int64_t q, const mask::Lengths &n) const;
  /// Those that are visited where all positions are of one document and no
  /// token is listed.
  mask::Range usualTiles(int64_t q, const mask::Lengths &n) const;
  /// What its layout and `within` do not allow, as a clause, or an empty text.
  std::string findProblem() const;
};

/// Tiles touched by the random key blocks drawn for any row of the query tile,
/// restricted to begin(q) <= kt < end(q), none where when(q) <= 0. A tile that
/// a segment of the class, or another draw, already visits is not visited
/// again. Each tile that a full draw adds to the segments has no masked pair
/// and lies whole inside [0, Sk): blocks are whole tiles, and all rows of a
/// query tile draw the same ones. A kernel may visit it as partial.
struct Draw {
  mask::Mask::RandomOptions random;
  TileExpr begin, end;
  bool full = false;
  TileExpr when = TileExpr::constant(1);

  mask::Range keyTiles(int64_t q, const mask::Lengths &n) const;
};

/// The slots rowBegin <= x < rowEnd, in query tiles that start at rowBegin; the
/// bounds do not depend on q. Contiguous slots are query rows (0-based rows,
/// not positions) in tiles of Bm. A slot of another layout is the row at the
/// position that the layout says, or none where that is outside of
/// [Sk - Sq, Sk), and tiles have the layout's size; such a class has no draws.
/// A class with a table has its query tiles and what they visit from there: it
/// has neither segments nor draws, is contiguous and not heavy, and its bounds
/// are constants.
struct RowClass {
  TileExpr rowBegin, rowEnd;
  /// Rows that see O(Sk) keys while ordinary rows do not: split along the keys
  /// and merged by LSE.
  bool heavy = false;
  llvm::SmallVector<Segment, 4> segments;
  llvm::SmallVector<Draw, 1> draws;
  /// At which query positions its slots stand.
  Layout layout = {};
  TileTable table = {};

  bool hasTable() const { return !table.empty(); }
  /// Slots of a query tile.
  int64_t tileRows(const TileShape &tile) const {
    return layout.tileSize(tile.queries);
  }
  /// Slots of the tiles that code computes, in the place of those: a class of a
  /// few rows, as a global token's, would waste most of a tile, so it gets one
  /// of as few vectors of 16 rows as hold its rows. Its only query tile is
  /// q = 0, whose segments hold for any of its rows, so the plan stays right.
  int64_t codeRows(const TileShape &tile) const;
  int64_t numQueryTiles(const TileShape &tile, const mask::Lengths &n) const;
  /// The slots of the class that are rows, if contiguous ones are as they
  /// should be.
  mask::Range rowSlots(const mask::Lengths &n) const;
  /// Those of query tile q.
  mask::Range rowSlots(int64_t q, const TileShape &tile,
                       const mask::Lengths &n) const;
  /// The row that a slot of `rowSlots` is.
  int64_t rowOf(int64_t slot, const mask::Lengths &n) const;
  /// The slot that the row is, or nullopt where the class does not contain it.
  std::optional<int64_t> slotOf(int64_t row, const mask::Lengths &n) const;
  /// Whether a segment's keys stand in another layout than contiguous.
  bool hasLayouts() const;
  /// The tiles that the draws of one query tile touch at most, each once a row
  /// block and draw: how long a list of them may get.
  int64_t maxDrawnTiles(const TileShape &tile) const;
};

/// Some of the pairs of a mask. A part folded by a step s > 1 is, for each
/// residue p of positions modulo s, an attention of its own over the queries
/// and the keys that stand at p + s m for integers m: all that it says is of
/// these numbers m in the place of positions, and of the queries and keys of
/// the residue in the place of nq and nk (foldLengths). Row r of the residue
/// still stands at r + nk - nq then.
///
/// The first class of a part has all rows. Parts before the last have no other,
/// and it is not heavy, nor have those that are folded; these have no layouts.
/// No part has draws.
struct Part {
  int64_t step = 1;
  /// The pairs that it computes: where it is folded, of i and j of one residue
  /// those of which the numbers m are one. In its tiles they are live, and no
  /// others.
  mask::Pieces pairs;
  TileShape tile;
  llvm::SmallVector<RowClass, 2> classes;
};

/// A plan is one kernel's classes of rows, or parts. The parts of a plan
/// compute each live pair once, and what they come to is merged. A row of a
/// later class of the last part is computed by that part alone: as with
/// classes, what others have for it is dropped.
struct Plan {
  TileShape tile; ///< of the last part where there are parts
  llvm::SmallVector<RowClass, 2> classes;
  /// It holds for such lengths only.
  LengthAssumption assumed = {};
  std::vector<Part> parts = {};
  /// A query tile is of so many query heads that share a key head, in their
  /// order: of one, or of more with one row each (packed heads). Keys and
  /// values are read once for all of them. All see the same pairs.
  int64_t heads = 1;
  /// It is for launches of fewer query tiles than keep a GPU busy: all classes
  /// are heavy, and into how many parts is decided at each launch.
  bool fewBlocks = false;

  bool hasPackedHeads() const { return heads > 1; }
  /// Rows of all heads of a tile, and keys.
  TileShape slots() const { return {tile.queries * heads, tile.keys}; }
  bool hasTables() const;
  /// Whether a segment depends on which documents there are, or on which tokens
  /// are listed.
  bool readsDocuments() const;
  bool readsListed() const;
  /// Whether all heads visit the same tiles: nothing is drawn for each.
  bool isHeadInvariant() const;
};

/// The queries and keys that stand where row `row`, which is below the step,
/// does modulo `step`. The rows are row, row + step, and so on.
mask::Lengths foldLengths(const mask::Lengths &n, int64_t step, int64_t row);

/// What holds for the lengths of each residue that has a query and a key.
LengthFacts foldFacts(const LengthFacts &facts, int64_t step);

/// The plan of a part: of one residue, where it is folded. `facts` are those of
/// the whole plan.
Plan planOf(const Part &part, const LengthFacts &facts);

/// What is wrong with the parts of a plan and what to do, as a clause, or an
/// empty text: all that can be told without the mask.
std::string findProblem(llvm::ArrayRef<Part> parts);

/// Why a plan visits tiles, or evaluates the mask in tiles, that a better one
/// would not.
struct PlanLoss {
  enum class Reason {
    ManyPieces,     ///< the mask is a union of too many pieces
    ManyRowClasses, ///< too many ranges of rows are to be planned apart
    ManySegments,   ///< the tiles of a row class need too many segments
    OpaqueLeaf,     ///< a part of the mask has no closed form
  };
  /// What is visited in place of the tiles meant.
  enum class Visited {
    Hull, ///< all from the first to the last of them
    All,  ///< every tile of the query tile's rows
  };
  Reason reason;
  Visited visited = Visited::All;
  /// The part without closed form, for people.
  std::string leaf = {};
  /// The number of keys is not known at compile time, and might help.
  bool wantsLength = false;
  /// A table of all tiles would be longer than one may be.
  bool isTableTooLong = false;

  friend bool operator==(const PlanLoss &a, const PlanLoss &b) {
    return std::tie(a.reason, a.visited, a.leaf, a.wantsLength,
                    a.isTableTooLong) == std::tie(b.reason, b.visited, b.leaf,
                                                  b.wantsLength,
                                                  b.isTableTooLong);
  }
};

/// The fact and the remedy, as a clause without a capital and a full stop.
std::string describe(const PlanLoss &loss);

/// Which layouts of keys, and of rows, a plan may have: what the target's
/// kernels load and store. `InKernels` are any, where the ring of tiles drains
/// behind each loop, and less work pays by a fiftieth, not by a tenth.
enum class KeyLayouts { Contiguous, Any, InKernels };
enum class RowLayouts { Contiguous, Any };

/// Builds a plan in closed form; `facts` holds the lengths known at compile
/// time, and what the plan may take for granted of others. Never fails: where
/// the union of pieces is too complex it falls back to partial segments over a
/// hull, which is slower but exact. `losses`, where given, gets each way in
/// which that has happened, once; a table may do better (TablePlan.h).
Plan makePlan(const mask::Mask &mask, TileShape tile, const LengthFacts &facts,
              llvm::SmallVectorImpl<PlanLoss> *losses = nullptr,
              KeyLayouts layouts = KeyLayouts::Contiguous,
              RowLayouts rowLayouts = RowLayouts::Contiguous);

/// The plan as text for people: a line for the tile, one for each class, and
/// one for each of its segments and draws.
void printPlan(const Plan &plan, llvm::raw_ostream &os);

/// One visited tile of a query tile.
struct VisitedTile {
  /// Its number; of a table's tile its first key.
  int64_t keyTile = 0;
  bool full = false;
  /// The tile belongs to this segment; one that is drawn, or of a table,
  /// belongs to none.
  const Segment *segment = nullptr;
};

/// What a kernel visits for query tile q of `cls`: contiguous tiles in
/// ascending order, then those of other layouts. Of a table, partial tiles come
/// first. Where data decides, all positions are of one document and none is
/// listed.
llvm::SmallVector<VisitedTile> visitedTiles(const RowClass &cls,
                                            const TileShape &tile,
                                            const mask::Lengths &n,
                                            int64_t head, int64_t q);

/// Numbers of visited tiles of one head, whatever their layouts, and of the
/// contiguous ones not visited, over all classes, of a table as if its tiles
/// were of the grid. For a class without draws
/// runs of O(query tiles * segments).
struct TileCounts {
  uint64_t full = 0, partial = 0, empty = 0;
};
TileCounts countTiles(const Plan &plan, const mask::Lengths &n, int64_t head);

/// The pairs in the tiles that one head visits: rows of a class times keys, and
/// no row or key that is not there. A key that tiles of two layouts hold counts
/// twice, as it is computed twice. Draws alone take time for each tile.
uint64_t countVisitedPairs(const Plan &plan, const mask::Lengths &n,
                           int64_t head);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_PLAN_H
