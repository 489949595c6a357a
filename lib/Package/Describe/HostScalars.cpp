//===- HostScalars.cpp - Formulas of what a host computes -----------------===//

#include "HostScalars.h"
#include "SparseAttn/Formula/Operation.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

using Formula = std::optional<SizeExpr>;

static SizeExpr negate(const SizeExpr &a) { return SizeExpr() - a; }

static SizeExpr invert(const SizeExpr &flag) {
  return SizeExpr::equal(flag, SizeExpr());
}

/// a / b rounded up, for b >= 1.
static SizeExpr ceilDiv(const SizeExpr &a, const SizeExpr &b) {
  return SizeExpr::floorDiv(a + b - SizeExpr::constant(1), b);
}

/// Rounded towards zero, for b >= 1.
static SizeExpr truncDiv(const SizeExpr &a, const SizeExpr &b) {
  if (a.isNonNegative())
    return SizeExpr::floorDiv(a, b);
  return SizeExpr::select(SizeExpr::less(a, SizeExpr()),
                          negate(SizeExpr::floorDiv(negate(a), b)),
                          SizeExpr::floorDiv(a, b));
}

static SizeExpr remainder(const SizeExpr &a, const SizeExpr &b) {
  return a - truncDiv(a, b) * b;
}

static Formula compare(arith::CmpIPredicate predicate, const SizeExpr &a,
                       const SizeExpr &b) {
  bool isSigned = a.isNonNegative() && b.isNonNegative();
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return SizeExpr::equal(a, b);
  case arith::CmpIPredicate::ne:
    return invert(SizeExpr::equal(a, b));
  case arith::CmpIPredicate::ult:
  case arith::CmpIPredicate::slt:
    if (predicate == arith::CmpIPredicate::ult && !isSigned)
      return std::nullopt;
    return SizeExpr::less(a, b);
  case arith::CmpIPredicate::ugt:
  case arith::CmpIPredicate::sgt:
    if (predicate == arith::CmpIPredicate::ugt && !isSigned)
      return std::nullopt;
    return SizeExpr::less(b, a);
  case arith::CmpIPredicate::ule:
  case arith::CmpIPredicate::sle:
    if (predicate == arith::CmpIPredicate::ule && !isSigned)
      return std::nullopt;
    return invert(SizeExpr::less(b, a));
  case arith::CmpIPredicate::uge:
  case arith::CmpIPredicate::sge:
    if (predicate == arith::CmpIPredicate::uge && !isSigned)
      return std::nullopt;
    return invert(SizeExpr::less(a, b));
  }
  return std::nullopt;
}

/// An operation on bits: on flags, or a shift by a constant.
static Formula computeBits(Operation *op, const SizeExpr &a,
                           const SizeExpr &b) {
  bool isFlag = op->getResult(0).getType().isInteger(1);
  std::optional<int64_t> shift = b.asConstant();
  bool isShift = shift && *shift >= 0 && *shift < 62;
  SizeExpr power = SizeExpr::constant(isShift ? int64_t(1) << *shift : 1);
  return llvm::TypeSwitch<Operation *, Formula>(op)
      .Case([&](arith::AndIOp) {
        return isFlag ? Formula(SizeExpr::min(a, b)) : std::nullopt;
      })
      .Case([&](arith::OrIOp) {
        return isFlag ? Formula(SizeExpr::max(a, b)) : std::nullopt;
      })
      .Case([&](arith::XOrIOp) {
        return isFlag ? Formula(invert(SizeExpr::equal(a, b))) : std::nullopt;
      })
      .Case([&](arith::ShLIOp) {
        return isShift ? Formula(a * power) : std::nullopt;
      })
      .Case([&](arith::ShRSIOp) {
        return isShift ? Formula(SizeExpr::floorDiv(a, power)) : std::nullopt;
      })
      .Default([](Operation *) { return Formula(); });
}

