//===- SharedAddress.h - Addresses of a thread in a staged tile -*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_STAGING_SHAREDADDRESS_H
#define SPARSEATTN_LIB_GPU_STAGING_SHAREDADDRESS_H

#include "SharedLayout.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::sparse_attn::kernels {

/// A tile in shared memory, as SharedLayout has it.
struct StagedTile {
  Value pointer;   ///< !llvm.ptr<3> to its first byte
  VectorType type; ///< [rows, columns]
};

/// i32 arithmetic whose constants fold.
struct LaneMath {
  OpBuilder &b;
  Location loc;

  Value constant(int64_t value) const;
  Value add(Value x, Value y) const;
  Value mul(Value x, int64_t factor) const;
  Value div(Value x, int64_t powerOfTwo) const;
  Value mod(Value x, int64_t powerOfTwo) const;
  Value bitXor(Value x, Value y) const;
};

/// Where a thread reads in a staged tile: at row `row` + a multiple of 8, and
/// in the 16-byte chunk number `chunk` + an even constant, `byte` bytes into
/// it. `row` and `chunk` (0 or 1) depend on the lane only, so that
///
///   address = tile + lane part(even constant) + constant
///
/// and the few lane parts can be computed once, before any loop: the swizzle
/// turns the constant of the chunk into an exclusive or, not the row's.
class SharedAddress {
public:
  SharedAddress(OpBuilder &b, Location loc, const StagedTile &tile, Value row,
                Value chunk, Value byte = {});

  /// The pointer for row `row` + rowOffset and byte column byteOffset, which
  /// must be multiples of 8 and 32.
  Value at(int64_t rowOffset, int64_t byteOffset);

private:
  Value lanePart(const SharedPanel &panel, int64_t chunk);

  OpBuilder &b;
  Location loc;
  StagedTile tile;
  SharedLayout layout;
  Value row, chunk, byte;
};

/// `pointer` + bytes.
Value advance(OpBuilder &b, Location loc, Value pointer, Value bytes);
Value advance(OpBuilder &b, Location loc, Value pointer, int64_t bytes);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_STAGING_SHAREDADDRESS_H
