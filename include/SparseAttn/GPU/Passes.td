//===- Passes.td - From steps to PTX, GPUs -----------------*- tablegen -*-===//

#ifndef SPARSEATTN_GPU_PASSES_TD
#define SPARSEATTN_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnVerifyTarget
    : Pass<"sparse-attn-verify-target", "::mlir::func::FuncOp"> {
  let summary = "refuse attention that GPU kernels cannot compute";
  let description = [{
    Says so at the attention op, before lowering leaves nothing to point at:

    - head sizes of query and value are multiples of 8, as products of fragments
      need it, up to 576 in types of 16 bits, for which tiles fit shared memory,
      and 256 in f32;
    - kernels are named after their function, so its name is an identifier of
      PTX.

    Changes nothing, and is to run first.

    Example: test/GPU/verify-target-example.mlir
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_80\"",
           "Chip that kernels are made for: sm_80, ...">,
  ];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def SparseAttnStepsToTiles : Pass<"sparse-attn-steps-to-tiles"> {
  let summary = "decompose steps over tiles for GPUs, operands in their own types";
  let description = [{
    The tiles of a `sparse_attn.step` become linalg on tiles of static shape with
    the queries along the rows, padded with zeros; a `sparse_attn.gather_rows` stays;
    products are `linalg.contract` of operands in the types they come in, as tensor cores take
    them, and probabilities are rounded to those. Exponents are in base 2. Loops
    mapped to `#sparse_attn.grid` are mapped to blocks of threads. Requires steps on
    tensors, as `sparse-attn-visit-tiles` makes them, and leaves none.

    Example: test/GPU/steps-to-tiles-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::sparse_attn::kernels::SparseAttnGPUDialect"];
}

def SparseAttnVerifyGpuForm
    : Pass<"sparse-attn-verify-gpu-form", "::mlir::func::FuncOp"> {
  let summary = "refuse loops over tiles that no rule shares out among threads";
  let description = [{
    `--sparse-attn-map-to-gpu`, `--sparse-attn-stage-operands` and
    `--sparse-attn-distribute-fragments` work on loops over tiles, outermost
    `scf.forall`s, of one form. This pass checks it at the operation that breaks
    it, while that is still what the decomposition of a step has made:

    - values are scalars, buffers, and vectors of fixed size: tiles of two
      dimensions, and of one dimension the values of their rows or columns, all
      sizes multiples of 8;
    - tiles are read and written in whole rows of a buffer, of which only the
      last may be missing, a multiple of 16 rows at a time; operands of products
      may be read by `sparse_attn.read_rows` as well, whose numbers of rows are
      computed element by element or read from a buffer;
    - a product A B or A B^T adds f32 sums; operands are f16, bf16 or f32, and
      read from the start of a buffer; the right one is read from memory, and
      used for nothing that threads would have to hold its elements for;
    - reductions are of f32 along columns, or ask whether a predicate holds
      everywhere; what is transposed is one along rows or along columns;
    - all else is elementwise, a broadcast, a `vector.step`, a constant of one
      value, a `vector.gather` without a mask, or a row of a right operand;
      `scf.for` and `scf.if` hand tiles on.

    Run after bufferisation. Changes nothing.

    Example: test/GPU/verify-gpu-form-example.mlir
  }];
}

def SparseAttnMapToGpu : Pass<"sparse-attn-map-to-gpu", "::mlir::ModuleOp"> {
  let summary = "run each parallel loop over query tiles as a grid of thread blocks";
  let description = [{
    Every outermost `scf.forall` becomes a `gpu.launch`: an iteration is a block,
    and all of them lie along the grid's x, as a device takes 2^31 - 1 blocks
    there and 65,535 along y and z. The last loop of the forall counts query tiles
    (or the parts of heavy rows). Later ones, which are the longer ones under a
    causal mask, come first, so that the last blocks to end are short. That order
    holds in groups of heads whose keys and values fit half of the chip's
    second-level cache; blocks of a group run together and share them there.

    What the body needs of scalars is computed inside, from the sizes of its
    buffers, so that a kernel takes buffers only; its buffers are cast to the
    global address space. Of a constant of the module it gets a copy there, which
    `gpu-kernel-outlining` takes into the kernel's module.

    The kernels of a function `@f` will be `@f_0`, `@f_1`, ... of a `gpu.module`,
    `@f_kernels` or the like, which is made here, empty. Its attribute
    `sparse_attn.kernels` tells it from modules of the user's own, which later
    passes leave alone.

    The body still speaks of whole tiles. A block has `warps` warps; 0 lets the
    tile choose: 16 query rows a warp, or 32 where the rows' accumulators leave
    registers for that. Run after bufferisation.

    Example: test/GPU/map-to-gpu-example.mlir
  }];
  let options = [
    Option<"warps", "warps", "int64_t", "0",
           "Warps of a block; 0 lets the tile choose">,
    Option<"target", "target", "std::string", "\"sm_80\"",
           "Chip that kernels are made for: sm_80, ...">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::memref::MemRefDialect"];
}

def SparseAttnStageOperands
    : Pass<"sparse-attn-stage-operands", "::mlir::func::FuncOp"> {
  let summary = "bring key and value tiles through a ring in shared memory";
  let description = [{
    In each loop over key tiles, the tiles that a product takes as its right
    operand are copied into shared memory, `stages - 1` iterations ahead of their
    use, in a ring of `stages` slots. The loop carries a token for each of those
    iterations.

    Of a `sparse_attn.read_rows` the copy gets a region that computes the number of
    one row: the elements of the vector of numbers, one by one.

    Queries, the left operand, stay in registers where a thread needs fewer than
    `query-registers` for them and they are neighbours; else they are copied into shared memory too, once,
    and loaded anew for every product.

    Before a slot of the ring is filled anew, all warps of the block have read it:
    they meet for each tile, or, with `mbarriers`, tell each other when they have
    read one, and run apart by up to a tile, for which the ring has one more slot.
    A target has a rule which it is.

    Fails where ring and queries do not fit `shared-limit` bytes. Run after
    `sparse-attn-map-to-gpu`, on whole-tile vectors.

    Example: test/GPU/stage-operands-example.mlir
  }];
  let options = [
    Option<"stages", "stages", "int64_t", "2", "Slots of the ring, at least 2">,
    Option<"queryRegisters", "query-registers", "int64_t", "32",
           "Registers a thread from which on queries are in shared memory">,
    Option<"sharedLimit", "shared-limit", "int64_t", "101376",
           "Bytes of shared memory that a block may use">,
    Option<"mbarriers", "mbarriers", "bool", "false",
           "Warps do not meet for each tile, whatever the target's rule says">,
    Option<"target", "target", "std::string", "\"\"",
           "Chip whose query-registers and shared-limit replace those given">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::sparse_attn::kernels::SparseAttnGPUDialect"];
}

def SparseAttnSkipRows : Pass<"sparse-attn-skip-rows", "::mlir::func::FuncOp"> {
  let summary = "let warps leave out tiles that none of their rows reaches";
  let description = [{
    At the edges of a mask, a key tile is dead for some rows of the query tile.
    Where a loop says which ones its iteration changes (`live_rows`), what it
    computes with the tiles in shared memory comes to stand in a branch, which
    warps take that have some of these rows (`has_rows`). All warps wait for
    tiles, copy their share of them and release slots as before, so that a ring
    lets those that compute nothing go ahead. Where the block meets for each
    tile, nobody would, and loops stay as they are.

    Run after `sparse-attn-stage-operands`.

    Example: test/GPU/skip-rows-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::sparse_attn::kernels::SparseAttnGPUDialect"];
}

def SparseAttnDistributeFragments
    : Pass<"sparse-attn-distribute-fragments", "::mlir::func::FuncOp"> {
  let summary = "turn whole-tile vectors into the fragments that threads hold";
  let description = [{
    Inside `gpu.launch`, every value of a tile's shape becomes the vector of the
    elements that one thread holds, in the layout of the tensor cores'
    accumulators (lib/GPU/Fragments/Fragment.h). Elementwise operations stay what they
    are, on smaller vectors; what varies along rows or along columns only is
    computed once a row or column; products become `ldmatrix` and `mma.sync`;
    reductions along keys become arithmetic within a thread and two shuffles,
    those of the row sum after the last tile only; probabilities are operands
    of the second product where they are. Run after `sparse-attn-stage-operands`:
    operands of products are staged tiles or values of such a product.

    Example: test/GPU/distribute-fragments-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def SparseAttnCopiesToCpAsync
    : Pass<"sparse-attn-copies-to-cp-async", "::mlir::func::FuncOp"> {
  let summary = "copy tiles by cp.async, and wait for groups of copies or by mbarriers";
  let description = [{
    Inside `gpu.launch`, each thread copies its 16-byte chunks of a tile by
    `cp.async`, and commits the copies that share a token as one group. A wait
    lets as many groups go on as have been committed since that of the youngest
    of its tokens, which is counted through loops and branches
    (lib/GPU/Staging/CopyGroups.h), and is followed by a barrier, for what other
    threads have copied.

    The slots of a ring have mbarriers (lib/GPU/Staging/RingBarriers.h): threads
    arrive at one when their copies have ended, and warps at another when they
    have read the tile; whoever waits tests until the phase has completed. Run
    after `--sparse-attn-distribute-fragments`.

    Example: test/GPU/copies-to-cp-async-example.mlir
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_80\"",
           "Chip that kernels are made for: sm_80, ...">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

def SparseAttnJoinLaunches
    : Pass<"sparse-attn-join-launches", "::mlir::func::FuncOp"> {
  let summary = "run launches that do not depend on one another as one grid";
  let description = [{
    Launches that are marked `sparse_attn.together`, and between which nothing
    stands that reads or writes memory, become one, whose first blocks are those
    of the first launch, and so on: rows that are split along the keys run beside
    all others, on multiprocessors that would wait for the next launch, and find
    keys and values in the second-level cache.

    A block has the threads of the largest body, and starts with as much dynamic
    shared memory as the largest takes. Of a body of fewer threads as many run
    beside one another in a block as it has threads and dynamic shared memory
    for; one with static shared memory is alone. Threads that are left do
    nothing, and barriers of such a body wait for its own threads only. The
    kernels of each function are numbered anew.

    Run after `sparse-attn-copies-to-cp-async`, before kernels are outlined.

    Example: test/GPU/join-launches-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect"];
}

def SparseAttnBareKernels
    : Pass<"sparse-attn-bare-kernels", "::mlir::ModuleOp"> {
  let summary = "let kernels take pointers, then sizes, and nothing else";
  let description = [{
    The interface of a kernel that any launcher can call: for each buffer a
    pointer to the global address space, in order, then for each buffer its
    dynamic sizes as i32 and its dynamic strides, in elements, as i64, outermost
    first. Run after `gpu-kernel-outlining`. Kernels also say that one block a
    multiprocessor is enough, lest ptxas spills registers so that more fit.
    Only modules with the attribute `sparse_attn.kernels` change; the host's copies
    of their constant tables go.

    Example: test/GPU/bare-kernels-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

def SparseAttnLowerKernels
    : Pass<"sparse-attn-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "run passes on the kernels that attention became, and on no others";
  let description = [{
    Each `gpu.module` with the attribute `sparse_attn.kernels` (set by
    `sparse-attn-map-to-gpu`) goes through `op-pipelines`. A nested pipeline would
    reach the user's own modules too.

    Example: test/GPU/lower-kernels-example.mlir
  }];
  let options = [
    ListOption<"opPipelines", "op-pipelines", "OpPassManager",
               "Passes on a gpu.module, in the form `gpu.module(...)`">,
  ];
}

def SparseAttnLowerAddresses
    : Pass<"sparse-attn-lower-addresses", "::mlir::gpu::GPUModuleOp"> {
  let summary = "views of buffers and affine maps to arithmetic";
  let description = [{
    What upstream's `expand-strided-metadata` and `lower-affine` do, for the
    operations of the dialects `memref` and `affine` alone: the rest of a kernel
    is neither visited nor folded.

    Example: test/GPU/lower-addresses-example.mlir
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def SparseAttnKernelsToNVVM
    : Pass<"sparse-attn-kernels-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "kernels to the LLVM and NVVM dialects, in one conversion";
  let description = [{
    What upstream's `convert-math-to-llvm`, `convert-arith-to-llvm`,
    `convert-gpu-to-nvvm` and `reconcile-unrealized-casts` do one after another, and
    each with a visit of all operations; the greedy rewriting of whole kernels with
    which the third begins is for operations that kernels do not have, and of it only
    the merging of equal blocks is done. Values of type `index` take 64 bits.

    Example: test/GPU/kernels-to-nvvm-example.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def SparseAttnKernelsToPtx
    : Pass<"sparse-attn-kernels-to-ptx", "::mlir::ModuleOp"> {
  let summary = "turn the kernels that attention became into PTX";
  let description = [{
    Each `gpu.module` with the attribute `sparse_attn.kernels` becomes a
    `gpu.binary` with PTX, as by upstream's `nvvm-attach-target` and
    `gpu-module-to-binary`, which would take the user's own modules too. Of the
    passes of LLVM's -O3 only those run that change kernels; the PTX is the same,
    but for pairs of f32 numbers, which PTX has from sm_100 on: they are taken
    apart in kernels that carry more of them through a loop than the target of
    that name has use for as pairs.
    Requires the LLVM and NVVM dialects inside.

    Example: test/GPU/kernels-to-ptx-example.mlir
  }];
  let options = [
    Option<"chip", "chip", "std::string", "\"sm_80\"", "GPU: sm_80, sm_90, ...">,
    Option<"features", "features", "std::string", "\"\"",
           "Of the PTX, for instance +ptx80">,
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def SparseAttnApproximateMath
    : Pass<"sparse-attn-approximate-math", "::mlir::gpu::GPUModuleOp"> {
  let summary = "exponentials, logarithms and tanh by the special function unit";
  let description = [{
    `math.exp2`, `math.log2` and `math.log` of f32 become `ex2.approx.ftz` and
    `lg2.approx.ftz`, an instruction an element (and a product for `math.log`), where the upstream lowering
    would call a library. Their largest errors, by NVIDIA's documentation of
    PTX, are 2 ulp for ex2 and, near 1, 2^-22 absolute for lg2. `math.tanh` of
    f32 becomes a polynomial of a small x and an exponential elsewhere, with a
    relative error near 2^-22; `tanh.approx` has 2^-11. `math.exp` of f32 is `ex2.approx.ftz`
    of a product, and `math.absf` clears a bit. Other operations of
    `math` on floats would call a library, too, and are refused.

    Example: test/GPU/approximate-math-example.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def SparseAttnExpandDivision
    : Pass<"sparse-attn-expand-division", "::mlir::gpu::GPUModuleOp"> {
  let summary = "divisions that round down or up, by shifts and plain divisions";
  let description = [{
    What upstream's `arith-expand` does for `arith.floordivsi` and the
    `arith.ceildiv` operations, and only that: maxima, which it would expand as
    well, are one instruction on a GPU. Rounding down by a power of two is a
    shift.

    Example: test/GPU/expand-division-example.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def SparseAttnExternShared
    : Pass<"sparse-attn-extern-shared", "::mlir::gpu::GPUModuleOp"> {
  let summary = "declare dynamic shared memory, which a launch sizes";
  let description = [{
    Upstream's lowering defines dynamic shared memory as an internal variable of
    no element. In PTX that is a static variable of one byte, which counts
    against a block's limit, and behind whose end all accesses lie. Declared
    external, it is the array without a size that PTX provides for it, here at a
    multiple of 128 bytes.

    Example: test/GPU/extern-shared-example.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def SparseAttnDropTimings
    : Pass<"sparse-attn-drop-timings", "::mlir::ModuleOp"> {
  let summary = "drop from kernels how long it took to compile them";
  let description = [{
    Upstream notes the milliseconds beside what it has made of a module of
    kernels, and so equal input would give other output each time.

    Example: test/GPU/drop-timings-example.mlir
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect"];
}

#endif // SPARSEATTN_GPU_PASSES_TD