static Formula computeBinary(Operation *op, const SizeExpr &a,
                             const SizeExpr &b) {
  if (auto compareOp = dyn_cast<arith::CmpIOp>(op))
    return compare(compareOp.getPredicate(), a, b);
  bool unsignedIsSigned = a.isNonNegative() && b.isNonNegative();
  if (isa<arith::DivUIOp, arith::CeilDivUIOp, arith::RemUIOp, arith::MinUIOp,
          arith::MaxUIOp>(op) &&
      !unsignedIsSigned)
    return std::nullopt;
  return llvm::TypeSwitch<Operation *, Formula>(op)
      .Case([&](arith::AddIOp) { return a + b; })
      .Case([&](arith::SubIOp) { return a - b; })
      .Case([&](arith::MulIOp) { return a * b; })
      .Case([&](arith::FloorDivSIOp) { return SizeExpr::floorDiv(a, b); })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>(
          [&](auto) { return ceilDiv(a, b); })
      .Case<arith::DivSIOp, arith::DivUIOp>(
          [&](auto) { return truncDiv(a, b); })
      .Case<arith::RemSIOp, arith::RemUIOp>(
          [&](auto) { return remainder(a, b); })
      .Case<arith::MinSIOp, arith::MinUIOp>(
          [&](auto) { return SizeExpr::min(a, b); })
      .Case<arith::MaxSIOp, arith::MaxUIOp>(
          [&](auto) { return SizeExpr::max(a, b); })
      .Default([&](Operation *op) { return computeBits(op, a, b); });
}

/// Flags are 0 and 1 here, while a set i1 is -1 as a signed number.
static Formula computeCast(Operation *op, const SizeExpr &a) {
  bool fromFlag = op->getOperand(0).getType().isInteger(1);
  if (op->getResult(0).getType().isInteger(1))
    return std::nullopt;
  return llvm::TypeSwitch<Operation *, Formula>(op)
      .Case([&](LaunchArgumentOp) { return a; })
      .Case<arith::IndexCastOp, arith::ExtSIOp>(
          [&](auto) { return fromFlag ? negate(a) : a; })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp>(
          [&](auto) { return a.isNonNegative() ? Formula(a) : std::nullopt; })
      .Case([&](arith::TruncIOp) { return a; })
      .Default([](Operation *) { return Formula(); });
}

static Formula getConstant(Operation *op) {
  APInt value;
  if (!matchPattern(op, m_ConstantInt(&value)) || value.getBitWidth() > 64)
    return std::nullopt;
  return SizeExpr::constant(value.getBitWidth() == 1 ? value.getZExtValue()
                                                     : value.getSExtValue());
}

Formula HostScalars::find(Value value) const {
  auto known = formulas.find(value);
  if (known == formulas.end())
    return std::nullopt;
  return known->second;
}

Formula HostScalars::compute(Operation *op) const {
  if (Formula constant = getConstant(op))
    return constant;
  if (isa<SmCountOp>(op))
    return SizeExpr::size(::sparse_attn::formula::kSmCount);
  SmallVector<SizeExpr, 3> operands;
  for (Value operand : op->getOperands()) {
    Formula formula = find(operand);
    if (!formula)
      return std::nullopt;
    operands.push_back(*formula);
  }
  if (isa<arith::SelectOp>(op))
    return SizeExpr::select(operands[0], operands[1], operands[2]);
  if (operands.size() == 2)
    return computeBinary(op, operands[0], operands[1]);
  if (operands.size() == 1)
    return computeCast(op, operands[0]);
  return std::nullopt;
}

void HostScalars::visit(Operation *op) {
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isIntOrIndex())
    return;
  Formula formula = compute(op);
  if (formula && formula->getLength() <= ::sparse_attn::formula::kMaxLength)
    formulas[op->getResult(0)] = *formula;
}

FailureOr<SizeExpr> HostScalars::get(Value value, StringRef what) const {
  if (Formula formula = find(value))
    return *formula;
  Operation *op = value.getDefiningOp();
  if (!op)
    return emitError(value.getLoc())
           << "argument of type " << value.getType() << " decides " << what
           << "; in a package only the sizes of tensors can";
  return op->emitOpError("decides ")
         << what << ", but is no formula over the sizes of the tensors";
}
