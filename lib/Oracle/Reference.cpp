//===- Reference.cpp - The meaning of attention, in double ----------------===//

#include "SparseAttn/Oracle/Reference.h"
#include "SparseAttn/Mask/Mask.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::support;

namespace {
struct Key {
  int64_t index;
  double score;
};

} // namespace

/// sum_d q_d k_d and sum_d |q_d k_d|. Eight chains each, since a compiler may
/// not reorder one chain of floating-point additions into vectors.
static JudgedScore multiply(const double *q, const float *k, int64_t dim) {
  constexpr int lanes = 8;
  double sums[lanes] = {}, magnitudes[lanes] = {};
  int64_t d = 0;
  for (; d + lanes <= dim; d += lanes)
    for (int lane = 0; lane < lanes; ++lane) {
      double product = q[d + lane] * static_cast<double>(k[d + lane]);
      sums[lane] += product;
      magnitudes[lane] += std::fabs(product);
    }
  JudgedScore result;
  for (; d < dim; ++d) {
    double product = q[d] * static_cast<double>(k[d]);
    result.value += product;
    result.magnitude += std::fabs(product);
  }
  for (int lane = 0; lane < lanes; ++lane) {
    result.value += sums[lane];
    result.magnitude += magnitudes[lane];
  }
  return result;
}

/// A scaled score, and the magnitude of what it is the sum of, under a soft
/// cap.
static JudgedScore capped(const JudgedScore &score, double softcap) {
  double tanh = std::tanh(score.value / softcap);
  double slope = 1 - tanh * tanh;
  // An infinite sum is far from where the cap has a slope.
  double kept = slope == 0 ? 0 : slope * score.magnitude;
  return {softcap * tanh, kept + std::fabs(softcap * tanh)};
}

/// What is added to the score of a row and a slot, `distance` positions apart.
static double addend(const AttentionInputs &inputs, int64_t batch, int64_t head,
                     int64_t row, int64_t distance, int64_t slot) {
  double sum = 0;
  if (inputs.bias) {
    const std::array<int64_t, 4> &strides = inputs.biasStrides;
    sum +=
        static_cast<double>(inputs.bias[batch * strides[0] + head * strides[1] +
                                        row * strides[2] + slot * strides[3]]);
  }
  if (inputs.slopes)
    sum -= static_cast<double>(inputs.slopes[head]) *
           static_cast<double>(std::abs(distance));
  return sum;
}

/// The live keys of a row with their scores; notes the largest magnitude.
static std::vector<Key> scoreLiveKeys(const AttentionInputs &inputs,
                                      AllowedFn allowed,
                                      const SequenceLengths &lengths,
                                      int64_t batch, int64_t head, int64_t row,
                                      const float *q, const float *k,
                                      double &scoreMagnitude) {
  const AttentionShape &shape = inputs.shape;
  std::vector<double> query(q, q + shape.headDim);
  int64_t i = row + lengths.firstQuery;
  std::vector<Key> live;
  for (int64_t slot = lengths.begin; slot < lengths.keys; ++slot) {
    int64_t j = slot + lengths.firstKey;
    if (!allowed(lengths, head, i, j))
      continue;
    JudgedScore product =
        multiply(query.data(), k + slot * shape.headDim, shape.headDim);
    JudgedScore score = {inputs.scale * product.value,
                         std::fabs(inputs.scale) * product.magnitude};
    if (inputs.softcap)
      score = capped(score, *inputs.softcap);
    if (inputs.score)
      score = inputs.score(score, batch, head, i, j);
    if (double more = addend(inputs, batch, head, row, i - j, slot)) {
      score.value += more;
      score.magnitude += std::fabs(more);
    }
    live.push_back({slot, score.value});
    scoreMagnitude = std::max(scoreMagnitude, score.magnitude);
  }
  return live;
}

