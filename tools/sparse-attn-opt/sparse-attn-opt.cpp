//===- sparse-attn-opt.cpp - Run passes on MLIR files ---------------------===//

#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::sparse_attn::registerDialects(registry);
  mlir::sparse_attn::registerPassesAndPipelines();
  mlir::registerTransformsPasses();
  mlir::registerSCFPasses();
  mlir::registerLinalgPasses();
  mlir::bufferization::registerBufferizationPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Sparse attention optimiser driver\n", registry));
}
