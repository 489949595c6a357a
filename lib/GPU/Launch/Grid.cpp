//===- Grid.cpp - The order of a grid's blocks ----------------------------===//

#include "Grid.h"
#include "Form/TileRead.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

//===----------------------------------------------------------------------===//
// What a head's blocks read again
//===----------------------------------------------------------------------===//

/// The buffer from outside `forall` that `buffer` is a view of, or null; also
/// where it is a part that each tile has of its own, as states of parts are.
static Value rootOutside(Value buffer, scf::ForallOp forall) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
    if (!forall->isProperAncestor(view))
      break;
    if (llvm::is_contained(view->getOperands(),
                           forall.getInductionVars().back()))
      return {};
    buffer = view.getViewSource();
  }
  return forall.getRegion().isAncestor(buffer.getParentRegion()) ? Value()
                                                                 : buffer;
}

namespace {
/// Arrays [..., rows, columns] that a loop of the body goes along: keys and
/// values.
struct ArraysOfLoops {
  Value first;
  int64_t bytesOfRow = 0; ///< of all of them

  explicit ArraysOfLoops(scf::ForallOp forall) {
    llvm::SmallPtrSet<Value, 4> seen;
    forall.walk([&](Operation *op) {
      TileRead read(op);
      auto loop = op->getParentOfType<scf::ForOp>();
      if (!read || !loop || !forall->isProperAncestor(loop))
        return;
      Value root = rootOutside(read.getSource(), forall);
      auto type = root ? dyn_cast<MemRefType>(root.getType()) : MemRefType();
      // Sizes are read where the grid is made, so the array has to be there.
      if (!type || type.getRank() < 3 ||
          ShapedType::isDynamic(type.getShape().back()) ||
          !seen.insert(root).second)
        return;
      first = first ? first : root;
      bytesOfRow += type.getShape().back() *
                    llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    });
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// The grid
//===----------------------------------------------------------------------===//

static Value constantIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Grid::Grid(OpBuilder &b, scf::ForallOp forall, int64_t cacheBytes)
    : sizes(forall.getUpperBound(b)) {
  Location loc = forall.getLoc();
  heads = constantIndex(b, loc, 1);
  for (Value size : ArrayRef(sizes).drop_back())
    heads = b.createOrFold<arith::MulIOp>(loc, heads, size);
  blocks = sizes.empty()
               ? heads
               : b.createOrFold<arith::MulIOp>(loc, heads, sizes.back());
  ArraysOfLoops arrays(forall);
  if (sizes.size() < 2 || !arrays.first)
    return;
  auto type = cast<MemRefType>(arrays.first.getType());
  rows = b.createOrFold<memref::DimOp>(
      loc, arrays.first, constantIndex(b, loc, type.getRank() - 2));
  rowsOfCache = cacheBytes / arrays.bytesOfRow;
}

Value Grid::headsOfGroup(OpBuilder &b, Location loc) const {
  Type i32 = b.getI32Type();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, loc, i32, value);
  };
  Value count = b.createOrFold<arith::IndexCastUIOp>(loc, i32, rows);
  count = b.createOrFold<arith::MaxUIOp>(loc, count, constant(1));
  Value fitting =
      b.createOrFold<arith::DivUIOp>(loc, constant(rowsOfCache), count);
  return b.createOrFold<arith::MaxUIOp>(loc, fitting, constant(1));
}

SmallVector<Value> Grid::indices(OpBuilder &b, Location loc,
                                 Value block) const {
  if (sizes.empty())
    return {};
  // Numbers of blocks have 31 bits, and so have sizes: divisions of 64 bits
  // would take several times as long.
  auto narrow = [&](Value value) {
    return b.createOrFold<arith::IndexCastUIOp>(loc, b.getI32Type(), value);
  };
  auto widen = [&](Value value) {
    return b.createOrFold<arith::IndexCastUIOp>(loc, b.getIndexType(), value);
  };
  Value tiles = narrow(sizes.back()), tile, head;
  Value last =
      b.createOrFold<arith::SubIOp>(loc, blocks, constantIndex(b, loc, 1));
  Value number = narrow(b.createOrFold<arith::SubIOp>(loc, last, block));
  if (rows) {
    Value some = b.createOrFold<arith::MinUIOp>(loc, headsOfGroup(b, loc),
                                                narrow(heads));
    Value ofGroup = b.createOrFold<arith::MulIOp>(loc, some, tiles);
    Value groups = b.createOrFold<arith::DivUIOp>(loc, number, ofGroup);
    Value first = b.createOrFold<arith::MulIOp>(loc, groups, some);
    // The last group may have fewer.
    Value rest = b.createOrFold<arith::SubIOp>(loc, narrow(heads), first);
    Value here = b.createOrFold<arith::MinUIOp>(loc, some, rest);
    Value inGroup = b.createOrFold<arith::RemUIOp>(loc, number, ofGroup);
    tile = b.createOrFold<arith::DivUIOp>(loc, inGroup, here);
    Value headInGroup = b.createOrFold<arith::RemUIOp>(loc, inGroup, here);
    head = b.createOrFold<arith::AddIOp>(loc, first, headInGroup);
  } else {
    tile = b.createOrFold<arith::RemUIOp>(loc, number, tiles);
    head = b.createOrFold<arith::DivUIOp>(loc, number, tiles);
  }
  SmallVector<Value> result(sizes.size());
  result.back() = widen(tile);
  for (size_t dim = sizes.size() - 1; dim-- > 0;) {
    if (dim == 0) {
      result[0] = widen(head);
      break;
    }
    Value size = narrow(sizes[dim]);
    result[dim] = widen(b.createOrFold<arith::RemUIOp>(loc, head, size));
    head = b.createOrFold<arith::DivUIOp>(loc, head, size);
  }
  return result;
}
