//===- ShapeBindings.h - Sizes given on the command line --------*- C++ -*-===//

#ifndef SPARSEATTN_SUPPORT_SHAPEBINDINGS_H
#define SPARSEATTN_SUPPORT_SHAPEBINDINGS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>

namespace mlir::sparse_attn {

/// What the user says of dynamic sizes: B, H (query and key heads), S (queries
/// and keys), Sq, Sk. Sq and Sk win over S.
class ShapeBindings {
public:
  static constexpr llvm::StringLiteral keys[] = {"B", "H", "S", "Sq", "Sk"};

  /// From `S=4096` and the like.
  static llvm::Expected<ShapeBindings> parse(llvm::ArrayRef<std::string> texts);

  /// The size of `key`, if it was given.
  std::optional<int64_t> get(llvm::StringRef key) const;

  /// The size of the first of `keys` that was given, for a dynamic size that
  /// it binds.
  std::optional<int64_t> bind(llvm::ArrayRef<llvm::StringRef> keys);

  /// Fails for a size that has bound nothing: it is a mistake of the user's.
  /// `where` names what was looked at.
  llvm::Error checkAllBound(llvm::StringRef where) const;

private:
  struct Binding {
    std::string key;
    int64_t size;
    bool isUsed = false;
  };
  llvm::SmallVector<Binding> bindings;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_SUPPORT_SHAPEBINDINGS_H
