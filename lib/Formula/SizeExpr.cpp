//===- SizeExpr.cpp - Formulas as they are made ---------------------------===//

#include "SizeExprNode.h"

using namespace sparse_attn::formula;

SizeExpr::SizeExpr(std::shared_ptr<const Node> node) : node(std::move(node)) {}

uint64_t SizeExpr::getLength() const { return node->length; }
void SizeExpr::collectSizes(std::set<std::string> &names) const {
  if (node->op == Op::Size)
    names.insert(node->name);
  for (const SizeExpr &operand : node->operands)
    operand.collectSizes(names);
}
bool SizeExpr::isNonNegative() const { return node->nonNegative; }

std::optional<int64_t> SizeExpr::asConstant() const {
  if (node->op != Op::Constant)
    return std::nullopt;
  return node->value;
}

Op SizeExpr::getOp() const { return node->op; }

const std::vector<SizeExpr> &SizeExpr::getOperands() const {
  return node->operands;
}

const std::string &SizeExpr::getName() const { return node->name; }

namespace sparse_attn::formula {
bool operator==(const SizeExpr &a, const SizeExpr &b) {
  if (a.node == b.node)
    return true;
  return a.node->op == b.node->op && a.node->value == b.node->value &&
         a.node->name == b.node->name && a.node->length == b.node->length &&
         a.node->operands == b.node->operands;
}
} // namespace sparse_attn::formula

static bool staysNonNegative(Op op, const std::vector<SizeExpr> &e) {
  switch (op) {
  case Op::Add:
  case Op::Mul:
  case Op::Min:
    return e[0].isNonNegative() && e[1].isNonNegative();
  case Op::FloorDiv:
    return e[0].isNonNegative();
  case Op::Max:
    return e[0].isNonNegative() || e[1].isNonNegative();
  case Op::Less:
  case Op::Equal:
    return true;
  case Op::Select:
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

SizeExpr SizeExpr::size(std::string_view name) {
  auto node = std::make_shared<Node>();
  node->op = Op::Size;
  node->name = name;
  node->nonNegative = true;
  return SizeExpr(std::move(node));
}

/// The value of an operation on constants, where it has one.
static std::optional<int64_t> fold(Op op, const std::vector<SizeExpr> &e) {
  int64_t values[3] = {};
  for (size_t i = 0; i < e.size(); ++i) {
    std::optional<int64_t> value = e[i].asConstant();
    if (!value)
      return std::nullopt;
    values[i] = *value;
  }
  if (op == Op::Select)
    return values[0] != 0 ? values[1] : values[2];
  Value value = apply(op, values[0], values[1]);
  return value ? std::optional(value.value) : std::nullopt;
}

/// The operation, or its value where all operands are constants.
SizeExpr SizeExpr::make(Op op, std::vector<SizeExpr> operands) {
  if (std::optional<int64_t> value = fold(op, operands))
    return constant(*value);
  auto node = std::make_shared<Node>();
  node->op = op;
  for (const SizeExpr &operand : operands)
    if (__builtin_add_overflow(node->length, operand.getLength(),
                               &node->length))
      node->length = UINT64_MAX;
  node->nonNegative = staysNonNegative(op, operands);
  node->operands = std::move(operands);
  return SizeExpr(std::move(node));
}

/// Constants of sums stand last and are gathered: (x + 1) + 2 is x + 3.
SizeExpr SizeExpr::operator+(SizeExpr other) const {
  if (asConstant() && !other.asConstant())
    return other + *this;
  std::optional<int64_t> right = other.asConstant();
  if (right == 0)
    return *this;
  if (right && node->op == Op::Add) {
    std::optional<int64_t> inner = node->operands[1].asConstant();
    int64_t sum;
    if (inner && !__builtin_add_overflow(*inner, *right, &sum))
      return node->operands[0] + constant(sum);
  }
  return make(Op::Add, {*this, other});
}

SizeExpr SizeExpr::operator-(SizeExpr other) const {
  std::optional<int64_t> right = other.asConstant();
  if (right && *right != INT64_MIN)
    return *this + constant(-*right);
  if (*this == other)
    return constant(0);
  return make(Op::Sub, {*this, other});
}

SizeExpr SizeExpr::operator*(SizeExpr other) const {
  if (asConstant() && !other.asConstant())
    return other * *this;
  if (other.asConstant() == 0)
    return other;
  if (other.asConstant() == 1)
    return *this;
  return make(Op::Mul, {*this, other});
}

SizeExpr SizeExpr::floorDiv(SizeExpr a, SizeExpr b) {
  if (b.asConstant() == 1)
    return a;
  return make(Op::FloorDiv, {a, b});
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
  return make(Op::Min, {a, b});
}

SizeExpr SizeExpr::max(SizeExpr a, SizeExpr b) {
  if (isSurelyAtMost(a, b))
    return b;
  if (isSurelyAtMost(b, a))
    return a;
  return make(Op::Max, {a, b});
}

SizeExpr SizeExpr::less(SizeExpr a, SizeExpr b) {
  if (isSurelyAtMost(b, a))
    return constant(0);
  return make(Op::Less, {a, b});
}

SizeExpr SizeExpr::equal(SizeExpr a, SizeExpr b) {
  if (a == b)
    return constant(1);
  return make(Op::Equal, {a, b});
}

SizeExpr SizeExpr::select(SizeExpr condition, SizeExpr a, SizeExpr b) {
  if (std::optional<int64_t> known = condition.asConstant())
    return *known != 0 ? a : b;
  if (a == b)
    return a;
  return make(Op::Select, {condition, a, b});
}
