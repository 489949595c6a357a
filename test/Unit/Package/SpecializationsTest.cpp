//===- SpecializationsTest.cpp - Launches for some of the sizes -----------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/JSON.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {

SizeExpr size(const char *name) { return SizeExpr::size(name); }
SizeExpr constant(int64_t value) { return SizeExpr::constant(value); }

/// Of a tensor [Sq] that one kernel writes, with a workspace of as many bytes.
Program makeProgram(const std::string &kernel, int64_t bytes) {
  Program program;
  program.name = "f";
  program.sizes = {{"Sq", {{0, 0}}}, {"Sk", {{0, 1}}}};
  BufferSpec buffer;
  buffer.elementType = "f32";
  buffer.elementBits = 32;
  buffer.shape = {size("Sq"), size("Sk")};
  program.arguments = {buffer};
  program.results = {buffer};
  program.resultBuffers = {{BufferRef::Kind::Argument, 0}};
  buffer.shape = {constant(bytes / 4)};
  program.workspaces = {buffer};
  LaunchSpec launch;
  launch.kernel = kernel;
  launch.grid = {size("Sq"), constant(1), constant(1)};
  launch.block = {constant(32), constant(1), constant(1)};
  launch.arguments = {PointerArgument{{BufferRef::Kind::Workspace, 0}}};
  program.launches = {launch};
  return program;
}

PackagedProgram makePackaged(std::vector<SizeExpr> conditions) {
  PackagedProgram packaged;
  packaged.program = makeProgram("f_0", 4);
  packaged.chip = "sm_80";
  packaged.ptx = ".version 8.0\n";
  for (auto [index, when] : llvm::enumerate(conditions))
    packaged.specializations.push_back(
        {when, makeProgram("f_variant" + std::to_string(index) + "_0",
                           1024 << index)});
  return packaged;
}

std::string errorOf(const PackagedProgram &packaged) {
  return llvm::toString(checkSpecializations(packaged));
}

const SizeExpr equal = SizeExpr::equal(size("Sq"), size("Sk"));
const SizeExpr fewBlocks = SizeExpr::less(size("Sq"), size("sm_count"));

TEST(SpecializationsTest, AreOverSizesAndTheDevice) {
  EXPECT_EQ(errorOf(makePackaged({})), "");
  EXPECT_EQ(errorOf(makePackaged({equal, fewBlocks})), "");
  EXPECT_EQ(errorOf(makePackaged({equal, size("Hq")})),
            "variant 1 of 'f' for sm_80 has the condition 'Hq' on 'Hq', which "
            "is no size; it can be on Sq, Sk, sm_count");
  PackagedProgram named = makePackaged({});
  named.program.sizes[0].name = "sm_count";
  EXPECT_EQ(errorOf(named),
            "'f' has a size of the name sm_count, which is that of the "
            "device's multiprocessors; choose another");
}

TEST(SpecializationsTest, CanAllBeLaunched) {
  EXPECT_EQ(
      errorOf(makePackaged({constant(1), equal})),
      "variant 0 of 'f' for sm_80 takes all sizes, so that nothing behind "
      "it is ever launched; give it a condition on sizes");
  EXPECT_EQ(errorOf(makePackaged({equal, constant(0)})),
            "variant 1 of 'f' for sm_80 takes no sizes and is never launched; "
            "leave it out");
  EXPECT_EQ(errorOf(makePackaged({equal, fewBlocks, equal})),
            "variant 2 of 'f' for sm_80 has the condition of variant 0 and is "
            "never launched; leave it out");
}

