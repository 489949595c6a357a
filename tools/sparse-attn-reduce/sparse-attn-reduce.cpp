//===- sparse-attn-reduce.cpp - Make a file that fails smaller ------------===//

#include "ReductionPatterns.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Support/BugReport.h"
#include "SparseAttn/Support/Version.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "llvm/Support/InitLLVM.h"

using namespace mlir::sparse_attn;

int main(int argc, char **argv) {
  support::setBugReport();
  llvm::InitLLVM init(argc, argv);
  support::setVersion("sparse-attn-reduce");
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  reduce_tool::registerReductionPatterns(registry);
  registerPassesAndPipelines();
  mlir::registerAllPasses();
  mlir::MLIRContext context(registry);
  // Without a handler only errors are printed, and upstream fails by a warning.
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Warning)
      return mlir::failure();
    llvm::errs() << "sparse-attn-reduce: warning: " << diagnostic << "\n";
    return mlir::success();
  });
  return failed(mlir::mlirReduceMain(argc, argv, context));
}
