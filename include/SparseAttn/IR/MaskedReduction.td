//===- MaskedReduction.td - What plans and visits work on --*- tablegen -*-===//

#ifndef SPARSEATTN_IR_MASKEDREDUCTION_TD
#define SPARSEATTN_IR_MASKEDREDUCTION_TD

include "mlir/IR/OpBase.td"

def MaskedReductionOpInterface : OpInterface<"MaskedReductionOpInterface"> {
  let cppNamespace = "::mlir::sparse_attn";
  let description = [{
    An op that reduces, for every query, over the keys that a mask allows, in
    any order and a tile at a time: attention, and whatever else goes over the
    same tile pairs. Planning, proofs and `--sparse-attn-visit-tiles` know no
    more of an op than this interface, nor does what a package says of a function,
    so a new reduction, in any dialect, is an op that implements it and the ops
    that its steps are.

    Queries are [B, Hq, Sq, ...], keys [B, Hkv, Sk, ...], and inits, one a
    result, [B, Hq, Sq, ...]. The state that a loop over key tiles carries is one
    value of a type that the op chooses. An op that visits lower has a plan and
    stands on tensors.
  }];
  let methods = [
    InterfaceMethod<"The pairs that are reduced over.",
      "::mlir::sparse_attn::MaskAttrInterface", "getMask">,
    InterfaceMethod<"Which tile pairs are visited, once that is planned.",
      "::std::optional<::mlir::sparse_attn::PlanAttr>", "getPlan">,
    InterfaceMethod<"Sets the plan.", "void", "setPlanAttr",
      (ins "::mlir::sparse_attn::PlanAttr":$plan)>,
    InterfaceMethod<[{
      Empty, or where the op is a tile of a larger one: the head of query head 0
      and the position of query row 0; or, of an op with data operands, the batch,
      the head and the row where it begins and how many rows a head of the larger
      one has.
    }], "::mlir::OperandRange", "getOrigin">,
    InterfaceMethod<"The operand that has the queries' shape.",
      "::mlir::Value", "getQuery">,
    InterfaceMethod<"The operand that has the keys' shape.",
      "::mlir::Value", "getKey">,
    InterfaceMethod<[{
      The data operand of that name, a tensor that masks may read, or null.
    }], "::mlir::Value", "getDataOperand", (ins "::llvm::StringRef":$name),
      /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<"The destinations, one a result.",
      "::mlir::OperandRange", "getInits">,
    InterfaceMethod<[{
      The tensors that it takes and gives, as their callers call them; by default
      query, key and, inits and results, output. Those that have the queries'
      shape in common agree in B, Hq and Sq, those that have the keys' in B, Hkv
      and Sk.
    }], "::llvm::SmallVector<::mlir::sparse_attn::NamedTensor>",
      "getNamedTensors", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/[{
        return ::mlir::sparse_attn::nameTensors(
            $_op.getQuery(), $_op.getKey(), $_op.getInits(),
            $_op->getResults());
      }]>,
    InterfaceMethod<[{
      Numbers that decide on the results beside the tensors and the mask, by name;
      by default none.
    }], "::llvm::SmallVector<::std::pair<::llvm::StringRef, double>>",
      "getParameters", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/"return {};">,
    InterfaceMethod<"What decides on tile sizes.",
      "::mlir::sparse_attn::TileNeeds", "getTileNeeds">,
    InterfaceMethod<[{
      Values that all steps of a query tile share, made before the loops over
      key tiles.
    }], "::llvm::SmallVector<::mlir::Value>", "createQueryOperands",
      (ins "::mlir::OpBuilder &":$builder,
           "const ::mlir::sparse_attn::QueryTile &":$at)>,
    InterfaceMethod<[{
      The type of the state that loops over key tiles carry for `columns` columns
      of the results, all `valueDim` of them or a slice.
    }], "::mlir::Type", "getStateType",
      (ins "::mlir::sparse_attn::plan::TileShape":$tile, "int64_t":$columns)>,
    InterfaceMethod<"The state before any key.", "::mlir::Value",
      "createInitialState",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Type":$state)>,
    InterfaceMethod<[{
      The state after the keys of a tile, for the columns that it has, the first
      of which is `at.column`. `mask` emits whether query position i
      may see key position j (both i32) and is null where all pairs are live.
    }], "::mlir::Value", "createStep",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$state,
           "::mlir::ValueRange":$queryOperands,
           "const ::mlir::sparse_attn::QueryTile &":$at,
           "const ::mlir::sparse_attn::KeyTile &":$keys,
           "::mlir::sparse_attn::EmitMaskFn":$mask)>,
    InterfaceMethod<[{
      Whether `createStep` takes keys that stand where a layout says: tiles with
      `positions`. Plans of other ops have none.
    }], "bool", "takesKeyLayouts", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/"return false;">,
    InterfaceMethod<[{
      Whether `createQueryOperands` and `createStep` take rows that stand where a
      layout says: tiles with `positions` and `sources`. Plans of other ops have
      none.
    }], "bool", "takesRowLayouts", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/"return false;">,
    InterfaceMethod<[{
      Whether plans may have parts: `createStep` takes tiles whose rows are apart,
      and `createMerge` makes one state of two.
    }], "bool", "takesParts", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/"return false;">,
    InterfaceMethod<"The state over the keys of two states, which are disjoint.",
      "::mlir::Value", "createMerge",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$first,
           "::mlir::Value":$second), /*methodBody=*/"",
      /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
      Whether rows of a query tile may be heads (`QueryTile::hasPackedHeads`).
      Plans of other ops pack none.
    }], "bool", "takesPackedHeads", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/"return false;">,
    InterfaceMethod<"The tensors that a state can be kept as in memory.",
      "::llvm::SmallVector<::mlir::RankedTensorType>", "getStateTensorTypes",
      (ins "::mlir::Type":$state)>,
    InterfaceMethod<"Those tensors, in the place of `destinations`.",
      "::llvm::SmallVector<::mlir::Value>", "createStore",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$state,
           "::mlir::ValueRange":$destinations)>,
    InterfaceMethod<[{
      The state over the keys of several states, which `createStore` has written
      to the slices [at..., p] of `tensors` [..., parts, ...].
    }], "::mlir::Value", "createMergeStored",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$tensors,
           "::mlir::ValueRange":$at, "::mlir::Type":$state)>,
    InterfaceMethod<[{
      The results for the query tile `at`, in the place of `destinations`, slices
      [rows, ...] of the inits: [rows, columns] of those that have columns. Where
      the state has not the first column of all, there are no others.
    }], "::llvm::SmallVector<::mlir::Value>", "createFinish",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$state,
           "const ::mlir::sparse_attn::QueryTile &":$at,
           "::mlir::ValueRange":$destinations)>,
  ];
  let extraSharedClassDeclaration = [{
    ::mlir::ShapedType getQueryType() {
      return ::llvm::cast<::mlir::ShapedType>($_op.getQuery().getType());
    }
    ::mlir::ShapedType getKeyType() {
      return ::llvm::cast<::mlir::ShapedType>($_op.getKey().getType());
    }
    /// Whether queries or the slots of keys stand at positions that are known
    /// at run time only, or keys begin at a slot that is.
    bool hasPositions() {
      return $_op.getDataOperand(kQueryPosition) ||
             $_op.getDataOperand(kKeyPosition) || $_op.getDataOperand(kKeyBegin);
    }
    /// The keys of a page, where keys are pools [pages, Hkv, page, ...] of which
    /// the data operand `page_table` has the pages of each sequence.
    ::std::optional<int64_t> getPageSize() {
      if (!$_op.getDataOperand(kPageTable))
        return ::std::nullopt;
      return getKeyType().getDimSize(2);
    }
    /// Sk, where it is known; 0 of a pool without pages.
    ::std::optional<int64_t> getKnownKeys() {
      ::std::optional<int64_t> page = getPageSize();
      if (page && getKeyType().getDimSize(0) == 0)
        return 0;
      if (page)
        return ::mlir::sparse_attn::keysOfPages(
            $_op.getDataOperand(kPageTable), *page);
      return ::mlir::sparse_attn::staticDim(getKeyType(), 2);
    }
    /// Whether tiles are of neighbouring keys and plans have no parts.
    bool needsPlainPlan() { return hasPositions() || getPageSize(); }
    /// Whether sequences have lengths or positions that are known at run time
    /// only, in data operands.
    bool hasLengths() {
      return $_op.getDataOperand(kQueryLengths) ||
             $_op.getDataOperand(kKeyLengths) || hasPositions();
    }
    /// Sq and Sk where static and not 0, and those of all sequences, which
    /// begin at position 0.
    ::std::optional<int64_t> getStaticNumQueries() {
      if ($_op.getDataOperand(kQueryLengths) || hasPositions())
        return ::std::nullopt;
      return ::mlir::sparse_attn::staticLength(getQueryType());
    }
    ::std::optional<int64_t> getStaticNumKeys() {
      if ($_op.getDataOperand(kKeyLengths) || hasPositions())
        return ::std::nullopt;
      ::std::optional<int64_t> keys = getKnownKeys();
      return keys == 0 ? ::std::nullopt : keys;
    }
    /// A data operand that the mask reads and the op has not; or an empty name.
    ::llvm::StringRef findMissingData() {
      ::llvm::StringRef missing;
      ::mlir::Attribute($_op.getMask()).walk([&](MaskAttrInterface mask) {
        ::llvm::StringRef name = mask.getDataOperandName();
        if (!name.empty() && !$_op.getDataOperand(name))
          missing = name;
      });
      return missing;
    }
    /// The mask as a value, at this op's lengths.
    ::mlir::sparse_attn::Mask getMaskValue() {
      return $_op.getMask().getMask(getStaticNumKeys());
    }
    /// The lengths a plan may rely on. With an origin the position of row 0 is
    /// a run-time value, and so is the nq = nk - position of plans.
    ::mlir::sparse_attn::plan::LengthFacts getLengthFacts() {
      ::mlir::sparse_attn::plan::LengthFacts facts;
      facts.nk = getStaticNumKeys();
      if ($_op.getOrigin().empty())
        facts.nq = getStaticNumQueries();
      return facts;
    }
  }];
}

#endif // SPARSEATTN_IR_MASKEDREDUCTION_TD
