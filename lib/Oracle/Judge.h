//===- Judge.h - One element against what is expected -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_ORACLE_JUDGE_H
#define SPARSEATTN_LIB_ORACLE_JUDGE_H

#include "SparseAttn/Oracle/Compare.h"

namespace mlir::sparse_attn::oracle {

/// Rounding of an element type.
struct Precision {
  double unitRoundoff;
  /// Weights below it are subnormal: they round in steps, not relatively.
  double minNormal;
  /// Half the smallest number.
  double tiny;
};

/// That of an element type.
Precision getPrecision(FloatType type);

/// `value` as the type stores it, so that both sides overflow alike.
float roundTo(FloatType type, double value);

/// Adds one element to the record. `stored` is the expected value rounded to
/// the result's type; it decides where NaN and infinity belong.
void judge(Comparison &record, const Mismatch &element, float stored);

} // namespace mlir::sparse_attn::oracle

#endif // SPARSEATTN_LIB_ORACLE_JUDGE_H
