//===- OptionCheck.h - Values that options must have ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PIPELINES_OPTIONCHECK_H
#define SPARSEATTN_LIB_PIPELINES_OPTIONCHECK_H

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"

namespace mlir::sparse_attn::pipelines {

/// Tensor cores and copies take tiles of multiples of so many rows and columns.
constexpr int64_t kGpuTileMultiple = 16;

/// Refuses a value of an option of some pipeline: `error` says what it must be.
struct OptionCheck {
  function_ref<LogicalResult(const Twine &)> error;

  template <typename Option>
  LogicalResult require(bool holds, const Option &option,
                        const Twine &what) const {
    if (holds)
      return success();
    return error(option.getArgStr() + " must be " + what + ", got " +
                 Twine(option.getValue()));
  }

  /// The option is a number of rows or columns of a tile, or 0.
  template <typename Option>
  LogicalResult requireTile(const Option &option) const {
    return require(option >= 0 && option <= kMaxTileSize, option,
                   "from 1 to " + Twine(kMaxTileSize) +
                       ", or 0 to have it chosen");
  }

  /// The same of a tile of tensor cores.
  template <typename Option>
  LogicalResult requireGpuTile(const Option &option) const {
    if (failed(requireTile(option)))
      return failure();
    return require(option % kGpuTileMultiple == 0, option,
                   "a multiple of " + Twine(kGpuTileMultiple) +
                       " for GPUs, or 0 to have it chosen");
  }
};

} // namespace mlir::sparse_attn::pipelines

#endif // SPARSEATTN_LIB_PIPELINES_OPTIONCHECK_H
