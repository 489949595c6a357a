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

    ```mlir
    func.func @f(%q: memref<1x12x?x64xbf16>, ...) -> memref<1x12x?x64xbf16> {
      %o = memref.alloc(%rows) : memref<1x12x?x64xbf16>
      %tile = memref.subview %q[...] ... to memref<128x64xbf16, strided<[64, 1], offset: ?>>
    // becomes
    func.func @f(%q: memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>>, ...,
                 %o: memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>>) -> ... {
      %tile = memref.subview %q[...] ... to memref<128x64xbf16, strided<[?, 1], offset: ?>>
    ```
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

    ```mlir
    func.func @f(%q: memref<4xf32>, %init: memref<4xf32>)
        -> (memref<4xf32>, memref<4xf32>) {
      %o = memref.alloc() : memref<4xf32>
      ...
      return %o, %init : memref<4xf32>, memref<4xf32>
    }
    // becomes
    func.func @f(%q: memref<4xf32>, %init: memref<4xf32>, %o: memref<4xf32>)
        attributes {sparse_attn.result_places = array<i64: 2, 1>, ...} {
      ...
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

#endif // SPARSEATTN_BOUNDARY_PASSES_TD
