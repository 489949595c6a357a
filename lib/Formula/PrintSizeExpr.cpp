//===- PrintSizeExpr.cpp - Formulas as text and as C ----------------------===//

#include "SizeExprNode.h"
#include <algorithm>
#include <initializer_list>

using namespace sparse_attn::formula;

namespace sparse_attn::formula {
class Printer {
public:
  Printer(bool isC, std::string_view sizePrefix,
          std::string_view functionPrefix)
      : isC(isC), sizePrefix(sizePrefix), functionPrefix(functionPrefix) {}

  std::string print(const SizeExpr &expr) {
    printSum(expr);
    return std::move(text);
  }

private:
  void printSum(const SizeExpr &expr) {
    const std::vector<SizeExpr> &operands = expr.node->operands;
    switch (expr.node->op) {
    case Op::Constant:
      return printInteger(expr.node->value);
    case Op::Size:
      text.append(sizePrefix).append(expr.node->name);
      return;
    case Op::Add:
      return printAdd(operands[0], operands[1]);
    case Op::Sub:
      printSum(operands[0]);
      text += " - ";
      return printOperand(operands[1], {Op::Add, Op::Sub});
    case Op::Mul:
      printOperand(operands[0], {Op::Add, Op::Sub});
      text += " * ";
      return printOperand(operands[1], {Op::Add, Op::Sub, Op::Mul});
    default:
      return printCall(expr.node->op, operands);
    }
  }

  void printCall(Op op, const std::vector<SizeExpr> &operands) {
    const Function *function =
        std::find_if(std::begin(kFunctions), std::end(kFunctions),
                     [&](const Function &f) { return f.op == op; });
    text.append(functionPrefix).append(function->name);
    const char *separator = "(";
    for (const SizeExpr &operand : operands) {
      text += separator;
      printSum(operand);
      separator = ", ";
    }
    text += ')';
  }

  void printAdd(const SizeExpr &lhs, const SizeExpr &rhs) {
    printSum(lhs);
    std::optional<int64_t> constant = rhs.asConstant();
    // The least integer has no negation.
    if (constant && *constant < 0 && *constant != INT64_MIN) {
      text += " - ";
      return printInteger(-*constant);
    }
    text += " + ";
    printOperand(rhs, {Op::Add, Op::Sub});
  }

  /// Parentheses stand around an operation of `loose`.
  void printOperand(const SizeExpr &expr, std::initializer_list<Op> loose) {
    bool parentheses =
        std::find(loose.begin(), loose.end(), expr.node->op) != loose.end();
    if (parentheses)
      text += '(';
    printSum(expr);
    if (parentheses)
      text += ')';
  }

  void printInteger(int64_t value) {
    if (!isC)
      text += std::to_string(value);
    else if (value == INT64_MIN)
      text += "INT64_MIN";
    else
      text += "INT64_C(" + std::to_string(value) + ")";
  }

  bool isC;
  std::string_view sizePrefix, functionPrefix;
  std::string text;
};
} // namespace sparse_attn::formula

std::string SizeExpr::str() const {
  return Printer(/*isC=*/false, "", "").print(*this);
}

std::string SizeExpr::strAsC(std::string_view sizePrefix,
                             std::string_view functionPrefix) const {
  return Printer(/*isC=*/true, sizePrefix, functionPrefix).print(*this);
}

std::string
sparse_attn::formula::printCFunctions(std::string_view functionPrefix) {
  constexpr std::string_view functions =
      R"(static inline int64_t @floordiv(int64_t a, int64_t b) {
  return b < 1 ? 0 : a / b - (a % b < 0);
}
static inline int64_t @min(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static inline int64_t @max(int64_t a, int64_t b) {
  return a > b ? a : b;
}
static inline int64_t @lt(int64_t a, int64_t b) { return a < b; }
static inline int64_t @eq(int64_t a, int64_t b) { return a == b; }
static inline int64_t @select(int64_t c, int64_t a, int64_t b) {
  return c ? a : b;
}
)";
  std::string text;
  for (char c : functions)
    c == '@' ? text.append(functionPrefix) : text.append(1, c);
  return text;
}
