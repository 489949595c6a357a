//===- Mask.h - Masks as values ---------------------------------*- C++ -*-===//
//
// Which (query, key) pairs may attend, as an immutable expression tree that
// knows no IR. A query position i is absolute: query row r stands at
// i = r + Sk - Sq. A key position j runs from 0 to N - 1, N = Sk. The attribute
// `#sparse_attn.<name>` is only the spelling of one of these values.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_MASK_MASK_H
#define SPARSEATTN_MASK_MASK_H

#include "SparseAttn/Mask/Interval.h"
#include "SparseAttn/Mask/Piece.h"
#include "llvm/ADT/ArrayRef.h"
#include <memory>
#include <optional>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::sparse_attn::mask {

/// Sequences are shorter than this, so that the sum of two positions fits 32
/// bits, in which kernels compute them. Parameters of masks may be any
/// integers: those beyond every position mean what the formula says.
constexpr int64_t maxSequenceLength = int64_t(1) << 30;

/// What masks read of one sequence at run time.
struct SequenceData {
  /// The document of each position from `firstPosition` on; below 0 for none.
  llvm::ArrayRef<int32_t> documents;
  int64_t firstPosition = 0;
  /// Global positions, in any order. Those outside of [0, N) are none.
  llvm::ArrayRef<int32_t> globalTokens = {};
};

/// What data tells of a pair (i, j), as bits of a set.
enum DataFact : unsigned {
  OneDocument = 1, ///< i and j are of one document
  ListedRow = 2,   ///< i is a global position
  ListedKey = 4,   ///< j is one
};
constexpr unsigned allDataFacts = OneDocument | ListedRow | ListedKey;

/// Sequence lengths at which a mask is evaluated.
struct Lengths {
  int64_t nq = 0; ///< Sq: number of query rows.
  int64_t nk = 0; ///< Sk: number of keys, the N of every formula.
  /// Null where it is not known: all positions are taken for those of one
  /// document then, and no position for a global one.
  const SequenceData *data = nullptr;

  /// The absolute position of query row 0.
  int64_t firstQuery() const { return nk - nq; }
};

/// What a mask leaves of a tile of (query, key) pairs.
enum class TileState { Empty, Partial, Full };

/// Stateless random key blocks, `blocksPerRow` for each row block. Block
/// exclusion serves BigBird: blocks 0 and nb - 1 and the `windowRadius`
/// neighbourhood of the row block are not drawn, and row blocks 0 and nb - 1
/// draw none.
struct RandomBlocks {
  int64_t block = 64;
  int64_t blocksPerRow = 3;
  uint64_t seed = 0;
  bool perHead = true;
  /// nullopt: no exclusion (the primitive `random`).
  std::optional<int64_t> bigBirdWindowRadius;

  friend bool operator==(const RandomBlocks &a, const RandomBlocks &b) {
    return a.block == b.block && a.blocksPerRow == b.blocksPerRow &&
           a.seed == b.seed && a.perHead == b.perHead &&
           a.bigBirdWindowRadius == b.bigBirdWindowRadius;
  }
};

/// The last block of the sequence: positions x >= b * floor((N - 1) / b) of
/// queries or of keys.
struct LastBlock {
  int64_t block = 1;
  bool ofRows = false;
};

/// The most pieces a mask is asked for unless its caller says otherwise.
constexpr unsigned defaultMaxPieces = 64;

class Mask;
struct Predicate;

/// A node of the expression tree. Derive from it to bring a mask of your own:
/// `contains` is the definition and the only method that is required; the
/// others are answered from it, correctly but more slowly. Positions are
/// arbitrary integers: i < 0 occurs where Sq > Sk, and a transposed mask may
/// ask for j < 0. Magnitudes stay below maxSequenceLength.
class MaskNode : public std::enable_shared_from_this<MaskNode> {
public:
  virtual ~MaskNode();

  /// True when the query at position i may attend the key at position j, for
  /// query head `head`.
  virtual bool contains(const Lengths &n, int64_t head, int64_t i,
                        int64_t j) const = 0;

  /// The keys of `keys`, a part of [0, N), that the query at position i may
  /// attend.
  virtual IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                               Range keys) const;

  /// The node, or its complement, as a union of pieces. By default the node
  /// is one opaque literal. Returns nullopt when the union would have more
  /// than `maxPieces` members. The pieces speak for 0 <= j < N and i < N only.
  virtual std::optional<Pieces> pieces(bool negated, unsigned maxPieces) const;

  /// The node, or its complement, in the form that costs code the least: its
  /// pieces, or what its members cost together (Predicate.h).
  virtual Predicate predicate(bool negated) const;

  /// The mask of the pairs (i, j) for which this one allows (j, i).
  virtual Mask transpose() const;

  /// True when `contains` does not depend on the head; false by default.
  virtual bool isHeadInvariant() const;

  /// A g such that all rows of one floor(i / g) allow the same keys.
  virtual int64_t getRowGranularity() const;

  /// The state of the tile rows x keys, which is not empty and lies inside
  /// 0 <= j < N and i < N; nullopt when it takes a look at each row to tell.
  virtual std::optional<TileState> tileState(const Lengths &n, int64_t head,
                                             Range rows, Range keys) const;

  /// The draw that this node is, for the node of `Mask::random`; else null.
  virtual const RandomBlocks *getRandomBlocks() const { return nullptr; }

  /// The last block that this node is, for the nodes of `Mask::lastBlock`; else
  /// null.
  virtual const LastBlock *getLastBlock() const { return nullptr; }

  /// The fact that this node says of a pair, for those that read data; else 0.
  virtual unsigned getDataFact() const { return 0; }

  /// The facts on which `contains` depends.
  virtual unsigned getDataFacts() const { return getDataFact(); }

  /// The mask where of all pairs `facts` hold, and no others.
  virtual Mask withData(unsigned facts) const;

  /// What brings a predicate for this node where nothing else tells it: the
  /// attribute of a dialect, as an opaque pointer; else null.
  virtual const void *getOwner() const { return nullptr; }

  virtual void print(llvm::raw_ostream &os) const = 0;
};

