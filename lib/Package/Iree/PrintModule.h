//===- PrintModule.h - Executables and functions of IREE --------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_IREE_PRINTMODULE_H
#define SPARSEATTN_LIB_PACKAGE_IREE_PRINTMODULE_H

#include "SparseAttn/Package/Iree/Iree.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::sparse_attn::package {

/// The type of a tensor, with `?` for sizes that are not constants.
std::string getTensorType(const BufferSpec &buffer);

/// Whether kernels may write the buffer: all results and workspaces, and
/// arguments that are results.
bool isWrittenByKernels(const Program &program, BufferRef buffer);

/// Prints a program into a module of IREE.
class IreePrinter {
public:
  IreePrinter(llvm::raw_ostream &os, const IreeProgram &compiled)
      : os(os), compiled(compiled), program(compiled.program) {}

  /// What a file has before its module.
  void printAliases();
  /// The executable. Ops of IREE are in their generic form, which changes less
  /// from version to version.
  void printExecutable();
  /// The function `name` on tensors, which dispatches the kernels.
  void printFunction(llvm::StringRef visibility, llvm::StringRef name);

  std::string getExecutable() const;
  /// What a dispatch names of it for the launch of that number.
  std::string getExport(size_t index) const;

private:
  void printExport(size_t index, const LaunchSpec &launch);
  void printEntry(size_t index, const LaunchSpec &launch);

  llvm::raw_ostream &os;
  const IreeProgram &compiled;
  const Program &program;
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_IREE_PRINTMODULE_H
