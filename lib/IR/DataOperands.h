//===- DataOperands.h - What attention reads beside Q, K and V --*- C++ -*-===//

#ifndef SPARSEATTN_LIB_IR_DATAOPERANDS_H
#define SPARSEATTN_LIB_IR_DATAOPERANDS_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/OpImplementation.h"

namespace mlir::sparse_attn {

/// `data(sinks = %s : tensor<12xf32>)`, or nothing.
ParseResult parseData(OpAsmParser &parser,
                      SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
                      SmallVectorImpl<Type> &types, ArrayAttr &names);
void printData(OpAsmPrinter &printer, Operation *op, OperandRange operands,
               TypeRange types, ArrayAttr names);

/// Rejects names that there are not, and types that are not theirs.
LogicalResult verifyData(AttentionOp op);

/// Erases data operands that are for masks which read them, as none does once a
/// mask is simpler than it was.
void eraseUnreadData(AttentionOp op);

/// Which of B, Hq, Sq and Sk the dimensions of the data operand of that name
/// and type are; -1 for a dimension of 1 that is that of all, or of a size that
/// is none of these.
SmallVector<int, 4> dimsOfData(StringRef name, ShapedType type);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_DATAOPERANDS_H
