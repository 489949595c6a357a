//===- sparse-attn-opt.cpp - Run passes on MLIR files ---------------------===//

#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/TransformOps/DialectExtension.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/Transforms/Passes.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

/// Passes that our pipelines are made of, so that a dumped pipeline parses.
static void registerUpstreamPasses() {
  mlir::arith::registerArithPasses();
  mlir::bufferization::registerBufferizationPasses();
  mlir::LLVM::registerLLVMPasses();
  mlir::memref::registerMemRefPasses();
  mlir::registerConversionPasses();
  mlir::registerLinalgPasses();
  mlir::registerSCFPasses();
  mlir::registerTransformsPasses();
}

/// The transform dialect, by which users tile and fuse attention themselves.
static void registerTransformDialect(mlir::DialectRegistry &registry) {
  registry.insert<mlir::transform::TransformDialect>();
  mlir::linalg::registerTransformDialectExtension(registry);
  mlir::transform::registerInterpreterPass();
  mlir::transform::registerPreloadLibraryPass();
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::sparse_attn::registerDialects(registry);
  mlir::sparse_attn::registerPassesAndPipelines();
  registerUpstreamPasses();
  registerTransformDialect(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Sparse attention optimiser driver\n", registry));
}
