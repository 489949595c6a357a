//===- ForeignMaskTest.cpp - A mask defined outside the project -----------===//
//
// The mask interface is open: this dialect, of which the project knows nothing,
// brings masks, and an op whose operand one of them reads.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

namespace {

/// Pairs with i * j divisible by 3: no closed form that the core knows.
struct ProductNode : MaskNode {
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    return (i * j) % 3 == 0;
  }
  void print(llvm::raw_ostream &os) const override { os << "product"; }
};

class ProductAttr
    : public Attribute::AttrBase<ProductAttr, Attribute, AttributeStorage,
                                 MaskAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "foreign.product";

  Mask getMask(std::optional<int64_t>) const {
    return Mask(std::make_shared<ProductNode>());
  }
  Value emitPredicate(OpBuilder &b, Location loc,
                      const MaskPosition &at) const {
    auto constant = [&](int32_t value) {
      return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
    };
    Value product = arith::MulIOp::create(b, loc, at.i, at.j);
    Value rest = arith::RemSIOp::create(b, loc, product, constant(3));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest,
                                 constant(0));
  }
};

/// A draw of random blocks that no walk over attributes finds.
class HiddenDrawAttr
    : public Attribute::AttrBase<HiddenDrawAttr, Attribute, AttributeStorage,
                                 MaskAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "foreign.hidden_draw";

  static Mask::RandomOptions getOptions() {
    Mask::RandomOptions options;
    options.block = 16;
    options.blocksPerRow = 2;
    options.seed = 9;
    return options;
  }
  Mask getMask(std::optional<int64_t>) const {
    return Mask::random(getOptions());
  }
};

/// Pairs whose keys have the same number in an operand of the op, which says it
/// for each batch. As a value it says nothing: any pair may be live.
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
  static constexpr StringLiteral name = "foreign.same_number";

  Mask getMask(std::optional<int64_t>) const {
    return Mask(std::make_shared<SameNumberNode>());
  }
  Value emitPredicate(OpBuilder &b, Location loc,
                      const MaskPosition &at) const {
    Value numbers = at.operand("numbers");
    auto numberAt = [&](Value position) -> Value {
      SmallVector<Value> place;
      for (Value x : {at.batch, position})
        place.push_back(
            arith::IndexCastOp::create(b, loc, b.getIndexType(), x));
      return tensor::ExtractOp::create(b, loc, numbers, place);
    };
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                 numberAt(at.i), numberAt(at.j));
  }
};

/// An opaque mask without code.
class SilentAttr
    : public Attribute::AttrBase<SilentAttr, Attribute, AttributeStorage,
                                 MaskAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "foreign.silent";

  Mask getMask(std::optional<int64_t>) const {
    return Mask(std::make_shared<ProductNode>());
  }
};

class ForeignDialect : public Dialect {
public:
  explicit ForeignDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<ForeignDialect>()) {
    addAttributes<ProductAttr, HiddenDrawAttr, SameNumberAttr, SilentAttr>();
  }
  static StringRef getDialectNamespace() { return "foreign"; }
  Attribute parseAttribute(DialectAsmParser &parser, Type) const override {
    if (succeeded(parser.parseOptionalKeyword("hidden_draw")))
      return HiddenDrawAttr::get(getContext());
    if (succeeded(parser.parseOptionalKeyword("silent")))
      return SilentAttr::get(getContext());
    if (failed(parser.parseKeyword("product")))
      return {};
    return ProductAttr::get(getContext());
  }
  void printAttribute(Attribute attribute,
                      DialectAsmPrinter &printer) const override {
    printer << (isa<ProductAttr>(attribute)  ? "product"
                : isa<SilentAttr>(attribute) ? "silent"
                                             : "hidden_draw");
  }
};

constexpr const char *kModule = R"mlir(
#mask = #sparse_attn.intersection<#sparse_attn.causal, #foreign.product>
func.func @f(%q: tensor<1x1x100x16xf32>, %k: tensor<1x1x100x16xf32>,
             %v: tensor<1x1x100x16xf32>) -> tensor<1x1x100x16xf32> {
  %init = tensor.empty() : tensor<1x1x100x16xf32>
  %o = sparse_attn.attention mask(#mask)
         ins(%q, %k, %v : tensor<1x1x100x16xf32>, tensor<1x1x100x16xf32>,
                          tensor<1x1x100x16xf32>)
         outs(%init : tensor<1x1x100x16xf32>) -> tensor<1x1x100x16xf32>
  return %o : tensor<1x1x100x16xf32>
}
)mlir";

