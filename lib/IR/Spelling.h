//===- Spelling.h - Errors of names that do not exist -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_IR_SPELLING_H
#define SPARSEATTN_LIB_IR_SPELLING_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace mlir::sparse_attn {

/// An attribute as it is written.
struct AttributeSpelling {
  StringRef mnemonic;
  /// Those that are written `name = value`.
  SmallVector<StringRef> parameters;
  bool isMask;
};

/// `'a', 'b' and 'c'`.
std::string quoteList(ArrayRef<StringRef> names);

/// ` (did you mean 'x'?)` for the one of `names` that `word` is a misspelling
/// of, which may also lack words of it: `windw` of `sliding_window`. Empty
/// where none is close.
std::string suggestName(StringRef word, ArrayRef<StringRef> names);

/// While one exists, syntax errors of the parameters of an attribute end in
/// what parameters it has.
class ParameterHelp {
public:
  ParameterHelp(MLIRContext *context, const AttributeSpelling &spelling);

private:
  ScopedDiagnosticHandler handler;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_SPELLING_H
