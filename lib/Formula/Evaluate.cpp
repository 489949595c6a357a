//===- Evaluate.cpp - What a formula says of sizes ------------------------===//

#include "SparseAttn/Formula/Postfix.h"
#include <algorithm>

using namespace sparse_attn::formula;

std::optional<int64_t> Postfix::asConstant() const {
  if (steps.size() == 1 && steps[0].op == Op::Constant)
    return steps[0].value;
  return std::nullopt;
}

bool Postfix::uses(size_t size) const {
  return std::any_of(steps.begin(), steps.end(), [&](const Step &step) {
    return step.op == Op::Size && static_cast<size_t>(step.value) == size;
  });
}

Value Postfix::evaluate(const int64_t *sizes) const {
  if (std::optional<int64_t> value = asConstant())
    return {*value};
  // At most two operands of a select, a sum and a product wait at each level.
  constexpr int kMaxStack = 4 * (kMaxDepth + 1);
  // Not set first, which would cost more than most formulas do. In postfix
  // order nothing is taken off that was not put there.
  // NOLINTBEGIN(clang-analyzer-core.*)
  int64_t stack[kMaxStack];
  int64_t *top = stack; // one past
  for (const Step &step : steps) {
    switch (step.op) {
    case Op::Constant:
      *top++ = step.value;
      break;
    case Op::Size:
      *top++ = sizes[step.value];
      break;
    case Op::Select:
      top -= 2;
      top[-1] = top[-1] ? top[0] : top[1];
      break;
    default: {
      --top;
      Value value = apply(step.op, top[-1], top[0]);
      if (!value)
        return value;
      top[-1] = value.value;
    }
    }
  }
  return {top[-1]};
  // NOLINTEND(clang-analyzer-core.*)
}
