//===- SparseAttnMasks.td - Mask attributes ----------------*- tablegen -*-===//
//
// One definition a mask; docs/Patterns.md has each formula. i is the absolute
// query position r + Sk - Sq, j the key position, N = Sk.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_IR_MASKS_TD
#define SPARSEATTN_IR_MASKS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "SparseAttn/IR/SparseAttnDialect.td"
include "SparseAttn/IR/SparseAttnInterfaces.td"

class SparseAttn_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<SparseAttn_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
  /// The parameters that are written `name = value`.
  list<string> namedParameters =
      !foreach(index, !range(!size(parameters)),
               !getdagname(parameters, index));
  code parameterNames = [{
    /// The parameters that are written `name = value`.
    static ::llvm::SmallVector<::llvm::StringRef> getParameterNames() {
      return }] # "{" # !interleave(
          !foreach(name, namedParameters, "\"" # name # "\""), ", ") # [{};
    }
  }];
  let extraClassDeclaration = parameterNames;
}

class SparseAttn_Mask<string name, string attrMnemonic, list<string> extra = []>
    : SparseAttn_Attr<name, attrMnemonic,
        [DeclareAttrInterfaceMethods<MaskAttrInterface, extra>]>;

/// A preset prints as itself and means its expansion.
class SparseAttn_Preset<string name, string attrMnemonic>
    : SparseAttn_Mask<name, attrMnemonic, ["verifyLengths"]> {
  let extraClassDeclaration = parameterNames # [{
    /// The composition of primitives this preset stands for. `nk` is Sk where
    /// it is known.
    MaskAttrInterface expand(std::optional<int64_t> nk) const;
  }];
}

//===----------------------------------------------------------------------===//
// Primitives
//===----------------------------------------------------------------------===//

def SparseAttn_FullAttr : SparseAttn_Mask<"Full", "full"> {
  let summary = "every query sees every key";
}

def SparseAttn_CausalAttr : SparseAttn_Mask<"Causal", "causal"> {
  let summary = "a query sees its own position and all before it: j <= i";
}

def SparseAttn_Extent : AttrParameter<"::mlir::sparse_attn::WindowExtent",
    "how far a window reaches: an integer or `unbounded`">;

def SparseAttn_SlidingWindowAttr
    : SparseAttn_Mask<"SlidingWindow", "sliding_window", ["simplify"]> {
  let summary = "a query sees the keys around it: -left <= j - i <= right";
  let description = [{
    Both ends are included, and either may be `unbounded`. With `dilation = d`: j = i + d * t for an integer t with
    -left <= t <= right. With `block = b`: the bounds hold for
    floor(j / b) - floor(i / b). Not both.
  }];
  let parameters = (ins SparseAttn_Extent:$left, SparseAttn_Extent:$right,
                        DefaultValuedParameter<"int64_t", "1">:$dilation,
                        DefaultValuedParameter<"int64_t", "1">:$block);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_Direction : I32EnumAttr<"GlobalDirection",
    "which side of a pair must be global", [
      I32EnumAttrCase<"both", 0>, I32EnumAttrCase<"rows", 1>,
      I32EnumAttrCase<"columns", 2>]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::mlir::sparse_attn";
}

def SparseAttn_GlobalAttr
    : SparseAttn_Mask<"Global", "global",
                      ["verifyLengths", "getDataOperandName"]> {
  let summary = "a few positions see all keys and are seen by all queries";
  let description = [{
    (i, j) may attend when i or j is a global position. These are `tokens` (a negative one counts from N), the first
    `first` and the last `last` positions, and with `last_block = b` those of the
    last block of b, from b * floor((N - 1) / b) on. `direction` restricts them to rows
    (only i) or columns (only j).

    `listed`: they are, in sequence b, the entries of row b of the data operand
    `global_tokens`, in any order. Entries outside of [0, N), such as -1, are none.
  }];
  let parameters = (ins OptionalArrayRefParameter<"int64_t">:$tokens,
                        DefaultValuedParameter<"int64_t", "0">:$first,
                        DefaultValuedParameter<"int64_t", "0">:$last,
                        DefaultValuedParameter<"int64_t", "0">:$last_block,
                        DefaultValuedParameter<"bool", "false",
                            "written alone: tokens are those of data">:$listed,
                        DefaultValuedParameter<"GlobalDirection",
                            "GlobalDirection::both">:$direction);
  let assemblyFormat = [{
    `<` custom<Global>($tokens, $first, $last, $last_block, $listed,
                       $direction) `>`
  }];
  let genVerifyDecl = 1;
}

def SparseAttn_RandomAttr : SparseAttn_Mask<"Random", "random"> {
  let summary = "each block of queries sees a few blocks of keys, chosen at random";
  let parameters = (ins "int64_t":$block, "int64_t":$blocks_per_row,
                        DefaultValuedParameter<"uint64_t", "0">:$seed,
                        DefaultValuedParameter<"bool", "true">:$per_head,
                        OptionalParameter<"std::optional<int64_t>">:$bigbird_radius);
  let description = [{
    Of all blocks of `block` keys, `blocks_per_row` are chosen for each block of
    as many queries, and with `per_head` for each head, by a stateless generator
    of `seed` (docs/Patterns.md has it), so that no table is needed.
    `bigbird_radius = R` excludes from the choice the first and the last block
    and the blocks within R of the row block, and chooses none for the first and
    the last row block, as the preset `bigbird` needs.
  }];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = parameterNames # [{
    Mask::RandomOptions getRandomOptions() const;
  }];
}

