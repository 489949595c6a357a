//===- SizeExpr.h - Formulas of a launch ------------------------*- C++ -*-===//
//
// Integer expressions over the sizes of a function's tensors: what a launcher
// evaluates to get grids, shared memory and the workspace. Knows no IR; its
// text is part of the package format (docs/Package.md):
//
//   sum     := product (('+' | '-') product)*
//   product := factor ('*' factor)*
//   factor  := '-'? integer | size | '(' sum ')' | function '(' sums ')'
//
// with the functions floordiv(a, b), min(a, b), max(a, b), lt(a, b), eq(a, b)
// and select(c, a, b).
//
// Values are 64-bit signed integers and sizes are never negative. A result
// that does not fit, or a division by less than 1, is an error and never wraps.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_FILES_SIZEEXPR_H
#define SPARSEATTN_PACKAGE_FILES_SIZEEXPR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::sparse_attn::package {

/// An immutable expression; a value, cheap to copy. The factories fold
/// constants and obvious identities, so that printed formulas stay readable;
/// what they return has the same value wherever their operands have one.
class SizeExpr {
public:
  enum class Kind {
    Constant,
    Size,
    Add,
    Sub,
    Mul,
    FloorDiv,
    Min,
    Max,
    Less,   ///< 1 where a < b, else 0
    Equal,  ///< 1 where a = b, else 0
    Select, ///< a where c is not 0, else b
  };

  /// No formula of a package is longer (see getLength); no text of more
  /// operands is parsed.
  static constexpr uint64_t kMaxLength = 4096;

  SizeExpr() : SizeExpr(constant(0)) {}
  static SizeExpr constant(int64_t value);
  /// The size of that name: a letter or '_', then letters, digits and '_'.
  static SizeExpr size(llvm::StringRef name);
  static SizeExpr floorDiv(SizeExpr a, SizeExpr b);
  static SizeExpr min(SizeExpr a, SizeExpr b);
  static SizeExpr max(SizeExpr a, SizeExpr b);
  static SizeExpr less(SizeExpr a, SizeExpr b);
  static SizeExpr equal(SizeExpr a, SizeExpr b);
  static SizeExpr select(SizeExpr condition, SizeExpr a, SizeExpr b);
  SizeExpr operator+(SizeExpr other) const;
  SizeExpr operator-(SizeExpr other) const;
  SizeExpr operator*(SizeExpr other) const;

  Kind getKind() const;
  int64_t getConstant() const;
  llvm::StringRef getName() const;
  llvm::ArrayRef<SizeExpr> getOperands() const;
  std::optional<int64_t> asConstant() const;
  /// Length of the formula, in operators and operands.
  uint64_t getLength() const;
  /// True only if no admissible sizes make it negative.
  bool isNonNegative() const;

  /// Nothing where `size` knows no value, a result does not fit or a divisor is
  /// less than 1.
  std::optional<int64_t> evaluate(
      llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> size) const;

  void print(llvm::raw_ostream &os) const;
  std::string str() const;
  /// As an expression of C: sizes are spelled `sizePrefix` + name, functions
  /// `functionPrefix` + name.
  void printC(llvm::raw_ostream &os, llvm::StringRef sizePrefix,
              llvm::StringRef functionPrefix) const;
  /// Inverse of `print`; on failure returns nullopt and sets `error`.
  static std::optional<SizeExpr> parse(llvm::StringRef text,
                                       std::string &error);

  /// Structural equality.
  friend bool operator==(const SizeExpr &a, const SizeExpr &b);
  friend bool operator!=(const SizeExpr &a, const SizeExpr &b) {
    return !(a == b);
  }

private:
  struct Node;
  explicit SizeExpr(std::shared_ptr<const Node> node);
  static SizeExpr make(Kind kind, llvm::ArrayRef<SizeExpr> operands);
  std::shared_ptr<const Node> node;
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_FILES_SIZEEXPR_H
