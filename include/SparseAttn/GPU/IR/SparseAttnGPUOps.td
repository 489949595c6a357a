//===- SparseAttnGPUOps.td - Copies of tiles on a GPU ------*- tablegen -*-===//
//
// Between --sparse-attn-stage-operands and --sparse-attn-distribute-fragments
// a GPU kernel speaks of whole tiles: these operations copy them into shared
// memory, wait for the copies and read the tiles there, executed by all threads
// of a block together. How elements lie there is one layout,
// lib/GPU/Staging/SharedLayout.h, which all lowerings share; no index
// arithmetic of it appears here.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_GPU_IR_OPS_TD
#define SPARSEATTN_GPU_IR_OPS_TD

include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SparseAttnGPU_Dialect : Dialect {
  let name = "sparse_attn_gpu";
  let summary = "Copies of tiles into a GPU's shared memory";
  let description = [{
    A copy is started by one operation and waited for by another; a token stands
    for it in between, which loops carry where copies run ahead of their use.
    Which instructions copy and how a thread waits is for a lowering to say:
    `--sparse-attn-copies-to-cp-async` takes asynchronous copies.

    Tiles that come one after another take the slots of a ring in turn. Where the
    operations name the ring, the warps of a block need not meet for each tile:
    a slot is reserved, filled, waited for, and released.
  }];
  let cppNamespace = "::mlir::sparse_attn::kernels";
  let useDefaultTypePrinterParser = 1;
  // Tensor maps are pointers.
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def SparseAttnGPU_TokenType : TypeDef<SparseAttnGPU_Dialect, "Token"> {
  let mnemonic = "token";
  let summary = "copies that have been started";
}

def SparseAttnGPU_RingType : TypeDef<SparseAttnGPU_Dialect, "Ring"> {
  let mnemonic = "ring";
  let summary = "slots that tiles take in turn";
  let parameters = (ins "int64_t":$slots);
  let assemblyFormat = "`<` $slots `>`";
  let genVerifyDecl = 1;
}

class SparseAttnGPU_Op<string mnemonic, list<Trait> traits = []>
    : Op<SparseAttnGPU_Dialect, mnemonic, traits>;

def SparseAttnGPU_StageOp : SparseAttnGPU_Op<"stage", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "start the copy of a tile of rows to shared memory";
  let description = [{
    Starts to copy the rows of `source` to byte `offset` of `memory`, as a tile
    of `rows` rows; rows past the end of `source` are zero. All threads of the
    block take part; `thread`, which `--sparse-attn-distribute-fragments` gives,
    is the number of the one that executes this. The tile may be read after a
    `wait` for the token.

    Where rows of the tile are not neighbours, the region says which row of
    `source` row %m of the tile is; it is the last one where that is past the
    end. No row is negative, and there is one.

    ```mlir
    %copy = sparse_attn_gpu.stage %keys to %shared[%offset] rows 64
      : memref<?x128xbf16, strided<[128, 1], offset: ?>, #gpu.address_space<global>>,
        memref<?xi8, #gpu.address_space<workgroup>>
    %columns = sparse_attn_gpu.stage %keys to %shared[%offset] rows 16 at {
      ^bb0(%m: i32):
        %position = arith.muli %m, %c128 : i32
        sparse_attn_gpu.yield %position
      } : memref<?x128xbf16, strided<[128, 1], offset: ?>, #gpu.address_space<global>>,
        memref<?xi8, #gpu.address_space<workgroup>>
    ```
  }];
  let arguments = (ins AnyStridedMemRefOfRank<2>:$source,
                       AnyStridedMemRefOfRank<1>:$memory, Index:$offset,
                       Optional<I32>:$thread,
                       ConfinedAttr<I64Attr, [IntPositive]>:$rows);
  let regions = (region MaxSizedRegion<1>:$position);
  let results = (outs SparseAttnGPU_TokenType:$token);
  let assemblyFormat = [{
    $source `to` $memory `[` $offset `]` `rows` $rows (`thread` $thread^)?
    (`at` $position^)? attr-dict `:` type($source) `,` type($memory)
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    MemRefType getSourceType() { return cast<MemRefType>(getSource().getType()); }
    /// Whether its region says which rows it copies.
    bool hasPosition() { return !getPosition().empty(); }
  }];
}

def SparseAttnGPU_YieldOp : SparseAttnGPU_Op<"yield", [
    Pure, Terminator, HasParent<"StageOp">]> {
  let summary = "the row of the source that a row of a tile is";
  let arguments = (ins I32:$position);
  let assemblyFormat = "$position attr-dict";
}

