//===- MaskParameters.h - Spelling of mask parameters -----------*- C++ -*-===//
//
// Parsers and printers that the assembly formats of the attributes name.
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

/// `"q + 1"`, a bound of a plan; an error points into the quotes.
ParseResult parseBound(AsmParser &parser, plan::TileExpr &bound);
void printBound(AsmPrinter &printer, const plan::TileExpr &bound);

/// `"q - 1 > 0"`, where tiles are visited.
ParseResult parseCondition(AsmParser &parser, plan::TileExpr &when);
void printCondition(AsmPrinter &printer, const plan::TileExpr &when);

/// `"j >= i - 256 or j < 4"`, which pairs of a tile are live.
ParseResult parsePairs(AsmParser &parser, std::optional<mask::Pieces> &where);
void printPairs(AsmPrinter &printer, const std::optional<mask::Pieces> &where);

/// `documents and listed rows`, behind `within`: which tiles data leaves.
ParseResult parseWithin(AsmParser &parser, plan::Within &within);
void printWithin(AsmPrinter &printer, const plan::Within &within);

/// `listed, direction = rows` or `tokens = [0, -1], first = 4`, what positions
/// are global.
ParseResult parseGlobal(AsmParser &parser, SmallVector<int64_t> &tokens,
                        int64_t &first, int64_t &last, int64_t &lastBlock,
                        bool &listed, GlobalDirection &direction);
void printGlobal(AsmPrinter &printer, ArrayRef<int64_t> tokens, int64_t first,
                 int64_t last, int64_t lastBlock, bool listed,
                 GlobalDirection direction);

/// `lattice<step = 8, width = 1, shift = 0, tile = 16>` or
/// `list<[5, 77], width = 1, tile = 16>`, where the slots of tiles stand.
ParseResult parseLayout(AsmParser &parser, plan::Layout &layout);
void printLayout(AsmPrinter &printer, const plan::Layout &layout);

/// `[<0 to 64, partial = [192], full = [0, 64, 128]>, ...]`, query tiles.
ParseResult parseTable(AsmParser &parser, plan::TileTable &table);
void printTable(AsmPrinter &printer, const plan::TileTable &table);

/// `[<...>, <...>]`, the segments or the draws of a class of rows.
template <typename Part>
ParseResult parsePlanParts(AsmParser &parser, SmallVector<Part> &parts) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&]() -> ParseResult {
        FailureOr<Part> part = FieldParser<Part>::parse(parser);
        if (failed(part))
          return failure();
        parts.push_back(*part);
        return success();
      });
}
template <typename Part>
void printPlanParts(AsmPrinter &printer, ArrayRef<Part> parts) {
  printer << "[";
  printer.printStrippedAttrOrType(parts);
  printer << "]";
}

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_MASKPARAMETERS_H
