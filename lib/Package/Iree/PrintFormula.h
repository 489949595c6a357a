//===- PrintFormula.h - Formulas as ops on indices --------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_IREE_PRINTFORMULA_H
#define SPARSEATTN_LIB_PACKAGE_IREE_PRINTFORMULA_H

#include "SparseAttn/Package/Files/Program.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

namespace mlir::sparse_attn::package {

/// Prints what computes formulas, each once, into a block of MLIR.
class FormulaPrinter {
public:
  FormulaPrinter(llvm::raw_ostream &os, std::string indent)
      : os(os), indent(std::move(indent)) {}

  /// The size of that name is `value`, an index.
  void define(llvm::StringRef size, std::string value);
  /// The index that the formula is.
  std::string print(const SizeExpr &formula);
  /// The same as an integer of 32 bits.
  std::string printInteger(const SizeExpr &formula);
  /// The same as a flag: whether it is not 0.
  std::string printFlag(const SizeExpr &formula);
  /// Whether both indices are equal.
  std::string printEqual(const std::string &a, const std::string &b);
  /// Prints an op with one result, which it returns.
  std::string printOp(const llvm::Twine &op);

private:
  std::string printOperation(const SizeExpr &formula);
  std::string printComparison(llvm::StringRef predicate,
                              const SizeExpr &formula);

  llvm::raw_ostream &os;
  std::string indent;
  /// By their text.
  std::map<std::string, std::string> values;
  unsigned count = 0;
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_IREE_PRINTFORMULA_H
