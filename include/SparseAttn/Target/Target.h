//===- Target.h - Machines that code is made for ----------------*- C++ -*-===//
//
// All that the compiler knows of a chip or of a level of processors: what it
// has, and the sizes that measurements on it have chosen. Knows no IR. Passes
// take a target by its name, as an option.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TARGET_TARGET_H
#define SPARSEATTN_TARGET_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace mlir::sparse_attn::target {

/// Query tiles of so many rows or fewer leave most lanes of a processor's
/// vectors empty that run along the rows: there, keys and columns are in the
/// lanes.
inline constexpr int64_t kFewRows = 8;

/// The states of so many parts of the keys are merged at a time on GPUs, so
/// that their loads do not wait for each other, and of the rest so many times
/// fewer.
inline constexpr int64_t kMergedAtOnce = 16, kMergedFewer = 4;

/// Query rows and keys of a tile.
struct TileSize {
  int64_t queries, keys;
};

/// The largest tile for rows of up to so many elements, of up to so many bytes
/// each.
struct LargestTile {
  int64_t headDim, elementBytes;
  TileSize most;
};

/// A tile for tables whose rows see few keys: for rows of up to so many
/// elements, of up to so many bytes each.
struct TableTile {
  int64_t headDim, elementBytes;
  TileSize size;
  /// How many times as long a pair takes as in the usual tile.
  double pairCost;
};

/// How tiles are chosen; plan::chooseTile says what each is for.
struct TileRules {
  TileSize usual;
  /// Masks of which a band follows the queries on both sides take this.
  TileSize window;
  /// And this where none of them has more keys in a row than `narrowKeys`.
  TileSize narrow;
  int64_t narrowKeys;
  /// The largest tile that divides the blocks of a mask that has some. Its
  /// queries are halved, down to 16, until they divide.
  TileSize block;
  /// The first that is for a head is its.
  llvm::ArrayRef<LargestTile> largest;
  /// Known lengths below a tile's size are rounded up to multiples of these.
  TileSize granule;
  /// For masks that take `narrow`, those of these that are for a head come
  /// before.
  llvm::ArrayRef<LargestTile> largestNarrow = {};
  /// What plans with a table may have in the place of the chosen tile.
  llvm::ArrayRef<TableTile> tables = {};
};

/// A level of processors: all that have its instructions.
struct CpuTarget {
  llvm::StringRef name; ///< as LLVM spells it: x86-64-v3, ...
  int64_t lanes;        ///< of f32, in a vector register
  int64_t registers;    ///< vector registers
  /// Beyond those of the level, for LLVM.
  llvm::StringRef features;
  /// Whether it has all instructions that packages' host code is made of.
  bool isForPackages;
  const TileRules *tiles;
  /// The state of a row in memory, written, read and merged, takes as long as
  /// so many pairs: by estimate, 1.4 KB at heads of 64 take about 100 ns, and a
  /// pair 3 to 6.
  int64_t mergedRowPairs = 32;
};

/// How many rows of a query tile a warp takes.
struct WarpRules {
  /// The rows of a product of one warp, and of one that takes two.
  int64_t rows = 16, wideRows = 32;
  /// A warp takes two where the tile has so many queries, the scores and the
  /// output together no more columns, for operands of 2 bytes an element and
  /// for others, and the mask holds fewer values of each key than this.
  int64_t wideTileRows = 96, wideHalfColumns = 192, wideColumns = 128,
          wideKeyValues = 3;
};

/// Where the warps of a block, to whom tiles come through a ring, tell each
/// other by mbarriers what they have copied and read, and do not meet for each
/// tile: where a thread holds the results of a tile's products in so many
/// registers or fewer, as there must be some for the ring, and elements of keys
/// and values have no more bytes than this. It takes one more slot, and is not
/// done where that costs a second block its place on a multiprocessor.
struct RingRules {
  int64_t mbarrierAccumulators = 0, mbarrierElementBytes = 0;
};

/// Where PTX has instructions for pairs of f32 numbers, LLVM gives kernels of
/// which no loop carries more such numbers than this 64-bit registers for them.
/// ptxas places pairs without regard to the fours of a product's sums, and
/// moves each of many in each turn; and not every chip has the instructions.
struct PairRules {
  int64_t mostCarried = INT64_MAX;
};

struct GpuTarget {
  llvm::StringRef name; ///< as LLVM and ptxas spell it: sm_80, ...
  /// Oldest PTX version that knows the chip: what a driver must accept.
  unsigned ptxVersion;
  /// Shared memory a block may use, in bytes.
  int64_t sharedLimit;
  const TileRules *tiles;
  /// Second-level cache of a common chip of this name, in bytes.
  int64_t cacheBytes;
  RingRules rings = {};
  /// Whether threads that wait at an mbarrier can sleep.
  bool canSuspend = false;
  WarpRules warps = {};
  PairRules pairs = {};
  /// Parts of split rows that are fewer than a tile's take steps of so many
  /// keys at most: then as many of them run beside one another in a block as it
  /// has warps.
  int64_t heavyKeys = 32;
  /// Elements of a row that the smallest step of a product takes.
  int64_t productDepth = 8;
  /// The largest heads, of 2 bytes an element and of others: for these the
  /// smallest tiles fit the least shared memory.
  int64_t maxHalfHeadSize = 576, maxHeadSize = 256;
  /// A block computes no more columns of a result, of operands of 2 bytes an
  /// element and of others: the accumulators of a warp's rows would not fit its
  /// registers, of which the parts of f32 operands take more. Those of longer
  /// values are cut.
  int64_t halfColumns = 256, columns = 160;
  /// The states of parts of split rows are merged by a block for so many
  /// columns, which few blocks read at the same time: a thread then has room
  /// for those of many parts.
  int64_t mergeColumns = 8;
  /// Queries that would take so many registers of a thread, or more, are in
  /// shared memory.
  int64_t queryRegisters = 32;
  /// As for processors: 0.9 KB for the state and operands that are read again,
  /// at 1.5 TB/s, where a pair of heads of 64 takes 256 operations of some 130
  /// 10^12 a second.
  int64_t mergedRowPairs = 300;
  /// The least tile of a plan's parts, which may be smaller than that of a
  /// whole plan. Kernels of smaller ones have not been replayed.
  TileSize leastPartTile = {64, 32};

  std::string features() const { return "+ptx" + std::to_string(ptxVersion); }
};

/// The target of that name, or null.
const CpuTarget *findCpu(llvm::StringRef name);
const GpuTarget *findGpu(llvm::StringRef name);

/// All of them, older ones first.
llvm::ArrayRef<CpuTarget> getCpus();
llvm::ArrayRef<GpuTarget> getGpus();

/// Their names, separated by commas, for diagnostics.
std::string knownCpus();
std::string knownGpus();

} // namespace mlir::sparse_attn::target

#endif // SPARSEATTN_TARGET_TARGET_H
