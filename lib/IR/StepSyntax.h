//===- StepSyntax.h - Spelling of steps -------------------------*- C++ -*-===//
//
// Parsers and printers that the assembly formats of ops name.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_IR_STEPSYNTAX_H
#define SPARSEATTN_LIB_IR_STEPSYNTAX_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/OpImplementation.h"

namespace mlir::sparse_attn {

using OptionalOperand = std::optional<OpAsmParser::UnresolvedOperand>;

/// `%position` or `%positions : tensor<32xi32>`
ParseResult parsePositions(OpAsmParser &parser, OptionalOperand &position,
                           OptionalOperand &positions, Type &type);
void printPositions(OpAsmPrinter &printer, Operation *op, Value position,
                    Value positions, Type type);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_STEPSYNTAX_H
