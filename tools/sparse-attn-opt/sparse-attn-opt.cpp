//===- sparse-attn-opt.cpp - Run passes on MLIR files ---------------------===//

#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Support/Error.h"
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
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
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

/// All that upstream has, so that whatever a pass prints is read again, what
/// other compilers put beside attention, too; and the transform dialect, by
/// which users tile and fuse attention themselves.
static void registerUpstreamDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::transform::registerInterpreterPass();
  mlir::transform::registerPreloadLibraryPass();
}

/// Opens the input and looks at it before the parser does.
static llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
openChecked(llvm::StringRef path, const SourceOptions &options) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> input =
      mlir::openInputFile(path, &message);
  if (!input)
    return makeError("{0}", message);
  llvm::SourceMgr sources;
  unsigned id = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(*input), llvm::SMLoc());
  if (llvm::Error refused = checkSource(sources, id, path, options))
    return std::move(refused);
  return input;
}

static int fail(llvm::StringRef message) {
  llvm::errs() << "sparse-attn-opt: error: " << message << "\n";
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  registerDialects(registry);
  registerPassesAndPipelines();
  registerUpstreamPasses();
  registerUpstreamDialects(registry);
  setVersion("sparse-attn-opt");
  llvm::cl::OptionCategory category("sparse-attn-opt options");
  llvm::cl::opt<bool> allowBytecode(
      "allow-bytecode", llvm::cl::cat(category),
      llvm::cl::desc("Also read bytecode, which must be "
                     "trusted: MLIR's reader can be crashed"));
  auto [inputFile, outputFile] = mlir::registerAndParseCLIOptions(
      argc, argv, "Sparse attention optimiser driver\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, inputFile, outputFile, registry));

  SourceOptions options;
  options.splitMarker = config.inputSplitMarker();
  options.bytecodeFlag = "--allow-bytecode";
  options.allowBytecode = allowBytecode;
  auto input = openChecked(inputFile, options);
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
