//===- Passes.td - What functions take and return ----------*- tablegen -*-===//

#ifndef SPARSEATTN_BOUNDARY_PASSES_TD
#define SPARSEATTN_BOUNDARY_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnDynamicStrides
    : Pass<"sparse-attn-dynamic-strides", "::mlir::ModuleOp"> {
  let summary = "take tensors whose rows lie anywhere";
  let description = [{
    Functions that nobody in the module calls take and return buffers of any
    strides, but of rows without gaps, such as the `[B, H, S, D]` view of a
    `[B, S, H, D]` tensor; what is done with them follows. Buffers that are
    allocated to be returned become arguments behind the others, so that the
    caller chooses their strides too. Buffers of one dimension, and those that
    something needs dense, stay as they are. Run after bufferisation.

    Example: test/Boundary/dynamic-strides-example.mlir
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def SparseAttnResultsToArguments
    : Pass<"sparse-attn-results-to-arguments", "::mlir::ModuleOp"> {
  let summary = "write results into buffers that the caller gives";
  let description = [{
    A caller that has the memory for the results gets no copy of them: buffers
    that a function allocates and returns become arguments, after all others. The
    function's attribute `sparse_attn.result_places` has the number of the argument
    that each result is, one that it had or a new one, and `sparse_attn.buffers`
    the function's type, whose layouts are lost when it is lowered. Functions that
    the module itself calls stay as they are.

    Unlike upstream's `buffer-results-to-out-params` and
    `drop-equivalent-buffer-results` it says where every result is.

    Example: test/Boundary/results-to-arguments-example.mlir
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

#endif // SPARSEATTN_BOUNDARY_PASSES_TD
