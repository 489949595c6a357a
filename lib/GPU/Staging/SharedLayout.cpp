//===- SharedLayout.cpp - How a tile lies in shared memory ----------------===//

#include "SharedLayout.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

SharedLayout::SharedLayout(int64_t rows, int64_t rowBytes)
    : rows(rows), rowBytes(rowBytes) {
  int64_t first = 0;
  for (int64_t width : {128, 64, 32, 16})
    while (rowBytes - first >= width) {
      panels.push_back({first, width, rows * first});
      first += width;
    }
}

const SharedPanel &SharedLayout::panelOf(int64_t byte) const {
  const SharedPanel *found = &panels.front();
  for (const SharedPanel &panel : panels)
    if (panel.firstByte <= byte)
      found = &panel;
  return *found;
}
