//===- Operation.h - What formulas of sizes are made of ---------*- C++ -*-===//
//
// The language of launches: integer expressions over the sizes of tensors,
// which the compiler writes into manifests and C headers and the runtime
// evaluates. Its grammar is part of the package format (docs/Package.md):
//
//   sum     := product (('+' | '-') product)*
//   product := factor ('*' factor)*
//   factor  := '-'? integer | size | '(' sum ')' | function '(' sums ')'
//
// Values are 64-bit signed integers. A result that does not fit, or a division
// by less than 1, is an error and never wraps.
//
// This library knows neither LLVM nor exceptions nor RTTI: the runtime is built
// of it, too.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_FORMULA_OPERATION_H
#define SPARSEATTN_FORMULA_OPERATION_H

#include <cstdint>
#include <string_view>

namespace sparse_attn::formula {

enum class Op {
  Constant,
  Size,
  Add,
  Sub,
  Mul,
  FloorDiv,
  Min,
  Max,
  Less,   ///< 1 where a < b, else 0
  Equal,  ///< 1 where a = b, else 0
  Select, ///< a where c is not 0, else b
};

/// The operations that are spelled `name(operand, ...)`, which is all but
/// leaves, sums and products.
struct Function {
  Op op;
  std::string_view name;
  int operands;
};
inline constexpr Function kFunctions[] = {
    {Op::FloorDiv, "floordiv", 2}, {Op::Min, "min", 2},
    {Op::Max, "max", 2},           {Op::Less, "lt", 2},
    {Op::Equal, "eq", 2},          {Op::Select, "select", 3}};

/// What formulas of launches call the number of multiprocessors of the device
/// that they go to; no size of a tensor has that name.
inline constexpr std::string_view kSmCount = "sm_count";

/// No formula of a package has more operators and operands.
inline constexpr uint64_t kMaxLength = 4096;
/// Parentheses and calls inside one another.
inline constexpr int kMaxDepth = 256;

/// A value, or why there is none.
struct Value {
  enum class Fault { None, Overflow, Divisor };
  int64_t value = 0;
  Fault fault = Fault::None;

  explicit operator bool() const { return fault == Fault::None; }
};

/// floor(a / b), for b >= 1.
inline int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/// The value of an operation on two operands.
inline Value apply(Op op, int64_t a, int64_t b) {
  Value result;
  bool overflows = false;
  switch (op) {
  case Op::Add:
    overflows = __builtin_add_overflow(a, b, &result.value);
    break;
  case Op::Sub:
    overflows = __builtin_sub_overflow(a, b, &result.value);
    break;
  case Op::Mul:
    overflows = __builtin_mul_overflow(a, b, &result.value);
    break;
  case Op::FloorDiv:
    if (b < 1)
      return {b, Value::Fault::Divisor};
    result.value = floorDivide(a, b);
    break;
  case Op::Min:
    result.value = a < b ? a : b;
    break;
  case Op::Max:
    result.value = a < b ? b : a;
    break;
  case Op::Less:
    result.value = a < b;
    break;
  case Op::Equal:
    result.value = a == b;
    break;
  case Op::Constant:
  case Op::Size:
  case Op::Select:
    break; // Not of two operands.
  }
  if (overflows)
    result.fault = Value::Fault::Overflow;
  return result;
}

} // namespace sparse_attn::formula

#endif // SPARSEATTN_FORMULA_OPERATION_H
