// Lowers the file it is given to the LLVM dialect.

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::sparse_attn::registerDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(argv[1], &context);
  if (!module)
    return 1;
  module->walk([](mlir::sparse_attn::AttentionOp op) {
    llvm::outs() << "mask " << op.getMask() << "\n";
  });
  mlir::PassManager pm(&context);
  mlir::sparse_attn::buildCPUPipeline(pm, {});
  if (failed(pm.run(*module)))
    return 1;
  llvm::outs() << *module;
  return 0;
}
