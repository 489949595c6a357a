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

/// Compiles one function; what is wrong with it stands in diagnostics. The
/// program's files are not filled in.
llvm::Expected<PackagedProgram> compile(func::FuncOp func,
                                        const NVVMPipelineOptions &options);

/// The same kernels for the emulator: an object file of host code, with an
/// emulator::KernelModule.
llvm::Expected<std::string>
compileForEmulator(func::FuncOp func, const NVVMPipelineOptions &options);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_COMPILE_H
