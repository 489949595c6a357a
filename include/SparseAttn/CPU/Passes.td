//===- Passes.td - Passes of storeys 4 and 5 for the CPU ---*- tablegen -*-===//

#ifndef SPARSEATTN_CPU_PASSES_TD
#define SPARSEATTN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnTileRegisters
    : Pass<"sparse-attn-tile-registers", "::mlir::func::FuncOp"> {
  let summary = "tile linalg ops to vector registers and vectorise them";
  let description = [{
    Storey 4 for the CPU. A contraction C[m, n] += A[m, k] * B[k, n] becomes a
    micro-kernel: a block of C stays in registers while the loop over k reads
    vectors of B and broadcasts scalars of A, so that neither A nor B is ever
    packed and no reduction is horizontal. Every other linalg op is tiled to one
    vector along its innermost parallel dimension and vectorised by the
    upstream vectoriser; reductions keep their accumulator in a register.
    Ops that the pass does not know stay as they are.

    ```mlir
    %c = linalg.generic ins(%a, %b : tensor<64x16xf32>, tensor<16x48xf32>) ...
    // becomes
    scf.for %m = 0 to 64 step 8 {
      %acc:24 = scf.for %k = 0 to 16 iter_args(...) -> (vector<16xf32>, ...) {
        %b0 = vector.transfer_read %b[%k, 0] // and [%k, 16], [%k, 32]
        %x = tensor.extract %a[%m, %k]       // and of the rows %m + 1 ... + 7
        %y = vector.fma (vector.broadcast %x), %b0, %acc0 // 24 of these
      }
      vector.transfer_write %acc#0, %c[%m, 0] // 24 of these
    }
    ```
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "f32 lanes of a vector register">,
    Option<"registers", "registers", "int64_t", "32",
           "Number of vector registers">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

def SparseAttnExpandMath : Pass<"sparse-attn-expand-math"> {
  let summary = "expand exp2 and max of f32 into instructions a CPU has";
  let description = [{
    `math.exp2` becomes a polynomial and an exponent (relative error below
    2^-23; results below 2^-126 flush to zero; NaN stays NaN), `arith.maxnumf`
    a compare and a select: one instruction on x86, where the IEEE maximum costs
    four. A NaN score, the first operand, leaves the running maximum alone and
    reaches the result through the exponential. A NaN in the second operand is
    kept, which the IEEE operation would drop: attention never has one there.

    ```mlir
    %m = arith.maxnumf %x, %y : f32
    // becomes
    %greater = arith.cmpf ogt, %x, %y : f32
    %m = arith.select %greater, %x, %y : f32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def SparseAttnExpandCopies : Pass<"sparse-attn-expand-copies"> {
  let summary = "turn copies between strided buffers into linalg ops";
  let description = [{
    A `memref.copy` between buffers that are not both contiguous would become a
    call into MLIR's runtime library; as a `linalg.generic` it becomes a loop.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def SparseAttnThreadBuffers : Pass<"sparse-attn-thread-buffers"> {
  let summary = "allocate tile buffers once a thread, schedule tiles dynamically";
  let description = [{
    Moves stack buffers of static size out of all loops, to the entry of the
    OpenMP parallel region around them or of the function: a thread allocates
    its tiles once. Query tiles of causal or ragged masks differ in length, so
    equal shares of tiles are not equal shares of work: OpenMP loops get a
    dynamic schedule, one tile at a time.

    ```mlir
    omp.parallel {                       omp.parallel {
      omp.wsloop {                         %s = memref.alloca()
        omp.loop_nest (...) {              omp.wsloop schedule(dynamic) {
          memref.alloca_scope {    ->        omp.loop_nest (...) {
            %s = memref.alloca()               ...
            ...
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect",
                           "::mlir::omp::OpenMPDialect"];
}

#endif // SPARSEATTN_CPU_PASSES_TD
