//===- SecondReductionTest.cpp - Another reduction over the same tiles ----===//
//
// Planning, proofs, visits, pipelines and what a package says of a function
// know no more of attention than its interface. This dialect, of which the
// project knows nothing, brings a reduction of another kind: for every query
// the sum of the keys that its mask allows, whose state is one tensor. It goes
// through the CPU pipeline as it is, and its results are those of the
// definition.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Package/Compile/Compile.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/ExecutionEngine/CRunnerUtils.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

namespace {

/// out[b, h, r, :] = sum over the keys c that row r may see of K[b, hk, c, :],
/// f32. Operands: queries, keys, destination, and numbers that a mask may read.
class SumKeysOp
    : public Op<SumKeysOp, OpTrait::ZeroRegions, OpTrait::OneResult,
                OpTrait::ZeroSuccessors, OpTrait::AtLeastNOperands<3>::Impl,
                MaskedReductionOpInterface::Trait> {
public:
  using Op::Op;
  static ArrayRef<StringRef> getAttributeNames() {
    static StringRef names[] = {"mask", "plan"};
    return names;
  }
  static StringRef getOperationName() { return "other.sum_keys"; }

  MaskAttrInterface getMask() {
    return cast<MaskAttrInterface>((*this)->getAttr("mask"));
  }
  std::optional<PlanAttr> getPlan() {
    if (auto plan = (*this)->getAttrOfType<PlanAttr>("plan"))
      return plan;
    return std::nullopt;
  }
  void setPlanAttr(PlanAttr plan) { (*this)->setAttr("plan", plan); }
  OperandRange getOrigin() {
    return OperandRange((*this)->operand_begin(), (*this)->operand_begin());
  }
  Value getQuery() { return (*this)->getOperand(0); }
  Value getKey() { return (*this)->getOperand(1); }
  OperandRange getInits() { return (*this)->getOperands().slice(2, 1); }
  Value getDataOperand(StringRef name) {
    bool isThere = name == "numbers" && (*this)->getNumOperands() > 3;
    return isThere ? (*this)->getOperand(3) : Value();
  }
  TileNeeds getTileNeeds() { return {size(), size(), 4}; }

  SmallVector<Value> createQueryOperands(OpBuilder &, const QueryTile &) {
    return {};
  }
  Type getStateType(TileShape tile, int64_t columns) {
    return RankedTensorType::get({tile.queries, columns},
                                 Float32Type::get(getContext()));
  }
  Value createInitialState(OpBuilder &b, Type state) {
    auto type = cast<RankedTensorType>(state);
    Value empty = tensor::EmptyOp::create(b, getLoc(), type.getShape(),
                                          type.getElementType());
    Value zero =
        arith::ConstantOp::create(b, getLoc(), b.getF32FloatAttr(0.0f));
    return linalg::FillOp::create(b, getLoc(), zero, empty).getResult(0);
  }
  Value createStep(OpBuilder &b, Value state, ValueRange, const QueryTile &at,
                   const KeyTile &keys, EmitMaskFn mask) {
    Value tile = sliceRows(b, getLoc(), getKey(), {at.batch, at.keyHead},
                           keys.key, keys.rows);
    AffineExpr r = b.getAffineDimExpr(0), d = b.getAffineDimExpr(1),
               k = b.getAffineDimExpr(2);
    SmallVector<AffineMap> maps = {
        AffineMap::get(3, 0, {k, d}, b.getContext()),
        AffineMap::get(3, 0, {r, d}, b.getContext())};
    SmallVector<utils::IteratorType> iterators = {
        utils::IteratorType::parallel, utils::IteratorType::parallel,
        utils::IteratorType::reduction};
    return linalg::GenericOp::create(
               b, getLoc(), state.getType(), tile, state, maps, iterators,
               [&](OpBuilder &nested, Location loc, ValueRange args) {
                 Value x = args[0];
                 if (mask) {
                   Value zero = arith::ConstantOp::create(
                       nested, loc, nested.getF32FloatAttr(0.0f));
                   Value i = positionAt(nested, loc, at.position, 0);
                   Value j = positionAt(nested, loc, keys.key, 2);
                   x = arith::SelectOp::create(
                       nested, loc, mask(nested, loc, i, j), x, zero);
                 }
                 Value sum = arith::AddFOp::create(nested, loc, args[1], x);
                 linalg::YieldOp::create(nested, loc, sum);
               })
        .getResult(0);
  }
  SmallVector<RankedTensorType> getStateTensorTypes(Type state) {
    return {cast<RankedTensorType>(state)};
  }
  SmallVector<Value> createStore(OpBuilder &, Value state, ValueRange) {
    return {state};
  }
  Value createMergeStored(OpBuilder &b, ValueRange tensors, ValueRange at,
                          Type state) {
    Location loc = getLoc();
    auto type = cast<RankedTensorType>(tensors[0].getType());
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    auto loop = scf::ForOp::create(
        b, loc, index(0), index(type.getDimSize(at.size())), index(1),
        createInitialState(b, state),
        [&](OpBuilder &nested, Location, Value part, ValueRange carried) {
          SmallVector<Value> lead = llvm::to_vector(at);
          lead.push_back(part);
          Value tile = sliceTrailing(nested, loc, tensors[0], lead);
          Value sum = linalg::AddOp::create(
                          nested, loc, ValueRange{carried[0], tile}, carried[0])
                          .getResult(0);
          scf::YieldOp::create(nested, loc, sum);
        });
    return loop.getResult(0);
  }
  SmallVector<Value> createFinish(OpBuilder &b, Value state, const QueryTile &,
                                  ValueRange destinations) {
    auto type = cast<RankedTensorType>(destinations[0].getType());
    if (type == state.getType())
      return {state};
    Value rows = numRows(b, getLoc(), destinations[0]);
    SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0));
    SmallVector<OpFoldResult> sizes = {getAsOpFoldResult(rows),
                                       b.getIndexAttr(size())};
    SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
    return {tensor::ExtractSliceOp::create(b, getLoc(), type, state, offsets,
                                           sizes, strides)};
  }

