//===- SizeExpr.cpp - Formulas of a launch --------------------------------===//

#include "SparseAttn/Package/Files/SizeExpr.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::ArrayRef;
using llvm::StringRef;

using Kind = SizeExpr::Kind;

struct SizeExpr::Node {
  Kind kind = Kind::Constant;
  int64_t value = 0;
  std::string name;
  llvm::SmallVector<SizeExpr, 0> operands;
  uint64_t length = 1;
  bool nonNegative = false;
};

SizeExpr::SizeExpr(std::shared_ptr<const Node> node) : node(std::move(node)) {}

Kind SizeExpr::getKind() const { return node->kind; }
int64_t SizeExpr::getConstant() const { return node->value; }
StringRef SizeExpr::getName() const { return node->name; }
ArrayRef<SizeExpr> SizeExpr::getOperands() const { return node->operands; }
uint64_t SizeExpr::getLength() const { return node->length; }
bool SizeExpr::isNonNegative() const { return node->nonNegative; }

std::optional<int64_t> SizeExpr::asConstant() const {
  if (node->kind != Kind::Constant)
    return std::nullopt;
  return node->value;
}

bool package::operator==(const SizeExpr &a, const SizeExpr &b) {
  if (a.node == b.node)
    return true;
  return a.node->kind == b.node->kind && a.node->value == b.node->value &&
         a.node->name == b.node->name && a.node->length == b.node->length &&
         ArrayRef(a.node->operands) == ArrayRef(b.node->operands);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// The value of an operation, where it has one.
static std::optional<int64_t> apply(Kind kind, ArrayRef<int64_t> v) {
  int64_t result;
  switch (kind) {
  case Kind::Add:
    return llvm::AddOverflow(v[0], v[1], result) ? std::nullopt
                                                 : std::optional(result);
  case Kind::Sub:
    return llvm::SubOverflow(v[0], v[1], result) ? std::nullopt
                                                 : std::optional(result);
  case Kind::Mul:
    return llvm::MulOverflow(v[0], v[1], result) ? std::nullopt
                                                 : std::optional(result);
  case Kind::FloorDiv:
    if (v[1] < 1)
      return std::nullopt;
    return v[0] / v[1] - (v[0] % v[1] < 0);
  case Kind::Min:
    return std::min(v[0], v[1]);
  case Kind::Max:
    return std::max(v[0], v[1]);
  case Kind::Less:
    return v[0] < v[1];
  case Kind::Equal:
    return v[0] == v[1];
  case Kind::Select:
    return v[0] != 0 ? v[1] : v[2];
  case Kind::Constant:
  case Kind::Size:
    break;
  }
  llvm_unreachable("has no operands");
}

std::optional<int64_t> SizeExpr::evaluate(
    llvm::function_ref<std::optional<int64_t>(StringRef)> size) const {
  if (node->kind == Kind::Constant)
    return node->value;
  if (node->kind == Kind::Size)
    return size(node->name);
  llvm::SmallVector<int64_t, 3> values;
  for (const SizeExpr &operand : node->operands) {
    std::optional<int64_t> value = operand.evaluate(size);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return apply(node->kind, values);
}

static bool staysNonNegative(Kind kind, ArrayRef<SizeExpr> e) {
  switch (kind) {
  case Kind::Add:
  case Kind::Mul:
  case Kind::Min:
    return e[0].isNonNegative() && e[1].isNonNegative();
  case Kind::FloorDiv:
    return e[0].isNonNegative();
  case Kind::Max:
    return e[0].isNonNegative() || e[1].isNonNegative();
  case Kind::Less:
  case Kind::Equal:
    return true;
  case Kind::Select:
    return e[1].isNonNegative() && e[2].isNonNegative();
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Factories
//===----------------------------------------------------------------------===//

SizeExpr SizeExpr::constant(int64_t value) {
  auto node = std::make_shared<Node>();
  node->value = value;
  node->nonNegative = value >= 0;
  return SizeExpr(std::move(node));
}

SizeExpr SizeExpr::size(StringRef name) {
  auto node = std::make_shared<Node>();
  node->kind = Kind::Size;
  node->name = name.str();
  node->nonNegative = true;
  return SizeExpr(std::move(node));
}

/// The operation, or its value where all operands are constants.
SizeExpr SizeExpr::make(Kind kind, ArrayRef<SizeExpr> operands) {
  llvm::SmallVector<int64_t, 3> constants;
  auto node = std::make_shared<Node>();
  node->kind = kind;
  for (const SizeExpr &operand : operands) {
    if (std::optional<int64_t> value = operand.asConstant())
      constants.push_back(*value);
    node->operands.push_back(operand);
    node->length = llvm::SaturatingAdd(node->length, operand.getLength());
  }
  if (constants.size() == operands.size())
    if (std::optional<int64_t> value = apply(kind, constants))
      return constant(*value);
  node->nonNegative = staysNonNegative(kind, operands);
  return SizeExpr(std::move(node));
}

/// Constants of sums stand last and are gathered: (x + 1) + 2 is x + 3.
SizeExpr SizeExpr::operator+(SizeExpr other) const {
  if (asConstant() && !other.asConstant())
    return other + *this;
  std::optional<int64_t> right = other.asConstant();
  if (right == 0)
    return *this;
  if (right && getKind() == Kind::Add) {
    std::optional<int64_t> inner = getOperands()[1].asConstant();
    int64_t sum;
    if (inner && !llvm::AddOverflow(*inner, *right, sum))
      return getOperands()[0] + constant(sum);
  }
  return make(Kind::Add, {*this, other});
}

SizeExpr SizeExpr::operator-(SizeExpr other) const {
  std::optional<int64_t> right = other.asConstant();
  if (right && *right != INT64_MIN)
    return *this + constant(-*right);
  if (*this == other)
    return constant(0);
  return make(Kind::Sub, {*this, other});
}

SizeExpr SizeExpr::operator*(SizeExpr other) const {
  if (asConstant() && !other.asConstant())
    return other * *this;
  if (other.asConstant() == 0)
    return other;
  if (other.asConstant() == 1)
    return *this;
  return make(Kind::Mul, {*this, other});
}

SizeExpr SizeExpr::floorDiv(SizeExpr a, SizeExpr b) {
  if (b.asConstant() == 1)
    return a;
  return make(Kind::FloorDiv, {a, b});
}

/// True only if a <= b is certain.
static bool isSurelyAtMost(const SizeExpr &a, const SizeExpr &b) {
  std::optional<int64_t> constant = a.asConstant();
  return a == b || (constant && *constant <= 0 && b.isNonNegative());
}

SizeExpr SizeExpr::min(SizeExpr a, SizeExpr b) {
  if (isSurelyAtMost(a, b))
    return a;
  if (isSurelyAtMost(b, a))
    return b;
  return make(Kind::Min, {a, b});
}

SizeExpr SizeExpr::max(SizeExpr a, SizeExpr b) {
  if (isSurelyAtMost(a, b))
    return b;
  if (isSurelyAtMost(b, a))
    return a;
  return make(Kind::Max, {a, b});
}

SizeExpr SizeExpr::less(SizeExpr a, SizeExpr b) {
  if (isSurelyAtMost(b, a))
    return constant(0);
  return make(Kind::Less, {a, b});
}

SizeExpr SizeExpr::equal(SizeExpr a, SizeExpr b) {
  if (a == b)
    return constant(1);
  return make(Kind::Equal, {a, b});
}

SizeExpr SizeExpr::select(SizeExpr condition, SizeExpr a, SizeExpr b) {
  if (std::optional<int64_t> known = condition.asConstant())
    return *known != 0 ? a : b;
  if (a == b)
    return a;
  return make(Kind::Select, {condition, a, b});
}
