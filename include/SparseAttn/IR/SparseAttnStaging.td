//===- SparseAttnStaging.td - Tiles in shared memory -------*- tablegen -*-===//
//
// Between --sparse-attn-stage-operands and --sparse-attn-distribute-fragments
// a GPU kernel speaks of whole tiles: these two operations copy one into shared
// memory and read it there, executed by all threads of a block together. How
// its elements lie there is one layout, GPU/SharedLayout.h, which both lowerings
// share; no index arithmetic of it appears here.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_IR_STAGING_TD
#define SPARSEATTN_IR_STAGING_TD

include "SparseAttn/IR/SparseAttnDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SparseAttn_StageTileOp : Op<SparseAttn_Dialect, "stage_tile", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "copy a tile of rows into shared memory, asynchronously";
  let description = [{
    Starts to copy the rows of `source` to byte `offset` of `memory`, as a tile
    of `rows` rows; rows past the end of `source` are zero. All threads of the
    block take part. The copy belongs to the next committed group of
    asynchronous copies, and is visible to other threads after that group has
    been waited for and a barrier passed.

    ```mlir
    sparse_attn.stage_tile %keys to %shared[%offset] rows 64
      : memref<?x128xbf16, strided<[128, 1], offset: ?>, 1>, memref<?xi8, 3>
    ```
  }];
  let arguments = (ins AnyStridedMemRefOfRank<2>:$source,
                       AnyStridedMemRefOfRank<1>:$memory, Index:$offset,
                       ConfinedAttr<I64Attr, [IntPositive]>:$rows);
  let assemblyFormat = [{
    $source `to` $memory `[` $offset `]` `rows` $rows attr-dict
    `:` type($source) `,` type($memory)
  }];
}

def SparseAttn_StagedTileOp : Op<SparseAttn_Dialect, "staged_tile", [
    MemoryEffects<[MemRead]>]> {
  let summary = "a tile in shared memory, as an operand of a product";
  let description = [{
    The tile that `stage_tile` has copied to byte `offset` of `memory`. Its
    elements are loaded into registers where a product needs them.

    ```mlir
    %k = sparse_attn.staged_tile %shared[%offset]
      : memref<?xi8, 3> -> vector<64x128xbf16>
    ```
  }];
  let arguments = (ins AnyStridedMemRefOfRank<1>:$memory, Index:$offset);
  let results = (outs AnyVectorOfNonZeroRank:$tile);
  let assemblyFormat = [{
    $memory `[` $offset `]` attr-dict `:` type($memory) `->` type($tile)
  }];
}

#endif // SPARSEATTN_IR_STAGING_TD