def SparseAttn_ChunkedAttr : SparseAttn_Mask<"Chunked", "chunked"> {
  let summary = "a query sees the keys of its own chunk: floor(i / size) == floor(j / size)";
  let parameters = (ins "int64_t":$size);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_DocumentAttr
    : SparseAttn_Mask<"Document", "document", ["getDataOperandName"]> {
  let summary = "a query sees the keys of its own document, in a packed sequence";
  let description = [{
    doc(i) = doc(j), with the ids that the data operand `documents` has: that of
    position x is `documents[b, x]`. An id below 0 is padding, which sees nothing
    and is seen by nothing, and so is a position outside of [0, N). Ids may be in
    any order; what is visited is least where each document's tokens stand together.
  }];
}

def SparseAttn_StridedAttr : SparseAttn_Mask<"Strided", "strided"> {
  let summary = "a query sees every stride-th key: (i - j) mod stride == 0";
  let parameters = (ins "int64_t":$stride);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_PrefixAttr : SparseAttn_Mask<"Prefix", "prefix"> {
  let summary = "every query sees the first keys: j < length";
  let parameters = (ins "int64_t":$length);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_PeriodicColumnsAttr
    : SparseAttn_Mask<"PeriodicColumns", "periodic_columns"> {
  let summary = "every query sees the last keys of each period: j mod period >= period - last";
  let description = [{
    The summary columns of the fixed Sparse Transformer pattern; the preset
    `sparse_transformer_fixed` expands to it.
  }];
  let parameters = (ins "int64_t":$period, "int64_t":$last);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_PeriodicRowsAttr
    : SparseAttn_Mask<"PeriodicRows", "periodic_rows"> {
  let summary = "the last queries of each period see every key: i mod period >= period - last";
  let description = [{
    Queries that read everything, as summary columns are read by everyone. i counts
    from the first key, so that where Sq differs from Sk row r is i = r + Sk - Sq.
  }];
  let parameters = (ins "int64_t":$period, "int64_t":$last);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Combinators
//===----------------------------------------------------------------------===//

class SparseAttn_Combinator<string name, string attrMnemonic>
    : SparseAttn_Mask<name, attrMnemonic, ["verifyLengths", "simplify"]> {
  let parameters = (ins ArrayRefParameter<"MaskAttrInterface">:$members);
  let namedParameters = [];
  let assemblyFormat = "`` custom<Members>($members)";
  let genVerifyDecl = 1;
}

def SparseAttn_UnionAttr : SparseAttn_Combinator<"Union", "union"> {
  let summary = "the pairs that at least one member allows";
}

def SparseAttn_IntersectionAttr
    : SparseAttn_Combinator<"Intersection", "intersection"> {
  let summary = "the pairs that every member allows";
}

def SparseAttn_ComplementAttr
    : SparseAttn_Mask<"Complement", "complement", ["verifyLengths", "simplify"]> {
  let summary = "the pairs that the operand does not allow";
  let parameters = (ins "MaskAttrInterface":$operand);
  let namedParameters = [];
  let assemblyFormat = "`<` $operand `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Presets
//===----------------------------------------------------------------------===//

def SparseAttn_LongformerAttr : SparseAttn_Preset<"Longformer", "longformer"> {
  let summary = "a window and global tokens (Beltagy et al. 2020)";
  let description = [{
    Means `union<sliding_window<left = window / 2, right = window / 2>,
    global<tokens = global_tokens>>`; `window` is the whole width, and even.
  }];
  let parameters = (ins "int64_t":$window,
                        OptionalArrayRefParameter<"int64_t">:$global_tokens);
  let assemblyFormat = [{
    `<` struct($window, custom<IntegerList>($global_tokens)) `>`
  }];
  let genVerifyDecl = 1;
}

def SparseAttn_BigBirdAttr : SparseAttn_Preset<"BigBird", "bigbird"> {
  let summary = "a window of blocks, the first and the last block global, random blocks (Zaheer et al. 2020)";
  let description = [{
    Means a `sliding_window` of `window_blocks` blocks, which is odd, united with
    `global` positions in the first and the last block, and with `random` blocks
    among those that are not visible otherwise.
  }];
  let parameters = (ins "int64_t":$block, "int64_t":$window_blocks,
                        "int64_t":$random_blocks,
                        DefaultValuedParameter<"uint64_t", "0">:$seed);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_PrefixLMAttr : SparseAttn_Preset<"PrefixLM", "prefix_lm"> {
  let summary = "causal, with a prefix that every query sees (Raffel et al. 2020)";
  let description = [{
    Means `union<causal, prefix<length = length>>`.
  }];
  let parameters = (ins "int64_t":$length);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_StreamingAttr : SparseAttn_Preset<"Streaming", "streaming"> {
  let summary = "causal, with attention sinks and a window (Xiao et al. 2023)";
  let description = [{
    Means `intersection<causal, union<prefix<length = sinks>,
    sliding_window<left = window - 1, right = 0>>>`.
  }];
  let parameters = (ins "int64_t":$sinks, "int64_t":$window);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_SparseTransformerStridedAttr
    : SparseAttn_Preset<"SparseTransformerStrided", "sparse_transformer_strided"> {
  let summary = "causal, with a window of `stride` and every stride-th key (Child et al. 2019)";
  let description = [{
    Means `intersection<causal, union<sliding_window<left = stride - 1,
    right = 0>, strided<stride = stride>>>`.
  }];
  let parameters = (ins "int64_t":$stride);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_SparseTransformerFixedAttr
    : SparseAttn_Preset<"SparseTransformerFixed", "sparse_transformer_fixed"> {
  let summary = "causal, with the own chunk and the last columns of each chunk (Child et al. 2019)";
  let description = [{
    Means `intersection<causal, union<chunked<size = stride>,
    periodic_columns<period = stride, last = columns>>>`.
  }];
  let parameters = (ins "int64_t":$stride, "int64_t":$columns);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // SPARSEATTN_IR_MASKS_TD
