//===- SharedLayout.h - How a tile lies in shared memory --------*- C++ -*-===//
//
// A tile of `rows` rows of `rowBytes` bytes is cut into panels of 128 bytes a
// row, and narrower ones of 64, 32 and 16 bytes for the rest. Inside a panel
// rows follow each other, and the 16-byte chunks of a row are permuted by an
// exclusive or with bits of the row, so that eight rows read at one column of
// chunks, as ldmatrix does, touch all 32 banks once:
//
//   byte(row, chunk) = panel + row * width + 16 * (chunk ^ phase(row))
//   phase(row)       = (row * width / 128) mod (width / 16)
//
// That is the layout which Hopper's tensor copies write and its wgmma reads
// ("128-byte", "64-byte" and "32-byte swizzle", and none for 16 bytes), so one
// layout serves all.
// Panels start at multiples of 1024 bytes where rows is a multiple of 8.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_STAGING_SHAREDLAYOUT_H
#define SPARSEATTN_LIB_GPU_STAGING_SHAREDLAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace mlir::sparse_attn::kernels {

/// Where shared memory starts that holds tiles: a row of all banks.
constexpr int64_t kSharedAlignment = 128;

/// Columns [firstByte, firstByte + width) of every row.
struct SharedPanel {
  int64_t firstByte; ///< within a row
  int64_t width;     ///< bytes a row: 128, 64, 32 or 16
  int64_t offset;    ///< of the panel within the tile

  int64_t chunks() const { return width / 16; }
  /// What a row's chunks are permuted by; depends on row mod 8 only.
  int64_t phase(int64_t row) const { return row * width / 128 % chunks(); }
};

class SharedLayout {
public:
  /// `rowBytes` must be a positive multiple of 16, `rows` one of 8.
  SharedLayout(int64_t rows, int64_t rowBytes);

  llvm::ArrayRef<SharedPanel> getPanels() const { return panels; }
  int64_t sizeInBytes() const { return rows * rowBytes; }
  /// The panel that holds byte `byte` of a row.
  const SharedPanel &panelOf(int64_t byte) const;

private:
  int64_t rows, rowBytes;
  llvm::SmallVector<SharedPanel, 4> panels;
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_STAGING_SHAREDLAYOUT_H
