//===- Compile.h - A function to kernels and how to launch them -*- C++ -*-===//

#ifndef SPARSEATTN_PACKAGE_COMPILE_COMPILE_H
#define SPARSEATTN_PACKAGE_COMPILE_COMPILE_H

#include "SparseAttn/Package/Compile/Isolate.h"
#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn::package {

/// The functions of the module, and of modules inside it, that have attention,
/// themselves or in what they call, but for private ones that others use; or
/// the one that `entry` names.
llvm::Expected<SmallVector<func::FuncOp>> findPrograms(ModuleOp module,
                                                       StringRef entry);

/// Kernels and entries are named after their function, and PTX and C have no
/// quotes for names.
func::FuncOp renameToIdentifier(ModuleOp module, StringRef symbol);

/// Compiles one function; what is wrong with it stands in diagnostics. The
/// program's files are not filled in.
llvm::Expected<PackagedProgram> compile(func::FuncOp func,
                                        const NVVMPipelineOptions &options);

/// A copy of the module with this function alone, lowered: its kernels in the
/// LLVM and NVVM dialects, and the host code that launches them.
llvm::Expected<OwningOpRef<ModuleOp>>
lowerToKernels(func::FuncOp func, const NVVMPipelineOptions &options);

/// Where CUDA_ROOT, CUDA_HOME or CUDA_PATH name a toolkit, MLIR links its
/// device library into every module, or complains that there is none. Kernels
/// of ours call nothing in it, and equal input must give equal PTX on every
/// machine: this takes them out of the process's environment. Call it before
/// `compile`.
void hideToolkit();

/// The newest chip whose kernels a device of this compute capability, 90
/// for 9.0, runs; nothing where it runs none.
std::optional<std::string> findNewestChip(int capability);

/// The level of x86-64 that `target` is, itself or as "native"; nothing for
/// other targets.
std::optional<StringRef> findHostTarget(StringRef target);
/// Their names, as error messages list them.
std::string knownHostTargets();

struct HostOptions {
  std::string cpu; ///< a level of x86-64
  int64_t tileQueries = 0, tileKeys = 0;
  bool openmp = false, dense = false;
};

/// The same for this processor's kind: machine code in a shared object.
llvm::Expected<PackagedProgram>
compileForHost(func::FuncOp func, const HostOptions &options, StringRef linker);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_COMPILE_COMPILE_H
