//===- TileExpr.h - Closed-form tile bounds ---------------------*- C++ -*-===//
//
// Integer expressions over a query tile's index q and the lengths nq = Sq,
// nk = Sk, closed under +, multiplication by constants, floor division by
// positive constants, min and max. Segment bounds are such expressions: O(1)
// memory at any length, evaluated a few times a query tile.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_TILEEXPR_H
#define SPARSEATTN_PLAN_TILEEXPR_H

#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <memory>
#include <optional>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::sparse_attn::plan {

/// What a plan takes for granted of lengths that are known at run time only.
/// A caller that runs such a plan makes sure that they are as it assumes.
struct LengthAssumption {
  /// nk - nq is a multiple of this; of 0, so that nk = nq.
  int64_t offsetMultiple = 1;
  /// nk is a multiple of this.
  int64_t keysMultiple = 1;

  bool holds(const mask::Lengths &n) const;
  /// Whether it says nothing.
  bool isTrivial() const { return offsetMultiple == 1 && keysMultiple == 1; }
  /// "nk = nq, nk a multiple of 64"; "any lengths".
  std::string str() const;
  friend bool operator==(const LengthAssumption &a, const LengthAssumption &b) {
    return a.offsetMultiple == b.offsetMultiple &&
           a.keysMultiple == b.keysMultiple;
  }
};

/// What is known about the variables when expressions are simplified.
/// q >= 0 always; a plan without rows or keys is never run, so nq, nk >= 1.
struct LengthFacts {
  std::optional<int64_t> nq, nk; ///< known lengths, else anything >= 1.
  /// A value B says that q * B < nq, as for a query tile of B rows that exists.
  std::optional<int64_t> rowsPerTile;
  /// q is at most this.
  std::optional<int64_t> lastTile;
  LengthAssumption assumed;

  bool areEqual() const { return assumed.offsetMultiple == 0; }
  /// These facts and an assumption. Where one of two equal lengths is known,
  /// so is the other.
  LengthFacts assuming(const LengthAssumption &assumption) const;
};

/// An immutable expression; a value, cheap to copy. The factories fold
/// constants and obvious identities (x + 0, min(x, x), nested min/max, like
/// terms) so that printed plans stay readable.
class TileExpr {
public:
  enum class Kind {
    Constant,
    QueryTile,
    NumQueries,
    NumKeys,
    Add,
    Mul,
    FloorDiv,
    Min,
    Max
  };

  TileExpr() : TileExpr(constant(0)) {}
  static TileExpr constant(int64_t value);
  static TileExpr queryTile();  ///< q
  static TileExpr numQueries(); ///< nq
  static TileExpr numKeys();    ///< nk
  static TileExpr min(TileExpr a, TileExpr b);
  static TileExpr max(TileExpr a, TileExpr b);
  TileExpr operator+(TileExpr other) const;
  TileExpr operator-(TileExpr other) const;
  TileExpr operator+(int64_t c) const { return *this + constant(c); }
  TileExpr operator-(int64_t c) const { return *this - constant(c); }
  TileExpr operator*(int64_t factor) const;
  TileExpr floorDiv(int64_t divisor) const;
  TileExpr ceilDiv(int64_t divisor) const;

  Kind getKind() const;
  int64_t getConstant() const; ///< value, factor or divisor
  TileExpr getLhs() const;     ///< operand of Mul/FloorDiv, first of a pair
  TileExpr getRhs() const;     ///< second of Add/Min/Max
  std::optional<int64_t> asConstant() const;
  bool dependsOnQueryTile() const;

  int64_t evaluate(int64_t q, const mask::Lengths &n) const;
  /// The same value at every admissible (q, nq, nk), in a shorter form.
  TileExpr simplify(const LengthFacts &facts) const;
  /// True only if a <= b is certain for all q >= 0 and all admissible lengths.
  static bool provablyLE(TileExpr a, TileExpr b, const LengthFacts &facts);
  /// True only if the value is certainly a multiple of `divisor` >= 1.
  bool isProvablyMultiple(int64_t divisor, const LengthFacts &facts) const;

  /// `max(0, (q * 48 + nk - nq - 256) floordiv 128)`: +, -, *, floordiv,
  /// min(a, b, ...), max(a, b, ...), parentheses, integers, q, nq, nk.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;
  /// Inverse of `print`; on failure returns nullopt and sets `error`, and
  /// where in the text it was noticed.
  static std::optional<TileExpr> parse(llvm::StringRef text, std::string &error,
                                       size_t *errorOffset = nullptr);

  /// Structural equality.
  friend bool operator==(const TileExpr &a, const TileExpr &b) {
    return compare(a, b) == 0;
  }
  friend bool operator!=(const TileExpr &a, const TileExpr &b) {
    return !(a == b);
  }
  /// A total structural order: negative, zero or positive.
  static int compare(const TileExpr &a, const TileExpr &b);
  friend llvm::hash_code hash_value(const TileExpr &expr);

private:
  friend class LinearForm;
  struct Node;
  explicit TileExpr(std::shared_ptr<const Node> node);
  std::shared_ptr<const Node> node;
};

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_TILEEXPR_H
