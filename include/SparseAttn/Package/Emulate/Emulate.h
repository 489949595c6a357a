//===- Emulate.h - A package's kernels for the emulator ---------*- C++ -*-===//

#ifndef SPARSEATTN_PACKAGE_EMULATE_EMULATE_H
#define SPARSEATTN_PACKAGE_EMULATE_EMULATE_H

#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparse_attn::package {

/// The kernels that `compile` makes of a function, for the emulator: an object
/// file of host code, with an emulator::KernelModule.
llvm::Expected<std::string>
compileForEmulator(func::FuncOp func, const NVVMPipelineOptions &options);

/// Those as a file that the driver double of the tests finds, which is given
/// only their PTX: it is named by the PTX's SHA-256.
llvm::Expected<OutputFile> compileForDouble(func::FuncOp func,
                                            const NVVMPipelineOptions &options,
                                            llvm::StringRef ptx);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_EMULATE_EMULATE_H
