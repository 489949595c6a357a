//===- SparseAttnPlan.td - The plan attribute --------------*- tablegen -*-===//
//
// The spelling of sparse_attn::plan::Plan (SparseAttn/Plan/Plan.h). Bounds are
// expressions over q, nq and nk, richer than affine maps (min and max nest).
// They are written in quotes, in the grammar that TileExpr prints everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_IR_PLAN_TD
#define SPARSEATTN_IR_PLAN_TD

include "SparseAttn/IR/SparseAttnMasks.td"

def SparseAttn_Bound
    : AttrOrTypeParameter<"::mlir::sparse_attn::plan::TileExpr",
                          "a closed form of q, nq and nk">;

/// Tiles are visited only where this is positive; without it, always.
def SparseAttn_Condition
    : AttrOrTypeParameter<"::mlir::sparse_attn::plan::TileExpr",
                          "positive where the tiles are visited"> {
  let defaultValue = "::mlir::sparse_attn::plan::TileExpr::constant(1)";
}

/// The live pairs of a partial tile, where they are told by less than the mask.
def SparseAttn_Pairs
    : AttrOrTypeParameter<"::std::optional<::mlir::sparse_attn::mask::Pieces>",
                          "a union of pieces over i, j and nk"> {
  let defaultValue = "::std::nullopt";
}

/// Where the slots of tiles stand; without it, one after the other.
def SparseAttn_Layout
    : AttrOrTypeParameter<"::mlir::sparse_attn::plan::Layout",
                          "a lattice or a list of positions"> {
  let defaultValue = "::mlir::sparse_attn::plan::Layout()";
}

/// Which tiles of a segment data leaves; without it, all.
def SparseAttn_Within
    : AttrOrTypeParameter<"::mlir::sparse_attn::plan::Within",
                          "documents or listed tokens"> {
  let defaultValue = "::mlir::sparse_attn::plan::Within()";
}

/// The query tiles of a class and what each visits; without it, segments tell.
def SparseAttn_Table
    : AttrOrTypeParameter<"::mlir::sparse_attn::plan::TileTable",
                          "query tiles, and the first keys of their tiles"> {
  let defaultValue = "::mlir::sparse_attn::plan::TileTable()";
}

class SparseAttn_PlanPart<string name, string attrMnemonic>
    : SparseAttn_Attr<name, attrMnemonic> {
  let genVerifyDecl = 1;
  let namedParameters = [];
}

def SparseAttn_SegmentKind : I32EnumAttr<"SegmentKind",
    "whether the tiles of a segment or a draw need the mask", [
      I32EnumAttrCase<"partial", 0>, I32EnumAttrCase<"full", 1>]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::mlir::sparse_attn";
}

