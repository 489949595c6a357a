//===- GlobalParameters.cpp - Spelling of global positions ----------------===//

#include "MaskParameters.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// What stands behind the `=` of a parameter.
static ParseResult parseValue(AsmParser &parser, StringRef name,
                              SmallVector<int64_t> &tokens, int64_t *number,
                              GlobalDirection &direction) {
  if (parser.parseEqual())
    return failure();
  if (name == "tokens")
    return parseIntegerList(parser, tokens);
  if (number)
    return parser.parseInteger(*number);
  FailureOr<GlobalDirection> parsed =
      FieldParser<GlobalDirection>::parse(parser);
  if (failed(parsed))
    return parser.emitError(parser.getCurrentLocation(),
                            "failed to parse SparseAttn_GlobalAttr parameter "
                            "'direction'");
  direction = *parsed;
  return success();
}

ParseResult sparse_attn::parseGlobal(AsmParser &parser,
                                     SmallVector<int64_t> &tokens,
                                     int64_t &first, int64_t &last,
                                     int64_t &lastBlock, bool &listed,
                                     GlobalDirection &direction) {
  StringRef name;
  if (failed(parser.parseOptionalKeyword(&name)))
    return success();
  SmallVector<StringRef> seen;
  while (true) {
    int64_t *number = llvm::StringSwitch<int64_t *>(name)
                          .Case("first", &first)
                          .Case("last", &last)
                          .Case("last_block", &lastBlock)
                          .Default(nullptr);
    bool isKnown =
        number || name == "listed" || name == "tokens" || name == "direction";
    if (!isKnown || llvm::is_contained(seen, name))
      return parser.emitError(parser.getCurrentLocation(),
                              "duplicate or unknown struct parameter name: ")
             << name;
    seen.push_back(name);
    listed |= name == "listed";
    if (name != "listed" &&
        failed(parseValue(parser, name, tokens, number, direction)))
      return failure();
    if (failed(parser.parseOptionalComma()))
      return success();
    if (failed(parser.parseKeyword(&name)))
      return parser.emitError(parser.getCurrentLocation(),
                              "expected a parameter name in struct");
  }
}

void sparse_attn::printGlobal(AsmPrinter &printer, ArrayRef<int64_t> tokens,
                              int64_t first, int64_t last, int64_t lastBlock,
                              bool listed, GlobalDirection direction) {
  StringRef separator = "";
  auto next = [&](StringRef text) -> raw_ostream & {
    printer << separator << text;
    separator = ", ";
    return printer.getStream();
  };
  if (listed)
    next("listed");
  if (!tokens.empty()) {
    next("tokens = ");
    printIntegerList(printer, tokens);
  }
  for (auto [name, number] : {std::pair("first = ", first),
                              {"last = ", last},
                              {"last_block = ", lastBlock}})
    if (number != 0)
      next(name) << number;
  if (direction != GlobalDirection::both)
    next("direction = ") << stringifyGlobalDirection(direction);
}
