//===- Hover.cpp - What is to be said of a place in a text ----------------===//

#include "Hover.h"
#include "Inspection.h"
#include "MaskDocs.h"
#include "Planning.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
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

/// The attention op that is at `where`, or at whose results that is.
static AttentionOp findAttention(const AsmParserState &state,
                                 const char *where) {
  for (const AsmParserState::OperationDefinition &definition :
       state.getOpDefs()) {
    const char *begin = definition.scopeLoc.Start.getPointer();
    for (const auto &group : definition.resultGroups)
      begin = std::min(begin, group.definition.loc.Start.getPointer());
    auto op = dyn_cast<AttentionOp>(definition.op);
    if (op && begin <= where && where <= definition.scopeLoc.End.getPointer())
      return op;
  }
  return {};
}

/// The op alone, in a function of its function's name: what is around it takes
/// time to be lowered, and may not be lowered at all.
static OwningOpRef<ModuleOp> isolate(AttentionOp op) {
  llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), values);
  OwningOpRef<ModuleOp> module = ModuleOp::create(op.getLoc());
  OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
  auto around = op->getParentOfType<FunctionOpInterface>();
  auto func = func::FuncOp::create(
      b, op.getLoc(), around ? around.getName() : "attention",
      b.getFunctionType(TypeRange(values.getArrayRef()), op->getResultTypes()));
  Block *body = func.addEntryBlock();
  IRMapping arguments;
  arguments.map(values.getArrayRef(), body->getArguments());
  b.setInsertionPointToEnd(body);
  Operation *alone = b.clone(*op, arguments);
  func::ReturnOp::create(b, op.getLoc(), alone->getResults());
  return module;
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
  AttentionOp op = findAttention(state, place.text->data() + place.offset);
  if (!op)
    return {};
  OwningOpRef<ModuleOp> alone = isolate(op);
  if (llvm::Error error = planAttentions(*alone, target)) {
    std::string reason = llvm::toString(std::move(error));
    return "no plan: " + (problem.empty() ? reason : problem);
  }
  auto attentions = llvm::cantFail(findAttentions(*alone, ""));
  return inspectAttention(attentions.front(), *alone, target);
}

std::string lsp_server::describe(const Place &place, StringRef target) {
  if (const MaskDoc *mask = findMask(place))
    return describe(*mask);
  std::string text = describeAttention(findPart(place), target);
  return text.empty() ? text
                      : "```text\n" + StringRef(text).rtrim().str() + "\n```";
}
