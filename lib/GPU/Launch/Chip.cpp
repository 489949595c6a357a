//===- Chip.cpp - GPUs that kernels are made for --------------------------===//

#include "SparseAttn/GPU/Chip.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// Shared memory a block, from the table of technical specifications by compute
/// capability in the CUDA C++ Programming Guide: 163 KiB on 8.0, 99 KiB on 8.6,
/// 8.9 and 12.0, 227 KiB on 9.0 and 10.0.
static constexpr Chip kChips[] = {
    {"sm_80", 70, 163 * 1024},   {"sm_86", 71, 99 * 1024},
    {"sm_89", 78, 99 * 1024},    {"sm_90", 78, 227 * 1024},
    {"sm_90a", 80, 227 * 1024},  {"sm_100", 86, 227 * 1024},
    {"sm_100a", 86, 227 * 1024}, {"sm_120", 87, 99 * 1024},
    {"sm_120a", 87, 99 * 1024},
};

std::optional<Chip> kernels::findChip(llvm::StringRef name) {
  const Chip *found = llvm::find_if(
      kChips, [&](const Chip &chip) { return chip.name == name; });
  if (found == std::end(kChips))
    return std::nullopt;
  return *found;
}

llvm::ArrayRef<Chip> kernels::getChips() { return kChips; }

std::string kernels::knownChips() {
  return llvm::join(
      llvm::map_range(kChips, [](const Chip &chip) { return chip.name; }),
      ", ");
}
