//===- Launches.h - Making launches -----------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_LAUNCH_LAUNCHES_H
#define SPARSEATTN_LIB_GPU_LAUNCH_LAUNCHES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::sparse_attn::kernels {

/// Calls the kernel of a launch that has a module: that of function @f is @f_0,
/// @f_1, ...
void nameKernel(gpu::LaunchOp launch, int64_t number);

/// Clones the scalars and constants that the body uses into it, so that its
/// operands are buffers and arguments of the launch.
void sinkScalars(gpu::LaunchOp launch);

/// The type of the same buffer in that address space.
MemRefType inSpace(MemRefType type, gpu::AddressSpace space);

/// Casts the buffers from outside to the global address space and retypes the
/// views of all buffers in the body.
void moveToGlobalSpace(gpu::LaunchOp launch);

/// Constant tables of kernels, which are copies of a module's constants in the
/// global address space. Outlining takes them along.
class KernelTables {
public:
  explicit KernelTables(SymbolTable &symbols) : symbols(symbols) {}

  /// Gives the body tables of its own for the constants that it uses.
  void sinkInto(gpu::LaunchOp launch);
  SymbolTable &getSymbols() { return symbols; }

private:
  memref::GlobalOp copyOf(memref::GlobalOp table, StringRef function);

  SymbolTable &symbols;
  llvm::DenseMap<Operation *, memref::GlobalOp> copies;
};

/// Erases the constants that have been copied for kernels, which have theirs by
/// now.
void dropTables(ModuleOp module);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_LAUNCH_LAUNCHES_H