/// A shared handle to a mask; a value, cheap to copy.
class Mask {
public:
  /*implicit*/ Mask(std::shared_ptr<const MaskNode> node)
      : node(std::move(node)) {}

  // Primitives, exactly as in docs/Patterns.md. Blocks, dilations, strides,
  // sizes and periods are positive.
  static Mask full();
  static Mask causal();
  /// -left <= j - i <= right; nullopt is unbounded. With dilation d > 1:
  /// j = i + d * t, -left <= t <= right. With block b > 1: the same on
  /// floor(j / b) - floor(i / b). Dilation and block do not mix.
  static Mask slidingWindow(std::optional<int64_t> left,
                            std::optional<int64_t> right, int64_t dilation = 1,
                            int64_t block = 1);
  enum class Direction { Both, Rows, Columns };
  /// G = tokens (negative ones count from N) plus [0, first) plus
  /// [N - last, N); i in G (rows) or j in G (columns). Members of G outside
  /// [0, N) do not exist.
  static Mask global(llvm::ArrayRef<int64_t> tokens, int64_t first = 0,
                     int64_t last = 0, Direction direction = Direction::Both);
  using RandomOptions = RandomBlocks;
  static Mask random(const RandomOptions &options);
  static Mask chunked(int64_t size);
  /// i and j are of one document (SequenceData).
  static Mask document();
  /// i or j (as `direction` says) is a global position of SequenceData.
  static Mask listed(Direction direction = Direction::Both);
  /// (i - j) mod stride == 0.
  static Mask strided(int64_t stride);
  /// j < length.
  static Mask prefix(int64_t length);
  /// i or j (as `direction` says) lies in the last block of `block` positions,
  /// b * floor((N - 1) / b) and after, for N that the compiler does not know.
  static Mask lastBlock(int64_t block, Direction direction = Direction::Both);
  /// j mod period >= period - last; the same of i.
  static Mask periodicColumns(int64_t period, int64_t last);
  static Mask periodicRows(int64_t period, int64_t last);

  /// The union of pieces, which have no opaque literals.
  static Mask ofPieces(Pieces pieces);

  static Mask unionOf(llvm::ArrayRef<Mask> members);
  static Mask intersectionOf(llvm::ArrayRef<Mask> members);
  static Mask complementOf(Mask mask);

  bool contains(const Lengths &n, int64_t head, int64_t i, int64_t j) const {
    return node->contains(n, head, i, j);
  }
  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       Range keys) const {
    return node->liveKeys(n, head, i, keys.intersect({0, n.nk}));
  }
  std::optional<Pieces> pieces(unsigned maxPieces = defaultMaxPieces) const {
    return node->pieces(/*negated=*/false, maxPieces);
  }
  Mask transpose() const { return node->transpose(); }
  bool isHeadInvariant() const { return node->isHeadInvariant(); }
  unsigned getDataFacts() const { return node->getDataFacts(); }
  bool readsData() const { return node->getDataFacts() != 0; }
  Mask withData(unsigned facts) const { return node->withData(facts); }
  const MaskNode &getNode() const { return *node; }
  std::shared_ptr<const MaskNode> getShared() const { return node; }
  void print(llvm::raw_ostream &os) const { node->print(os); }

private:
  std::shared_ptr<const MaskNode> node;
};

/// The random blocks of PATTERNS: the key blocks drawn for row block
/// `rowBlock` of `head`, in drawing order. `n` is N; a block count of
/// ceil(N / block) is implied. This is the one definition of the draw; the
/// run-time code that the compiler emits is tested against it.
llvm::SmallVector<int64_t> drawRandomBlocks(const Mask::RandomOptions &options,
                                            int64_t n, int64_t head,
                                            int64_t rowBlock);

/// splitmix64 of PATTERNS.
uint64_t splitmix64(uint64_t x);

/// Exact state of the tile rows x keys (positions), clipped to
/// 0 <= j < N and firstQuery() <= i < N. A tile that is empty after clipping
/// is Empty.
TileState classifyTile(const Mask &mask, const Lengths &n, int64_t head,
                       Range rows, Range keys);

/// The exact set of keys that at least one of the query positions `rows` may
/// attend (clipped as above).
IntervalSet liveKeysOfRows(const Mask &mask, const Lengths &n, int64_t head,
                           Range rows);

/// Exact number of live pairs of one head: the (i, j) with
/// firstQuery() <= i < N, i >= 0 or not, and 0 <= j < N. Never O(Sq * Sk) for
/// masks in closed form. `rows` restricts the query positions.
uint64_t countLivePairs(const Mask &mask, const Lengths &n, int64_t head);
uint64_t countLivePairs(const Mask &mask, const Lengths &n, int64_t head,
                        Range rows);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_MASK_MASK_H
