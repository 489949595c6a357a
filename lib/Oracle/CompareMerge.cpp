//===- CompareMerge.cpp - Judging merged results --------------------------===//

#include "Judge.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;

namespace {
/// A row has a share of each result, a log-sum-exp, and the relative error that
/// float arithmetic makes of a share.
struct Shares {
  double first = 0, second = 0, lse, error;

  Shares(double x, double y) {
    double max = std::fmax(x, y);
    lse = x + y; // NaN stays
    error = 2 * 0x1p-24 * 8;
    if (std::isnan(lse)) {
      first = second = lse;
      return;
    }
    lse = max;
    if (std::isinf(max) && max < 0)
      return;
    double sum = std::exp(x - max) + std::exp(y - max);
    lse = max + std::log(sum);
    first = std::exp(x - max) / sum;
    second = std::exp(y - max) / sum;
    // Beyond, the smaller share is 0.
    constexpr double smallest = 104;
    error += 2 * 0x1p-24 * std::min(std::fabs(x - y), smallest);
  }
};
} // namespace

/// What a result counts. It is not read where no key is live.
static double term(double share, double result, double lse) {
  return lse == -std::numeric_limits<double>::infinity() ? 0 : share * result;
}

Comparison oracle::compareMerge(const MergeInputs &inputs, FloatType type,
                                const float *output, const float *lse) {
  Comparison record;
  Precision precision = getPrecision(type);
  for (int64_t row = 0; row < inputs.batch * inputs.heads * inputs.queries;
       ++row) {
    double x = inputs.firstLse[row], y = inputs.secondLse[row];
    Shares shares(x, y);
    Mismatch at;
    at.batch = row / inputs.queries / inputs.heads;
    at.head = row / inputs.queries % inputs.heads;
    at.row = row % inputs.queries;
    for (int64_t d = 0; d < inputs.valueDim; ++d) {
      int64_t index = row * inputs.valueDim + d;
      double one = term(shares.first, inputs.first[index], x);
      double other = term(shares.second, inputs.second[index], y);
      at.element = d;
      at.actual = output[index];
      at.expected = one + other;
      at.tolerance = shares.error * (std::fabs(one) + std::fabs(other)) +
                     precision.unitRoundoff * 1.01 * std::fabs(at.expected) +
                     precision.tiny;
      judge(record, at, roundTo(type, at.expected));
    }
    at.element = std::nullopt;
    at.actual = lse[row];
    at.expected = shares.lse;
    at.tolerance = shares.error + 0x1p-22 * std::fabs(shares.lse);
    judge(record, at, static_cast<float>(shares.lse));
    ++record.rows;
  }
  return record;
}
