//===- TilePair.h - Where a step stands -------------------------*- C++ -*-===//
//
// What --sparse-attn-visit-tiles tells an op of the tiles that it visits.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_IR_TILEPAIR_H
#define SPARSEATTN_IR_TILEPAIR_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypeInterfaces.h"
#include <optional>

namespace mlir::sparse_attn {

/// One query tile of one (batch, query head), or of one row of several heads:
/// index values. Its rows are neighbours, or stand where `positions` says: then
/// `row` and `position` mean nothing.
struct QueryTile {
  Value batch, head;
  Value keyHead;  ///< the key head that `head` sees
  Value tile;     ///< number of the tile among those of its row class
  Value row;      ///< first row
  Value rows;     ///< Bm, or fewer in the last tile
  Value position; ///< position of the first row, or its number in a fold
  /// Whether the rows of the tile are those of row `row` in `rows` heads, from
  /// `head` on. All stand at `position`.
  bool hasPackedHeads = false;
  /// The first column of values and results that is computed; null where all
  /// columns are.
  Value column = {};
  /// tensor<Bm x i32> of the rows' positions, and of the rows of the queries
  /// that they are read from, which exist, and of the results that they are
  /// written to, of which those are none that do not exist; null for
  /// neighbours.
  Value positions = {}, sources = {}, destinations = {};
  /// Rows of the tile are so far apart: the step of a folded part.
  int64_t step = 1;
  /// Number m of a fold is that of position m * step + residue; null where
  /// numbers are positions.
  Value residue = {};
  /// Positions of the first and the last row that there is, and of the first
  /// and the last key, not numbers.
  Value firstPosition = {}, lastPosition = {}, firstKey = {}, lastKey = {};
  /// Position of slot 0 of the keys; null where that is 0.
  Value slotPosition = {};
  /// Whether its rows are behind the end of a sequence, and see nothing.
  bool areMissing = false;
  /// Indices of batch 0, head 0 and row 0 in the attention that the op is a
  /// tile of; null where it is none.
  Value batchOrigin = {}, headOrigin = {}, rowOrigin = {};
  /// Where its first row is among the rows of whole tiles, for which parts
  /// leave states; null where that is `row`, as it is but in tiles without
  /// rows.
  Value stateRow = {};
};

/// Queries at positions from `begin` on and before `end`, both i32; none where
/// these are the other way round.
struct RowSpan {
  Value begin, end;
};

/// What a key tile is to the rows of a query tile: only `live` ones may have a
/// live pair in it, and all pairs of `full` ones are live. Null where nothing
/// is known.
struct RowReach {
  RowSpan live, full;
};

/// One key tile. Its keys stand one after the other, or where `positions` says.
struct KeyTile {
  Value key;    ///< the position of the first key, an index
  Value rows;   ///< Bn, or fewer in the last tile, an index
  int64_t size; ///< Bn
  /// tensor<Bn x i32>; null for contiguous keys. No position is negative; those
  /// of Sk and more are no keys, and `key` means nothing then.
  Value positions = {};
  /// Where the first key stands in a tensor of keys, an index, and how far
  /// apart they stand. Null where that is its position, as it is but where
  /// slots have positions of their own, and in folded parts, in which `key` is
  /// its number.
  Value row = {};
  int64_t step = 1;
  /// Which page of a pool has the keys, an index; null where a tensor has the
  /// keys of each sequence. `row` is that in the page.
  Value page = {};
  /// What rows it reaches; null where that may be any.
  RowReach reach = {};
};

/// A tensor that a reduction takes or gives, under the name by which packages
/// tell it from others.
struct NamedTensor {
  Value value;
  StringRef role;            ///< query, key, output, ...
  bool hasKeysShape = false; ///< [B, Hkv, Sk, ...], not [B, Hq, Sq, ...]
  bool isPool = false;       ///< [pages, Hkv, page, ...]
  bool isData = false;
  /// Which of B, Hq, Sq and Sk the dimensions of data are; -1 for other sizes.
  SmallVector<int, 4> dims = {};
};

/// Names the tensors of a reduction that gives nothing but outputs.
SmallVector<NamedTensor> nameTensors(Value query, Value key, ValueRange inits,
                                     ValueRange results);

/// Names of data operands.
inline constexpr llvm::StringLiteral kKeyLengths = "key_lengths";
inline constexpr llvm::StringLiteral kQueryLengths = "query_lengths";
inline constexpr llvm::StringLiteral kKeyBegin = "key_begin";
inline constexpr llvm::StringLiteral kKeyPosition = "key_position";
inline constexpr llvm::StringLiteral kQueryPosition = "query_position";
inline constexpr llvm::StringLiteral kPageTable = "page_table";
inline constexpr llvm::StringLiteral kDocuments = "documents";
inline constexpr llvm::StringLiteral kGlobalTokens = "global_tokens";
inline constexpr llvm::StringLiteral kSinks = "sinks";
inline constexpr llvm::StringLiteral kSlopes = "slopes";
inline constexpr llvm::StringLiteral kBias = "bias";

/// What decides on tile sizes.
struct TileNeeds {
  int64_t headDim = 0, valueDim = 0; ///< elements of a row of K and of V
  int64_t elementBytes = 0;
};

/// Emits the i1 that is true where the query at position `i` may see the key at
/// position `j`, both i32.
using EmitMaskFn =
    llvm::function_ref<Value(OpBuilder &, Location, Value i, Value j)>;

/// The size of a dimension where it is static.
inline std::optional<int64_t> staticDim(ShapedType type, unsigned dim) {
  if (type.isDynamicDim(dim))
    return std::nullopt;
  return type.getDimSize(dim);
}

/// The sequence length of a type [B, H, S, ...] for masks and plans, which
/// speak of lengths of at least 1: where there is no query or no key, they say
/// what they say of a length that is not known yet.
inline std::optional<int64_t> staticLength(ShapedType type) {
  std::optional<int64_t> length = staticDim(type, 2);
  return length == 0 ? std::nullopt : length;
}

/// The keys of a sequence in pages of `page` by `table`, [B, P], where P is
/// known.
inline std::optional<int64_t> keysOfPages(Value table, int64_t page) {
  auto pages = staticDim(cast<ShapedType>(table.getType()), 1);
  return pages ? std::optional(*pages * page) : std::nullopt;
}

/// The rank-reducing slice source[lead..., row : row + rows, ...], or of `rows`
/// rows that are `step` apart.
Value sliceRows(OpBuilder &b, Location loc, Value source, ArrayRef<Value> lead,
                Value row, Value rows, int64_t step = 1);

/// The same of the `columns` columns from `column` on, the last dimension; of
/// all where `column` is null.
Value sliceTile(OpBuilder &b, Location loc, Value source, ArrayRef<Value> lead,
                Value row, Value rows, Value column, int64_t columns,
                int64_t step = 1);

/// The rows of a query tile, [rows, ...], of source [B, Hq, Sq, ...]: the first
/// `rows` of them, and the columns that `sliceTile` takes.
Value sliceQueries(OpBuilder &b, Location loc, Value source,
                   const QueryTile &at, Value rows, Value column,
                   int64_t columns);

/// The rows of a key tile, [rows, ...], of source[lead...].
Value loadRows(OpBuilder &b, Location loc, Value source, ArrayRef<Value> lead,
               const KeyTile &keys);

/// The slice of a tensor [lead..., x...] that has the shape x.
Value sliceTrailing(OpBuilder &b, Location loc, Value source, ValueRange lead);

/// The number of rows of a tile [rows, ...], as an index.
Value numRows(OpBuilder &b, Location loc, Value tile);

/// The element of `bias`, broadcast to [B, Hq, Sq, Sk], at these four.
Value loadBias(OpBuilder &b, Location loc, Value bias, ArrayRef<Value> at);

/// The id (i32) that `documents`, [B, Sk], has for a slot of the sequence
/// `batch`, all i32; -1 where it is outside of [0, n).
Value emitDocument(OpBuilder &b, Location loc, Value documents, Value batch,
                   Value slot, Value n);

/// s - slopes[head] |i - j| (ALiBi: Press et al. 2022), of a difference of
/// positions i - j (i32).
Value emitSlope(OpBuilder &b, Location loc, Value score, Value slopes,
                Value head, Value difference);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_IR_TILEPAIR_H
