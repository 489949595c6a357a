//===- SparseAttn.h - The sparse_attn dialect -------------------*- C++ -*-===//
//
// The dialect, its mask and plan attributes and the attention op.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_IR_SPARSEATTN_H
#define SPARSEATTN_IR_SPARSEATTN_H

#include "SparseAttn/IR/TilePair.h"
#include "SparseAttn/Mask/Mask.h"
#include "SparseAttn/Mask/Predicate.h"
#include "SparseAttn/Plan/Plan.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/SCF/IR/DeviceMappingInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/ParallelCombiningOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"
#include <functional>
#include <optional>

namespace mlir::sparse_attn {

// What a mask of another dialect is made of.
using mask::Bound;
using mask::IntervalSet;
using mask::Lengths;
using mask::Mask;
using mask::MaskNode;
using mask::OpaqueLiteral;
using mask::Piece;
using mask::Pieces;
using mask::RandomBlocks;
using mask::Range;
using mask::Residue;
using mask::TileState;

/// The code of a draw grows with the square of these two.
constexpr int64_t kMaxBlocksPerRow = 32;
constexpr int64_t kMaxBigBirdRadius = 16;

/// On loops over query tiles, and on the launches they become, of which none
/// reads or writes what another one writes: those that stand next to each other
/// may run at the same time.
inline constexpr llvm::StringLiteral kTogetherAttr = "sparse_attn.together";

/// On an scf.if: its `else` way computes the same, whatever the condition says,
/// so that code may do without the other one.
inline constexpr llvm::StringLiteral kOptionalAttr = "sparse_attn.optional";

/// Rows or columns of a tile.
constexpr int64_t kMaxTileSize = 65536;

/// One end of a sliding window: a number of positions or `unbounded`.
struct WindowExtent {
  std::optional<int64_t> value;
  friend bool operator==(const WindowExtent &a, const WindowExtent &b) {
    return a.value == b.value;
  }
};
llvm::hash_code hash_value(const WindowExtent &extent);
llvm::raw_ostream &operator<<(llvm::raw_ostream &os,
                              const WindowExtent &extent);

/// Where a predicate is evaluated: i32 values for the positions, the length
/// N = Sk, the batch and the query head. The last two are those of the
/// attention that an op is a tile of.
struct MaskPosition {
  Value i, j, n, batch, head;
  /// Sk where it is known at compile time.
  std::optional<int64_t> staticKeys;
  /// The i32 index of the t-th key block that `options` draws for row block
  /// `rowBlock` (i32) of `head`, or -1; reads the table that the lowering has
  /// laid out at run time. Which draws a predicate asks for must not depend on
  /// the values of this position: the lowering finds out by emitting it once.
  std::function<Value(OpBuilder &, Location, const Mask::RandomOptions &options,
                      Value rowBlock, int64_t t)>
      drawnBlock;
  /// The id of the document of the query, or of the key, an i32: the same only
  /// where both are of one document. Null where the data operand tells.
  std::function<Value(OpBuilder &, Location, bool ofKey)> document;
  /// Position of slot 0 of the keys, i32; null where that is 0.
  Value slotPosition;
  /// Whether the query, or the key, is at a position that data lists as global,
  /// an i1; false where there is no such position.
  std::function<Value(OpBuilder &, Location, bool ofKey)> listed;
  /// The data operand of that name, a tensor, of the op that has the mask; null
  /// where the op has none.
  std::function<Value(llvm::StringRef name)> operand;
};

/// Emits whether a leaf without closed form holds, or nothing.
using EmitLeafFn =
    llvm::function_ref<Value(OpBuilder &, Location, const MaskNode &leaf)>;

/// Emits the i1 that `predicate` says of a pair, from its pieces; null where a
/// leaf has no code.
Value emitPredicate(OpBuilder &b, Location loc,
                    const mask::Predicate &predicate, const MaskPosition &at,
                    EmitLeafFn emitLeaf);

/// Emits what the `tile.keys` keys from `at.j` on are to the `tile.queries`
/// rows from position `at.i` on, by the bounds of `pieces`; nothing where these
/// leave out no row that code could tell. A row that it does not call full may
/// be.
std::optional<RowReach> emitReach(OpBuilder &b, Location loc,
                                  const mask::Pieces &pieces,
                                  const MaskPosition &at, plan::TileShape tile);

} // namespace mlir::sparse_attn

namespace mlir {
template <> struct FieldParser<sparse_attn::WindowExtent> {
  static FailureOr<sparse_attn::WindowExtent> parse(AsmParser &parser);
};
} // namespace mlir

#include "SparseAttn/IR/SparseAttnDialect.h.inc"
#include "SparseAttn/IR/SparseAttnEnums.h.inc"
#include "SparseAttn/IR/SparseAttnInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "SparseAttn/IR/SparseAttnAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "SparseAttn/IR/SparseAttnTypes.h.inc"

#include "SparseAttn/IR/MaskedReduction.h.inc"

#define GET_OP_CLASSES
#include "SparseAttn/IR/SparseAttnOps.h.inc"

namespace mlir::sparse_attn {

/// Emits the i1 that is true when the query at `at.i` may attend the key at
/// `at.j`; with `mayPassEnd`, j may be N or more, and then it is false. Null
/// where a part of the mask has neither pieces nor `emitPredicate`.
Value emitMask(OpBuilder &b, Location loc, MaskAttrInterface mask,
               const MaskPosition &at, bool mayPassEnd);

/// The same of all pairs that `mask` allows.
std::optional<RowReach> emitReach(OpBuilder &b, Location loc,
                                  MaskAttrInterface mask,
                                  const MaskPosition &at, plan::TileShape tile);

/// An equivalent mask in canonical form: nested unions and intersections are
/// flattened, members that another member absorbs are dropped, windows are
/// merged, double complements removed.
MaskAttrInterface simplifyMask(MaskAttrInterface mask);

/// Makes `sparse_attn.attention` bufferisable.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_IR_SPARSEATTN_H
