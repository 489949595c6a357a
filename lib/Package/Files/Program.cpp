//===- Program.cpp - What a launcher has to know of a function ------------===//

#include "SparseAttn/Package/Files/Program.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

SizeExpr BufferSpec::bytes() const {
  SizeExpr elements = SizeExpr::constant(1);
  for (const SizeExpr &size : shape)
    elements = elements * size;
  return elements * SizeExpr::constant((elementBits + 7) / 8);
}

int64_t BufferSpec::strideMultiple() const {
  // The sums of rows are written one at a time, all else in 16 bytes.
  bool isLse = roles.size() == 1 && roles.front() == "lse";
  return isLse ? 1 : std::max<int64_t>(kBufferAlignment * 8 / elementBits, 1);
}

llvm::SmallVector<SizeExpr, 4> TensorMapArgument::denseStrides() const {
  llvm::SmallVector<SizeExpr, 4> strides(sizes.size() - 1);
  SizeExpr stride = SizeExpr::constant(1);
  for (size_t dim = sizes.size() - 1; dim-- > 0;)
    strides[dim] = stride = stride * sizes[dim + 1];
  return strides;
}

BufferRef *package::getBuffer(KernelArgument &argument) {
  return std::visit(
      [](auto &kind) -> BufferRef * {
        if constexpr (std::is_same_v<decltype(kind), IntegerArgument &>)
          return nullptr;
        else
          return &kind.buffer;
      },
      argument);
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