def SparseAttnGPU_JoinOp : SparseAttnGPU_Op<"join", [Pure]> {
  let summary = "one token for several copies";
  let description = [{
    Whoever waits for the result waits for all of `tokens`. Copies that are only
    waited for together can share what a target counts them by. Without operands,
    there is nothing to wait for.

    ```mlir
    %tiles = sparse_attn_gpu.join(%keys, %values)
    ```
  }];
  let arguments = (ins Variadic<SparseAttnGPU_TokenType>:$tokens);
  let results = (outs SparseAttnGPU_TokenType:$token);
  let assemblyFormat = "`(` $tokens `)` attr-dict";
}

def SparseAttnGPU_RingOp : SparseAttnGPU_Op<"ring", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a ring whose slots are empty";
  let description = [{
    Tile `number` of those that come through the ring, counted from 0, takes slot
    `number` mod `slots`. What threads tell each other of the slots lies at byte
    `offset` of `memory`, a multiple of 8, and takes 16 bytes a slot, which
    nothing else may touch.

    All threads of the block meet here; as they meet, what they have read before
    may be overwritten behind it. `thread`, which
    `--sparse-attn-distribute-fragments` gives, is the number of the one that
    executes this.

    ```mlir
    %ring = sparse_attn_gpu.ring %shared[%offset]
      : memref<?xi8, #gpu.address_space<workgroup>> -> <2>
    ```
  }];
  let arguments = (ins AnyStridedMemRefOfRank<1>:$memory, Index:$offset,
                       Optional<I32>:$thread);
  let results = (outs SparseAttnGPU_RingType:$ring);
  let assemblyFormat = [{
    $memory `[` $offset `]` (`thread` $thread^)? attr-dict `:` type($memory)
    `->` type($ring)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// How many bytes a ring of so many slots takes.
    static int64_t bytesOf(int64_t slots) { return 16 * slots; }
  }];
}

def SparseAttnGPU_ReserveOp : SparseAttnGPU_Op<"reserve", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait until a slot is empty";
  let description = [{
    Behind it the thread may start the copies of tile `number`: all have released
    the tile that was in its slot before, if there was one.

    ```mlir
    sparse_attn_gpu.reserve %ring[%number] : <2>
    ```
  }];
  let arguments = (ins SparseAttnGPU_RingType:$ring, Index:$number);
  let assemblyFormat = "$ring `[` $number `]` attr-dict `:` type($ring)";
}

def SparseAttnGPU_FillOp : SparseAttnGPU_Op<"fill", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the copies that fill a slot";
  let description = [{
    Of tile `number` this thread copies what the `tokens` stand for; the result
    stands for all that the block copies of it.

    ```mlir
    %tiles = sparse_attn_gpu.fill %ring[%number] by (%keys, %values) : <2>
    ```
  }];
  let arguments = (ins SparseAttnGPU_RingType:$ring, Index:$number,
                       Variadic<SparseAttnGPU_TokenType>:$tokens);
  let results = (outs SparseAttnGPU_TokenType:$token);
  let assemblyFormat = [{
    $ring `[` $number `]` `by` ` ` `(` $tokens `)` attr-dict `:` type($ring)
  }];
}

def SparseAttnGPU_ReleaseOp : SparseAttnGPU_Op<"release", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "let a slot be filled again";
  let description = [{
    The threads of a warp meet here, and none of them reads tile `number` behind
    it.

    ```mlir
    sparse_attn_gpu.release %ring[%number] : <2>
    ```
  }];
  let arguments = (ins SparseAttnGPU_RingType:$ring, Index:$number,
                       Optional<I32>:$thread);
  let assemblyFormat = [{
    $ring `[` $number `]` (`thread` $thread^)? attr-dict `:` type($ring)
  }];
}

def SparseAttnGPU_WaitOp : SparseAttnGPU_Op<"wait", [
    AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait until copies have been made";
  let description = [{
    All threads of the block meet here, and behind it may read the tiles that the
    `tokens` stand for. As they meet, what they have read before may be
    overwritten behind it, too.

    Where the first token is that of tile `number` of a ring, threads do not meet:
    each waits until that tile is there. Other tokens are of copies that were
    started before the ring was there.

    ```mlir
    sparse_attn_gpu.wait %tiles
    sparse_attn_gpu.wait %tiles, %queries of %ring[%number]
      : !sparse_attn_gpu.ring<2>
    ```
  }];
  let arguments = (ins Variadic<SparseAttnGPU_TokenType>:$tokens,
                       Optional<SparseAttnGPU_RingType>:$ring,
                       Optional<Index>:$number);
  let assemblyFormat = [{
    $tokens (`of` $ring^ `[` $number `]` `:` type($ring))? attr-dict
  }];
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::ValueRange":$tokens),
                            [{ build($_builder, $_state, tokens, {}, {}); }]>];
}

