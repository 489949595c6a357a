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

    With `export-kernels`, a table of all kernels under the name
    `sparse_attn_emu_module` lets a program that has no IR find and launch them
    (`KernelModule` in `Runtime.h`).

    Example: test/Emulator/emulate-example.mlir
  }];
  let options = [
    Option<"exportKernels", "export-kernels", "bool", /*default=*/"false",
           "Add a table of the kernels, for programs that launch them by name">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def SparseAttnLowerHost : Pass<"sparse-attn-lower-host", "::mlir::ModuleOp"> {
  let summary = "lower the host code around emulated kernels to the LLVM dialect";
  let description = [{
    Buffers, loops and vectors of host functions become the LLVM dialect, as the
    CPU pipeline makes it. Functions that are in that dialect throughout, as
    emulated kernels are, stand aside as declarations meanwhile: some thirty
    passes that have nothing to do there would take longer for a kernel than all
    else that is done to it.

    Example: test/Emulator/lower-host-example.mlir
  }];
}

#endif // SPARSEATTN_EMULATOR_PASSES_TD
