//===- Bufferization.cpp - One-shot bufferisation of attention ------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::sparse_attn;

namespace {
/// Q, K, V are read; the inits are only written: every element of the output
/// is defined by the op, empty rows included.
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
    size_t numOrigin = attention.getOrigin().size();
    ArrayRef<Value> inits = all.drop_front(3 + numOrigin);
    AttentionOp::create(rewriter, op->getLoc(), TypeRange(),
                        attention.getMaskAttr(), attention.getScaleAttr(),
                        attention.getPlanAttr(), all[0], all[1], all[2],
                        all.slice(3, numOrigin), inits);
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
} // namespace

void mlir::sparse_attn::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparseAttnDialect *) {
    AttentionOp::attachInterface<AttentionBufferization>(*context);
    ReadRowsOp::attachInterface<ReadRowsBufferization>(*context);
  });
}
