//===- DropTimings.cpp - --sparse-attn-drop-timings -----------------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNDROPTIMINGS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;

/// LLVMIRToISATimeInMs and ISAToBinaryTimeInMs.
static bool isTiming(NamedAttribute property) {
  return property.getName().strref().ends_with("TimeInMs");
}

static Attribute dropTimings(gpu::ObjectAttr object) {
  DictionaryAttr properties = object.getProperties();
  if (!properties)
    return object;
  SmallVector<NamedAttribute> kept =
      llvm::filter_to_vector(properties, std::not_fn(isTiming));
  return gpu::ObjectAttr::get(
      object.getContext(), object.getTarget(), object.getFormat(),
      object.getObject(),
      kept.empty() ? nullptr : DictionaryAttr::get(object.getContext(), kept),
      object.getKernels());
}

namespace {
struct DropTimingsPass
    : sparse_attn::impl::SparseAttnDropTimingsBase<DropTimingsPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](gpu::BinaryOp binary) {
      // Those of the user are not ours to change.
      if (!binary->hasAttr(sparse_attn::kKernelsAttr))
        return;
      SmallVector<Attribute> objects = llvm::map_to_vector(
          binary.getObjects().getAsRange<gpu::ObjectAttr>(), dropTimings);
      binary.setObjectsAttr(ArrayAttr::get(binary.getContext(), objects));
    });
  }
};
} // namespace
