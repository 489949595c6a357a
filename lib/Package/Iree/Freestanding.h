//===- Freestanding.h - Object files that need no library -------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_IREE_FREESTANDING_H
#define SPARSEATTN_LIB_PACKAGE_IREE_FREESTANDING_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace mlir::sparse_attn::package {

/// Defines what code generators call without being asked, memcpy, memmove and
/// memset, for the module alone. Run it behind LLVM's passes, which would take
/// them apart.
void addMemoryFunctions(llvm::Module &module);

/// What is said of an object file.
struct ObjectFacts {
  /// Functions and variables that something else has to define.
  std::vector<std::string> undefined;
  /// The largest stack of a function. Those that others call are small.
  uint64_t stackBytes = 0;
};

/// Reads an object file that has a section of stack sizes.
llvm::Expected<ObjectFacts> readObject(llvm::StringRef object);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_IREE_FREESTANDING_H
