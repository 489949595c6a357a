//===- SizeExprText.cpp - Text of formulas --------------------------------===//

#include "SparseAttn/Package/Files/SizeExpr.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;

using Kind = SizeExpr::Kind;

/// Kinds that are spelled like a function, which is all but sums and products.
static StringRef functionName(Kind kind) {
  switch (kind) {
  case Kind::FloorDiv:
    return "floordiv";
  case Kind::Min:
    return "min";
  case Kind::Max:
    return "max";
  case Kind::Less:
    return "lt";
  case Kind::Equal:
    return "eq";
  case Kind::Select:
    return "select";
  default:
    return "";
  }
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

namespace {
class Printer {
public:
  Printer(llvm::raw_ostream &os, bool isC, StringRef sizePrefix,
          StringRef functionPrefix)
      : os(os), isC(isC), sizePrefix(sizePrefix),
        functionPrefix(functionPrefix) {}

  void printSum(const SizeExpr &expr) {
    llvm::ArrayRef<SizeExpr> operands = expr.getOperands();
    switch (expr.getKind()) {
    case Kind::Constant:
      return printInteger(expr.getConstant());
    case Kind::Size:
      os << sizePrefix << expr.getName();
      return;
    case Kind::Add:
      return printAdd(operands[0], operands[1]);
    case Kind::Sub:
      printSum(operands[0]);
      os << " - ";
      return printOperand(operands[1], {Kind::Add, Kind::Sub});
    case Kind::Mul:
      printOperand(operands[0], {Kind::Add, Kind::Sub});
      os << " * ";
      return printOperand(operands[1], {Kind::Add, Kind::Sub, Kind::Mul});
    default:
      os << functionPrefix << functionName(expr.getKind()) << '(';
      llvm::interleaveComma(operands, os,
                            [&](const SizeExpr &e) { printSum(e); });
      os << ')';
    }
  }

private:
  void printAdd(const SizeExpr &lhs, const SizeExpr &rhs) {
    printSum(lhs);
    std::optional<int64_t> constant = rhs.asConstant();
    // The least integer has no negation.
    if (constant && *constant < 0 && *constant != INT64_MIN) {
      os << " - ";
      return printInteger(-*constant);
    }
    os << " + ";
    printOperand(rhs, {Kind::Add, Kind::Sub});
  }

  /// In parentheses if of one of the kinds `loose`.
  void printOperand(const SizeExpr &expr, llvm::ArrayRef<Kind> loose) {
    bool parentheses = llvm::is_contained(loose, expr.getKind());
    if (parentheses)
      os << '(';
    printSum(expr);
    if (parentheses)
      os << ')';
  }

  void printInteger(int64_t value) {
    if (!isC)
      os << value;
    else if (value == INT64_MIN)
      os << "INT64_MIN";
    else
      os << "INT64_C(" << value << ')';
  }

  llvm::raw_ostream &os;
  bool isC;
  StringRef sizePrefix, functionPrefix;
};
} // namespace

void SizeExpr::print(llvm::raw_ostream &os) const {
  Printer(os, /*isC=*/false, "", "").printSum(*this);
}

void SizeExpr::printC(llvm::raw_ostream &os, StringRef sizePrefix,
                      StringRef functionPrefix) const {
  Printer(os, /*isC=*/true, sizePrefix, functionPrefix).printSum(*this);
}

std::string SizeExpr::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

static bool isNameStart(char c) { return llvm::isAlpha(c) || c == '_'; }
static bool isNamePart(char c) { return llvm::isAlnum(c) || c == '_'; }

namespace {
/// Recursive descent. A failed production returns nullopt, with the first
/// problem in `error`.
class Parser {
public:
  Parser(StringRef text, std::string &error) : rest(text), error(error) {}

  std::optional<SizeExpr> parseAll() {
    std::optional<SizeExpr> result = parseSum();
    if (result && !rest.ltrim().empty())
      return fail("expected an operator, got '" + rest.ltrim().str() + "'");
    return result;
  }

private:
  std::optional<SizeExpr> parseSum() {
    std::optional<SizeExpr> sum = parseProduct();
    while (sum) {
      bool plus = consume("+");
      if (!plus && !consume("-"))
        break;
      std::optional<SizeExpr> term = parseProduct();
      if (!term)
        return std::nullopt;
      sum = plus ? *sum + *term : *sum - *term;
    }
    return sum;
  }

  std::optional<SizeExpr> parseProduct() {
    std::optional<SizeExpr> product = parseFactor();
    while (product && consume("*")) {
      std::optional<SizeExpr> factor = parseFactor();
      if (!factor)
        return std::nullopt;
      product = *product * *factor;
    }
    return product;
  }

  std::optional<SizeExpr> parseFactor() {
    if (++depth > kMaxDepth)
      return fail("nests deeper than " + std::to_string(kMaxDepth));
    if (++count > SizeExpr::kMaxLength)
      return fail("has more than " + std::to_string(SizeExpr::kMaxLength) +
                  " operands");
    std::optional<SizeExpr> result = parseFactorAtDepth();
    --depth;
    return result;
  }

  std::optional<SizeExpr> parseFactorAtDepth() {
    rest = rest.ltrim();
    if (consume("(")) {
      std::optional<SizeExpr> inner = parseSum();
      return inner && !consume(")") ? fail("expected ')'") : inner;
    }
    if (rest.empty())
      return fail("expected an operand at the end");
    if (rest.front() == '-' || llvm::isDigit(rest.front()))
      return parseInteger();
    if (!isNameStart(rest.front()))
      return fail("expected an operand, got '" + rest.str() + "'");
    StringRef name = rest.take_while(isNamePart);
    rest = rest.drop_front(name.size());
    return consume("(") ? parseCall(name) : SizeExpr::size(name);
  }

  std::optional<SizeExpr> parseInteger() {
    size_t length =
        std::min(rest.find_if_not([](char c) { return llvm::isDigit(c); }, 1),
                 rest.size());
    StringRef digits = rest.take_front(length);
    rest = rest.drop_front(length);
    int64_t value;
    if (digits.getAsInteger(10, value))
      return fail("'" + digits.str() + "' is no 64-bit integer");
    return SizeExpr::constant(value);
  }

  std::optional<SizeExpr> parseCall(StringRef name) {
    llvm::SmallVector<SizeExpr, 3> operands;
    do {
      std::optional<SizeExpr> operand = parseSum();
      if (!operand)
        return std::nullopt;
      operands.push_back(*operand);
    } while (consume(","));
    if (!consume(")"))
      return fail("expected ')'");
    if (name == "select" && operands.size() == 3)
      return SizeExpr::select(operands[0], operands[1], operands[2]);
    using Binary = SizeExpr (*)(SizeExpr, SizeExpr);
    auto binary = llvm::StringSwitch<Binary>(name)
                      .Case("floordiv", SizeExpr::floorDiv)
                      .Case("min", SizeExpr::min)
                      .Case("max", SizeExpr::max)
                      .Case("lt", SizeExpr::less)
                      .Case("eq", SizeExpr::equal)
                      .Default(nullptr);
    if (!binary || operands.size() != 2)
      return fail("no function '" + name.str() + "' of " +
                  std::to_string(operands.size()) + " operands");
    return binary(operands[0], operands[1]);
  }

  bool consume(StringRef token) {
    StringRef trimmed = rest.ltrim();
    if (!trimmed.consume_front(token))
      return false;
    rest = trimmed;
    return true;
  }

  std::optional<SizeExpr> fail(std::string message) {
    if (error.empty())
      error = std::move(message);
    return std::nullopt;
  }

  static constexpr unsigned kMaxDepth = 256;
  StringRef rest;
  std::string &error;
  unsigned depth = 0;
  uint64_t count = 0;
};
} // namespace

std::optional<SizeExpr> SizeExpr::parse(StringRef text, std::string &error) {
  error.clear();
  return Parser(text, error).parseAll();
}
