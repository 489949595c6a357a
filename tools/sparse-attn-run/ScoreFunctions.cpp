//===- ScoreFunctions.cpp - What operations of score regions do -----------===//
//
// Errors are of first order: those of the operands, times how much the result
// depends on them, and one rounding of the result.
//
//===----------------------------------------------------------------------===//

#include "ScoreProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::sparse_attn::run_tool;

using Number = ScoreProgram::Number;
using Operands = ScoreProgram::Operands;
using Function = ScoreProgram::Function;

static Number rounded(double value, double error) {
  return {value, error + std::fabs(value)};
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

/// A function of one number and its derivative there.
template <typename Value, typename Slope>
static Function ofOne(Value value, Slope slope) {
  return [=](Operands x) {
    double y = value(x[0].real);
    return rounded(y, std::fabs(slope(x[0].real, y)) * x[0].error);
  };
}

/// One of two numbers.
template <typename Chooses> static Function oneOf(Chooses first) {
  return [=](Operands x) {
    Number y = first(x[0].real, x[1].real) ? x[0] : x[1];
    return Number{y.real, std::max(x[0].error, x[1].error)};
  };
}

static bool isSmaller(double a, double b) { return a < b; }
static bool isLarger(double a, double b) { return a > b; }
/// NaN wins.
static bool isSmallerOrNaN(double a, double b) { return !(a >= b); }
static bool isLargerOrNaN(double a, double b) { return !(a <= b); }
/// NaN loses.
static bool isSmallerNumber(double a, double b) {
  return std::isnan(b) || isSmaller(a, b);
}
static bool isLargerNumber(double a, double b) {
  return std::isnan(b) || isLarger(a, b);
}

static llvm::StringMap<Function> makeFloatFunctions() {
  llvm::StringMap<Function> all;
  all["arith.addf"] = [](Operands x) {
    return rounded(x[0].real + x[1].real, x[0].error + x[1].error);
  };
  all["arith.subf"] = [](Operands x) {
    return rounded(x[0].real - x[1].real, x[0].error + x[1].error);
  };
  all["arith.mulf"] = [](Operands x) {
    return rounded(x[0].real * x[1].real,
                   std::fabs(x[1].real) * x[0].error +
                       std::fabs(x[0].real) * x[1].error);
  };
  all["arith.divf"] = [](Operands x) {
    double y = x[0].real / x[1].real;
    return rounded(y, (x[0].error + std::fabs(y) * x[1].error) /
                          std::fabs(x[1].real));
  };
  all["math.fma"] = [](Operands x) {
    return rounded(x[0].real * x[1].real + x[2].real,
                   std::fabs(x[1].real) * x[0].error +
                       std::fabs(x[0].real) * x[1].error + x[2].error);
  };
  all["arith.negf"] = [](Operands x) { return Number{-x[0].real, x[0].error}; };
  all["math.absf"] = [](Operands x) {
    return Number{std::fabs(x[0].real), x[0].error};
  };
  all["arith.maximumf"] = oneOf(isLargerOrNaN);
  all["arith.minimumf"] = oneOf(isSmallerOrNaN);
  all["arith.maxnumf"] = oneOf(isLargerNumber);
  all["arith.minnumf"] = oneOf(isSmallerNumber);
  auto exp = [](double, double y) { return y; };
  all["math.exp"] = ofOne([](double x) { return std::exp(x); }, exp);
  all["math.exp2"] =
      ofOne([](double x) { return std::exp2(x); },
            [](double, double y) { return y * 0.6931471805599453; });
  all["math.log"] = ofOne([](double x) { return std::log(x); },
                          [](double x, double) { return 1 / x; });
  all["math.log2"] =
      ofOne([](double x) { return std::log2(x); },
            [](double x, double) { return 1.4426950408889634 / x; });
  all["math.tanh"] = ofOne([](double x) { return std::tanh(x); },
                           [](double, double y) { return 1 - y * y; });
  all["math.sqrt"] = ofOne([](double x) { return std::sqrt(x); },
                           [](double, double y) { return 0.5 / y; });
  return all;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Indices have 64 bits.
static unsigned widthOf(Type type) {
  return type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
}

static Number integer(uint64_t value, unsigned width) {
  return {0, 0, llvm::SignExtend64(value, width)};
}

static uint64_t bitsOf(const Number &x, unsigned width) {
  return uint64_t(x.integer) & llvm::maskTrailingOnes<uint64_t>(width);
}

/// A function of the bits of two integers, or of the integers themselves.
template <typename Value> static Function ofBits(Value value, unsigned width) {
  return [=](Operands x) {
    return integer(value(bitsOf(x[0], width), bitsOf(x[1], width)), width);
  };
}

template <typename Value>
static Function ofSigned(Value value, unsigned width) {
  return [=](Operands x) {
    return integer(uint64_t(value(x[0].integer, x[1].integer)), width);
  };
}

/// Divisions by 0 are undefined; what they give here matters to nobody.
static Function makeIntegerFunction(StringRef name, unsigned width) {
  using U = uint64_t;
  using S = int64_t;
  llvm::StringMap<Function> all;
  all["arith.addi"] = ofBits([](U a, U b) { return a + b; }, width);
  all["arith.subi"] = ofBits([](U a, U b) { return a - b; }, width);
  all["arith.muli"] = ofBits([](U a, U b) { return a * b; }, width);
  all["arith.andi"] = ofBits([](U a, U b) { return a & b; }, width);
  all["arith.ori"] = ofBits([](U a, U b) { return a | b; }, width);
  all["arith.xori"] = ofBits([](U a, U b) { return a ^ b; }, width);
  all["arith.divui"] = ofBits([](U a, U b) { return b ? a / b : 0; }, width);
  all["arith.remui"] = ofBits([](U a, U b) { return b ? a % b : 0; }, width);
  all["arith.maxui"] = ofBits([](U a, U b) { return std::max(a, b); }, width);
  all["arith.minui"] = ofBits([](U a, U b) { return std::min(a, b); }, width);
  all["arith.shli"] =
      ofBits([](U a, U b) { return b < 64 ? a << b : 0; }, width);
  all["arith.shrui"] =
      ofBits([](U a, U b) { return b < 64 ? a >> b : 0; }, width);
  all["arith.divsi"] = ofSigned([](S a, S b) { return b ? a / b : 0; }, width);
  all["arith.remsi"] = ofSigned([](S a, S b) { return b ? a % b : 0; }, width);
  all["arith.floordivsi"] = ofSigned(
      [](S a, S b) { return b ? llvm::divideFloorSigned(a, b) : 0; }, width);
  all["arith.ceildivsi"] = ofSigned(
      [](S a, S b) { return b ? llvm::divideCeilSigned(a, b) : 0; }, width);
  all["arith.maxsi"] = ofSigned([](S a, S b) { return std::max(a, b); }, width);
  all["arith.minsi"] = ofSigned([](S a, S b) { return std::min(a, b); }, width);
  all["arith.shrsi"] =
      ofSigned([](S a, S b) { return a >> std::min<S>(b, 63); }, width);
  return all.lookup(name);
}

//===----------------------------------------------------------------------===//
// Conversions, comparisons and constants
//===----------------------------------------------------------------------===//

static Function makeConversion(Operation *op) {
  if (op->getNumOperands() != 1 || op->getNumResults() != 1)
    return {};
  StringRef name = op->getName().getStringRef();
  Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
  if (isa<FloatType>(from) && isa<FloatType>(to))
    return name == "arith.extf" ? Function([](Operands x) { return x[0]; })
                                : Function();
  if (!from.isIntOrIndex() && !to.isIntOrIndex())
    return {};
  if (name == "arith.index_cast" || name == "arith.extsi" ||
      name == "arith.trunci")
    return [width = widthOf(to)](Operands x) {
      return integer(uint64_t(x[0].integer), width);
    };
  if (name == "arith.index_castui" || name == "arith.extui")
    return [narrow = std::min(widthOf(from), widthOf(to)), width = widthOf(to)](
               Operands x) { return integer(bitsOf(x[0], narrow), width); };
  if (name == "arith.sitofp")
    return [](Operands x) { return rounded(double(x[0].integer), 0); };
  if (name == "arith.uitofp")
    return [width = widthOf(from)](Operands x) {
      return rounded(double(bitsOf(x[0], width)), 0);
    };
  return {};
}

static Function makeConstant(Operation *op) {
  FloatAttr real;
  APInt whole;
  if (matchPattern(op, m_Constant(&real)))
    return
        [value = real.getValueAsDouble()](Operands) { return Number{value}; };
  if (matchPattern(op, m_ConstantInt(&whole)))
    return [value = whole.getSExtValue()](Operands) {
      return Number{0, 0, value};
    };
  return {};
}

Function mlir::sparse_attn::run_tool::functionOf(Operation *op) {
  static const llvm::StringMap<Function> ofFloats = makeFloatFunctions();
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return [predicate = compare.getPredicate()](Operands x) {
      return integer(arith::applyCmpPredicate(predicate, APFloat(x[0].real),
                                              APFloat(x[1].real)),
                     1);
    };
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return [predicate = compare.getPredicate(),
            width = widthOf(compare.getLhs().getType())](Operands x) {
      return integer(
          arith::applyCmpPredicate(predicate, APInt(width, bitsOf(x[0], width)),
                                   APInt(width, bitsOf(x[1], width))),
          1);
    };
  if (isa<arith::SelectOp>(op))
    return [](Operands x) { return x[0].integer ? x[1] : x[2]; };
  if (Function constant = makeConstant(op))
    return constant;
  StringRef name = op->getName().getStringRef();
  if (Function known = ofFloats.lookup(name))
    return known;
  if (op->getNumResults() == 1 && op->getResult(0).getType().isIntOrIndex())
    if (Function known =
            makeIntegerFunction(name, widthOf(op->getResult(0).getType())))
      return known;
  return makeConversion(op);
}
