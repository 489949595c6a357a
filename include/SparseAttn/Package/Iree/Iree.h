//===- Iree.h - Programs as IREE takes them ---------------------*- C++ -*-===//
//
// IREE, an ML compiler with a runtime of its own, links object files of others
// into its executables and calls their functions once for each workgroup. What
// such a program is here: an object file without a C library, heap or threads,
// or PTX; an executable that names it; and a function on tensors that
// dispatches its kernels. docs/IREE.md says how a model comes to call it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_IREE_IREE_H
#define SPARSEATTN_PACKAGE_IREE_IREE_H

#include "SparseAttn/Package/Compile/Compile.h"

namespace mlir::sparse_attn::package {

/// The stack that a kernel may take: IREE's workers have 128 KB, which what
/// calls the kernel needs a part of.
constexpr uint64_t kMaxIreeStack = 64 * 1024;

/// A function compiled for IREE. Of its program, sizes are formulas over those
/// of the arguments, and all buffers are dense.
struct IreeProgram {
  Program program;
  std::string target;     ///< a level of x86-64 or a chip
  bool isHost = false;    ///< for processors
  std::string code;       ///< an object file, or PTX
  std::string objectFile; ///< the name of the file that has it
};

/// For a level of x86-64: a kernel's workgroup computes what one thread does of
/// a loop over heads and tiles of queries. Where kernels would take more stack
/// than they may, tiles are smaller than the mask analysis chooses.
llvm::Expected<IreeProgram> compileForIree(func::FuncOp func,
                                           const HostOptions &options);

/// For a GPU: what `compile` gives.
llvm::Expected<IreeProgram> compileForIree(func::FuncOp func,
                                           const NVVMPipelineOptions &options);

/// A module with the executable, and the function, which is public.
std::string printIreeModule(const IreeProgram &compiled);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_IREE_IREE_H