private:
  int64_t size() { return cast<ShapedType>(getKey().getType()).getDimSize(3); }

  /// The position of a row or key of a tile that begins at `first`, as an i32.
  static Value positionAt(OpBuilder &b, Location loc, Value first,
                          int64_t dimension) {
    Value offset = linalg::IndexOp::create(b, loc, dimension);
    Value place = arith::AddIOp::create(b, loc, first, offset);
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), place);
  }
};

/// Pairs whose keys have the same number in the op's operand, which says it for
/// each batch. As a value it says nothing: any pair may be live.
struct SameNumberNode : MaskNode {
  bool contains(const Lengths &, int64_t, int64_t, int64_t) const override {
    return true;
  }
  void print(llvm::raw_ostream &os) const override { os << "same_number"; }
};

class SameNumberAttr
    : public Attribute::AttrBase<SameNumberAttr, Attribute, AttributeStorage,
                                 MaskAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "other.same_number";

  Mask getMask(std::optional<int64_t>) const {
    return Mask(std::make_shared<SameNumberNode>());
  }
  Value emitPredicate(OpBuilder &b, Location loc,
                      const MaskPosition &at) const {
    Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    Value one = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(1));
    Value last = arith::SubIOp::create(b, loc, at.n, one);
    auto numberAt = [&](Value position) -> Value {
      // Tiles may have rows and keys that do not exist.
      Value inside = arith::MaxSIOp::create(
          b, loc, arith::MinSIOp::create(b, loc, position, last), zero);
      SmallVector<Value> place;
      for (Value x : {at.batch, inside})
        place.push_back(
            arith::IndexCastOp::create(b, loc, b.getIndexType(), x));
      return tensor::ExtractOp::create(b, loc, at.operand("numbers"), place);
    };
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                 numberAt(at.i), numberAt(at.j));
  }
};

