//===- FlatTile.cpp - A staged tile shared out among threads --------------===//

#include "FlatTile.h"
#include "Staging/SharedAddress.h"
#include "Staging/SharedLayout.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

constexpr int64_t kChunkBytes = 16;

Fragment kernels::loadFlat(OpBuilder &b, Location loc, const Threads &threads,
                           const StagedTile &tile) {
  Type element = tile.type.getElementType();
  int64_t elementBytes = tile.type.getElementTypeBitWidth() / 8;
  SharedLayout layout(tile.type.getDimSize(0),
                      tile.type.getDimSize(1) * elementBytes);
  int64_t chunks = layout.sizeInBytes() / kChunkBytes;
  auto chunkType = VectorType::get({kChunkBytes / elementBytes}, element);
  LaneMath math{b, loc};
  SmallVector<Value> elements;
  for (int64_t first = 0; first < chunks; first += threads.numThreads()) {
    Value chunk = math.add(threads.thread, math.constant(first));
    // Threads behind the end look at the last chunk.
    if (first + threads.numThreads() > chunks)
      chunk =
          b.createOrFold<arith::MinUIOp>(loc, chunk, math.constant(chunks - 1));
    Value pointer = advance(b, loc, tile.pointer, math.mul(chunk, kChunkBytes));
    Value loaded =
        LLVM::LoadOp::create(b, loc, chunkType, pointer, kChunkBytes);
    auto all = vector::ToElementsOp::create(b, loc, loaded);
    llvm::append_range(elements, all.getResults());
  }
  auto type = VectorType::get({static_cast<int64_t>(elements.size())}, element);
  Fragment fragment;
  fragment.isFlat = true;
  fragment.lanes = vector::FromElementsOp::create(b, loc, type, elements);
  return fragment;
}