def SparseAttn_SegmentAttr : SparseAttn_PlanPart<"Segment", "segment"> {
  let summary = "key tiles begin(q) <= kt < end(q), where when(q) > 0";
  let description = [{
    A range of key tiles that the query tile of index q visits. In a `full`
    segment no pair is masked, so that no mask is evaluated; `partial` promises
    nothing. Bounds are expressions of q, nq = Sq and nk = Sk with `+`, `-`, `*`
    and `floordiv` by constants, `min` and `max`. `when`, if there is one, is an
    expression too: where it is not positive, the segment is empty.

    `where` are the live pairs (i, j) of a partial segment's tiles, as literals
    of the mask that may cut one: of a window's left edge `"j >= i - 256"`. Keys
    past Sk are not among them. Without it, the op's mask tells.

    Tile kt holds the slots kt * B to kt * B + B - 1, which are keys of these
    numbers with the plan's B, unless a layout says at which keys they stand.
    Slots of a layout come in runs of `width` neighbours; those of a `lattice`
    begin at `shift`, `shift + step`, and so on, those of a `list` where it says.
    `tile` is their B. Slots past the end of a list, or past Sk, hold no key.

    ```mlir
    <full "0" to "q" of lattice<step = 128, width = 8, shift = 120, tile = 32>>
    <partial "0" to "1" of list<[5, 77], width = 1, tile = 16> where "j < i - 256">
    ```

    `within documents`: all live pairs of the segment's tiles are of one document
    each, as the data operand `documents` says. Of its tiles only those are visited
    that may hold a key of a document of the query tile's rows, and those of a
    `full` one are without masked pair where all rows and all keys are of one
    document, and partial elsewhere.

    `within listed`: all live pairs are in rows or columns of tokens that the data
    operand `global_tokens` lists. Of its tiles, which are partial, only those are
    visited that hold such a key, and all of them where the query tile holds such a
    row; with `listed columns` the former alone, and with `listed rows` the latter.
    `within documents and listed` is what both visit, `within documents or listed`
    what either does.

    Tiles of a layout stand across contiguous ones, so that a key may be in
    both; the pairs of the segments of a class must be disjoint all the same, as
    their `where` says.
  }];
  let parameters = (ins "SegmentKind":$kind, SparseAttn_Bound:$begin,
                        SparseAttn_Bound:$end, SparseAttn_Condition:$when,
                        SparseAttn_Pairs:$where, SparseAttn_Layout:$layout,
                        SparseAttn_Within:$within);
  let assemblyFormat = [{
    `<` $kind custom<Bound>($begin) `to` custom<Bound>($end)
    (`when` custom<Condition>($when)^)? (`of` custom<Layout>($layout)^)?
    (`within` custom<Within>($within)^)?
    (`where` custom<Pairs>($where)^)? `>`
  }];
}

def SparseAttn_DrawAttr : SparseAttn_PlanPart<"Draw", "draw"> {
  let summary = "key tiles touched by random blocks, within begin(q) <= kt < end(q), where when(q) > 0";
  let description = [{
    The tiles of blocks that a `random` mask has chosen for the rows of query
    tile q, less those that a segment visits. No bound says where these are: the
    lowered function lists them when it starts.
  }];
  let parameters = (ins "SegmentKind":$kind, "RandomAttr":$random,
                        SparseAttn_Bound:$begin, SparseAttn_Bound:$end,
                        SparseAttn_Condition:$when);
  let genVerifyDecl = 0;
  let assemblyFormat = [{
    `<` $kind $random custom<Bound>($begin) `to` custom<Bound>($end)
    (`when` custom<Condition>($when)^)? `>`
  }];
}

def SparseAttn_RowsAttr : SparseAttn_PlanPart<"Rows", "rows"> {
  let summary = "query rows begin <= r < end and what their tiles visit";
  let description = [{
    A class of rows whose tiles are planned alike; tiles start at its first row.
    A row belongs to the last class of the plan that contains it. A `heavy` class
    sees far more keys than its neighbours, so that its tiles are split along the
    keys, and what the parts give is merged (split-K).

    Rows of a class are neighbours, unless a layout says at which query positions
    the slots from `begin` to `end` stand: rows of global tokens, or rows of a
    period. A slot at a position where no row is, is none; tiles have the layout's
    size.

    ```mlir
    <"0" to "3" of list<[5, 77, 900], width = 1, tile = 16>, heavy = true,
      segments = [<full "0" to "nk floordiv 32">]>
    ```

    A `table` in the place of segments and draws lists the query tiles, with
    their rows, which follow each other, and the first keys of the key tiles
    that each visits:

    ```mlir
    <"0" to "100", table = [<0 to 60, partial = [48], full = [0, 16, 32]>,
                            <60 to 100, partial = [60, 76, 92]>]>
    ```
  }];
  let parameters = (ins SparseAttn_Bound:$begin, SparseAttn_Bound:$end,
                        SparseAttn_Layout:$layout,
                        DefaultValuedParameter<"bool", "false">:$heavy,
                        OptionalArrayRefParameter<"SegmentAttr">:$segments,
                        OptionalArrayRefParameter<"DrawAttr">:$draws,
                        SparseAttn_Table:$table);
  let namedParameters = ["heavy", "segments", "draws", "table"];
  let assemblyFormat = [{
    `<` custom<Bound>($begin) `to` custom<Bound>($end)
    (`of` custom<Layout>($layout)^)? (`,` struct($heavy, custom<PlanParts>($segments),
                custom<PlanParts>($draws), custom<Table>($table))^)? `>`
  }];
}