class ForeignMaskTest : public ::testing::Test {
protected:
  ForeignMaskTest() {
    DialectRegistry registry;
    registerDialects(registry);
    registry.insert<ForeignDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = parseSourceString<ModuleOp>(kModule, &context);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(ForeignMaskTest, PrintsAndParsesInsideACombinator) {
  ASSERT_TRUE(module);
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  EXPECT_NE(text.find("#foreign.product"), std::string::npos);
  EXPECT_TRUE(parseSourceString<ModuleOp>(text, &context));
}

TEST_F(ForeignMaskTest, PlanKeepsTheClosedFormOfTheOtherMemberAndIsProven) {
  ASSERT_TRUE(module);
  PassManager pm(&context);
  pm.addPass(createSparseAttnPlan());
  SparseAttnProvePlanOptions options;
  options.failUnsupported = true;
  pm.addPass(createSparseAttnProvePlan(options));
  ASSERT_TRUE(succeeded(pm.run(*module)));
  module->walk([](AttentionOp op) {
    // Causal alone bounds what is visited: the last key tile of query tile 0
    // is not the last of all.
    Plan plan = op.getPlan()->getPlan();
    auto tiles = visitedTiles(plan.classes[0], plan.tile, {100, 100}, 0, 0);
    ASSERT_FALSE(tiles.empty());
    EXPECT_LT(tiles.back().keyTile * plan.tile.keys, plan.tile.queries);
  });
}

TEST_F(ForeignMaskTest, LowersToLLVMWithItsOwnPredicate) {
  ASSERT_TRUE(module);
  PassManager pm(&context);
  buildCPUPipeline(pm, CPUPipelineOptions());
  ASSERT_TRUE(succeeded(pm.run(*module)));
  bool remainder = false;
  module->walk([&](LLVM::SRemOp op) { remainder = true; });
  EXPECT_TRUE(remainder);
}

TEST_F(ForeignMaskTest, AnOpaqueMaskReadsTheBatchAndAnOperand) {
  Location loc = UnknownLoc::get(&context);
  Block block;
  OpBuilder b(&context);
  b.setInsertionPointToStart(&block);
  MaskPosition at;
  for (Value *value : {&at.i, &at.j, &at.n, &at.batch, &at.head})
    *value = block.addArgument(b.getI32Type(), loc);
  Value numbers =
      block.addArgument(RankedTensorType::get({2, 100}, b.getI32Type()), loc);
  at.operand = [&](StringRef name) {
    return name == "numbers" ? numbers : Value();
  };
  // Inside a combinator, beside a mask with pieces.
  auto mask = IntersectionAttr::get(
      &context, {CausalAttr::get(&context), SameNumberAttr::get(&context)});
  Value allowed = emitMask(b, loc, mask, at, /*mayPassEnd=*/false);
  ASSERT_TRUE(allowed);
  SmallVector<tensor::ExtractOp> reads(block.getOps<tensor::ExtractOp>());
  ASSERT_EQ(reads.size(), 2u);
  for (tensor::ExtractOp read : reads) {
    EXPECT_EQ(read.getTensor(), numbers);
    auto batch = read.getIndices()[0].getDefiningOp<arith::IndexCastOp>();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch.getIn(), at.batch);
  }
}

TEST_F(ForeignMaskTest, AnOpaqueMaskWithoutCodeIsAnError) {
  std::string text = kModule;
  size_t place = text.find("product>");
  text.replace(place, StringRef("product").size(), "silent");
  for (bool dense : {false, true}) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        message = diagnostic.str();
      return success();
    });
    PassManager pm(&context);
    CPUPipelineOptions options;
    options.dense = dense;
    buildCPUPipeline(pm, options);
    EXPECT_TRUE(failed(pm.run(*module)));
    EXPECT_NE(message.find("of which a part has neither pieces nor "
                           "'emitPredicate'"),
              std::string::npos)
        << message;
  }
}

/// The draw has no table that a walk over attributes would lay out, whether the
/// plan knows of it or the predicate alone does.
TEST_F(ForeignMaskTest, ADrawHiddenInAForeignMaskHasItsTable) {
  std::string text = kModule;
  size_t place = text.find("#foreign.product");
  text.replace(place, StringRef("#foreign.product").size(),
               "#sparse_attn.complement<#foreign.hidden_draw>");
  for (bool dense : {false, true}) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    PassManager pm(&context);
    CPUPipelineOptions options;
    options.dense = dense;
    buildCPUPipeline(pm, options);
    ASSERT_TRUE(succeeded(pm.run(*module)));
    // splitmix64's increment: the draw is made where the function starts.
    bool draws = false;
    module->walk([&](LLVM::ConstantOp op) {
      auto value = dyn_cast<IntegerAttr>(op.getValue());
      draws |= value && value.getValue().getBitWidth() == 64 &&
               value.getValue() == 0x9E3779B97F4A7C15;
    });
    EXPECT_TRUE(draws);
  }
}

} // namespace
