//===- MaskParameters.cpp - Spelling of mask parameters -------------------===//

#include "MaskParameters.h"
#include "llvm/ADT/Hashing.h"

using namespace mlir;
using namespace mlir::sparse_attn;

llvm::hash_code mlir::sparse_attn::hash_value(const WindowExtent &extent) {
  return llvm::hash_combine(extent.value.has_value(), extent.value.value_or(0));
}

llvm::raw_ostream &mlir::sparse_attn::operator<<(llvm::raw_ostream &os,
                                                 const WindowExtent &extent) {
  if (!extent.value)
    return os << "unbounded";
  return os << *extent.value;
}

FailureOr<WindowExtent> FieldParser<WindowExtent>::parse(AsmParser &parser) {
  if (succeeded(parser.parseOptionalKeyword("unbounded")))
    return WindowExtent{};
  int64_t value;
  OptionalParseResult parsed = parser.parseOptionalInteger(value);
  if (parsed.has_value() && succeeded(*parsed))
    return WindowExtent{value};
  return parser.emitError(parser.getCurrentLocation(),
                          "expected a number of positions or 'unbounded'");
}

ParseResult mlir::sparse_attn::parseIntegerList(AsmParser &parser,
                                                SmallVector<int64_t> &values) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    return parser.parseInteger(values.emplace_back());
  });
}

void mlir::sparse_attn::printIntegerList(AsmPrinter &printer,
                                         ArrayRef<int64_t> values) {
  printer << "[";
  llvm::interleaveComma(values, printer);
  printer << "]";
}

ParseResult
mlir::sparse_attn::parseMembers(AsmParser &parser,
                                SmallVector<MaskAttrInterface> &members) {
  auto parseMember = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    Attribute attribute;
    if (failed(parser.parseAttribute(attribute)))
      return failure();
    auto member = dyn_cast<MaskAttrInterface>(attribute);
    if (!member)
      return parser.emitError(loc, "expected a mask, got ") << attribute;
    members.push_back(member);
    return success();
  };
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater,
                                        parseMember);
}

void mlir::sparse_attn::printMembers(AsmPrinter &printer,
                                     ArrayRef<MaskAttrInterface> members) {
  printer << "<";
  llvm::interleaveComma(members, printer);
  printer << ">";
}
