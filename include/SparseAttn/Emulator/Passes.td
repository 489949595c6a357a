//===- Passes.td - Passes of the emulator ------------------*- tablegen -*-===//

#ifndef SPARSEATTN_EMULATOR_PASSES_TD
#define SPARSEATTN_EMULATOR_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnEmulate : Pass<"sparse-attn-emulate", "::mlir::ModuleOp"> {
  let summary = "make host code of lowered GPU kernels";
  let description = [{
    For machines without a GPU. Expects kernels in the LLVM and NVVM dialects,
    in `gpu.module`s, taking bare pointers and scalars, and synchronous
    `gpu.launch_func`s of them. A kernel becomes a host function that acts as
    one of its threads and calls the emulator's runtime (`Runtime.h`):

    - before each load, store and atomic access of global (1), shared (3) or
      generic (0) memory, to check it;
    - for each NVVM op, in place of the op;
    - for the address of a variable in shared memory, which every block has a
      copy of.

    A launch becomes a call with the kernel's descriptor, the shape of the grid
    and the arguments. All pointers become plain ones. What the emulator does not
    know is an error.

    ```mlir
    gpu.module @m {
      llvm.func @kernel(%p: !llvm.ptr<1>) attributes {nvvm.kernel} {
        %x = nvvm.read.ptx.sreg.tid.x : i32
        %q = llvm.getelementptr %p[%x] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
        %v = llvm.load %q : !llvm.ptr<1> -> f32
        ...
    gpu.launch_func @m::@kernel blocks in (...) threads in (...) args(%a : !llvm.ptr)

    // becomes

    llvm.func internal @m_kernel(%p: !llvm.ptr) {
      %x = llvm.call @sparse_attn_emu_special_register(%tidX) : (i32) -> i32
      %q = llvm.getelementptr %p[%x] : (!llvm.ptr, i32) -> !llvm.ptr, f32
      llvm.call @sparse_attn_emu_access_global(%q, %bytes, %alignment, %read, %operation)
      %v = llvm.load %q : !llvm.ptr -> f32
      ...
    llvm.call @sparse_attn_emu_launch(%descriptor, ...)
    ```

    With `export-kernels`, a table of all kernels under the name
    `sparse_attn_emu_module` lets a program that has no IR find and launch them
    (`KernelModule` in `Runtime.h`).
  }];
  let options = [
    Option<"exportKernels", "export-kernels", "bool", /*default=*/"false",
           "Add a table of the kernels, for programs that launch them by name">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

#endif // SPARSEATTN_EMULATOR_PASSES_TD
