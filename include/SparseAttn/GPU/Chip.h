//===- Chip.h - GPUs that kernels are made for ------------------*- C++ -*-===//

#ifndef SPARSEATTN_GPU_CHIP_H
#define SPARSEATTN_GPU_CHIP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace mlir::sparse_attn::kernels {

/// What code generation has to know of a chip.
struct Chip {
  llvm::StringRef name; ///< as LLVM and ptxas spell it: sm_80, ...
  /// Oldest PTX version that knows the chip: what a driver must accept.
  unsigned ptxVersion;
  /// Shared memory a block may use, in bytes.
  int64_t sharedLimit;

  std::string features() const { return "+ptx" + std::to_string(ptxVersion); }
};

/// The chip of that name, if kernels can be made for it.
std::optional<Chip> findChip(llvm::StringRef name);

/// All of them, older ones first.
llvm::ArrayRef<Chip> getChips();

/// The names of all chips, separated by commas, for diagnostics.
std::string knownChips();

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_GPU_CHIP_H
