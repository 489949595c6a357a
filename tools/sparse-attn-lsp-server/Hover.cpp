//===- Hover.cpp - What is to be said of a place in a text ----------------===//

#include "Hover.h"
#include "Inspection.h"
#include "MaskDocs.h"
#include "Planning.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/InitAllDialects.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::lsp_server;
using namespace mlir::sparse_attn::inspect_tool;

static bool isWord(char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; }

/// The mask whose name, `#sparse_attn.NAME`, is there.
static const MaskDoc *findMask(const Place &place) {
  StringRef text = *place.text;
  size_t begin = place.offset, end = place.offset;
  while (begin > 0 && isWord(text[begin - 1]))
    --begin;
  while (end < text.size() && isWord(text[end]))
    ++end;
  if (begin == 0 || text[begin - 1] != '#')
    return nullptr;
  StringRef word = text.slice(begin, end);
  return word.consume_front("sparse_attn.") ? findMaskDoc(word) : nullptr;
}

/// The part of the text between two markers; each part is a file of its own.
static Place findPart(const Place &place) {
  constexpr StringLiteral marker = "// -----";
  StringRef text = *place.text;
  size_t begin = text.take_front(place.offset).rfind(marker);
  begin = begin == StringRef::npos ? 0 : begin;
  size_t end = text.find(marker, place.offset);
  return {std::make_shared<std::string>(text.slice(begin, end)),
          place.offset - begin};
}

/// Which of the attention ops of a module, in order, is at `where`.
static std::optional<size_t>
findAttention(ModuleOp module, const AsmParserState &state, const char *where) {
  Operation *found = nullptr;
  for (const AsmParserState::OperationDefinition &definition :
       state.getOpDefs()) {
    const char *begin = definition.scopeLoc.Start.getPointer();
    for (const auto &group : definition.resultGroups)
      begin = std::min(begin, group.definition.loc.Start.getPointer());
    if (isa<AttentionOp>(definition.op) && begin <= where &&
        where <= definition.scopeLoc.End.getPointer())
      found = definition.op;
  }
  std::optional<size_t> place;
  size_t index = 0;
  module.walk([&](AttentionOp op) {
    if (op == found)
      place = index;
    ++index;
  });
  return place;
}

/// What sparse-attn-inspect says of it, or where sizes are dynamic why it
/// counts nothing.
static std::string inspectAttention(AttentionOp op, ModuleOp module,
                                    StringRef target) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::Expected<WarpRowsByOp> warps = findWarpRows(module, target);
  WarpRows rows;
  if (warps)
    rows = warps->lookup(op);
  else
    llvm::consumeError(warps.takeError());
  support::ShapeBindings bindings =
      llvm::cantFail(support::ShapeBindings::parse({}));
  llvm::Expected<Inspection> inspection = inspect(op, rows, {}, bindings);
  if (inspection) {
    printSummary(*inspection, os);
    return text;
  }
  plan::printPlan(op.getPlan()->getPlan(), os);
  os << "\nnothing is counted: " << llvm::toString(inspection.takeError())
     << "\n";
  return text;
}

static std::string describeAttention(const Place &place, StringRef target) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  std::string problem;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (problem.empty() &&
        diagnostic.getSeverity() == DiagnosticSeverity::Error)
      problem = diagnostic.str();
  });

  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(*place.text, "", true), SMLoc());
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  AsmParserState state;
  if (failed(parseAsmSourceFile(sources, module->getBody(), &context, &state)))
    return {};
  std::optional<size_t> index =
      findAttention(*module, state, place.text->data() + place.offset);
  if (!index)
    return {};
  if (llvm::Error error = planAttentions(*module, target))
    return "no plan: " +
           (problem.empty() ? llvm::toString(std::move(error))
                            : (llvm::consumeError(std::move(error)), problem));
  auto attentions = findAttentions(*module, "");
  if (!attentions || *index >= attentions->size()) {
    llvm::consumeError(attentions.takeError());
    return {};
  }
  return inspectAttention((*attentions)[*index], *module, target);
}

std::string lsp_server::describe(const Place &place, StringRef target) {
  if (const MaskDoc *mask = findMask(place))
    return describe(*mask);
  std::string text = describeAttention(findPart(place), target);
  return text.empty() ? text
                      : "```text\n" + StringRef(text).rtrim().str() + "\n```";
}
