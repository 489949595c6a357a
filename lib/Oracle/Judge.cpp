//===- Judge.cpp - One element against what is expected -------------------===//

#include "Judge.h"
#include "SparseAttn/Oracle/Float16.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::support;

Precision oracle::getPrecision(FloatType type) {
  switch (type) {
  case FloatType::F16:
    return {0x1p-11, 0x1p-14, 0x1p-25};
  case FloatType::BF16:
    return {0x1p-8, 0x1p-126, 0x1p-134};
  case FloatType::F32:
    // No rounding beyond that of float arithmetic.
    return {0.0, 0.0, 0x1p-150};
  }
  llvm_unreachable("all types handled");
}

float oracle::roundTo(FloatType type, double value) {
  float single = static_cast<float>(value);
  switch (type) {
  case FloatType::F16:
    return halfToFloat(floatToHalf(single));
  case FloatType::BF16:
    return bfloatToFloat(floatToBfloat(single));
  case FloatType::F32:
    return single;
  }
  llvm_unreachable("all types handled");
}

std::string Mismatch::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << (element ? "output[" : "lse[") << batch << ", " << head << ", " << row;
  if (element)
    os << ", " << *element;
  os << "] is " << llvm::format("%.9g", actual) << ", expected "
     << llvm::format("%.9g", expected) << " (tolerance "
     << llvm::format("%.3g", tolerance) << ")";
  return text;
}

/// The larger of two errors; NaN is larger than any.
static double getLarger(double a, double b) {
  return std::isnan(a) || a > b ? a : b;
}

void Comparison::raiseErrors(double absolute, double relative) {
  maxAbsError = getLarger(maxAbsError, absolute);
  maxRelError = getLarger(maxRelError, relative);
}

void Comparison::add(const Comparison &part) {
  auto position = [](const Mismatch &m) {
    return std::make_tuple(
        m.batch, m.head, m.row,
        m.element.value_or(std::numeric_limits<int64_t>::max()));
  };
  rows += part.rows;
  mismatches += part.mismatches;
  raiseErrors(part.maxAbsError, part.maxRelError);
  bool isWorse = part.worst && (!worst || part.worstRatio > worstRatio ||
                                (part.worstRatio == worstRatio &&
                                 position(*part.worst) < position(*worst)));
  if (isWorse)
    worst = part.worst;
  worstRatio = std::max(worstRatio, part.worstRatio);
}

void oracle::judge(Comparison &record, const Mismatch &element, float stored) {
  double actual = element.actual;
  double ratio = std::numeric_limits<double>::infinity();
  if (std::isfinite(actual) && std::isfinite(stored)) {
    double error = std::fabs(actual - element.expected);
    record.raiseErrors(error, error / std::max(std::fabs(element.expected),
                                               Comparison::relativeFloor));
    // An error of 0 is right at tolerance 0 too.
    ratio = error == 0 ? 0 : error / element.tolerance;
  } else if ((std::isnan(actual) && std::isnan(stored)) || actual == stored) {
    ratio = 0;
  } else {
    double error = std::fabs(actual - stored);
    record.raiseErrors(error, error);
  }
  bool fails = ratio > 1;
  record.mismatches += fails;
  if (fails && (!record.worst || ratio > record.worstRatio))
    record.worst = element;
  record.worstRatio = std::max(record.worstRatio, ratio);
}
