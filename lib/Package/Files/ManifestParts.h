//===- ManifestParts.h - Parts of a manifest --------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_FILES_MANIFESTPARTS_H
#define SPARSEATTN_LIB_PACKAGE_FILES_MANIFESTPARTS_H

#include "SparseAttn/Package/Files/Package.h"
#include "llvm/Support/JSON.h"

namespace mlir::sparse_attn::package {

/// Text that JSON can have.
std::string toUTF8(llvm::StringRef text);

/// A constant as a number, all else as text.
llvm::json::Value toJson(const SizeExpr &formula);
llvm::json::Object toJson(BufferRef ref);

/// Writes a value on one line.
void printCompact(llvm::json::OStream &json, llvm::StringRef key,
                  const llvm::json::Value &value);
void printFormulas(llvm::json::OStream &json, llvm::StringRef key,
                   llvm::ArrayRef<SizeExpr> formulas);

/// A list of objects.
template <typename Range, typename Print>
void printList(llvm::json::OStream &json, llvm::StringRef key,
               const Range &range, Print print) {
  json.attributeArray(key, [&] {
    for (const auto &element : range)
      json.object([&] { print(element); });
  });
}

/// The tile of an attention and its plan, as a list of lines.
void printPlan(llvm::json::OStream &json, const AttentionSpec &attention);

/// All variants of a program, each with its launches.
void printVariants(llvm::json::OStream &json, const PackagedProgram &packaged);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_FILES_MANIFESTPARTS_H
