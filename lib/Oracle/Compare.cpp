//===- Compare.cpp - Judging a result against the reference ---------------===//

#include "Judge.h"
#include "SparseAttn/Oracle/Noise.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::support;

namespace {
struct RowId {
  int64_t batch, head, row;
};
} // namespace

/// Relative error of a sum of weighted values in float arithmetic.
static double floatError(const ReferenceRow &row, int64_t headDim) {
  double scores =
      row.scoreMagnitude * (1 + std::sqrt(static_cast<double>(headDim)) / 2);
  double sums = std::sqrt(static_cast<double>(row.liveKeys));
  return 2 * 0x1p-24 * (8 + scores + sums);
}

static void compareRow(const AttentionInputs &inputs, FloatType type,
                       AllowedFn allowed, const float *output, const float *lse,
                       RowId id, ReferenceRow &expected, Comparison &record) {
  const AttentionShape &shape = inputs.shape;
  Precision precision = getPrecision(type);
  computeReferenceRow(inputs, allowed, id.batch, id.head, id.row, expected,
                      precision.minNormal);
  int64_t index =
      (id.batch * shape.queryHeads + id.head) * shape.queries + id.row;
  double relative = floatError(expected, shape.headDim);
  for (int64_t d = 0; d < shape.valueDim; ++d) {
    double value = expected.output[d];
    double tolerance = relative * expected.magnitude[d] + expected.flushed[d] +
                       precision.unitRoundoff *
                           (1.01 * std::fabs(value) + 4 * expected.spread[d]) +
                       precision.tiny;
    judge(record,
          {id.batch, id.head, id.row, d, output[index * shape.valueDim + d],
           value, tolerance},
          roundTo(type, value));
  }
  if (lse) {
    double tolerance = relative + 0x1p-22 * std::fabs(expected.lse);
    judge(record,
          {id.batch, id.head, id.row, std::nullopt, lse[index], expected.lse,
           tolerance},
          static_cast<float>(expected.lse));
  }
  ++record.rows;
}

/// The rows to compare, in row-major order.
static std::vector<RowId> chooseRows(const AttentionShape &shape,
                                     const CompareOptions &options) {
  int64_t rows = shape.queries;
  int64_t count = std::clamp<int64_t>(options.rowsPerHead.value_or(rows),
                                      std::min<int64_t>(rows, 1), rows);
  std::vector<RowId> result;
  result.reserve(shape.batch * shape.queryHeads * count);
  uint64_t counter = 0;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.queryHeads; ++h)
      for (int64_t t = 0; t < count; ++t) {
        // Part t of count parts; 128 bits since rows * count may be large.
        int64_t begin = static_cast<__int128>(rows) * t / count;
        int64_t end = static_cast<__int128>(rows) * (t + 1) / count;
        int64_t row = begin + drawBelow(options.seed, counter++, end - begin);
        if (t == 0)
          row = 0;
        else if (t == count - 1)
          row = rows - 1;
        result.push_back({b, h, row});
      }
  return result;
}

Comparison oracle::compareRows(const AttentionInputs &inputs, FloatType type,
                               AllowedFn allowed, const float *output,
                               const float *lse,
                               const CompareOptions &options) {
  std::vector<RowId> rows = chooseRows(inputs.shape, options);
  std::atomic<size_t> next{0};
  auto work = [&](Comparison &record) {
    ReferenceRow scratch;
    for (size_t i; (i = next.fetch_add(1)) < rows.size();)
      compareRow(inputs, type, allowed, output, lse, rows[i], scratch, record);
  };

  size_t count =
      std::clamp<size_t>(options.threads, 1, std::max<size_t>(rows.size(), 1));
  std::vector<Comparison> records(count);
  std::vector<std::thread> threads;
  for (size_t t = 1; t < count; ++t)
    threads.emplace_back(work, std::ref(records[t]));
  work(records[0]);
  for (std::thread &thread : threads)
    thread.join();

  Comparison total;
  for (const Comparison &record : records)
    total.add(record);
  return total;
}
