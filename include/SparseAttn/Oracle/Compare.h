//===- Compare.h - Judging a result against the reference -------*- C++ -*-===//
//
// Tolerance of element d of a row, u being the unit roundoff of the element
// type (f16 2^-11, bf16 2^-8) and the sums those of Reference.h:
//
//   f32        f magnitude_d + flushed_d,
//              f = 2^-23 (8 + scoreMagnitude (1 + sqrt(D) / 2) +
//              sqrt(liveKeys))
//   f16, bf16  the same, and u (1.01 |o_d| + 4 spread_d) + tiny
//
// f is what float arithmetic costs: the scores' rounding errors become relative
// errors of the weights, and sums over the keys round at each step. The second
// line is the rounding of the result, and of the weights before the second
// product: one rounding error a key, each at most u, so that their sum has a
// standard deviation below 0.58 u spread_d. It is not the bound u magnitude_d,
// which would hide a window that is off by one.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ORACLE_COMPARE_H
#define SPARSEATTN_ORACLE_COMPARE_H

#include "SparseAttn/Oracle/Reference.h"
#include <optional>
#include <string>

namespace mlir::sparse_attn::oracle {

enum class FloatType { F16, BF16, F32 };

/// A result that is beyond tolerance, or not a number where it should be one.
struct Mismatch {
  int64_t batch = 0, head = 0, row = 0;
  /// The element of the row; nullopt for its LSE.
  std::optional<int64_t> element;
  double actual = 0, expected = 0, tolerance = 0;

  /// `output[0, 3, 17, 5] is 0.25, expected 0.5 (tolerance 1e-05)`.
  std::string str() const;
};

struct Comparison {
  int64_t rows = 0;
  /// Elements beyond tolerance or not finite in the wrong place.
  int64_t mismatches = 0;
  /// Over all elements, LSE included. NaN where one is NaN and should not be,
  /// or should be and is not; infinite likewise.
  double maxAbsError = 0;
  /// |error| / max(|expected|, relativeFloor).
  double maxRelError = 0;
  /// Largest |error| / tolerance; infinite when infinities or NaNs differ.
  double worstRatio = 0;
  /// The element that has `worstRatio`, when it is a mismatch.
  std::optional<Mismatch> worst;

  static constexpr double relativeFloor = 1e-3;
  bool passed() const { return mismatches == 0; }
  /// Takes larger errors over.
  void raiseErrors(double absolute, double relative);
  /// Takes another one in; of two worst elements that are equally bad it keeps
  /// the one that comes first.
  void add(const Comparison &part);
};

struct CompareOptions {
  /// Rows for each (batch, head), the first and the last row among them, one
  /// from each of as many equal parts; nullopt compares all.
  std::optional<int64_t> rowsPerHead = 64;
  uint64_t seed = 0;
  unsigned threads = 2;
};

/// Compares `output` [batch, queryHeads, queries, valueDim] and, unless null,
/// `lse` [batch, queryHeads, queries] with the reference. `type` is the element
/// type of the operands and of the output; LSE is always f32.
Comparison compareRows(const AttentionInputs &inputs, FloatType type,
                       AllowedFn allowed, const float *output, const float *lse,
                       const CompareOptions &options = {});

/// Two results over disjoint keys: outputs [batch, heads, queries, valueDim]
/// and log-sum-exps [batch, heads, queries].
struct MergeInputs {
  int64_t batch, heads, queries, valueDim;
  const float *first, *firstLse, *second, *secondLse;
};

/// Compares all rows of a merged result with
///
///   LSE = ln(exp(LSE1) + exp(LSE2)),  O = sum of O. exp(LSE. - LSE)
///
/// in fp64. `type` is the element type of `output`. The tolerance of an element
/// is f (|O1| exp(LSE1 - LSE) + |O2| exp(LSE2 - LSE)) with
/// f = 2^-23 (8 + |LSE1 - LSE2|), and 1.01 u |O| + tiny besides.
Comparison compareMerge(const MergeInputs &inputs, FloatType type,
                        const float *output, const float *lse);

} // namespace mlir::sparse_attn::oracle

#endif // SPARSEATTN_ORACLE_COMPARE_H
