//===- TileVectors.h - Vectors of tiles -------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_TILEVECTORS_H
#define SPARSEATTN_LIB_CPU_TILEVECTORS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace mlir::sparse_attn::cpu {

Value constantIndex(OpBuilder &b, Location loc, int64_t value);

/// base + offset.
Value offsetBy(OpBuilder &b, Location loc, Value base, int64_t offset);

/// The `lanes` elements of a tensor from `place` on, along its last dimension;
/// all of them are in bounds.
Value readVector(OpBuilder &b, Location loc, Value source, ValueRange place,
                 int64_t lanes);

/// A vector of that constant, in f32 where it is a float.
Value splatOf(OpBuilder &b, Location loc, TypedAttr value, int64_t lanes);

/// x with rows and columns exchanged: x[r] is row r of a square.
///
/// This takes log2(L) rounds of perfect shuffles: each interleaves the vectors
/// of the first half with those of the second, which rotates the bits of an
/// element's place (row, column) by one. After as many rounds as a column has
/// bits, the two are exchanged.
SmallVector<Value> transposed(OpBuilder &b, Location loc, SmallVector<Value> x);

/// for index in 0 .. end by step: result = body(index, result)
Value emitLoop(OpBuilder &b, Location loc, Value end, Value step, Value start,
               llvm::function_ref<Value(OpBuilder &, Value, Value)> body);

/// maxnum(x, max)  ->  x > max ? x : max
///
/// This takes one instruction where maxnum takes three. A NaN x leaves max, as
/// maxnum says; `max` itself must never be one. Erases `maxnum`.
Value compareInstead(OpBuilder &b, Operation *maxnum, Value max);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_TILEVECTORS_H
