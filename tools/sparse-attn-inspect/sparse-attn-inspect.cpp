//===- sparse-attn-inspect.cpp - What a mask leaves, costs and reaches ----===//

#include "Inspection.h"
#include "Planning.h"
#include "Sizes.h"
#include "SparseAttn/Inspect/Picture.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Support/BugReport.h"
#include "SparseAttn/Support/Entry.h"
#include "SparseAttn/Support/Source.h"
#include "SparseAttn/Support/Version.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/WithColor.h"
#include <vector>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspect_tool;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::support;
namespace cl = llvm::cl;

static cl::OptionCategory category("sparse-attn-inspect options");
static cl::opt<std::string> inputFile(cl::Positional, cl::Required,
                                      cl::desc("FILE"), cl::cat(category));
static cl::opt<std::string>
    entry("entry", cl::value_desc("function"), cl::cat(category),
          cl::desc("Inspect this function only; else all"));
static cl::opt<std::string>
    target("target", cl::value_desc("cpu|gpu|x86-64-v3|sm_80|..."),
           cl::cat(category),
           cl::desc("Plan as the pipeline for this level of processors or chip "
                    "does; a plan in the file must have the same tiles"));
static cl::opt<bool> prove("prove", cl::cat(category),
                           cl::desc("Prove that the plan covers the mask; a "
                                    "refuted plan is an error"));
static cl::opt<int64_t>
    layers("layers", cl::value_desc("number"), cl::cat(category),
           cl::desc("Say what positions reach in so many layers; without it "
                    "only JSON says what is reached at last, and for up to "
                    "16384 positions"));
static cl::list<std::string> shape("shape", cl::value_desc("Sq=1,Sk=4096"),
                                   cl::cat(category),
                                   cl::desc(ShapeBindings::help));
static cl::opt<int64_t> head("head", cl::value_desc("number"), cl::init(0),
                             cl::cat(category),
                             cl::desc("Query head to draw (default 0)"));
static cl::opt<std::string>
    format("format", cl::value_desc("text|json|svg"), cl::init("text"),
           cl::cat(category),
           cl::desc("Output format (default text); svg draws the first "
                    "attention op"));
static cl::opt<std::string>
    outputFile("o", cl::value_desc("file"), cl::init("-"), cl::cat(category),
               cl::desc("Output file (default stdout)"));

static int fail(const Twine &message) {
  llvm::WithColor::error(llvm::errs(), "sparse-attn-inspect")
      << message << "\n";
  return EXIT_FAILURE;
}

static llvm::Expected<InspectionOptions> readOptions() {
  if (!llvm::is_contained({"text", "json", "svg"}, format.getValue()))
    return llvm::createStringError("unknown --format '" + format +
                                   "'; expected text, json or svg");
  if (layers.getNumOccurrences() && layers < 1)
    return llvm::createStringError("--layers must be at least 1, got " +
                                   Twine(layers));
  if (head < 0)
    return llvm::createStringError("--head must not be negative, got " +
                                   Twine(head));
  if (entry.getNumOccurrences() && entry.empty())
    return llvm::createStringError(
        "--entry has no name; give a function's, or leave it out");
  if (target.getNumOccurrences())
    if (llvm::Error unknown = checkTarget(target))
      return std::move(unknown);
  InspectionOptions options;
  options.prove = prove;
  if (layers.getNumOccurrences())
    options.layers = layers;
  options.head = head;
  return options;
}

/// Reads the file, and plans what has no plan as the compiler would.
static llvm::Expected<OwningOpRef<ModuleOp>>
readPlanned(llvm::SourceMgr &sources, MLIRContext &context) {
  llvm::Expected<OwningOpRef<ModuleOp>> module =
      readModule(inputFile, sources, context);
  if (!module)
    return module.takeError();
  if (llvm::Error error = planAttentions(**module, target))
    return std::move(error);
  return module;
}

/// Without them, all rows of a block count for each of its tiles.
static WarpRowsByOp readWarpRows(ModuleOp module) {
  auto warps = findWarpRows(module, target);
  if (warps)
    return std::move(*warps);
  llvm::WithColor::warning(llvm::errs(), "sparse-attn-inspect")
      << "pairs are counted by whole tiles, as no kernels can be made for "
      << target << ": " << llvm::toString(warps.takeError()) << "\n";
  return WarpRowsByOp();
}

static void print(ArrayRef<Inspection> inspections, raw_ostream &os) {
  if (format == "json")
    return printJson(inspections, os);
  if (format == "svg") {
    const Inspection &first = inspections.front();
    constexpr int64_t maxCells = 128;
    return printSvg(first.picture(maxCells),
                    "@" + first.entry + ": " + first.maskText, os);
  }
  llvm::interleave(
      inspections, os,
      [&](const Inspection &inspection) { printReport(inspection, os); }, "\n");
}

/// Writes all of `text` or leaves no file behind. What is no regular file, a
/// device say, is never removed.
static llvm::Error write(StringRef text) {
  std::string error;
  bool special = llvm::sys::fs::exists(outputFile) &&
                 !llvm::sys::fs::is_regular_file(outputFile);
  std::unique_ptr<llvm::ToolOutputFile> file =
      openOutputFile(outputFile, &error);
  if (!file)
    return llvm::createStringError(error);
  if (special)
    file->keep();
  llvm::raw_fd_ostream &os = file->os();
  os << text;
  os.flush();
  if (std::error_code code = os.error()) {
    os.clear_error();
    return llvm::createStringError("cannot write " + outputFile + ": " +
                                   code.message());
  }
  file->keep();
  return llvm::Error::success();
}

/// Inspects and prints; false when a plan was refuted.
static llvm::Expected<bool> run() {
  llvm::Expected<InspectionOptions> options = readOptions();
  if (!options)
    return options.takeError();
  llvm::Expected<ShapeBindings> bindings = ShapeBindings::parse(shape);
  if (!bindings)
    return bindings.takeError();
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  llvm::Expected<OwningOpRef<ModuleOp>> module = readPlanned(sources, context);
  if (!module)
    return module.takeError();
  auto attentions = findAttentions(**module, entry);
  if (!attentions)
    return attentions.takeError();
  if (format == "svg")
    attentions->truncate(1);

  // A name that is none of a size comes before a size that is missing: it may
  // be meant to be that one.
  for (AttentionOp op : *attentions)
    noteNames(op, getPath(op->getParentOfType<FunctionOpInterface>()),
              *bindings);
  if (llvm::Error unbound = bindings->checkAllBound(inputFile))
    return std::move(unbound);
  WarpRowsByOp warps = readWarpRows(**module);
  std::vector<Inspection> inspections;
  for (AttentionOp op : *attentions) {
    llvm::Expected<Inspection> inspection =
        inspect(op, warps[op], *options, *bindings);
    if (!inspection)
      return inspection.takeError();
    inspections.push_back(std::move(*inspection));
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  print(inspections, os);
  if (llvm::Error error = write(text))
    return error;
  return llvm::none_of(inspections, std::mem_fn(&Inspection::isRefuted));
}

int main(int argc, char **argv) {
  setBugReport();
  llvm::InitLLVM init(argc, argv);
  ignoreFileSizeLimit();
  cl::HideUnrelatedOptions(category);
  setVersion("sparse-attn-inspect");
  cl::ParseCommandLineOptions(
      argc, argv,
      "Shows what the masks of a file's attention ops leave, cost and reach\n");
  llvm::Expected<bool> sound = run();
  if (!sound)
    return fail(llvm::toString(sound.takeError()));
  if (!*sound)
    return fail("a plan does not cover its mask; the report has a witness");
  return EXIT_SUCCESS;
}
