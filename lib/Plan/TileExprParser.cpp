//===- TileExprParser.cpp - Text of tile bounds ---------------------------===//
//
//   sum     := product (('+' | '-') product)*
//   product := unary (('*' | 'floordiv') unary)*
//   unary   := '-' unary | primary
//   primary := integer | 'q' | 'nq' | 'nk' | '(' sum ')'
//            | ('min' | 'max') '(' sum (',' sum)+ ')'
//
// One operand of a product is a constant; a divisor is a positive constant.
//
//===----------------------------------------------------------------------===//

#include "LinearForm.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"
#include <limits>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using llvm::StringRef;

using Kind = TileExpr::Kind;

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static void printSum(const TileExpr &expr, llvm::raw_ostream &os);

/// An operand of `*` or `floordiv`: both bind tighter than a sum and associate
/// to the left, so only sums need parentheses there.
static void printFactor(const TileExpr &expr, llvm::raw_ostream &os) {
  if (expr.getKind() != Kind::Add)
    return printSum(expr, os);
  os << '(';
  printSum(expr, os);
  os << ')';
}

static void printSum(const TileExpr &expr, llvm::raw_ostream &os) {
  switch (expr.getKind()) {
  case Kind::Constant:
    os << expr.getConstant();
    return;
  case Kind::QueryTile:
    os << 'q';
    return;
  case Kind::NumQueries:
    os << "nq";
    return;
  case Kind::NumKeys:
    os << "nk";
    return;
  case Kind::Mul:
    printFactor(expr.getLhs(), os);
    os << " * " << expr.getConstant();
    return;
  case Kind::FloorDiv:
    printFactor(expr.getLhs(), os);
    os << " floordiv " << expr.getConstant();
    return;
  case Kind::Min:
  case Kind::Max: {
    llvm::SmallVector<TileExpr> operands;
    flatten(expr.getKind(), expr, operands);
    os << (expr.getKind() == Kind::Min ? "min(" : "max(");
    llvm::interleaveComma(operands, os,
                          [&](const TileExpr &e) { printSum(e, os); });
    os << ')';
    return;
  }
  case Kind::Add: {
    printSum(expr.getLhs(), os);
    // The least integer has no negation and stays behind a plus.
    TileExpr rhs = expr.getRhs();
    bool isScaled = rhs.getKind() == Kind::Mul;
    int64_t value = rhs.getConstant();
    bool isNegative = (isScaled || rhs.getKind() == Kind::Constant) &&
                      value < 0 && value != INT64_MIN;
    os << (isNegative ? " - " : " + ");
    if (!isNegative)
      return printSum(rhs, os);
    if (!isScaled) {
      os << -value;
      return;
    }
    printFactor(rhs.getLhs(), os);
    if (value != -1)
      os << " * " << -value;
    return;
  }
  }
  llvm_unreachable("all kinds handled");
}

void TileExpr::print(llvm::raw_ostream &os) const { printSum(*this, os); }

