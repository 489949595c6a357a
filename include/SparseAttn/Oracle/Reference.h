//===- Reference.h - The meaning of attention, in double --------*- C++ -*-===//
//
// What `sparse_attn.attention` means, one query row at a time:
//
//   s_j = scale * sum_d q_d k_jd       for each allowed key j;
//         c tanh(s_j / c) instead under a soft cap of c;
//         plus bias, minus slope |i - j|
//   lse = ln (sum_j exp(s_j) + exp(sink of the head))
//   o   = sum_j exp(s_j - lse) v_j
//
// Evaluated in double from the definition of the mask, pair by pair, sharing no
// code with the planner or the lowering: it is what they are checked against.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ORACLE_REFERENCE_H
#define SPARSEATTN_ORACLE_REFERENCE_H

#include "SparseAttn/Support/Shape.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace mlir::sparse_attn::oracle {

/// A score, and the magnitude of the numbers that it was made of.
struct JudgedScore {
  double value = 0, magnitude = 0;
};

/// What a score region makes of the score of a query head and of positions i
/// and j. Called from several threads at a time.
using ScoreFn =
    std::function<JudgedScore(const JudgedScore &score, int64_t batch,
                              int64_t head, int64_t i, int64_t j)>;

/// Operands as row-major floats, 16-bit types converted (exactly) before.
struct AttentionInputs {
  support::AttentionShape shape;
  const float *q = nullptr; ///< [batch, queryHeads, queries, headDim]
  const float *k = nullptr; ///< [batch, keyHeads, keys, headDim]
  const float *v = nullptr; ///< [batch, keyHeads, keys, valueDim]
  double scale = 1.0;
  std::optional<double> softcap = std::nullopt; ///< positive
  /// [batch]; null where all sequences have those of the shape. Numbers below 0
  /// count as 0, and those beyond the shape's as these.
  const int32_t *queryLengths = nullptr, *keyLengths = nullptr;
  /// [batch], the first slot that holds a key, or null for 0; clamped alike.
  const int32_t *keyBegins = nullptr;
  /// The positions of row 0 and of slot 0, one of all or one of each sequence;
  /// empty where the last row stands where the last key does, and for 0.
  std::vector<int64_t> queryPositions, keyPositions;
  const float *sinks = nullptr; ///< [queryHeads], or null
  /// What is added to scores, with how far apart its elements are along batch,
  /// head, query and key, 0 where one is that of all; or null.
  const float *bias = nullptr;
  std::array<int64_t, 4> biasStrides = {};
  const float *slopes = nullptr; ///< [queryHeads], or null
  ScoreFn score = nullptr;       ///< after the soft cap, before bias and slopes
};

/// The queries and slots of keys that a sequence has, and which of the batch it
/// is; the slots before `begin` hold no key.
struct SequenceLengths {
  int64_t queries, keys, batch;
  int64_t firstQuery, firstKey = 0; ///< positions of row 0 and slot 0
  int64_t begin = 0;
};
SequenceLengths lengthsOf(const AttentionInputs &inputs, int64_t batch);

/// True when the query at *position* i = row + firstQuery of query head `head`
/// may attend the key at position j in a sequence of these lengths. Called from
/// several threads at a time.
using AllowedFn = llvm::function_ref<bool(const SequenceLengths &n,
                                          int64_t head, int64_t i, int64_t j)>;

/// One row of the result, and what is needed to judge rounding errors in it.
/// A row without keys has output 0, and lse -inf or the sink of its head; one
/// behind the end of its sequence has lse -inf. Masked keys never take part,
/// whatever their values; a NaN in a live score makes the row NaN, and so do
/// live scores of -inf alone, as a softmax in PyTorch has it.
struct ReferenceRow {
  std::vector<double> output; ///< o_d
  double lse = 0;
  int64_t liveKeys = 0;

  // With the softmax weights p_j = exp(s_j - lse):
  /// sum_j p_j |v_jd|
  std::vector<double> magnitude;
  /// The part of it of weights exp(s_j - max s) below 2^-126, which kernels
  /// take for 0. It is all of it where a sink is so much larger than the
  /// scores.
  std::vector<double> flushed;
  /// sqrt(sum_j (max(p_j, minWeight * max p) v_jd)^2)
  std::vector<double> spread;
  /// max_j |scale| sum_d |q_d k_jd|. Under a soft cap each is multiplied by the
  /// slope of the cap there, and |s_j| is added, for the error of tanh; and so
  /// are magnitudes of what is added to scores.
  double scoreMagnitude = 0;
};

/// Computes row (`batch`, `head`, `row`) into `result`, whose storage is
/// reused. `minWeight` is the weight exp(s_j - max s) below which the judged
/// type loses relative precision; it only enters `spread`.
void computeReferenceRow(const AttentionInputs &inputs, AllowedFn allowed,
                         int64_t batch, int64_t head, int64_t row,
                         ReferenceRow &result, double minWeight = 0.0);

} // namespace mlir::sparse_attn::oracle

#endif // SPARSEATTN_ORACLE_REFERENCE_H