SequenceLengths oracle::lengthsOf(const AttentionInputs &inputs,
                                  int64_t batch) {
  auto lengthIn = [&](const int32_t *lengths, int64_t most) {
    return lengths ? std::clamp<int64_t>(lengths[batch], 0, most) : most;
  };
  // Kernels know of positions below this.
  auto positionIn = [&](const std::vector<int64_t> &positions, int64_t count) {
    return std::clamp(positions[positions.size() == 1 ? 0 : batch],
                      1 - mask::maxSequenceLength,
                      mask::maxSequenceLength - 1 - count);
  };
  SequenceLengths lengths = {
      lengthIn(inputs.queryLengths, inputs.shape.queries),
      lengthIn(inputs.keyLengths, inputs.shape.keys), batch,
      /*firstQuery=*/0};
  if (!inputs.keyPositions.empty())
    lengths.firstKey = positionIn(inputs.keyPositions, inputs.shape.keys);
  lengths.firstQuery =
      inputs.queryPositions.empty()
          ? lengths.firstKey + lengths.keys - lengths.queries
          : positionIn(inputs.queryPositions, inputs.shape.queries);
  if (inputs.keyBegins)
    lengths.begin = lengthIn(inputs.keyBegins, lengths.keys);
  return lengths;
}

void oracle::computeReferenceRow(const AttentionInputs &inputs,
                                 AllowedFn allowed, int64_t batch, int64_t head,
                                 int64_t row, ReferenceRow &result,
                                 double minWeight) {
  const AttentionShape &shape = inputs.shape;
  int64_t keyHead = head / (shape.queryHeads / shape.keyHeads);
  int64_t queryRow = (batch * shape.queryHeads + head) * shape.queries + row;
  int64_t firstKey = (batch * shape.keyHeads + keyHead) * shape.keys;

  result.output.assign(shape.valueDim, 0.0);
  result.magnitude.assign(shape.valueDim, 0.0);
  result.flushed.assign(shape.valueDim, 0.0);
  result.spread.assign(shape.valueDim, 0.0);
  result.scoreMagnitude = 0;
  result.lse = -std::numeric_limits<double>::infinity();
  result.liveKeys = 0;
  SequenceLengths lengths = lengthsOf(inputs, batch);
  if (row >= lengths.queries)
    return;
  std::vector<Key> live =
      scoreLiveKeys(inputs, allowed, lengths, batch, head, row,
                    inputs.q + queryRow * shape.headDim,
                    inputs.k + firstKey * shape.headDim, result.scoreMagnitude);
  result.liveKeys = live.size();
  double sink = inputs.sinks ? static_cast<double>(inputs.sinks[head])
                             : -std::numeric_limits<double>::infinity();
  if (live.empty()) {
    result.lse = sink;
    return;
  }

  // A NaN loses every comparison, so that the maximum is of the other scores;
  // it comes back in the sum.
  double maximum = sink;
  for (const Key &key : live)
    maximum = key.score > maximum ? key.score : maximum;

  double sum = inputs.sinks ? std::exp(sink - maximum) : 0;
  const float *values = inputs.v + firstKey * shape.valueDim;
  double *output = result.output.data();
  double *magnitude = result.magnitude.data();
  double *spread = result.spread.data();
  for (const Key &key : live) {
    double weight = std::exp(key.score - maximum);
    double coarse = std::max(weight, minWeight);
    sum += weight;
    const float *value = values + key.index * shape.valueDim;
    for (int64_t d = 0; d < shape.valueDim; ++d) {
      double v = value[d];
      output[d] += weight * v;
      magnitude[d] += weight * std::fabs(v);
      if (weight < 0x1p-126)
        result.flushed[d] += weight * std::fabs(v);
      spread[d] += coarse * v * (coarse * v);
    }
  }
  for (int64_t d = 0; d < shape.valueDim; ++d) {
    output[d] /= sum;
    magnitude[d] /= sum;
    result.flushed[d] /= sum;
    spread[d] = std::sqrt(spread[d]) / sum;
  }
  result.lse = maximum + std::log(sum);
}