std::string TileExpr::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {
/// Recursive descent. A failed production returns nullopt, with the first
/// problem in `error`.
class Parser {
public:
  Parser(StringRef text, std::string &error) : rest(text), error(error) {}

  std::optional<TileExpr> parseAll() {
    std::optional<TileExpr> result = parseSum();
    if (!result)
      return std::nullopt;
    if (!rest.ltrim().empty())
      return fail("unexpected '" + rest.ltrim().take_front(16) + "'");
    return result;
  }

  /// What is left of the text.
  StringRef unread() const { return rest.ltrim(); }

private:
  /// Literals, and nesting, that no plan needs are refused rather than left to
  /// overflow.
  static constexpr int64_t maxLiteral = std::numeric_limits<int64_t>::max();
  static constexpr unsigned maxDepth = 64, maxTokens = 4096;

  std::nullopt_t fail(const llvm::Twine &message) {
    if (error.empty())
      error = message.str();
    return std::nullopt;
  }

  std::nullopt_t failAt(StringRef place, const llvm::Twine &message) {
    rest = place;
    return fail(message);
  }

  bool consume(StringRef token) {
    rest = rest.ltrim();
    if (!rest.starts_with(token))
      return false;
    // A word ends where the letters end: `nk` is not `n` and `k`.
    if (llvm::isAlpha(token.front()) && rest.size() > token.size() &&
        (llvm::isAlnum(rest[token.size()]) || rest[token.size()] == '_'))
      return false;
    rest = rest.drop_front(token.size());
    return true;
  }

  std::optional<TileExpr> parseSum() {
    if (++depth > maxDepth)
      return fail("the expression nests too deep");
    std::optional<LinearForm> sum = parseProduct();
    while (sum) {
      bool isPlus = consume("+");
      if (!isPlus && !consume("-"))
        break;
      std::optional<LinearForm> rhs = parseProduct();
      if (!rhs)
        return std::nullopt;
      sum->add(*rhs, isPlus ? 1 : -1);
    }
    --depth;
    if (!sum)
      return std::nullopt;
    return sum->toExpr();
  }

  /// Products stay linear forms until their sum is complete: the terms of a
  /// sum are not canonical by themselves.
  std::optional<LinearForm> parseProduct() {
    std::optional<LinearForm> result = parseUnary();
    while (result) {
      bool isTimes = consume("*");
      if (!isTimes && !consume("floordiv"))
        break;
      StringRef operand = rest;
      std::optional<LinearForm> rhs = parseUnary();
      if (!rhs)
        return std::nullopt;
      if (!isTimes) {
        if (!rhs->isConstant() || rhs->getConstant() <= 0)
          return failAt(operand, "a divisor must be a positive constant");
        result = LinearForm(result->toExpr().floorDiv(rhs->getConstant()));
        continue;
      }
      if (!rhs->isConstant())
        std::swap(result, rhs);
      if (!rhs->isConstant())
        return failAt(operand, "one factor of a product must be constant");
      LinearForm product;
      product.add(*result, rhs->getConstant());
      result = product;
    }
    return result;
  }

  std::optional<LinearForm> parseUnary() {
    if (!consume("-")) {
      std::optional<TileExpr> primary = parsePrimary();
      if (!primary)
        return std::nullopt;
      return LinearForm(*primary);
    }
    if (++depth > maxDepth)
      return fail("the expression nests too deep");
    std::optional<LinearForm> operand = parseUnary();
    --depth;
    if (!operand)
      return std::nullopt;
    LinearForm negated;
    negated.add(*operand, -1);
    return negated;
  }

  std::optional<TileExpr> parsePrimary() {
    if (++tokens > maxTokens)
      return fail("the expression is too long");
    if (consume("nq"))
      return TileExpr::numQueries();
    if (consume("nk"))
      return TileExpr::numKeys();
    if (consume("q"))
      return TileExpr::queryTile();
    if (consume("("))
      return parseParenthesized();
    if (consume("min"))
      return parseExtremum(TileExpr::min);
    if (consume("max"))
      return parseExtremum(TileExpr::max);
    rest = rest.ltrim();
    StringRef digits = rest.take_while(llvm::isDigit);
    if (digits.empty())
      return rest.empty() ? fail("unexpected end of expression")
                          : fail("unexpected '" + rest.take_front(16) + "'");
    uint64_t value = 0;
    if (digits.getAsInteger(10, value) || value > uint64_t(maxLiteral))
      return fail("the integer '" + digits + "' is too large");
    rest = rest.drop_front(digits.size());
    return TileExpr::constant(static_cast<int64_t>(value));
  }

  std::optional<TileExpr> parseParenthesized() {
    std::optional<TileExpr> inner = parseSum();
    if (inner && !consume(")"))
      return fail("expected ')'");
    return inner;
  }

  std::optional<TileExpr> parseExtremum(TileExpr (*combine)(TileExpr,
                                                            TileExpr)) {
    if (!consume("("))
      return fail("expected '(' after min or max");
    std::optional<TileExpr> result = parseSum();
    if (!result)
      return std::nullopt;
    do {
      if (!consume(","))
        return fail("expected ',' in min or max");
      std::optional<TileExpr> operand = parseSum();
      if (!operand)
        return std::nullopt;
      result = combine(*result, *operand);
    } while (!consume(")"));
    return result;
  }

  StringRef rest;
  std::string &error;
  unsigned depth = 0, tokens = 0;
};
} // namespace

std::optional<TileExpr> TileExpr::parse(StringRef text, std::string &error,
                                        size_t *errorOffset) {
  error.clear();
  Parser parser(text, error);
  std::optional<TileExpr> expr = parser.parseAll();
  if (!expr && errorOffset)
    *errorOffset = text.size() - parser.unread().size();
  return expr;
}
