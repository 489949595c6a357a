//===- ScratchFile.h - Files for other programs -----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_FILES_SCRATCHFILE_H
#define SPARSEATTN_LIB_PACKAGE_FILES_SCRATCHFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileUtilities.h"
#include <string>

namespace mlir::sparse_attn::package {

/// A file that goes when this does.
class ScratchFile {
public:
  llvm::Error create(llvm::StringRef extension, llvm::StringRef contents);
  llvm::Expected<std::string> read() const;

  llvm::SmallString<128> path;

private:
  llvm::FileRemover remover;
};

/// Runs `command`; where it fails, the error is what it has printed. `target`
/// is what it was to make code for.
llvm::Error runProgram(llvm::ArrayRef<llvm::StringRef> command,
                       llvm::StringRef target);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_FILES_SCRATCHFILE_H