TEST(SpecializationsTest, HaveOneInterface) {
  const std::string error =
      "variant 0 of 'f' for sm_80 takes or gives other tensors than the others "
      "do; compile it as a function of its own";
  auto errorAfter = [](llvm::function_ref<void(Program &)> edit) {
    PackagedProgram packaged = makePackaged({equal});
    edit(packaged.specializations[0].program);
    return errorOf(packaged);
  };
  EXPECT_EQ(errorAfter([](Program &p) { p.sizes.pop_back(); }), error);
  EXPECT_EQ(errorAfter([](Program &p) { p.arguments[0].isStrided = true; }),
            error);
  EXPECT_EQ(errorAfter([](Program &p) { p.results[0].elementType = "f16"; }),
            error);
  EXPECT_EQ(errorAfter([](Program &p) {
              p.resultBuffers[0] = {BufferRef::Kind::Result, 0};
            }),
            error);
}

TEST(SpecializationsTest, ManifestHasThemInOrder) {
  std::string text = printManifest({makePackaged({equal, fewBlocks})});
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
  ASSERT_TRUE(bool(json)) << text;
  const llvm::json::Object &root = *json->getAsObject();
  EXPECT_EQ(root.getInteger("schema_version"), 3);
  const llvm::json::Object &program =
      *(*root.getArray("programs"))[0].getAsObject();
  const llvm::json::Array &variants = *program.getArray("variants");
  ASSERT_EQ(variants.size(), 3u);
  const struct {
    llvm::json::Value when;
    const char *kernel;
    int64_t bytes;
  } expected[] = {{"eq(Sq, Sk)", "f_variant0_0", 1024},
                  {"lt(Sq, sm_count)", "f_variant1_0", 2048},
                  {1, "f_0", 256}};
  for (auto [value, expect] : llvm::zip(variants, expected)) {
    const llvm::json::Object &variant = *value.getAsObject();
    EXPECT_EQ(*variant.get("when"), expect.when);
    EXPECT_EQ(variant.getObject("workspace")->getInteger("bytes"),
              expect.bytes);
    const llvm::json::Array &launches = *variant.getArray("launches");
    ASSERT_EQ(launches.size(), 1u);
    EXPECT_EQ(launches[0].getAsObject()->getString("kernel"), expect.kernel);
  }
}

