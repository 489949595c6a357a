//===- Compile.h - A function to kernels and how to launch them -*- C++ -*-===//

#ifndef SPARSEATTN_PACKAGE_COMPILE_H
#define SPARSEATTN_PACKAGE_COMPILE_H

#include "SparseAttn/Package/Package.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn {

/// The functions of the module that have attention, or the one named `entry`.
llvm::Expected<SmallVector<func::FuncOp>> findPrograms(ModuleOp module,
                                                       StringRef entry);

/// A copy of the module with this function and what it uses only.
OwningOpRef<ModuleOp> isolate(func::FuncOp func);

/// Kernels and entries are named after their function, and PTX and C have no
/// quotes for names.
func::FuncOp renameToIdentifier(ModuleOp module, StringRef symbol);

/// Compiles one function; what is wrong with it stands in diagnostics. The
/// program's files are not filled in.
llvm::Expected<PackagedProgram> compile(func::FuncOp func,
                                        const NVVMPipelineOptions &options);

/// The same kernels for the emulator: an object file of host code, with an
/// emulator::KernelModule.
llvm::Expected<std::string>
compileForEmulator(func::FuncOp func, const NVVMPipelineOptions &options);

/// The level of x86-64 that `target` is, itself or as "native"; nothing for
/// other targets.
std::optional<StringRef> findHostTarget(StringRef target);
/// For error messages.
StringRef knownHostTargets();

struct HostOptions {
  std::string cpu; ///< a level of x86-64
  int64_t tileQueries = 0, tileKeys = 0;
  bool openmp = false, dense = false;
};

/// The same for this processor's kind: machine code in a shared object.
llvm::Expected<PackagedProgram>
compileForHost(func::FuncOp func, const HostOptions &options, StringRef linker);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_COMPILE_H
