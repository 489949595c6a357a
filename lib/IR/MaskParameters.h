//===- MaskParameters.h - Spelling of mask parameters -----------*- C++ -*-===//
//
// Parsers and printers that the assembly formats of the mask attributes name.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_IR_MASKPARAMETERS_H
#define SPARSEATTN_LIB_IR_MASKPARAMETERS_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// `[t0, t1, ...]`, possibly empty.
ParseResult parseIntegerList(AsmParser &parser, SmallVector<int64_t> &values);
void printIntegerList(AsmPrinter &printer, ArrayRef<int64_t> values);

/// `<A, B, ...>`, the members of a combinator.
ParseResult parseMembers(AsmParser &parser,
                         SmallVector<MaskAttrInterface> &members);
void printMembers(AsmPrinter &printer, ArrayRef<MaskAttrInterface> members);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_MASKPARAMETERS_H