TEST(SpecializationsTest, HeaderChoosesAmongThem) {
  std::string text = printHeader(makePackaged({equal, fewBlocks}));
  for (const char *part :
       {"  int64_t sm_count; /* the device's multiprocessors */\n",
        "static inline int f_sm_80_variant(const f_sm_80_sizes *n) {\n"
        "  if (sparse_attn_eq(n->Sq, n->Sk))\n    return 0;\n"
        "  if (sparse_attn_lt(n->Sq, n->sm_count))\n    return 1;\n"
        "  return 2;\n}\n",
        "  return sparse_attn_select(sparse_attn_eq(n->Sq, n->Sk), "
        "INT64_C(1024), sparse_attn_select(sparse_attn_lt(n->Sq, n->sm_count), "
        "INT64_C(2048), INT64_C(256)));\n",
        "#define f_sm_80_NUM_LAUNCHES 3\n",
        "  case 1:\n    return \"f_variant1_0\";\n",
        "    if (f_sm_80_variant(n) != 1)\n      l->grid[0] = 0;\n",
        "b->workspace + (uint64_t)f_sm_80_workspace_offset_2(n)"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "in\n" << text;
  // Nobody is asked for what nothing depends on.
  text = printHeader(makePackaged({equal}));
  EXPECT_EQ(text.find("sm_count"), std::string::npos);
  text = printHeader(makePackaged({}));
  EXPECT_EQ(text.find("_variant"), std::string::npos);
}

class BranchesTest : public testing::Test {
protected:
  BranchesTest() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// A function with a branch for each condition, which are of the sizes %s
  /// (Sq) and %n (B).
  void parse(const std::vector<std::string> &conditions) {
    std::string text = "!t = tensor<?x2x?x16xf32>\n"
                       "func.func @f(%q: !t) -> !t {\n"
                       "  %c0 = arith.constant 0 : index\n"
                       "  %c2 = arith.constant 2 : index\n"
                       "  %n = tensor.dim %q, %c0 : !t\n"
                       "  %s = tensor.dim %q, %c2 : !t\n";
    std::string value = "%q";
    for (auto [index, condition] : llvm::enumerate(conditions)) {
      std::string id = std::to_string(index);
      auto attention = [&](const char *mask) {
        return "    %x = sparse_attn.attention mask(#sparse_attn." +
               std::string(mask) + ") ins(" + value +
               ", %q, %q : !t, !t, !t) "
               "outs(%i" +
               id + " : !t) -> !t\n    scf.yield %x : !t\n";
      };
      text += "  %i" + id + " = tensor.empty(%n, %s) : !t\n  %k" + id +
              " = arith.constant " + std::to_string(10 + index) +
              " : index\n  %c_" + id + " = " + condition + "\n  %r" + id +
              " = scf.if %c_" + id + " -> (!t) {\n" + attention("causal") +
              "  } else {\n" + attention("full") + "  }\n";
      value = "%r" + id;
    }
    module = parseSourceString<ModuleOp>(
        text + "  return " + value + " : !t\n}\n", &context);
    ASSERT_TRUE(module) << text;
  }

  func::FuncOp getFunction() { return *module->getOps<func::FuncOp>().begin(); }

  /// The conditions of all ways, and the masks along each.
  std::vector<std::string> split() {
    std::vector<std::string> ways;
    auto variants = splitBranches(getFunction());
    if (failed(variants))
      return {error};
    for (const FunctionVariant &variant : *variants) {
      std::string masks;
      func::FuncOp func = variant.func;
      func.walk([&](MaskedReductionOpInterface op) {
        llvm::raw_string_ostream(masks) << " " << op.getMask();
      });
      ways.push_back(func.getName().str() + " where " + variant.when.str() +
                     ":" + masks);
    }
    return ways;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string error;
  ScopedDiagnosticHandler handler{&context, [&](Diagnostic &diagnostic) {
                                    error = diagnostic.str();
                                    return success();
                                  }};
};

using Ways = std::vector<std::string>;

TEST_F(BranchesTest, EachWayIsAFunction) {
  parse({"arith.cmpi slt, %s, %k0 : index", "arith.cmpi slt, %n, %k1 : index"});
  EXPECT_EQ(split(), (Ways{"f_variant1 where lt(Sq, 10) * lt(B, 11): "
                           "#sparse_attn.causal #sparse_attn.causal",
                           "f_variant0 where lt(Sq, 10): #sparse_attn.causal "
                           "#sparse_attn.full",
                           "f_variant2 where lt(B, 11): #sparse_attn.full "
                           "#sparse_attn.causal",
                           "f where 1: #sparse_attn.full #sparse_attn.full"}));
}

TEST_F(BranchesTest, OneQuestionIsAskedOnce) {
  parse({"arith.cmpi eq, %s, %n : index", "arith.cmpi eq, %s, %n : index",
         "arith.cmpi eq, %s, %s : index"});
  Ways ways = split();
  ASSERT_EQ(ways.size(), 2u);
  EXPECT_EQ(ways[0], "f_variant0 where eq(Sq, B): #sparse_attn.causal "
                     "#sparse_attn.causal #sparse_attn.causal");
  EXPECT_EQ(ways[1], "f where 1: #sparse_attn.full #sparse_attn.full "
                     "#sparse_attn.causal");
}

TEST_F(BranchesTest, WaysAreFew) {
  std::vector<std::string> conditions;
  for (int i = 0; i < 5; ++i)
    conditions.push_back("arith.cmpi slt, %s, %k" + std::to_string(i) +
                         " : index");
  parse(conditions);
  EXPECT_EQ(split(), (Ways{"'scf.if' op is one of too many that choose "
                           "attention: a package launches a function in at "
                           "most 16 ways; give some of it a function of its "
                           "own"}));
}

} // namespace
