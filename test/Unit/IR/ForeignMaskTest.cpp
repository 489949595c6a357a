//===- ForeignMaskTest.cpp - A mask defined outside the project -----------===//
//
// The mask interface is open: this dialect, of which the project knows nothing,
// brings a mask with only the two required methods, and everything works.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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
  Value emitPredicate(OpBuilder &b, Location loc,
                      const MaskPosition &at) const {
    return RandomAttr::get(getContext(), 16, 2, 9, /*per_head=*/true,
                           std::nullopt)
        .emitPredicate(b, loc, at);
  }
};

class ForeignDialect : public Dialect {
public:
  explicit ForeignDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<ForeignDialect>()) {
    addAttributes<ProductAttr, HiddenDrawAttr>();
  }
  static StringRef getDialectNamespace() { return "foreign"; }
  Attribute parseAttribute(DialectAsmParser &parser, Type) const override {
    if (succeeded(parser.parseOptionalKeyword("hidden_draw")))
      return HiddenDrawAttr::get(getContext());
    if (failed(parser.parseKeyword("product")))
      return {};
    return ProductAttr::get(getContext());
  }
  void printAttribute(Attribute attribute,
                      DialectAsmPrinter &printer) const override {
    printer << (isa<ProductAttr>(attribute) ? "product" : "hidden_draw");
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
