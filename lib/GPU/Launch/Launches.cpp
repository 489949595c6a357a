//===- Launches.cpp - Making launches -------------------------------------===//

#include "Launch/Launches.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;

void kernels::nameKernel(gpu::LaunchOp launch, int64_t number) {
  StringRef function = launch->getParentOfType<func::FuncOp>().getName();
  launch.setFunctionAttr(FlatSymbolRefAttr::get(
      launch.getContext(), (function + "_" + Twine(number)).str()));
}

/// True for what a kernel may compute again: arithmetic, constants and sizes
/// of buffers.
static bool isSinkable(Operation *op) {
  return op && op->getNumRegions() == 0 && isPure(op) &&
         llvm::none_of(op->getResultTypes(),
                       [](Type type) { return isa<MemRefType>(type); }) &&
         !isa<LaunchArgumentOp>(op);
}

void kernels::sinkScalars(gpu::LaunchOp launch) {
  Region &body = launch.getBody();
  OpBuilder b = OpBuilder::atBlockBegin(&body.front());
  while (true) {
    llvm::SetVector<Value> above;
    getUsedValuesDefinedAbove(body, above);
    bool changed = false;
    for (Value value : above) {
      Operation *op = value.getDefiningOp();
      if (!isSinkable(op))
        continue;
      b.setInsertionPointToStart(&body.front());
      Operation *clone = b.clone(*op);
      for (auto [old, fresh] : llvm::zip(op->getResults(), clone->getResults()))
        replaceAllUsesInRegionWith(old, fresh, body);
      changed = true;
    }
    if (!changed)
      return;
  }
}

/// It is marked as one of kernels.
memref::GlobalOp kernels::KernelTables::copyOf(memref::GlobalOp table,
                                               StringRef function) {
  memref::GlobalOp &copy = copies[table];
  if (copy)
    return copy;
  copy = table.clone();
  copy.setSymName((function + "_table").str());
  copy.setType(inSpace(table.getType(), gpu::AddressSpace::Global));
  copy->setAttr(kKernelsAttr, UnitAttr::get(table.getContext()));
  symbols.insert(copy, std::next(table->getIterator()));
  return copy;
}

void kernels::KernelTables::sinkInto(gpu::LaunchOp launch) {
  Region &body = launch.getBody();
  StringRef function = launch->getParentOfType<func::FuncOp>().getName();
  llvm::SetVector<Value> above;
  getUsedValuesDefinedAbove(body, above);
  OpBuilder b = OpBuilder::atBlockBegin(&body.front());
  for (Value value : above) {
    auto taken = value.getDefiningOp<memref::GetGlobalOp>();
    auto table =
        taken ? symbols.lookup<memref::GlobalOp>(taken.getName()) : nullptr;
    if (!table || !table.getConstant() || table.getType().getMemorySpace())
      continue;
    memref::GlobalOp copy = copyOf(table, function);
    Value buffer = memref::GetGlobalOp::create(
        b, value.getLoc(), copy.getType(), copy.getSymName());
    replaceAllUsesInRegionWith(value, buffer, body);
  }
}

void kernels::dropTables(ModuleOp module) {
  for (auto table :
       llvm::make_early_inc_range(module.getOps<memref::GlobalOp>()))
    if (table->hasAttr(kKernelsAttr))
      table.erase();
}

MemRefType kernels::inSpace(MemRefType type, gpu::AddressSpace space) {
  return MemRefType::get(type.getShape(), type.getElementType(),
                         type.getLayout(),
                         gpu::AddressSpaceAttr::get(type.getContext(), space));
}

void kernels::moveToGlobalSpace(gpu::LaunchOp launch) {
  Region &body = launch.getBody();
  OpBuilder b = OpBuilder::atBlockBegin(&body.front());
  llvm::SetVector<Value> above;
  getUsedValuesDefinedAbove(body, above);
  for (Value value : above) {
    auto type = dyn_cast<MemRefType>(value.getType());
    if (!type || type.getMemorySpace())
      continue;
    Value cast = memref::MemorySpaceCastOp::create(
        b, launch.getLoc(), inSpace(type, gpu::AddressSpace::Global), value);
    value.replaceUsesWithIf(cast, [&](OpOperand &use) {
      return !isa<memref::MemorySpaceCastOp>(use.getOwner()) &&
             body.isAncestor(use.getOwner()->getParentRegion());
    });
  }
  body.walk([](ViewLikeOpInterface view) {
    auto source = dyn_cast<MemRefType>(view.getViewSource().getType());
    Value result = view.getOperation()->getResult(0);
    auto type = dyn_cast<MemRefType>(result.getType());
    auto space =
        source
            ? dyn_cast_or_null<gpu::AddressSpaceAttr>(source.getMemorySpace())
            : gpu::AddressSpaceAttr();
    if (space && type && !type.getMemorySpace())
      result.setType(inSpace(type, space.getValue()));
  });
}
