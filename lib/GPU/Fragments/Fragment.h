//===- Fragment.h - What one thread holds of a tile -------------*- C++ -*-===//
//
// Values of a tile's shape are distributed over the warps of a block in the
// layout of the accumulators of mma.sync m16n8 (and, a warp at a time, of
// wgmma m64nN). Each warp has as many neighbouring rows as any other, in bands
// of 16. With lane = 4 g + t, in each band and each group of 8 columns a thread
// holds four elements:
//
//            columns 8 c + 2 t, 8 c + 2 t + 1
//   row g         [b][c][0][0]  [b][c][0][1]
//   row g + 8     [b][c][1][0]  [b][c][1][1]
//
// in that order, in one vector. 16 rows by 16 columns of it are also, in the
// same order, the left operand of a product, so that probabilities need no
// movement to be multiplied with the values.
//
// A value that varies along rows only is the vector [b][half] of its rows (the
// same in the four lanes that share a row), one that varies along columns only
// the vector [c][e], and one that varies along neither a scalar. Operations on
// them stay that small; they grow to a tile where a tile needs them.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_FRAGMENT_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_FRAGMENT_H

#include "Staging/SharedAddress.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::sparse_attn::kernels {

/// Along what a value varies.
struct Extent {
  bool rows = false, columns = false;

  Extent join(Extent other) const {
    return {rows || other.rows, columns || other.columns};
  }
  bool isTile() const { return rows && columns; }
  bool isUniform() const { return !rows && !columns; }
  friend bool operator==(Extent a, Extent b) {
    return a.rows == b.rows && a.columns == b.columns;
  }
};

/// One thread's part of a value.
struct Fragment {
  Extent extent;
  /// A vector of the elements, or a scalar for a uniform value.
  Value lanes;
  /// The value is the sum of `lanes` over the four lanes that share a row,
  /// which has not been taken yet.
  bool isPendingSum = false;
  /// Set instead of `lanes` for numbers start + steps[i] (Progression.h).
  Value start;
  SmallVector<int64_t> steps;
  /// Set instead of `lanes` for a tile that is still in shared memory.
  StagedTile staged;
  /// The lanes are some elements of a tile, in no order that could meet others:
  /// each element is that of one thread at least (FlatTile.h).
  bool isFlat = false;
};

/// The threads of a block, and how a tile is shared among them. The values are
/// those of the executing thread.
class Threads {
public:
  /// Emits the thread's numbers at the start of the launch.
  Threads(OpBuilder &b, gpu::LaunchOp launch, int64_t numWarps);

  /// The same threads, but nothing that is computed from their numbers can be
  /// taken from what was computed from these.
  Threads renumbered(OpBuilder &b, Location loc) const;

  int64_t numWarps;
  Value thread; ///< 0 .. 32 * warps - 1, i32
  Value lane;   ///< 0 .. 31, i32
  Value warp;   ///< i32
  Value group;  ///< g, i32
  Value quad;   ///< t, i32

  int64_t numThreads() const { return 32 * numWarps; }
  /// Bands of 16 rows that a warp holds of a tile of `rows` rows.
  int64_t bands(int64_t rows) const { return rows / (16 * numWarps); }
  /// Elements of a thread's vector for a tile of that shape.
  int64_t count(Extent extent, int64_t rows, int64_t columns) const;

  /// The first row that the warp holds of a tile of `rows` rows, i32.
  Value firstRow(OpBuilder &b, Location loc, int64_t rows) const;
  /// Row [band][half] of a tile of `rows` rows, i32.
  Value rowOf(OpBuilder &b, Location loc, int64_t rows, int64_t band,
              int64_t half) const;
  /// Column [c][0] of the tile, i32; [c][1] is the next.
  Value columnOf(OpBuilder &b, Location loc, int64_t c) const;

  /// `fragment` as a vector that varies along `extent`, at least along what it
  /// varies along already, for a tile of that shape.
  Value expand(OpBuilder &b, Location loc, const Fragment &fragment,
               Extent extent, int64_t rows, int64_t columns) const;

private:
  /// Sets the parts of `thread`.
  void number(OpBuilder &b, Location loc);
};

/// The type of the lanes of a value of `element`s with that extent.
Type lanesType(Type element, Extent extent, int64_t count);

/// An i32 as it is, of which no optimiser knows that it is the same: a shuffle
/// in which each lane asks itself.
Value hidden(OpBuilder &b, Location loc, Value value);

/// Element i of `source` becomes element number `places[i]` of it.
Value shuffle(OpBuilder &b, Location loc, Value source,
              ArrayRef<int64_t> places);

/// The sum or maximum of `value` over the four lanes that share a row, in each
/// of them: two butterfly shuffles for each element.
Value reduceOverQuad(OpBuilder &b, Location loc, Value value,
                     llvm::function_ref<Value(OpBuilder &, Value, Value)> join);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_FRAGMENT_H