def SparseAttnGPU_StagedTileOp : SparseAttnGPU_Op<"staged_tile", [
    MemoryEffects<[MemRead]>]> {
  let summary = "a tile in shared memory, as an operand of a product";
  let description = [{
    The tile that `stage` has copied to byte `offset` of `memory`. Its elements
    are loaded into registers where a product needs them.

    ```mlir
    %k = sparse_attn_gpu.staged_tile %shared[%offset]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<64x128xbf16>
    ```
  }];
  let arguments = (ins AnyStridedMemRefOfRank<1>:$memory, Index:$offset);
  let results = (outs FixedVectorOfRankAndType<[2], [F16, BF16, F32]>:$tile);
  let assemblyFormat = [{
    $memory `[` $offset `]` attr-dict `:` type($memory) `->` type($tile)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    VectorType getTileType() { return cast<VectorType>(getTile().getType()); }
  }];
}

def SparseAttnGPU_LiveRowsOp : SparseAttnGPU_Op<"live_rows", [
    AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "other rows stay as they are";
  let description = [{
    Of the tiles that the loop around carries, its iteration changes no rows but
    those from `begin` on and before `end`, counted from 0: it may be computed for
    these alone. Of rows from `full_begin` on and before `full_end` nothing is left
    out: where an iteration selects an element or else -inf, it is the element.
    `--sparse-attn-skip-rows` makes branches of it. The effect keeps it where it
    is until then.

    ```mlir
    sparse_attn_gpu.live_rows %begin to %end full %from to %below
    ```
  }];
  let arguments = (ins I32:$begin, I32:$end, Optional<I32>:$full_begin,
                       Optional<I32>:$full_end);
  let assemblyFormat = [{
    $begin `to` $end (`full` $full_begin^ `to` $full_end)? attr-dict
  }];
  let hasVerifier = 1;
}

def SparseAttnGPU_HasRowsOp : SparseAttnGPU_Op<"has_rows", [Pure]> {
  let summary = "whether the executing warp has some of these rows";
  let description = [{
    Whether it may hold, of tiles of `rows` rows, one from `begin` on and before
    `end`. It is the same for all threads of a warp, and may differ between the
    warps of a block: behind it they do not meet.

    ```mlir
    %some = sparse_attn_gpu.has_rows %begin to %end of 128
    ```
  }];
  let arguments = (ins I32:$begin, I32:$end,
                       ConfinedAttr<I64Attr, [IntPositive]>:$rows);
  let results = (outs I1:$some);
  let assemblyFormat = "$begin `to` $end `of` $rows attr-dict";
}

def SparseAttnGPU_HasOtherRowsOp : SparseAttnGPU_Op<"has_other_rows", [Pure]> {
  let summary = "whether the executing warp has rows besides these";
  let description = [{
    Whether it may hold, of tiles of `rows` rows, one before `begin` or from `end`
    on; as `has_rows` it is the same for all threads of a warp.

    ```mlir
    %others = sparse_attn_gpu.has_other_rows %begin to %end of 128
    ```
  }];
  let arguments = (ins I32:$begin, I32:$end,
                       ConfinedAttr<I64Attr, [IntPositive]>:$rows);
  let results = (outs I1:$others);
  let assemblyFormat = "$begin `to` $end `of` $rows attr-dict";
}

def SparseAttnGPU_Pointer : LLVM_PointerInAddressSpace<0>, BuildableType<
    "::mlir::LLVM::LLVMPointerType::get($_builder.getContext())">;

def SparseAttnGPU_TensorMapOp : SparseAttnGPU_Op<"tensor_map", [Pure]> {
  let summary = "how bulk copies find tiles in a buffer";
  let description = [{
    On the host: 128 bytes that describe `source` to the copy unit of a GPU of
    compute capability 9.0 or later, which then copies tiles of the size of `box`
    by their coordinates alone. What lies outside of the buffer is read as zeros,
    and not written. In shared memory, the 16-byte chunks of the rows are permuted
    after the pattern that repeats every `swizzle` bytes of 8 rows, or lie in
    order where that is 0.

    A kernel takes the bytes by value, as a parameter with the attributes
    `llvm.byval = !llvm.array<128 x i8>`, `llvm.align = 64` and
    `nvvm.grid_constant`; so launchers make them (`cuTensorMapEncodeTiled`), from
    what a package says.

    ```mlir
    %map = sparse_attn_gpu.tensor_map %keys box [1, 1, 64, 64] swizzle 128
      : memref<2x8x?x64xbf16>
    ```
  }];
  let arguments = (ins AnyStridedMemRef:$source, DenseI64ArrayAttr:$box,
                       DefaultValuedAttr<I64Attr, "0">:$swizzle);
  let results = (outs SparseAttnGPU_Pointer:$map);
  let assemblyFormat = [{
    $source `box` $box (`swizzle` $swizzle^)? attr-dict `:` type($source)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    MemRefType getSourceType() { return cast<MemRefType>(getSource().getType()); }
  }];
}

#endif // SPARSEATTN_GPU_IR_OPS_TD
