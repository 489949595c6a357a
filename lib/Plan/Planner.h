//===- Planner.h - Parts of makePlan ----------------------------*- C++ -*-===//
//
// makePlan works in three steps: the pieces of the mask are sorted into row
// classes (RowClasses.cpp), of which some stand in a layout (RowLayouts.cpp),
// each piece becomes a band of key tiles in its class (TileBands.cpp), and the
// bands of a class are made disjoint (Segments.cpp). Where the target takes
// layouts, the pieces of a class are first split by the layouts of their keys
// (KeyParts.cpp), and each part has segments of its own.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PLAN_PLANNER_H
#define SPARSEATTN_LIB_PLAN_PLANNER_H

#include "SparseAttn/Plan/Plan.h"
#include <vector>

namespace mlir::sparse_attn::plan {

/// Replayed on A100 to H100, an iteration over a partial tile takes 1.2 to 1.3
/// times as long as one over a full tile of that size (bench/gpu/predict.py).
inline constexpr double kPartialCost = 1.25;

/// A plan that saves less is worth neither twice the time of compilation nor
/// another kernel.
inline constexpr double kLeastGain = 1.1;

/// About the length at which plans are compared where none is known.
inline constexpr int64_t kSampleLength = 4096;

/// The lengths as far as they are known, else such ones.
mask::Lengths sampleLengths(const LengthFacts &facts);

/// `expr > 0` is what holds where a condition holds; conditions are joined by
/// the minimum (and), the maximum (or) and `negated`.
TileExpr negated(const TileExpr &when);

/// offset + expr, or offset - expr, with the offset inside min and max.
TileExpr shifted(const TileExpr &offset, const TileExpr &expr,
                 bool negate = false);

/// [begin, end), empty when end <= begin and where when <= 0.
struct TileInterval {
  TileExpr begin, end;
  TileExpr when = TileExpr::constant(1);

  TileInterval simplify(const LengthFacts &facts) const;
  bool isProvablyEmpty(const LengthFacts &facts) const {
    return TileExpr::provablyLE(end, begin, facts) ||
           TileExpr::provablyLE(when, TileExpr::constant(0), facts);
  }
  bool isUnconditional() const { return when == TileExpr::constant(1); }
  /// Restricts the interval to where `amount` is positive.
  void guardBy(const TileExpr &amount);
};

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// The pieces without repeated bounds, without those that are certainly empty
/// or lie inside another one, and with touching row ranges joined.
mask::Pieces normalizePieces(mask::Pieces pieces);

/// True when every pair of `inner` is one of `outer`; false when unsure.
bool isInside(const mask::Piece &inner, const mask::Piece &outer);

/// The only set of rows, or of keys, of `piece`, if it counts from 0 and has so
/// few that a plan may list them; else null.
const mask::PositionSet *findListable(const mask::Piece &piece, bool ofKey);

/// A list of these positions, which are at least one, in tiles of at most
/// `size` slots.
Layout makeList(const mask::IntervalSet &positions, int64_t size);

//===----------------------------------------------------------------------===//
// Row classes
//===----------------------------------------------------------------------===//

struct TileRows;

/// The rows of a class and the pieces that can be live in them.
struct ClassPieces {
  /// Position bounds of the class's rows; none for the ordinary class.
  llvm::SmallVector<mask::Bound, 1> rowLower, rowUpper;
  /// Largest number of rows at any lengths; nullopt for the ordinary class.
  std::optional<int64_t> maxRows;
  bool heavy = false;
  mask::Pieces pieces;
  /// Where its rows stand, if they have no bounds.
  Layout layout = {};
};

struct RowClasses {
  /// classes[0] is the ordinary class.
  std::vector<ClassPieces> classes;
  /// There were too many: the ordinary class has all pieces.
  bool areTooMany = false;
};
/// Which rows may stand in a layout: those of tokens, those of a period, and
/// beside these the others of the period.
struct RowOptions {
  bool lists = false, lattices = false, rest = false;
};
RowClasses classifyRows(const mask::Pieces &pieces, const TileShape &tile,
                        const LengthFacts &facts, RowOptions options);

/// The layout that the rows of `piece` alone stand in; nullopt where they are
/// none that a plan has in a layout.
std::optional<Layout> findRowLayout(const mask::Piece &piece,
                                    const TileShape &tile,
                                    const LengthFacts &facts,
                                    RowOptions options);

/// The rows of a period that those of `layout`, its last ones, leave; nullopt
/// where there are none, or `pieces` may be live in a row before position 0.
std::optional<Layout> findRestOfPeriod(const Layout &layout,
                                       const mask::Pieces &pieces,
                                       const TileShape &tile,
                                       const LengthFacts &facts);

/// The pieces as they are in rows that stand in `layout`.
mask::Pieces restrictToRows(const mask::Pieces &pieces, const Layout &layout);

/// The rows of a class that stands in a layout.
TileRows makeScatteredRows(const ClassPieces &cls, const LengthFacts &facts);

//===----------------------------------------------------------------------===//
// Layouts of keys
//===----------------------------------------------------------------------===//

/// What tiles of one layout compute.
struct KeyPart {
  Layout layout;
  /// The pairs, of which those count whose keys the layout has.
  mask::Pieces pieces;
};

/// The pieces of a class as disjoint parts, of which the first is contiguous
/// and may be empty. Nothing where no other layout fits a piece, or the parts
/// cannot be told apart in closed form.
std::vector<KeyPart> splitByLayout(const mask::Pieces &pieces,
                                   const TileShape &tile,
                                   const LengthFacts &facts);

/// Key positions as slots of a layout.
class KeyAxis {
public:
  KeyAxis(const Layout &layout, const TileShape &tile)
      : layout(layout), size(layout.tileSize(tile.keys)) {}