def SparseAttn_PartAttr : SparseAttn_PlanPart<"Part", "part"> {
  let summary = "some of the pairs of a mask, and the tiles for them";
  let description = [{
    With a `step` s of 2 or more the part is folded: for each residue p modulo s
    it is a plan for the queries and the keys that stand at p + s m, of which all
    bounds and pairs speak by their numbers m, and nq and nk are how many queries
    and keys there are of the residue. `pairs` are those (i, j) that the part
    computes; where it is folded, only pairs of one residue are among them.

    ```mlir
    <step = 4, pairs = "j >= i - 64 and j < i + 65", tile = [64, 64], rows = [...]>
    ```
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "1">:$step,
                        SparseAttn_Pairs:$pairs, "int64_t":$tile_queries,
                        "int64_t":$tile_keys,
                        ArrayRefParameter<"RowsAttr">:$classes);
  let genVerifyDecl = 0;
  let assemblyFormat = [{
    `<` (`step` `=` $step^ `,` ` `)? `pairs` `=` custom<Pairs>($pairs) `,`
    `tile` `=` `[` $tile_queries `,` $tile_keys `]` `,`
    `rows` `=` `[` $classes `]` `>`
  }];
}

def SparseAttn_PlanAttr : SparseAttn_PlanPart<"Plan", "plan"> {
  let summary = "which key tiles each query tile visits";
  let description = [{
    For tiles of `tile_queries` by `tile_keys`. `sparse-attn-plan` makes it,
    `sparse-attn-prove-plan` shows that every pair that the mask allows is in
    exactly one visited tile, and `sparse-attn-visit-tiles` makes loops of it.

    A plan may take for granted that nk - nq is a multiple of `offset_multiple`
    (0 says that nk = nq) and nk one of `keys_multiple`. Then its op must run
    for such lengths only: `sparse-attn-specialize` puts it under a condition.

    With `heads` of more than 1, a tile has one row of each of so many query heads
    that share a key head, so that keys and values are read once for all of them
    (packed heads); `tile_queries` is 1 then, and the mask the same for all heads.

    A plan with `few_blocks = true` is for launches of fewer query tiles than
    keep a GPU busy. All its classes are `heavy`, and the number of their parts
    is a rule that the host evaluates at each launch (`sparse_attn.sm_count`).

    ```mlir
    #sparse_attn.plan<tile = [16, 32], rows = [<"0" to "256", segments = [
        <full "0" to "q floordiv 2">,
        <partial "q floordiv 2" to "(q + 2) floordiv 2">]>]>
    ```

    In the place of a tile and rows a plan may have parts, each with a tile and
    rows of its own. Together they compute each pair of the mask once, but for
    the rows of a later class of the last part, which that part computes alone.
    Parts before the last have one class, of all rows, that is not heavy, as have
    folded ones.

    ```mlir
    #sparse_attn.plan<parts = [
      <step = 2, pairs = "j < i", tile = [16, 16], rows = [...]>,
      <pairs = "j >= i - 7 and j < i + 1", tile = [16, 16], rows = [...]>]>
    ```
  }];
  let parameters = (ins "int64_t":$tile_queries, "int64_t":$tile_keys,
                        DefaultValuedParameter<"int64_t", "1">:$offset_multiple,
                        DefaultValuedParameter<"int64_t", "1">:$keys_multiple,
                        DefaultValuedParameter<"int64_t", "1">:$heads,
                        DefaultValuedParameter<"bool", "false">:$few_blocks,
                        OptionalArrayRefParameter<"RowsAttr">:$classes,
                        OptionalArrayRefParameter<"PartAttr">:$parts);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = parameterNames # [{
    static PlanAttr get(MLIRContext *context, const plan::Plan &plan);
    /// The plan as a value.
    plan::Plan getPlan() const;
  }];
}

#endif // SPARSEATTN_IR_PLAN_TD