class OtherDialect : public Dialect {
public:
  explicit OtherDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<OtherDialect>()) {
    addOperations<SumKeysOp>();
    addAttributes<SameNumberAttr>();
  }
  static StringRef getDialectNamespace() { return "other"; }
  Attribute parseAttribute(DialectAsmParser &parser, Type) const override {
    if (failed(parser.parseKeyword("same_number")))
      return {};
    return SameNumberAttr::get(getContext());
  }
  void printAttribute(Attribute, DialectAsmPrinter &printer) const override {
    printer << "same_number";
  }
};

constexpr int64_t kHeads = 4, kKeyHeads = 2, kSize = 16;

struct Case {
  const char *mask;
  int64_t queries, keys;
};

class OtherDialectTest {
protected:
  OtherDialectTest() {
    DialectRegistry registry;
    registerDialects(registry);
    registry.insert<OtherDialect>();
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  }

  /// Lowers the module and calls a function of it.
  void run(StringRef function, MutableArrayRef<void *> arguments) {
    PassManager pm(&context);
    CPUPipelineOptions options;
    options.openmp = false;
    buildCPUPipeline(pm, options);
    ASSERT_TRUE(succeeded(pm.run(*module)));
    auto engine = ExecutionEngine::create(*module);
    ASSERT_TRUE(bool(engine)) << llvm::toString(engine.takeError());
    llvm::Error error = (*engine)->invokePacked(function, arguments);
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

class SecondReductionTest : public OtherDialectTest,
                            public ::testing::TestWithParam<Case> {
protected:
  SecondReductionTest() {
    module = parseSourceString<ModuleOp>(text(), &context);
  }

  static std::string text() {
    std::string source = R"mlir(
func.func @sums(%q: tensor<1x4x?x16xf32>, %k: tensor<1x2x?x16xf32>,
                %init: tensor<1x4x?x16xf32>) -> tensor<1x4x?x16xf32> {
  %o = "other.sum_keys"(%q, %k, %init) {mask = MASK}
    : (tensor<1x4x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x4x?x16xf32>) -> tensor<1x4x?x16xf32>
  return %o : tensor<1x4x?x16xf32>
})mlir";
    source.replace(source.find("MASK"), 4, GetParam().mask);
    return source;
  }

  /// The sums by definition; of whole numbers, so that f32 is exact.
  std::vector<float> expected(const std::vector<float> &keys) {
    auto [mask, numQueries, numKeys] = GetParam();
    auto op =
        *module->lookupSymbol<func::FuncOp>("sums").getOps<SumKeysOp>().begin();
    Mask value = op.getMask().getMask(numKeys);
    mask::Lengths lengths{numQueries, numKeys};
    std::vector<float> sums(kHeads * numQueries * kSize);
    for (int64_t h = 0; h < kHeads; ++h)
      for (int64_t r = 0; r < numQueries; ++r)
        for (int64_t c = 0; c < numKeys; ++c) {
          if (!value.contains(lengths, h, r + numKeys - numQueries, c))
            continue;
          const float *key =
              &keys[(h / (kHeads / kKeyHeads) * numKeys + c) * kSize];
          for (int64_t d = 0; d < kSize; ++d)
            sums[(h * numQueries + r) * kSize + d] += key[d];
        }
    return sums;
  }
};

TEST_P(SecondReductionTest, IsPlannedAndProven) {
  ASSERT_TRUE(module);
  PassManager pm(&context);
  pm.addPass(createSparseAttnVerifyPlacement());
  pm.addPass(createSparseAttnPlan());
  SparseAttnProvePlanOptions options;
  options.failUnsupported = true;
  pm.addPass(createSparseAttnProvePlan(options));
  EXPECT_TRUE(succeeded(pm.run(*module)));
  module->walk([](SumKeysOp op) { EXPECT_TRUE(op.getPlan()); });
}

TEST_P(SecondReductionTest, IsDescribedAsAttentionIs) {
  ASSERT_TRUE(module);
  PassManager pm(&context);
  pm.addPass(createSparseAttnPlan());
  ASSERT_TRUE(succeeded(pm.run(*module)));
  auto programs = package::findPrograms(*module, /*entry=*/"");
  ASSERT_TRUE(bool(programs));
  ASSERT_EQ(programs->size(), 1u);
  EXPECT_EQ(programs->front().getName(), "sums");
  FailureOr<package::Program> program =
      package::describeInterface(programs->front());
  ASSERT_TRUE(succeeded(program));
  ASSERT_EQ(program->sizes.size(), 2u);
  EXPECT_EQ(program->sizes[0].name, "Sq");
  EXPECT_EQ(program->sizes[1].name, "Sk");
  ASSERT_EQ(program->arguments.size(), 3u);
  using Roles = decltype(package::BufferSpec::roles);
  EXPECT_EQ(program->arguments[0].roles, Roles{"query"});
  EXPECT_EQ(program->arguments[1].roles, Roles{"key"});
  EXPECT_EQ(program->arguments[2].roles, Roles{"output"});
  ASSERT_EQ(program->results.size(), 1u);
  EXPECT_EQ(program->results[0].roles, Roles{"output"});
  EXPECT_EQ(program->results[0].shape[2].str(), "Sq");
  ASSERT_EQ(program->attentions.size(), 1u);
  const package::AttentionSpec &sums = program->attentions.front();
  EXPECT_EQ(sums.mask, GetParam().mask);
  EXPECT_EQ(sums.elementType, "f32");
  EXPECT_EQ(sums.headSize, kSize);
  EXPECT_FALSE(sums.hasLse);
  EXPECT_TRUE(sums.parameters.empty());
  EXPECT_GT(sums.tileQueries, 0);
  EXPECT_EQ(sums.plan.rfind("tile ", 0), 0u) << sums.plan;
}

template <typename T>
StridedMemRefType<T, 4> view(std::vector<T> &data, int64_t heads, int64_t rows,
                             int64_t batches = 1) {
  return {data.data(),
          data.data(),
          0,
          {batches, heads, rows, kSize},
          {heads * rows * kSize, rows * kSize, kSize, 1}};
}

TEST_P(SecondReductionTest, LoweredItComputesItsDefinition) {
  ASSERT_TRUE(module);
  auto [mask, numQueries, numKeys] = GetParam();
  std::mt19937 random(7);
  std::vector<float> queries(kHeads * numQueries * kSize),
      keys(kKeyHeads * numKeys * kSize), init(queries.size());
  for (float &key : keys)
    key = int64_t(random() % 64) - 32;
  std::vector<float> sums = expected(keys);

  StridedMemRefType<float, 4> result, q = view(queries, kHeads, numQueries),
                                      k = view(keys, kKeyHeads, numKeys),
                                      o = view(init, kHeads, numQueries);
  StridedMemRefType<float, 4> *pointers[] = {&result, &q, &k, &o};
  void *arguments[] = {&pointers[0], &pointers[1], &pointers[2], &pointers[3]};
  ASSERT_NO_FATAL_FAILURE(run("_mlir_ciface_sums", arguments));
  ASSERT_EQ(result.sizes[2], numQueries);
  for (int64_t n = 0; n < int64_t(sums.size()); ++n)
    ASSERT_EQ(result.data[result.offset + n], sums[n])
        << "row " << n / kSize % numQueries << " of head "
        << n / kSize / numQueries;
  if (result.basePtr != init.data())
    free(result.basePtr);
}

INSTANTIATE_TEST_SUITE_P(
    Masks, SecondReductionTest,
    ::testing::Values(
        Case{"#sparse_attn.full", 70, 70}, Case{"#sparse_attn.causal", 37, 150},
        Case{"#sparse_attn.longformer<window = 32, global_tokens = [0, 77]>",
             200, 200},
        Case{"#sparse_attn.sliding_window<left = 9, right = 9, dilation = 3>",
             90, 90},
        Case{"#sparse_attn.bigbird<block = 16, window_blocks = 3, "
             "random_blocks = 2, seed = 5>",
             160, 160}));

class LayoutsTest : public OtherDialectTest, public ::testing::Test {};

/// A reduction that does not say that it takes tiles of layouts is planned
/// without, and refused where a plan has some.
TEST_F(LayoutsTest, AnOpThatTakesNoLayoutsGetsNone) {
  module = parseSourceString<ModuleOp>(R"mlir(
func.func @sums(%q: tensor<1x4x64x16xf32>, %k: tensor<1x2x64x16xf32>,
                %init: tensor<1x4x64x16xf32>) -> tensor<1x4x64x16xf32> {
  %o = "other.sum_keys"(%q, %k, %init) {mask = #sparse_attn.periodic_columns<period = 8, last = 1>}
    : (tensor<1x4x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x4x64x16xf32>) -> tensor<1x4x64x16xf32>
  return %o : tensor<1x4x64x16xf32>
})mlir",
                                       &context);
  ASSERT_TRUE(module);
  PassManager planning(&context), visits(&context);
  planning.addPass(createSparseAttnPlan());
  ASSERT_TRUE(succeeded(planning.run(*module)));
  SumKeysOp op;
  module->walk([&](SumKeysOp found) { op = found; });
  Plan plan = op.getPlan()->getPlan();
  ASSERT_FALSE(plan.classes.front().hasLayouts());
  Plan withRows = plan;
  for (Segment &segment : plan.classes.front().segments)
    segment.layout = Layout::lattice(8, 1, 7, 16);
  op.setPlanAttr(PlanAttr::get(&context, plan));
  std::string error;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error = diagnostic.str();
    return success();
  });
  visits.addPass(createSparseAttnVisitTiles());
  EXPECT_TRUE(failed(visits.run(*module)));
  EXPECT_NE(error.find("takes contiguous tiles of keys only"),
            std::string::npos)
      << error;
  withRows.classes.front().layout = Layout::list({3, 9}, 1, 16);
  op.setPlanAttr(PlanAttr::get(&context, withRows));
  EXPECT_TRUE(failed(visits.run(*module)));
  EXPECT_NE(error.find("takes neighbouring rows only"), std::string::npos)
      << error;
}

