//===- ExpandCopies.cpp - --sparse-attn-expand-copies ---------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNEXPANDCOPIES
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// True when a copy of such buffers lowers to a plain memcpy.
static bool isContiguous(MemRefType type) {
  return type.getLayout().isIdentity() ||
         (type.hasStaticShape() &&
          memref::isStaticShapeAndContiguousRowMajor(type));
}

/// Row `row` of a buffer of rows.
static Value viewRow(OpBuilder &b, Location loc, Value buffer, Value row) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, buffer);
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  offsets.front() = row;
  sizes.front() = b.getIndexAttr(1);
  return memref::SubViewOp::create(
      b, loc,
      memref::SubViewOp::inferRankReducedResultType(
          type.getShape().drop_front(1), type, offsets, sizes, strides),
      buffer, offsets, sizes, strides);
}

/// A loop over the rows of a tile, each of which is copied to its place if it
/// has one.
static void copyRows(RewriterBase &rewriter, WriteRowsOp op) {
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, value);
  };
  int64_t count = cast<MemRefType>(op.getSource().getType()).getDimSize(0);
  Value rows = memref::DimOp::create(rewriter, loc, op.getDest(), 0);
  scf::ForOp::create(
      rewriter, loc, constant(0), constant(count), constant(1), ValueRange{},
      [&](OpBuilder &b, Location, Value m, ValueRange) {
        Value position = memref::LoadOp::create(b, loc, op.getPositions(), m);
        Value row =
            arith::IndexCastOp::create(b, loc, b.getIndexType(), position);
        // Negative ones are large without a sign.
        Value exists =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, row, rows);
        scf::IfOp::create(b, loc, exists, [&](OpBuilder &then, Location) {
          memref::CopyOp::create(then, loc,
                                 viewRow(then, loc, op.getSource(), m),
                                 viewRow(then, loc, op.getDest(), row));
          scf::YieldOp::create(then, loc);
        });
        scf::YieldOp::create(b, loc);
      });
  rewriter.eraseOp(op);
}

namespace {
struct ExpandCopiesPass
    : sparse_attn::impl::SparseAttnExpandCopiesBase<ExpandCopiesPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](WriteRowsOp op) { copyRows(rewriter, op); });
    getOperation()->walk([&](memref::CopyOp copy) {
      auto source = dyn_cast<MemRefType>(copy.getSource().getType());
      auto target = dyn_cast<MemRefType>(copy.getTarget().getType());
      if (!source || !target || (isContiguous(source) && isContiguous(target)))
        return;
      rewriter.setInsertionPoint(copy);
      linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      rewriter.eraseOp(copy);
    });
  }
};
} // namespace
