//===- Package.h - Programs as files ----------------------------*- C++ -*-===//
//
// The directory that sparse-attn-compile writes; docs/Package.md describes it.
// Knows no IR. Equal programs give equal bytes.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_FILES_PACKAGE_H
#define SPARSEATTN_PACKAGE_FILES_PACKAGE_H

#include "SparseAttn/Package/Files/Program.h"
#include "llvm/Support/Error.h"
#include <utility>

namespace mlir::sparse_attn::package {

/// Changes whenever a reader of the older format would go wrong.
constexpr int64_t kManifestSchema = 3;

/// The target of all host code in a package.
constexpr const char *kHostTriple = "x86_64-unknown-linux-gnu";

struct OutputFile {
  std::string kind; ///< ptx, cubin, header, host or manifest
  std::string name; ///< without a directory
  std::string contents;
};

/// A program as it is launched for the sizes for which `when`, a formula over
/// the sizes and kSmCount, is not 0.
struct SpecializedProgram {
  SizeExpr when;
  Program program;
};

/// A program for one chip, or for the host: then `chip` is a level of x86-64,
/// and there is no PTX, no launch and no workspace.
struct PackagedProgram {
  /// Launched for sizes that no specialisation takes.
  Program program;
  /// The first one whose condition holds is launched in place of `program`.
  /// All have its sizes, tensors and places of results.
  std::vector<SpecializedProgram> specializations;
  std::string chip;
  std::string ptx;
  bool isHost = false;
  std::string entry; ///< of host code: the symbol to call
  std::string sharedObject;
  /// These stand in the order of the command line.
  std::vector<std::pair<std::string, int64_t>> options;
  /// Without the manifest.
  std::vector<OutputFile> files;
};

/// `symbol` as an identifier of C and PTX. Distinct symbols give distinct
/// identifiers: what had to change ends in a part of the symbol's hash.
std::string makeIdentifier(llvm::StringRef symbol);

/// The name of a file for that function, which two functions never share,
/// whatever characters their symbols have.
std::string makeFileName(llvm::StringRef symbol, llvm::StringRef chip,
                         llvm::StringRef extension);

/// The lowest compute capability that runs PTX or cubins for `chip`, as
/// "8.0".
std::string getComputeCapability(llvm::StringRef chip);

/// True for chips such as sm_90a, whose code runs on no other.
bool isArchitectureSpecific(llvm::StringRef chip);

/// Refuses specialisations that a launcher could not choose among: with a
/// condition over what is no size of the program, or that all sizes or none
/// satisfy, or that one before it has; or with other tensors than the
/// program's.
llvm::Error checkSpecializations(const PackagedProgram &packaged);

/// A way to launch a program: one of its specialisations, or, of which `when`
/// is 1, the program itself.
struct ProgramVariant {
  SizeExpr when;
  const Program *program;
};

/// All of them, in the order in which a launcher looks for the first that takes
/// its sizes.
std::vector<ProgramVariant> listVariants(const PackagedProgram &packaged);

/// Programs for GPUs and for the host.
std::string printManifest(llvm::ArrayRef<PackagedProgram> programs);

/// Declares the kernels' names and the formulas as functions of C.
std::string printHeader(const PackagedProgram &packaged);

/// Where ptxas is: on the PATH, or in bin/ of CUDA_HOME or CUDA_PATH.
std::optional<std::string> findPtxas();

/// PTX to a cubin.
llvm::Expected<std::string> assemble(llvm::StringRef ptxas, llvm::StringRef ptx,
                                     llvm::StringRef chip);

/// A linker for ELF on the PATH.
llvm::Expected<std::string> findLinker();

/// An object file for that level of x86-64 to a shared object.
llvm::Expected<std::string> linkShared(llvm::StringRef linker,
                                       llvm::StringRef object,
                                       llvm::StringRef cpu, bool usesOpenMP);

/// Writes all files or none: each under a temporary name in `directory`, which
/// is created if it is missing, then all renamed in the order given.
llvm::Error writePackage(llvm::StringRef directory,
                         llvm::ArrayRef<OutputFile> files);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_FILES_PACKAGE_H
