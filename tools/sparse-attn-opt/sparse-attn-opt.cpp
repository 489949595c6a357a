//===- sparse-attn-opt.cpp - Run passes on MLIR files ---------------------===//

#include "SparseAttn/Emulator/Pipeline.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Support/BugReport.h"
#include "SparseAttn/Support/Source.h"
#include "SparseAttn/Support/Version.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Dialect/Transform/Transforms/Passes.h"
#include "mlir/Dialect/Transform/Transforms/TransformInterpreterUtils.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Debug.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::support;

/// Passes that our pipelines are made of, so that a dumped pipeline parses.
static void registerUpstreamPasses() {
  mlir::arith::registerArithPasses();
  mlir::bufferization::registerBufferizationPasses();
  mlir::LLVM::registerLLVMPasses();
  mlir::memref::registerMemRefPasses();
  mlir::registerConversionPasses();
  mlir::registerGPUPasses();
  mlir::registerLinalgPasses();
  mlir::registerSCFPasses();
  mlir::registerTransformsPasses();
}

namespace {
/// Those of upstream's pass.
struct LibraryOptions : mlir::PassPipelineOptions<LibraryOptions> {
  ListOption<std::string> paths{
      *this, "transform-library-paths",
      llvm::cl::desc("Files and directories of sequences to load")};
};
} // namespace

/// Upstream's --transform-preload-library, for files that have been looked at.
static llvm::LogicalResult preloadLibraries(
    mlir::OpPassManager &pm, llvm::StringRef text,
    llvm::function_ref<llvm::LogicalResult(const llvm::Twine &)> error) {
  LibraryOptions options;
  if (failed(options.parseFromString(text)))
    return mlir::failure();
  mlir::transform::PreloadLibraryPassOptions upstream;
  llvm::append_range(upstream.transformLibraryPaths, options.paths);
  mlir::MLIRContext context;
  llvm::SmallVector<std::string> files;
  if (failed(mlir::transform::detail::expandPathsToMLIRFiles(
          upstream.transformLibraryPaths, &context, files)))
    return mlir::failure();
  for (const std::string &file : files)
    if (auto checked = openSource(file); !checked)
      return error(llvm::toString(checked.takeError()));
  pm.addPass(mlir::transform::createPreloadLibraryPass(std::move(upstream)));
  return mlir::success();
}

/// All that upstream has, so that whatever a pass prints is read again, what
/// other compilers put beside attention, too; and the transform dialect, by
/// which users tile and fuse attention themselves.
static void registerUpstreamDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::transform::registerInterpreterPass();
  mlir::registerPassPipeline(
      "transform-preload-library",
      "load sequences of the transform dialect from files", preloadLibraries,
      [](llvm::function_ref<void(const mlir::detail::PassOptions &)> visit) {
        visit(LibraryOptions());
      });
}

/// LLVM's --debug-only, in a build with assertions on an LLVM without: what our
/// passes print of their decisions is there, and LLVM has no option for it.
static void registerDebugOption() {
#ifndef NDEBUG
  if (llvm::cl::getRegisteredOptions().contains("debug-only"))
    return;
  static llvm::cl::list<std::string> debugOnly(
      "debug-only", llvm::cl::CommaSeparated, llvm::cl::value_desc("passes"),
      llvm::cl::desc("Show what these passes decide, by their flags' names"),
      llvm::cl::callback([](const std::string &) {
        llvm::SmallVector<const char *> types;
        for (const std::string &type : debugOnly)
          types.push_back(type.c_str());
        llvm::DebugFlag = true;
        llvm::setCurrentDebugTypes(types.data(), types.size());
      }));
#endif
}

static int fail(const llvm::Twine &message) {
  llvm::errs() << "sparse-attn-opt: error: " << message << "\n";
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  setBugReport();
  llvm::InitLLVM init(argc, argv);
  ignoreFileSizeLimit();
  mlir::DialectRegistry registry;
  registerDialects(registry);
  registerPassesAndPipelines();
  registerEmulator();
  registerUpstreamPasses();
  registerUpstreamDialects(registry);
  setVersion("sparse-attn-opt");
  registerDebugOption();
  auto [inputFile, outputFile] = mlir::registerAndParseCLIOptions(
      argc, argv, "Sparse attention optimiser driver\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, inputFile, outputFile, registry));

  for (const std::string &filter :
       {config.getRemarksAllFilter(), config.getRemarksPassedFilter(),
        config.getRemarksFailedFilter(), config.getRemarksMissedFilter(),
        config.getRemarksAnalyseFilter()}) {
    std::string error;
    if (!filter.empty() && !llvm::Regex(filter).isValid(error))
      return fail("the filter of remarks '" + filter +
                  "' is no regular expression: " + error);
  }

  // That of dialects is read by MlirOptMain itself.
  if (llvm::StringRef dialects = config.getIrdlFile(); !dialects.empty())
    if (auto checked = openSource(dialects); !checked)
      return fail(llvm::toString(checked.takeError()));
  auto input = openSource(inputFile, config.inputSplitMarker());
  if (!input)
    return fail(llvm::toString(input.takeError()));
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output =
      mlir::openOutputFile(outputFile, &message);
  if (!output)
    return fail(message);
  if (failed(
          mlir::MlirOptMain(output->os(), std::move(*input), registry, config)))
    return EXIT_FAILURE;
  output->keep();
  return EXIT_SUCCESS;
}
