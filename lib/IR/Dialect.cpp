//===- Dialect.cpp - Registration of the sparse_attn dialect --------------===//

#include "MaskParameters.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "Spelling.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

#include "SparseAttn/IR/SparseAttnDialect.cpp.inc"
#include "SparseAttn/IR/SparseAttnEnums.cpp.inc"
#include "SparseAttn/IR/SparseAttnInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "SparseAttn/IR/SparseAttnAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "SparseAttn/IR/SparseAttnTypes.cpp.inc"

//===----------------------------------------------------------------------===//
// What there is
//===----------------------------------------------------------------------===//

template <typename... Attrs>
static SmallVector<AttributeSpelling> makeAttributeSpellings() {
  return {{Attrs::getMnemonic(), Attrs::getParameterNames(),
           std::is_base_of_v<MaskAttrInterface::Trait<Attrs>, Attrs>}...};
}

static SmallVector<AttributeSpelling> getAttributeSpellings() {
  return makeAttributeSpellings<
#define GET_ATTRDEF_LIST
#include "SparseAttn/IR/SparseAttnAttributes.cpp.inc"
      >();
}

/// Without the name of the dialect.
template <typename... Ops> static SmallVector<StringRef> makeOpNames() {
  return {Ops::getOperationName().split('.').second...};
}

static SmallVector<StringRef> getOpNames() {
  return makeOpNames<
#define GET_OP_LIST
#include "SparseAttn/IR/SparseAttnOps.cpp.inc"
      >();
}

static SmallVector<StringRef>
getMnemonics(ArrayRef<AttributeSpelling> spellings, bool masks) {
  SmallVector<StringRef> mnemonics;
  for (const AttributeSpelling &spelling : spellings)
    if (spelling.isMask == masks)
      mnemonics.push_back(spelling.mnemonic);
  return mnemonics;
}

//===----------------------------------------------------------------------===//
// Parsers
//===----------------------------------------------------------------------===//

static void emitUnknownAttribute(DialectAsmParser &parser, SMLoc loc,
                                 StringRef word) {
  SmallVector<AttributeSpelling> spellings = getAttributeSpellings();
  SmallVector<StringRef> masks = getMnemonics(spellings, /*masks=*/true);
  SmallVector<StringRef> others = getMnemonics(spellings, /*masks=*/false);
  SmallVector<StringRef> all = masks;
  llvm::append_range(all, others);
  parser.emitError(loc) << "unknown attribute `" << word
                        << "` in dialect `sparse_attn`"
                        << suggestName(word, all) << "; the masks are "
                        << quoteList(masks) << ", other attributes "
                        << quoteList(others);
}

/// What is left of `spec` behind the place that the parser has reached.
static bool hasRest(DialectAsmParser &parser, StringRef spec) {
  const char *reached = parser.getCurrentLocation().getPointer();
  return reached >= spec.begin() && reached < spec.end();
}

Attribute SparseAttnDialect::parseAttribute(DialectAsmParser &parser,
                                            Type type) const {
  StringRef spec = parser.getFullSymbolSpec();
  StringRef word =
      spec.take_while([](char c) { return llvm::isAlnum(c) || c == '_'; });
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<AttributeSpelling> spellings = getAttributeSpellings();
  auto *spelling = llvm::find_if(
      spellings, [&](const auto &known) { return known.mnemonic == word; });
  if (spelling == spellings.end()) {
    emitUnknownAttribute(parser, loc, word);
    return {};
  }

  ParameterHelp help(parser.getContext(), *spelling);
  StringRef unknown;
  Attribute attribute;
  OptionalParseResult parsed =
      generatedAttributeParser(parser, &unknown, type, attribute);
  if (!parsed.has_value() || !attribute)
    return {};
  if (hasRest(parser, spec)) {
    parser.emitError(parser.getCurrentLocation())
        << "unexpected text behind `" << word
        << "`, which has no further parameters";
    return {};
  }
  return attribute;
}

void SparseAttnDialect::printAttribute(Attribute attribute,
                                       DialectAsmPrinter &printer) const {
  (void)generatedAttributePrinter(attribute, printer);
}

static ParseResult parseUnknownOp(OpAsmParser &parser, OperationState &state) {
  StringRef name = state.name.getStringRef().split('.').second;
  SmallVector<StringRef> names = getOpNames();
  return parser.emitError(parser.getNameLoc())
         << "unknown operation `" << name << "` in dialect `sparse_attn`"
         << suggestName(name, names) << "; there are " << quoteList(names);
}

std::optional<Dialect::ParseOpHook>
SparseAttnDialect::getParseOperationHook(StringRef name) const {
  // Those that exist have parsers of their own.
  if (auto known = Dialect::getParseOperationHook(name))
    return known;
  // A hook is a reference to what it calls, so that can only be a function.
  return parseUnknownOp;
}

void SparseAttnDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "SparseAttn/IR/SparseAttnAttributes.cpp.inc"
      >();
}

namespace {
/// No op of ours knows which function it stands in.
struct Inlining : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
};
} // namespace

void SparseAttnDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "SparseAttn/IR/SparseAttnTypes.cpp.inc"
      >();
}

void SparseAttnDialect::initialize() {
  registerTypes();
  addInterfaces<Inlining>();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "SparseAttn/IR/SparseAttnOps.cpp.inc"
      >();
}
