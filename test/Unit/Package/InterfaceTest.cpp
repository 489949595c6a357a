//===- InterfaceTest.cpp - Sizes and roles of a function's tensors --------===//

#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {

class InterfaceTest : public testing::Test {
protected:
  InterfaceTest() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.disableMultithreading();
  }

  OwningOpRef<ModuleOp> parse(const std::string &text) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    return module;
  }

  std::string interfaceError(const std::string &text) {
    OwningOpRef<ModuleOp> module = parse(text);
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      message = diagnostic.str();
      return success();
    });
    EXPECT_TRUE(
        failed(describeInterface(module->lookupSymbol<func::FuncOp>("f"))));
    return message;
  }

  Program describe(const std::string &text) {
    OwningOpRef<ModuleOp> module = parse(text);
    FailureOr<Program> program =
        describeInterface(module->lookupSymbol<func::FuncOp>("f"));
    EXPECT_TRUE(succeeded(program));
    return succeeded(program) ? *program : Program();
  }

  static std::string shapeOf(const BufferSpec &buffer) {
    std::string text;
    for (const SizeExpr &size : buffer.shape)
      text += (text.empty() ? "" : " ") + size.str();
    return text;
  }

  MLIRContext context;
};

TEST_F(InterfaceTest, SizesThatTheOpTiesTogetherAreOne) {
  Program program = describe(R"(
!q = tensor<?x8x?x64xf16>
!k = tensor<2x?x?x64xf16>
!v = tensor<?x?x100x32xf16>
!o = tensor<?x?x?x32xf16>
func.func @f(%other: tensor<?xi32>, %v: !v, %k: !k, %q: !q, %init: !o) -> !o {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : !q, !k, !v) outs(%init : !o) -> !o
  return %o : !o
})");
  ASSERT_EQ(program.arguments.size(), 5u);
  EXPECT_EQ(shapeOf(program.arguments[0]), "arg0_dim0");
  EXPECT_EQ(shapeOf(program.arguments[1]), "2 Hkv 100 32");
  EXPECT_EQ(shapeOf(program.arguments[2]), "2 Hkv 100 64");
  EXPECT_EQ(shapeOf(program.arguments[3]), "2 8 Sq 64");
  EXPECT_EQ(shapeOf(program.arguments[4]), "2 8 Sq 32");
  EXPECT_TRUE(program.arguments[0].roles.empty());
  EXPECT_EQ(program.arguments[1].roles.front(), "value");
  EXPECT_EQ(program.arguments[4].roles.front(), "output");
  EXPECT_EQ(program.results[0].roles.front(), "output");
  ASSERT_EQ(program.conditions.size(), 1u);
  EXPECT_EQ(program.conditions[0].formula.str(),
            "eq(floordiv(8, Hkv) * Hkv, 8)");
}

TEST_F(InterfaceTest, ASecondAttentionHasSizesOfItsOwn) {
  Program program = describe(R"(
!t = tensor<1x4x?x64xf16>
func.func @f(%q: !t, %k: !t, %v: !t, %memory: !t, %i0: !t, %i1: !t) -> !t {
  %a = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : !t, !t, !t) outs(%i0 : !t) -> !t
  %b = sparse_attn.attention mask(#sparse_attn.full)
    ins(%a, %memory, %memory : !t, !t, !t) outs(%i1 : !t) -> !t
  return %b : !t
})");
  const char *sizes[] = {"Sq", "Sk", "Sk", "Sk_1", "Sq", "Sq"};
  for (auto [argument, size] : llvm::zip(program.arguments, sizes))
    EXPECT_EQ(argument.shape[2].str(), size);
  EXPECT_EQ(program.attentions.size(), 2u);
  ASSERT_EQ(program.arguments[3].roles.size(), 2u);
  EXPECT_EQ(program.arguments[3].roles[0], "key");
  EXPECT_EQ(program.arguments[3].roles[1], "value");
}

TEST_F(InterfaceTest, CastsTellWhatASizeMustBe) {
  Program program = describe(R"(
!t = tensor<?x?x?x64xf16>
!s = tensor<3x4x?x64xf16>
func.func @f(%q: !t, %k: !t, %init: !s) -> !s {
  %q1 = tensor.cast %q : !t to !s
  %k1 = tensor.cast %k : !t to !s
  %o = sparse_attn.attention mask(#sparse_attn.full)
    ins(%q1, %k1, %k1 : !s, !s, !s) outs(%init : !s) -> !s
  return %o : !s
})");
  EXPECT_EQ(shapeOf(program.arguments[0]), "3 4 Sq 64");
  EXPECT_EQ(shapeOf(program.arguments[1]), "3 4 Sk 64");
  EXPECT_EQ(program.arguments[0].roles.front(), "query");
  EXPECT_TRUE(program.conditions.empty());
}

TEST_F(InterfaceTest, WhatCannotBePassedIsAnError) {
  EXPECT_EQ(interfaceError("func.func @f(%n: index) { return }"),
            "'func.func' op passes a value of type 'index'; a package passes "
            "ranked tensors of integers or floats");
  EXPECT_EQ(
      interfaceError(
          "func.func @f(%n: tensor<*xf32>) -> tensor<*xf32> { return %n : "
          "tensor<*xf32> }"),
      "'func.func' op passes a value of type 'tensor<*xf32>'; a package passes "
      "ranked tensors of integers or floats");
  EXPECT_EQ(interfaceError(
                "func.func @f(%n: tensor<2xf32>) { cf.br ^end\n^end: return }"),
            "'func.func' op has control flow; a package needs the launches in "
            "a row, in one block");
  EXPECT_EQ(interfaceError(R"(
!t = tensor<1x4x?x64xf16>
!q = tensor<2x4x8x64xf16>
!d = tensor<?x4x?x64xf16>
func.func @f(%q: !q, %k: !t, %init: !d) -> !d {
  %q1 = tensor.cast %q : !q to !d
  %o = sparse_attn.attention mask(#sparse_attn.full)
    ins(%q1, %k, %k : !d, !t, !t) outs(%init : !d) -> !d
  return %o : !d
})"),
            "'sparse_attn.attention' op ties sizes of arguments together that "
            "differ: 2 and 1");
}

} // namespace