/// Nor does it get parts, in which rows stand apart, where it does not take
/// them.
TEST_F(LayoutsTest, AnOpThatTakesNoPartsGetsNone) {
  module = parseSourceString<ModuleOp>(R"mlir(
func.func @sums(%q: tensor<1x4x4096x16xf32>, %k: tensor<1x2x4096x16xf32>,
                %init: tensor<1x4x4096x16xf32>) -> tensor<1x4x4096x16xf32> {
  %o = "other.sum_keys"(%q, %k, %init)
    {mask = #sparse_attn.sliding_window<left = 64, right = 64, dilation = 8>}
    : (tensor<1x4x4096x16xf32>, tensor<1x2x4096x16xf32>, tensor<1x4x4096x16xf32>) -> tensor<1x4x4096x16xf32>
  return %o : tensor<1x4x4096x16xf32>
})mlir",
                                       &context);
  ASSERT_TRUE(module);
  PassManager planning(&context), visits(&context);
  planning.addPass(createSparseAttnPlan());
  ASSERT_TRUE(succeeded(planning.run(*module)));
  SumKeysOp op;
  module->walk([&](SumKeysOp found) { op = found; });
  Plan plan = op.getPlan()->getPlan();
  ASSERT_TRUE(plan.parts.empty());
  Plan folded;
  folded.parts.push_back({8, {mask::Piece()}, plan.tile, plan.classes});
  op.setPlanAttr(PlanAttr::get(&context, folded));
  std::string error;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error = diagnostic.str();
    return success();
  });
  visits.addPass(createSparseAttnVisitTiles());
  EXPECT_TRUE(failed(visits.run(*module)));
  EXPECT_NE(error.find("takes no plan of parts"), std::string::npos) << error;
}