  bool isContiguous() const { return layout.isContiguous(); }
  int64_t tileSize() const { return size; }
  /// The number of slots that stand below the position; of a list it is known
  /// for constants only.
  std::optional<TileExpr> slotsBelow(const TileExpr &position) const;
  /// No more than that, and no less.
  TileExpr lowestSlot(const TileExpr &position) const;
  TileExpr highestSlot(const TileExpr &position) const;

private:
  TileExpr limit(const TileExpr &position, bool isLower) const;

  Layout layout;
  int64_t size;
};

//===----------------------------------------------------------------------===//
// Key tiles of a piece
//===----------------------------------------------------------------------===//

/// The rows of query tile q, as positions.
struct TileRows {
  /// Rows [first, end) exist and belong to the class.
  TileExpr first, end;
  /// Not less than `end`, and simpler: first + Bm.
  TileExpr roundedEnd;
  TileExpr rowBegin, rowEnd;
  LengthFacts facts;
};

/// `bound` at the position `row`.
TileExpr at(const mask::Bound &bound, const TileExpr &row);

TileRows makeTileRows(const ClassPieces &cls, const TileShape &tile,
                      const LengthFacts &facts);

/// The key tiles of one piece for query tile q of a class.
struct TileBand {
  mask::Piece piece;
  /// Among the bands of its class; of a hull of some, which has no piece, none.
  static constexpr unsigned noNumber = ~0u;
  unsigned number = noNumber;
  /// Every tile with a live pair is in `live`; every tile of both is full. The
  /// beginning of `full` is not clipped to the first tile.
  TileInterval live;
  std::optional<TileInterval> full;
  /// Where the band stays as q grows.
  enum class Place { Left, Moving, Right };
  Place place = Place::Moving;
  /// Sorts bands of one place: the constant part of its upper bound.
  int64_t order = 0;
  /// The tiles of a random draw inside `live`, not all of `live`.
  std::optional<mask::Mask::RandomOptions> draw;
  bool drawIsFull = false;
  /// See `Segment::within`.
  Within within = {};
};

/// nullopt when no tile of the class can be live.
std::optional<TileBand> makeTileBand(const mask::Piece &piece,
                                     const TileRows &rows,
                                     const TileShape &tile,
                                     const KeyAxis &axis);

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

/// Pairwise disjoint segments that cover the live tiles of `bands`, and the
/// draws among them. Where that takes too many or too long segments, fewer ones
/// that cover more, at last one over all tiles; returns what is visited then.
std::optional<PlanLoss::Visited> makeSegments(std::vector<TileBand> bands,
                                              const TileRows &rows,
                                              const KeyAxis &axis,
                                              RowClass &cls);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_LIB_PLAN_PLANNER_H
