//===- Bufferization.cpp - One-shot bufferisation of attention ------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::sparse_attn;

namespace {
/// Q, K, V and data are read; the inits are only written: every element of the
/// output is defined by the op, empty rows included.
struct AttentionBufferization
    : DstBufferizableOpInterfaceExternalModel<AttentionBufferization,
                                              AttentionOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return cast<DestinationStyleOpInterface>(op).isDpsInput(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto attention = cast<AttentionOp>(op);
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        operands.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    ArrayRef<Value> all(operands);
    size_t numData = attention.getData().size();
    ArrayRef<Value> data = all.slice(3, numData);
    ArrayRef<Value> inits = all.take_back(attention.getInits().size());
    attention.createLike(rewriter, TypeRange(), all[0], all[1], all[2], data,
                         attention.getOrigin(), inits);
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

/// A vector of rows that are read.
struct ReadRowsBufferization
    : BufferizableOpInterface::ExternalModel<ReadRowsBufferization,
                                             ReadRowsOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return true;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &,
                                      const AnalysisState &) const {
    return {};
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto read = cast<ReadRowsOp>(op);
    if (!isa<TensorType>(read.getSource().getType()))
      return success();
    FailureOr<Value> buffer =
        getBuffer(rewriter, read.getSource(), options, state);
    if (failed(buffer))
      return failure();
    replaceOpWithNewBufferizedOp<ReadRowsOp>(rewriter, op, read.getVectorType(),
                                             *buffer, read.getPositions());
    return success();
  }
};
/// The rows buffer[at...] from column `column` on, of `columns` or of all.
Value viewRows(OpBuilder &b, Location loc, Value buffer, ValueRange at,
               Value column, int64_t columns) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> sizes(at.size(), b.getIndexAttr(1));
  llvm::copy(getAsOpFoldResult(at), offsets.begin());
  for (int64_t dim = at.size(); dim < type.getRank(); ++dim)
    sizes.push_back(memref::getMixedSize(b, loc, buffer, dim));
  if (column) {
    offsets.back() = column;
    sizes.back() = b.getIndexAttr(columns);
  }
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<int64_t> shape(type.getShape().drop_front(at.size()));
  if (column)
    shape.back() = columns;
  return memref::SubViewOp::create(
      b, loc,
      memref::SubViewOp::inferRankReducedResultType(shape, type, offsets, sizes,
                                                    strides),
      buffer, offsets, sizes, strides);
}

/// Some rows of a loop's result are written, and the others stay.
struct ScatterRowsBufferization
    : BufferizableOpInterface::ExternalModel<ScatterRowsBufferization,
                                             ScatterRowsOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return true;
  }
  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand,
                               const AnalysisState &) const {
    return operand == cast<ScatterRowsOp>(op).getDestMutable();
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &,
                                      const AnalysisState &) const {
    return {};
  }

  /// Before the terminator, as it combines nothing any more.
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto scatter = cast<ScatterRowsOp>(op);
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op->getParentOp());
    SmallVector<Value> buffers;
    for (Value operand : {Value(scatter.getSource()), Value(scatter.getDest()),
                          Value(scatter.getPositions())}) {
      if (!isa<TensorType>(operand.getType())) {
        buffers.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    Location loc = op->getLoc();
    auto source = cast<ShapedType>(scatter.getSource().getType());
    Value rows = viewRows(rewriter, loc, buffers[1], scatter.getAt(),
                          scatter.getColumn(), source.getShape().back());
    WriteRowsOp::create(rewriter, loc, buffers[0], rows, buffers[2]);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void mlir::sparse_attn::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparseAttnDialect *) {
    AttentionOp::attachInterface<AttentionBufferization>(*context);
    ReadRowsOp::attachInterface<ReadRowsBufferization>(*context);
    ScatterRowsOp::attachInterface<ScatterRowsBufferization>(*context);
  });
}