/// A mask that reads data needs an op that has it.
TEST_F(LayoutsTest, AnOpWithoutDocumentsHasNoMaskOfThem) {
  module = parseSourceString<ModuleOp>(R"mlir(
func.func @sums(%q: tensor<1x4x64x16xf32>, %k: tensor<1x2x64x16xf32>,
                %init: tensor<1x4x64x16xf32>) -> tensor<1x4x64x16xf32> {
  %o = "other.sum_keys"(%q, %k, %init) {mask = #sparse_attn.complement<#sparse_attn.document>}
    : (tensor<1x4x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x4x64x16xf32>) -> tensor<1x4x64x16xf32>
  return %o : tensor<1x4x64x16xf32>
})mlir",
                                       &context);
  ASSERT_TRUE(module);
  std::string error;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error = diagnostic.str();
    return success();
  });
  PassManager visits(&context);
  visits.addPass(createSparseAttnPlan());
  visits.addPass(createSparseAttnVisitTiles());
  EXPECT_TRUE(failed(visits.run(*module)));
  EXPECT_NE(error.find("has a mask that reads the data operand documents, and "
                       "takes no such data"),
            std::string::npos)
      << error;
}

class OperandOfMaskTest : public OtherDialectTest, public ::testing::Test {};

/// Keys of the same number, in two batches with different numbers, and no later
/// than the query.
TEST_F(OperandOfMaskTest, AnOpaqueMaskReadsTheBatchAndAnOperand) {
  module = parseSourceString<ModuleOp>(R"mlir(
func.func @sums(%q: tensor<2x4x?x16xf32>, %k: tensor<2x2x?x16xf32>,
                %init: tensor<2x4x?x16xf32>, %numbers: tensor<2x?xi32>) -> tensor<2x4x?x16xf32> {
  %o = "other.sum_keys"(%q, %k, %init, %numbers)
    {mask = #sparse_attn.intersection<#sparse_attn.causal, #other.same_number>}
    : (tensor<2x4x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x4x?x16xf32>, tensor<2x?xi32>) -> tensor<2x4x?x16xf32>
  return %o : tensor<2x4x?x16xf32>
})mlir",
                                       &context);
  ASSERT_TRUE(module);
  constexpr int64_t n = 75, batches = 2;
  std::mt19937 random(9);
  std::vector<float> queries(batches * kHeads * n * kSize),
      keys(batches * kKeyHeads * n * kSize), init(queries.size());
  for (float &key : keys)
    key = int64_t(random() % 64) - 32;
  std::vector<int32_t> numbers(batches * n);
  for (int32_t &number : numbers)
    number = random() % 3;
  StridedMemRefType<float, 4> result, q = view(queries, kHeads, n, batches),
                                      k = view(keys, kKeyHeads, n, batches),
                                      o = view(init, kHeads, n, batches);
  StridedMemRefType<int32_t, 2> d = {
      numbers.data(), numbers.data(), 0, {batches, n}, {n, 1}};
  void *pointers[] = {&result, &q, &k, &o, &d};
  void *arguments[] = {&pointers[0], &pointers[1], &pointers[2], &pointers[3],
                       &pointers[4]};
  ASSERT_NO_FATAL_FAILURE(run("_mlir_ciface_sums", arguments));
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t h = 0; h < kHeads; ++h)
      for (int64_t r = 0; r < n; ++r) {
        float sum = 0;
        for (int64_t c = 0; c <= r; ++c)
          if (numbers[b * n + c] == numbers[b * n + r])
            sum += keys[((b * kKeyHeads + h / (kHeads / kKeyHeads)) * n + c) *
                        kSize];
        ASSERT_EQ(
            result.data[result.offset + ((b * kHeads + h) * n + r) * kSize],
            sum)
            << "row " << r << " of head " << h << " of batch " << b;
      }
  if (result.basePtr != init.data())
    free(result.basePtr);
}

} // namespace
