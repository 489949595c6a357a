//===- Passes.td - From steps to the LLVM dialect, CPUs ----*- tablegen -*-===//

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
    the sign and the power of two of the scale. Requires steps on tensors, as
    `sparse-attn-visit-tiles` makes them, and leaves none.

    Example: test/CPU/steps-to-lanes-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def SparseAttnCountProducts
    : Pass<"sparse-attn-count-products", "::mlir::ModuleOp"> {
  let summary = "count the multiply-adds of products of tiles, when they run";
  let description = [{
    Before each contraction inside of a loop, all of whose sizes are static, stands a
    call of `sparse_attn_count_multiply_adds(i64)` with the number of its multiply-adds.
    Who runs the code defines that function, and so learns what is computed from the
    code that computes it, and not from the plan that the code was made of. Threads
    call it at once. Run behind `sparse-attn-steps-to-lanes`.

    Example: test/CPU/count-products-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect"];
}

def SparseAttnTileRegisters
    : Pass<"sparse-attn-tile-registers", "::mlir::func::FuncOp"> {
  let summary = "tile linalg ops to vector registers and vectorise them";
  let description = [{
    A contraction C[m, n] += A[m, k] * B[k, n] becomes a
    micro-kernel: a block of C stays in registers while the loop over k reads
    vectors of B and broadcasts scalars of A, so that neither A nor B is ever
    packed and no reduction is horizontal. An elementwise op that alone uses the
    result runs on the block before it is stored. A reduction over the rows of a
    tile becomes a loop that carries its result in registers, fused with the
    elementwise op that makes the tile; a sum that may be reassociated
    (`reassoc`) is formed in groups of rows, each from zero, which loses less.
    In these, what is the same in all lanes is computed once, and the index of
    the loop that lanes run along is one scalar and the lanes' numbers. A tensor
    that an elementwise op reads at a row and a clamped key, such as a bias, is
    read before into a tile, in vectors along the keys.
    Every other linalg op is tiled to one vector along its innermost parallel
    dimension and vectorised by the upstream vectoriser.
    Ops that the vectoriser declines run as scalar loops; a remark says so, and
    another one where tiles leave lanes of a vector idle. Run before
    bufferisation.

    Example: test/CPU/tile-registers-example.mlir
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "f32 lanes of a vector register">,
    Option<"registers", "registers", "int64_t", "32",
           "Number of vector registers">,
    Option<"target", "target", "std::string", "\"\"",
           "Level of processors (x86-64-v3, ...) whose lanes and registers "
           "replace those given">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

def SparseAttnExpandMath : Pass<"sparse-attn-expand-math"> {
  let summary = "expand exp, exp2 and tanh of f32 into instructions a CPU has";
  let description = [{
    `math.exp` and `math.exp2` of f32 that allow an approximation (`afn`) become
    a polynomial and an exponent: the error is below 0.8 units in the last
    place; results below 2^-126 flush to zero; NaN stays NaN. A constant factor
    of the operand joins the reduction of its range, exactly, where the product
    need not be rounded (`contract`). `math.tanh` with `afn` becomes a polynomial
    of a small operand, and elsewhere a power of two and a division: the relative
    error is near 2^-22. All other ops stay: a user's own exponentials are left
    to the upstream lowerings. Upstream's lowering would call a library for each
    lane. With `logarithms`, for code that no library is linked to, `math.log`
    of f32 becomes upstream's polynomial.

    Example: test/CPU/expand-math-example.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
  let options = [
    Option<"logarithms", "logarithms", "bool", /*default=*/"false",
           "Expand math.log, too">];
}

def SparseAttnExpandCopies : Pass<"sparse-attn-expand-copies"> {
  let summary = "turn copies between strided buffers into linalg ops";
  let description = [{
    A `memref.copy` between buffers that are not both contiguous would become a
    call into MLIR's runtime library; as a `linalg.generic` it becomes a loop.
    A `sparse_attn.write_rows` becomes a loop of copies of rows.
    Run after bufferisation, before linalg becomes loops.

    Example: test/CPU/expand-copies-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def SparseAttnThreadBuffers : Pass<"sparse-attn-thread-buffers"> {
  let summary = "allocate tile buffers once a thread, schedule tiles dynamically";
  let description = [{
    Moves stack buffers of static size out of all loops, to the entry of the
    OpenMP parallel region around them or of the function: a thread allocates
    its tiles once. Query tiles of causal or ragged masks differ in length, so
    equal shares of tiles are not equal shares of work: OpenMP loops get a
    dynamic schedule, one tile at a time. Run after the conversion to OpenMP,
    where there is one, and after vectors have taken stack buffers of their own.

    Example: test/CPU/thread-buffers-example.mlir
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect",
                           "::mlir::omp::OpenMPDialect"];
}

def SparseAttnLoopsToKernels
    : Pass<"sparse-attn-loops-to-kernels", "::mlir::ModuleOp"> {
  let summary = "make functions of the parallel loops of a host function";
  let description = [{
    For hosts that run a function once for each workgroup: each `scf.parallel` in a
    function's own block becomes a private function with the attribute
    `sparse_attn.kernel`, which takes the buffers that it uses and the number of
    a workgroup, and is called for all of them by an `scf.forall`. Other ops that
    read or write memory become kernels of one workgroup, as many as follow
    each other in one. Buffers on the stack of the host function are allocated
    instead. On the host are left buffers and the arithmetic of their sizes, which
    kernels do again. Run after bufferisation.

    Example: test/CPU/loops-to-kernels-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"];
}

def SparseAttnByteKernels
    : Pass<"sparse-attn-byte-kernels", "::mlir::ModuleOp"> {
  let summary = "let kernels of loops take bytes and integers";
  let description = [{
    Whoever calls a kernel of `sparse-attn-loops-to-kernels` need not know types:
    buffers become `memref<?xi8>`, and all their dynamic sizes, in order, integers of 32 bits
    behind them; the number of the workgroup stays last. Host functions, which call
    the kernels as they were, are erased.

    Example: test/CPU/byte-kernels-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

#endif // SPARSEATTN_CPU_PASSES_TD
