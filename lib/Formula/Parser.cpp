//===- Parser.cpp - Text of formulas --------------------------------------===//

#include "SparseAttn/Formula/Postfix.h"
#include <algorithm>

using namespace sparse_attn::formula;

namespace sparse_attn::formula {
/// Recursive descent; a production returns false after the first problem, which
/// is in `error`.
class Parser {
public:
  Parser(std::string_view text, const std::vector<std::string> &sizes,
         ParseError &error)
      : text(text), sizes(sizes), error(error) {}

  bool parse(std::vector<Postfix::Step> &result) {
    if (!parseSum())
      return false;
    if (at != text.size())
      return fail("expected an operator");
    result = std::move(steps);
    return true;
  }

private:
  bool fail(std::string message) {
    error = {at, std::move(message)};
    return false;
  }

  bool accept(char c) {
    skipSpaces();
    if (at == text.size() || text[at] != c)
      return false;
    ++at;
    skipSpaces();
    return true;
  }

  void skipSpaces() {
    while (at < text.size() && text[at] == ' ')
      ++at;
  }

  bool push(Op op, int64_t value = 0) {
    if (steps.size() == kMaxLength)
      return fail("more than " + std::to_string(kMaxLength) +
                  " operators and operands");
    steps.push_back({op, value});
    return true;
  }

  bool parseSum() {
    if (!parseProduct())
      return false;
    while (true) {
      bool plus = accept('+');
      if (!plus && !accept('-'))
        return true;
      if (!parseProduct() || !push(plus ? Op::Add : Op::Sub))
        return false;
    }
  }

  bool parseProduct() {
    if (!parseFactor())
      return false;
    while (accept('*'))
      if (!parseFactor() || !push(Op::Mul))
        return false;
    return true;
  }

  bool parseFactor() {
    if (++depth > kMaxDepth)
      return fail("nests deeper than " + std::to_string(kMaxDepth));
    bool parsed = accept('(')   ? parseSum() && expect(')')
                  : accept('-') ? parseInteger(/*isNegative=*/true)
                  : at < text.size() && isDigit(text[at])
                      ? parseInteger(/*isNegative=*/false)
                      : parseName();
    --depth;
    return parsed;
  }

  bool expect(char c) {
    return accept(c) || fail("expected '" + std::string(1, c) + "'");
  }

  static bool isDigit(char c) { return c >= '0' && c <= '9'; }
  static bool isWord(char c) {
    return isDigit(c) || c == '_' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  }

  bool parseInteger(bool isNegative) {
    if (at == text.size() || !isDigit(text[at]))
      return fail("expected digits");
    int64_t value = 0;
    for (; at < text.size() && isDigit(text[at]); ++at) {
      int64_t digit = text[at] - '0';
      if (__builtin_mul_overflow(value, int64_t(10), &value) ||
          __builtin_add_overflow(value, isNegative ? -digit : digit, &value))
        return fail("an integer beyond 64 bits");
    }
    return push(Op::Constant, value);
  }

  bool parseName() {
    size_t start = at;
    while (at < text.size() && isWord(text[at]))
      ++at;
    std::string_view name = text.substr(start, at - start);
    if (name.empty())
      return fail("expected a size, a number or '('");
    if (accept('('))
      return parseCall(name);
    auto it = std::find(sizes.begin(), sizes.end(), name);
    if (it == sizes.end())
      return fail("unknown size '" + std::string(name) + "'");
    return push(Op::Size, it - sizes.begin());
  }

  bool parseCall(std::string_view name) {
    for (const Function &function : kFunctions) {
      if (function.name != name)
        continue;
      for (int i = 0; i < function.operands; ++i)
        if ((i > 0 && !expect(',')) || !parseSum())
          return false;
      return expect(')') && push(function.op);
    }
    return fail("unknown function '" + std::string(name) + "'");
  }

  std::string_view text;
  const std::vector<std::string> &sizes;
  ParseError &error;
  std::vector<Postfix::Step> steps;
  size_t at = 0;
  int depth = 0;
};
} // namespace sparse_attn::formula

std::optional<Postfix> Postfix::parse(std::string_view text,
                                      const std::vector<std::string> &sizes,
                                      ParseError &error) {
  Postfix formula;
  if (!Parser(text, sizes, error).parse(formula.steps))
    return std::nullopt;
  return formula;
}
