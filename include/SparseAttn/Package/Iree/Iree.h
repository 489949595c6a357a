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

/// The attention of IREE (iree_linalg_ext.attention) that a function computes,
/// which a model may have in its place.
struct IreeAttention {
  std::string whyNone; ///< not empty where there is none
  double scale = 1.0;
  std::string elementType;
  enum class Mask { None, Some } mask = Mask::Some;
  /// A row sees the keys up to its own number.
  bool isTriangle = false;
  /// It does only where there are as many queries as keys.
  bool mustBeSquare = false;
  /// The pairs that may attend, [heads, queries, keys], where lengths are
  /// known; one head stands for all that have the same.
  std::vector<bool> pairs;
  int64_t heads = 1, queries = 0, keys = 0;
};

IreeAttention findAttention(func::FuncOp func);

/// A function compiled for IREE. Of its program, sizes are formulas over those
/// of the arguments, and all buffers are dense.
struct IreeProgram {
  Program program;
  std::string target;     ///< a level of x86-64 or a chip
  bool isHost = false;    ///< for processors
  std::string code;       ///< an object file, or PTX
  std::string objectFile; ///< the name of the file that has it
  IreeAttention attention;
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

/// A script of IREE's transform dialect that calls the function, which is
/// private then, wherever a model has the attention. There must be one.
std::string printIreeSpec(const IreeProgram &compiled);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_IREE_IREE_H
