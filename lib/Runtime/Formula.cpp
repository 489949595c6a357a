//===- Formula.cpp - Formulas of a manifest -------------------------------===//

#include "Formula.h"
#include "Error.h"
#include <algorithm>

using namespace sparse_attn::runtime;

namespace sparse_attn::runtime {
/// sum     := product (('+' | '-') product)*
/// product := factor ('*' factor)*
/// factor  := '-'? integer | size | '(' sum ')' | function '(' sums ')'
class FormulaParser {
public:
  FormulaParser(std::string_view text, const std::vector<std::string> &sizes)
      : text(text), sizes(sizes) {}

  std::vector<Formula::Step> parse() {
    parseSum();
    if (at != text.size())
      error("expected an operator");
    return std::move(steps);
  }

private:
  using Op = Formula::Op;
  static constexpr size_t kMaxSteps = 8192;

  [[noreturn]] void error(const std::string &what) {
    fail(SPARSE_ATTN_CORRUPT_PACKAGE,
         "the formula '" + std::string(text.substr(0, 200)) + "' has at byte " +
             std::to_string(at) + ": " + what);
  }

  bool accept(char c) {
    while (at < text.size() && text[at] == ' ')
      ++at;
    if (at == text.size() || text[at] != c)
      return false;
    ++at;
    while (at < text.size() && text[at] == ' ')
      ++at;
    return true;
  }

  void push(Op op, int64_t value = 0) {
    if (steps.size() == kMaxSteps)
      error("more than " + std::to_string(kMaxSteps) + " operations");
    steps.push_back({op, value});
  }

  void parseSum() {
    parseProduct();
    while (true) {
      if (accept('+')) {
        parseProduct();
        push(Op::Add);
      } else if (accept('-')) {
        parseProduct();
        push(Op::Sub);
      } else {
        return;
      }
    }
  }

  void parseProduct() {
    parseFactor();
    while (accept('*')) {
      parseFactor();
      push(Op::Mul);
    }
  }

  void parseFactor() {
    if (++depth > Formula::kMaxDepth)
      error("nests deeper than " + std::to_string(Formula::kMaxDepth));
    if (accept('(')) {
      parseSum();
      if (!accept(')'))
        error("expected ')'");
    } else if (accept('-')) {
      parseInteger(/*isNegative=*/true);
    } else if (at < text.size() && isDigit(text[at])) {
      parseInteger(/*isNegative=*/false);
    } else {
      parseName();
    }
    --depth;
  }

  static bool isDigit(char c) { return c >= '0' && c <= '9'; }
  static bool isWord(char c) {
    return isDigit(c) || c == '_' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  }

  void parseInteger(bool isNegative) {
    if (at == text.size() || !isDigit(text[at]))
      error("expected digits");
    int64_t value = 0;
    for (; at < text.size() && isDigit(text[at]); ++at) {
      int64_t digit = text[at] - '0';
      if (__builtin_mul_overflow(value, int64_t(10), &value) ||
          __builtin_add_overflow(value, isNegative ? -digit : digit, &value))
        error("an integer beyond 64 bits");
    }
    push(Op::Constant, value);
  }

  void parseName() {
    size_t start = at;
    while (at < text.size() && isWord(text[at]))
      ++at;
    std::string_view name = text.substr(start, at - start);
    if (name.empty())
      error("expected a size, a number or '('");
    if (accept('('))
      return parseCall(name);
    auto it = std::find(sizes.begin(), sizes.end(), name);
    if (it == sizes.end())
      error("unknown size '" + std::string(name) + "'");
    push(Op::Size, it - sizes.begin());
  }

  void parseCall(std::string_view name) {
    static constexpr struct {
      std::string_view name;
      Op op;
      int operands;
    } kFunctions[] = {{"floordiv", Op::FloorDiv, 2}, {"min", Op::Min, 2},
                      {"max", Op::Max, 2},           {"lt", Op::Less, 2},
                      {"eq", Op::Equal, 2},          {"select", Op::Select, 3}};
    for (const auto &function : kFunctions) {
      if (function.name != name)
        continue;
      for (int i = 0; i < function.operands; ++i) {
        if (i > 0 && !accept(','))
          error("expected ','");
        parseSum();
      }
      if (!accept(')'))
        error("expected ')'");
      return push(function.op);
    }
    error("unknown function '" + std::string(name) + "'");
  }

  std::string_view text;
  const std::vector<std::string> &sizes;
  std::vector<Formula::Step> steps;
  size_t at = 0;
  int depth = 0;
};
} // namespace sparse_attn::runtime

Formula Formula::constant(int64_t value) {
  Formula formula;
  formula.steps = {{Op::Constant, value}};
  formula.text = std::to_string(value);
  return formula;
}

Formula Formula::parse(std::string_view text,
                       const std::vector<std::string> &sizes) {
  Formula formula;
  formula.steps = FormulaParser(text, sizes).parse();
  formula.text = text;
  return formula;
}

std::optional<int64_t> Formula::asConstant() const {
  if (steps.size() == 1 && steps[0].op == Op::Constant)
    return steps[0].value;
  return std::nullopt;
}

int64_t Formula::apply(Op op, int64_t a, int64_t b) const {
  int64_t value = 0;
  bool overflows = false;
  switch (op) {
  case Op::Add:
    overflows = __builtin_add_overflow(a, b, &value);
    break;
  case Op::Sub:
    overflows = __builtin_sub_overflow(a, b, &value);
    break;
  case Op::Mul:
    overflows = __builtin_mul_overflow(a, b, &value);
    break;
  case Op::FloorDiv:
    if (b < 1)
      fail(SPARSE_ATTN_WRONG_SHAPE, "'" + text + "' divides by " +
                                        std::to_string(b) +
                                        " for these sizes; give sizes above 0");
    return a / b - (a % b < 0);
  case Op::Min:
    return std::min(a, b);
  case Op::Max:
    return std::max(a, b);
  case Op::Less:
    return a < b;
  case Op::Equal:
    return a == b;
  default:
    break;
  }
  if (overflows)
    fail(SPARSE_ATTN_TOO_LARGE, "'" + text +
                                    "' does not fit 64 bits for these sizes; "
                                    "give smaller tensors");
  return value;
}

int64_t Formula::evaluate(const std::vector<int64_t> &values) const {
  if (std::optional<int64_t> value = asConstant())
    return *value;
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
      *top++ = values[step.value];
      break;
    case Op::Select:
      top -= 2;
      top[-1] = top[-1] ? top[0] : top[1];
      break;
    default:
      --top;
      top[-1] = apply(step.op, top[-1], top[0]);
      break;
    }
  }
  return top[-1];
  // NOLINTEND(clang-analyzer-core.*)
}
