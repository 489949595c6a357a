//===- Passes.td - Passes of storeys 4 and 5 for the CPU ---*- tablegen -*-===//

#ifndef SPARSEATTN_CPU_PASSES_TD
#define SPARSEATTN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnStepsToLanes : Pass<"sparse-attn-steps-to-lanes"> {
  let summary = "decompose steps over tiles for a CPU, queries in the vector lanes";
  let description = [{
    The tiles of a `sparse_attn.step` become f32 tiles of linalg, in which the
    queries are the innermost dimension: scores are [keys, queries], the
    accumulator is [Dv, queries], so that the running maximum and the row sum are
    elementwise on vectors. Queries are transposed once a query tile, and take
    the sign and the power of two of the scale.

    ```mlir
    %n = sparse_attn.step %state ins(%q, %k, %v ...) ... : !sparse_attn.state<32x64xf32>
    // becomes
    %s = linalg.generic ins(%k, %qt) outs(%zero) ... -> tensor<32x32xf32> // keys, queries
    %m = linalg.generic ins(%s) outs(%lowest) { arith.maxnumf } -> tensor<32xf32>
    ...
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def SparseAttnTileRegisters
    : Pass<"sparse-attn-tile-registers", "::mlir::func::FuncOp"> {
  let summary = "tile linalg ops to vector registers and vectorise them";
  let description = [{
    Storey 4 for the CPU. A contraction C[m, n] += A[m, k] * B[k, n] becomes a
    micro-kernel: a block of C stays in registers while the loop over k reads
    vectors of B and broadcasts scalars of A, so that neither A nor B is ever
    packed and no reduction is horizontal. An elementwise op that alone uses the
    result runs on the block before it is stored. A reduction over the rows of a
    tile becomes a loop that carries its result in registers, fused with the
    elementwise op that makes the tile; a sum that may be reassociated
    (`reassoc`) is formed in groups of rows, each from zero, which loses less.
    Every other linalg op is tiled to one vector along its innermost parallel
    dimension and vectorised by the upstream vectoriser.
    Ops that the vectoriser declines run as scalar loops; a remark says so, and
    another one where tiles leave lanes of a vector idle.

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
  let summary = "expand exp and exp2 of f32 into instructions a CPU has";
  let description = [{
    `math.exp` and `math.exp2` of f32 that allow an approximation (`afn`) become
    a polynomial and an exponent: the error is below 0.8 units in the last
    place; results below 2^-126 flush to zero; NaN stays NaN. A constant factor
    of the operand joins the reduction of its range, exactly, where the product
    need not be rounded (`contract`). All other ops stay: a user's own
    exponentials are left to the upstream lowerings.

    ```mlir
    %y = math.exp2 %x fastmath<afn> : f32
    // becomes, with 1.5 * 2^23 + 127 as %magic
    %t = arith.addf %x, %magic : f32      // its last bits: n + 127
    %n = arith.subf %t, %magic : f32
    %f = arith.subf %x, %n : f32          // in [-1/2, 1/2]
    %p = math.fma ...                     // 2^f, 6 of these
    %b = arith.shli (arith.bitcast %t), 23
    %y = arith.mulf %p, (arith.bitcast %b) : f32
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
