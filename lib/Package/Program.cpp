//===- Program.cpp - What a launcher has to know of a function ------------===//

#include "SparseAttn/Package/Program.h"

using namespace mlir::sparse_attn;

SizeExpr BufferSpec::bytes() const {
  SizeExpr elements = SizeExpr::constant(1);
  for (const SizeExpr &size : shape)
    elements = elements * size;
  return elements * SizeExpr::constant((elementBits + 7) / 8);
}

SizeExpr Program::workspaceOffset(size_t index) const {
  SizeExpr alignment = SizeExpr::constant(kWorkspaceAlignment);
  SizeExpr offset;
  for (size_t i = 0; i < index; ++i)
    offset = offset +
             SizeExpr::floorDiv(workspaces[i].bytes() +
                                    SizeExpr::constant(kWorkspaceAlignment - 1),
                                alignment) *
                 alignment;
  return offset;
}
