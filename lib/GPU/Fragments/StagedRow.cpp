//===- StagedRow.cpp - One row of a staged tile ---------------------------===//

#include "StagedRow.h"
#include "Staging/SharedAddress.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// Columns 8 c + 2 t and the next are at byte 16 c + 4 t of a row of 16-bit
/// elements, and at byte 32 c + 8 t of one of f32.
static Value pairAddress(OpBuilder &b, Location loc, const Threads &threads,
                         const StagedTile &tile, Value row, int64_t c) {
  LaneMath math{b, loc};
  if (tile.type.getElementTypeBitWidth() == 16)
    return SharedAddress(b, loc, tile, row, math.constant(c % 2),
                         math.mul(threads.quad, 4))
        .at(0, 16 * (c - c % 2));
  return SharedAddress(b, loc, tile, row, math.div(threads.quad, 2),
                       math.mul(math.mod(threads.quad, 2), 8))
      .at(0, 32 * c);
}

Fragment kernels::loadStagedRow(OpBuilder &b, Location loc,
                                const Threads &threads, const StagedTile &tile,
                                Value row) {
  Type element = tile.type.getElementType();
  auto pair = VectorType::get({2}, element);
  unsigned alignment = tile.type.getElementTypeBitWidth() / 4;
  SmallVector<Value> elements;
  for (int64_t c = 0; c < tile.type.getDimSize(1) / 8; ++c) {
    Value pointer = pairAddress(b, loc, threads, tile, row, c);
    Value loaded = LLVM::LoadOp::create(b, loc, pair, pointer, alignment);
    auto both = vector::ToElementsOp::create(b, loc, loaded);
    llvm::append_range(elements, both.getResults());
  }
  auto lanes =
      VectorType::get({static_cast<int64_t>(elements.size())}, element);
  Fragment fragment;
  fragment.extent = {false, true};
  fragment.lanes = vector::FromElementsOp::create(b, loc, lanes, elements);
  return fragment;
}
