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
  let summary = "every pair may attend";
}

def SparseAttn_CausalAttr : SparseAttn_Mask<"Causal", "causal"> {
  let summary = "j <= i";
}

def SparseAttn_Extent : AttrParameter<"::mlir::sparse_attn::WindowExtent",
    "how far a window reaches: an integer or `unbounded`">;

def SparseAttn_SlidingWindowAttr
    : SparseAttn_Mask<"SlidingWindow", "sliding_window", ["simplify"]> {
  let summary = "-left <= j - i <= right, both inclusive";
  let description = [{
    With `dilation = d`: j = i + d * t for an integer t with
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
    : SparseAttn_Mask<"Global", "global", ["verifyLengths"]> {
  let summary = "i or j is a global position";
  let description = [{
    The global positions are `tokens` (a negative one counts from N), the first
    `first` and the last `last` positions, and with `last_block = b` those of the
    last block of b, from b * floor((N - 1) / b) on. `direction` restricts them to rows
    (only i) or columns (only j).
  }];
  let parameters = (ins OptionalArrayRefParameter<"int64_t">:$tokens,
                        DefaultValuedParameter<"int64_t", "0">:$first,
                        DefaultValuedParameter<"int64_t", "0">:$last,
                        DefaultValuedParameter<"int64_t", "0">:$last_block,
                        DefaultValuedParameter<"GlobalDirection",
                            "GlobalDirection::both">:$direction);
  let assemblyFormat = [{
    `<` struct(custom<IntegerList>($tokens), $first, $last, $last_block,
                 $direction) `>`
  }];
  let genVerifyDecl = 1;
}

def SparseAttn_RandomAttr : SparseAttn_Mask<"Random", "random"> {
  let summary = "key blocks drawn by a stateless generator for each row block";
  let parameters = (ins "int64_t":$block, "int64_t":$blocks_per_row,
                        DefaultValuedParameter<"uint64_t", "0">:$seed,
                        DefaultValuedParameter<"bool", "true">:$per_head,
                        OptionalParameter<"std::optional<int64_t>">:$bigbird_radius);
  let description = [{
    `bigbird_radius = R` excludes from the draw the first and the last block
    and the blocks within R of the row block, and lets the first and the last
    row block draw none, as the preset `bigbird` needs.
  }];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = parameterNames # [{
    Mask::RandomOptions getRandomOptions() const;
  }];
}

def SparseAttn_ChunkedAttr : SparseAttn_Mask<"Chunked", "chunked"> {
  let summary = "floor(i / size) == floor(j / size)";
  let parameters = (ins "int64_t":$size);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_StridedAttr : SparseAttn_Mask<"Strided", "strided"> {
  let summary = "(i - j) mod stride == 0";
  let parameters = (ins "int64_t":$stride);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_PrefixAttr : SparseAttn_Mask<"Prefix", "prefix"> {
  let summary = "j < length";
  let parameters = (ins "int64_t":$length);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_PeriodicColumnsAttr
    : SparseAttn_Mask<"PeriodicColumns", "periodic_columns"> {
  let summary = "j mod period >= period - last";
  let description = [{
    The summary columns of the fixed Sparse Transformer pattern; the preset
    `sparse_transformer_fixed` expands to it.
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
  let summary = "pairs of at least one member";
}

def SparseAttn_IntersectionAttr
    : SparseAttn_Combinator<"Intersection", "intersection"> {
  let summary = "pairs of every member";
}

def SparseAttn_ComplementAttr
    : SparseAttn_Mask<"Complement", "complement", ["verifyLengths", "simplify"]> {
  let summary = "pairs that the operand does not allow";
  let parameters = (ins "MaskAttrInterface":$operand);
  let namedParameters = [];
  let assemblyFormat = "`<` $operand `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Presets
//===----------------------------------------------------------------------===//

def SparseAttn_LongformerAttr : SparseAttn_Preset<"Longformer", "longformer"> {
  let summary = "sliding_window<W/2, W/2> and global tokens (Beltagy et al. 2020)";
  let parameters = (ins "int64_t":$window,
                        OptionalArrayRefParameter<"int64_t">:$global_tokens);
  let assemblyFormat = [{
    `<` struct($window, custom<IntegerList>($global_tokens)) `>`
  }];
  let genVerifyDecl = 1;
}

def SparseAttn_BigBirdAttr : SparseAttn_Preset<"BigBird", "bigbird"> {
  let summary = "block window, first and last block global, random blocks (Zaheer et al. 2020)";
  let parameters = (ins "int64_t":$block, "int64_t":$window_blocks,
                        "int64_t":$random_blocks,
                        DefaultValuedParameter<"uint64_t", "0">:$seed);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_PrefixLMAttr : SparseAttn_Preset<"PrefixLM", "prefix_lm"> {
  let summary = "causal, with a prefix every query sees (Raffel et al. 2020)";
  let parameters = (ins "int64_t":$length);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_StreamingAttr : SparseAttn_Preset<"Streaming", "streaming"> {
  let summary = "causal: attention sinks and a window (Xiao et al. 2023)";
  let parameters = (ins "int64_t":$sinks, "int64_t":$window);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_SparseTransformerStridedAttr
    : SparseAttn_Preset<"SparseTransformerStrided", "sparse_transformer_strided"> {
  let summary = "causal: a window of `stride` and every stride-th key (Child et al. 2019)";
  let parameters = (ins "int64_t":$stride);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SparseAttn_SparseTransformerFixedAttr
    : SparseAttn_Preset<"SparseTransformerFixed", "sparse_transformer_fixed"> {
  let summary = "causal: own chunk and the last columns of each chunk (Child et al. 2019)";
  let parameters = (ins "int64_t":$stride, "int64_t":$columns);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // SPARSEATTN_IR_MASKS_TD
