//===- DescribeTest.cpp - Host functions read as formulas -----------------===//

#include "SparseAttn/Package/Describe/Describe.h"
#include "../Formula/Evaluate.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {

class DescribeTest : public testing::Test {
protected:
  DescribeTest() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.disableMultithreading();
  }

  /// A kernel that takes `parameters`, and a host function around `body`.
  std::string makeText(const std::string &signature,
                       const std::string &parameters, const std::string &body) {
    return "module attributes {gpu.container_module} {\n"
           "gpu.module @m attributes {sparse_attn.kernels} { llvm.func @k(" +
           parameters +
           ") attributes {gpu.kernel, nvvm.kernel} { llvm.return } }\n"
           "func.func @f" +
           signature + " {\n" + body + "\n}\n}\n";
  }

  OwningOpRef<ModuleOp> parse(const std::string &text) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    return module;
  }

  /// As describeInterface would say for arguments of rank 2 whose sizes are
  /// named M0, N0, M1, ...
  static Program makeInterface(func::FuncOp func) {
    Program program;
    for (size_t i = 0; i < func.getNumArguments(); ++i) {
      BufferSpec buffer;
      for (const char *name : {"M", "N"})
        buffer.shape.push_back(SizeExpr::size(name + std::to_string(i)));
      program.arguments.push_back(buffer);
    }
    program.results.resize(func.getNumResults());
    return program;
  }

  std::string describeError(const std::string &text) {
    OwningOpRef<ModuleOp> module = parse(text);
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (message.empty())
        message = diagnostic.str();
      return success();
    });
    auto func = module->lookupSymbol<func::FuncOp>("f");
    EXPECT_TRUE(failed(describeProgram(func, makeInterface(func))));
    return message;
  }

  MLIRContext context;
};

/// What host code may compute, of %m and %n. Everything in %x0, %x1, ...
constexpr const char *kArithmetic = R"(
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %m = memref.dim %a, %c0 : TYPE
  %n = memref.dim %a, %c1 : TYPE
  %x0 = arith.subi %m, %n : index
  %x1 = arith.floordivsi %x0, %c3 : index
  %x2 = arith.ceildivsi %x0, %c5 : index
  %x3 = arith.divsi %x0, %c3 : index
  %x4 = arith.remsi %x0, %c5 : index
  %x5 = arith.divui %m, %c5 : index
  %x6 = arith.remui %m, %c3 : index
  %x7 = arith.ceildivui %n, %c3 : index
  %x8 = arith.minsi %x0, %c3 : index
  %x9 = arith.maxsi %x0, %c3 : index
  %x10 = arith.minui %m, %n : index
  %x11 = arith.maxui %m, %n : index
  %lt = arith.cmpi slt, %x0, %c3 : index
  %le = arith.cmpi sle, %m, %n : index
  %gt = arith.cmpi sgt, %m, %n : index
  %ge = arith.cmpi sge, %x0, %c3 : index
  %eq = arith.cmpi eq, %m, %n : index
  %ne = arith.cmpi ne, %m, %n : index
  %ult = arith.cmpi ult, %m, %n : index
  %uge = arith.cmpi uge, %m, %n : index
  %ugt = arith.cmpi ugt, %m, %n : index
  %ule = arith.cmpi ule, %m, %n : index
  %and = arith.andi %lt, %ule : i1
  %or = arith.ori %ge, %ugt : i1
  %true = arith.constant true
  %xor = arith.xori %ne, %true : i1
  %x12 = arith.select %and, %m, %x0 : index
  %x13 = arith.select %or, %n, %x1 : index
  %x14 = arith.select %xor, %x2, %m : index
  %w0 = arith.extui %le : i1 to i32
  %w1 = arith.extsi %gt : i1 to i32
  %w2 = arith.extui %eq : i1 to i32
  %w3 = arith.extui %ult : i1 to i32
  %w4 = arith.addi %w0, %w1 : i32
  %w5 = arith.muli %w2, %w3 : i32
  %w6 = arith.subi %w4, %w5 : i32
  %w7 = arith.extui %uge : i1 to i32
  %w8 = arith.addi %w6, %w7 : i32
  %x15 = arith.index_cast %w8 : i32 to index
  %x16 = arith.shli %m, %c3 : index
  %x17 = arith.shrsi %x0, %c1 : index
  %long = arith.index_castui %m : index to i64
  %short = arith.trunci %long : i64 to i32
  %wide = arith.extui %short : i32 to i64
  %x18 = arith.index_cast %wide : i64 to index
)";
constexpr int kNumResults = 19;

TEST_F(DescribeTest, FormulasAreWhatTheHostComputes) {
  std::string body = kArithmetic, parameters, types, arguments;
  for (int i = 0; i < kNumResults; ++i) {
    std::string n = std::to_string(i), comma = i ? ", " : "";
    body += "  %i" + n + " = arith.index_cast %x" + n + " : index to i64\n";
    parameters += comma + "%p" + n + ": i64";
    arguments += comma + "%i" + n + " : i64";
  }
  body += "  gpu.launch_func @m::@k blocks in (%m, %c1, %n) "
          "threads in (%c3, %c5, %c1) args(" +
          arguments + ")\n  return";
  auto makeModule = [&](const std::string &sizes) {
    std::string type = "memref<" + sizes + "xf32>", text = body;
    for (size_t at; (at = text.find("TYPE")) != std::string::npos;)
      text.replace(at, 4, type);
    return parse(makeText("(%a: " + type + ")", parameters, text));
  };
  OwningOpRef<ModuleOp> module = makeModule("?x?");
  auto func = module->lookupSymbol<func::FuncOp>("f");
  FailureOr<Program> program = describeProgram(func, makeInterface(func));
  ASSERT_TRUE(succeeded(program));
  ASSERT_EQ(program->launches.size(), 1u);
  const LaunchSpec &launch = program->launches.front();
  ASSERT_EQ(launch.arguments.size(), size_t(kNumResults));
  EXPECT_EQ(std::get<IntegerArgument>(launch.arguments[0]).bits, 64u);
  EXPECT_EQ(launch.kernel, "k");
  EXPECT_EQ(launch.grid[2], SizeExpr::size("N0"));
  EXPECT_EQ(launch.block[1], SizeExpr::constant(5));

  // The oracle: MLIR's own folding, where the sizes are known.
  const int64_t cases[][2] = {{0, 0},   {0, 1}, {1, 0},  {7, 7},
                              {8, 3},   {3, 8}, {1, 17}, {16, 31},
                              {40, 12}, {5, 6}, {12, 9}, {9, 12}};
  for (auto [m, n] : cases) {
    OwningOpRef<ModuleOp> folded =
        makeModule(std::to_string(m) + "x" + std::to_string(n));
    PassManager pm(&context);
    pm.addPass(createCanonicalizerPass());
    ASSERT_TRUE(succeeded(pm.run(*folded)));
    folded->walk([&, m = m, n = n](gpu::LaunchFuncOp op) {
      for (auto [index, operand] : llvm::enumerate(op.getKernelOperands())) {
        APInt value;
        ASSERT_TRUE(matchPattern(operand, m_ConstantInt(&value))) << index;
        const SizeExpr &formula =
            std::get<IntegerArgument>(launch.arguments[index]).value;
        EXPECT_EQ(formula_test::evaluate(formula.str(), {{"M0", m}, {"N0", n}}),
                  value.getSExtValue())
            << formula.str() << " at " << m << ", " << n;
      }
    });
  }
}

TEST_F(DescribeTest, BuffersAreToldApart) {
  std::string body = R"(
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %m = memref.dim %a, %c0 : memref<?x?xf32>
  %m2 = arith.muli %m, %c2 : index
  %scratch = memref.alloc(%m2) : memref<?x8xf16>
  %second = memref.alloc(%m) : memref<?x3xf32>
  %first = memref.alloc() : memref<4xf32>
  %size = memref.dim %scratch, %c0 : memref<?x8xf16>
  %size32 = arith.index_cast %size : index to i32
  %i0 = memref.extract_aligned_pointer_as_index %a : memref<?x?xf32> -> index
  %a0 = arith.index_cast %i0 : index to i64
  %p0 = llvm.inttoptr %a0 : i64 to !llvm.ptr<1>
  %i1 = memref.extract_aligned_pointer_as_index %scratch : memref<?x8xf16> -> index
  %a1 = arith.index_cast %i1 : index to i64
  %p1 = llvm.inttoptr %a1 : i64 to !llvm.ptr<1>
  %i2 = memref.extract_aligned_pointer_as_index %second : memref<?x3xf32> -> index
  %a2 = arith.index_cast %i2 : index to i64
  %p2 = llvm.inttoptr %a2 : i64 to !llvm.ptr<1>
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    args(%p0 : !llvm.ptr<1>, %p1 : !llvm.ptr<1>, %p2 : !llvm.ptr<1>, %size32 : i32)
  memref.dealloc %scratch : memref<?x8xf16>
  return %first, %a, %second, %second : memref<4xf32>, memref<?x?xf32>, memref<?x3xf32>, memref<?x3xf32>)";
  OwningOpRef<ModuleOp> module = parse(makeText(
      "(%a: memref<?x?xf32>) -> (memref<4xf32>, memref<?x?xf32>, "
      "memref<?x3xf32>, memref<?x3xf32>)",
      "%0: !llvm.ptr<1>, %1: !llvm.ptr<1>, %2: !llvm.ptr<1>, %3: i32", body));
  auto func = module->lookupSymbol<func::FuncOp>("f");
  FailureOr<Program> program = describeProgram(func, makeInterface(func));
  ASSERT_TRUE(succeeded(program));
  auto expect = [](const BufferRef &ref, BufferRef::Kind kind, unsigned index) {
    EXPECT_EQ(ref.kind, kind);
    EXPECT_EQ(ref.index, index);
  };
  using Kind = BufferRef::Kind;
  ASSERT_EQ(program->resultBuffers.size(), 4u);
  expect(program->resultBuffers[0], Kind::Result, 0);
  expect(program->resultBuffers[1], Kind::Argument, 0);
  expect(program->resultBuffers[2], Kind::Result, 2);
  expect(program->resultBuffers[3], Kind::Result, 2);
  ASSERT_EQ(program->workspaces.size(), 1u);
  EXPECT_EQ(program->workspaces[0].bytes().str(), "M0 * 2 * 8 * 2");
  EXPECT_EQ(program->results[2].bytes().str(), "M0 * 3 * 4");
  const std::vector<KernelArgument> &arguments =
      program->launches.front().arguments;
  expect(std::get<PointerArgument>(arguments[0]).buffer, Kind::Argument, 0);
  expect(std::get<PointerArgument>(arguments[1]).buffer, Kind::Workspace, 0);
  expect(std::get<PointerArgument>(arguments[2]).buffer, Kind::Result, 2);
  EXPECT_EQ(std::get<IntegerArgument>(arguments[3]).value.str(), "M0 * 2");
}

TEST_F(DescribeTest, WorkspaceBuffersDoNotOverlap) {
  Program program;
  for (int64_t size : {1, 256, 100}) {
    BufferSpec buffer;
    buffer.elementBits = 16;
    buffer.shape = {SizeExpr::constant(size), SizeExpr::size("S")};
    program.workspaces.push_back(buffer);
  }
  auto at = [&](size_t index, int64_t size) {
    return formula_test::evaluate(program.workspaceOffset(index).str(),
                                  {{"S", size}});
  };
  EXPECT_EQ(at(0, 1), 0);
  EXPECT_EQ(at(1, 1), 256);
  EXPECT_EQ(at(2, 1), 256 + 512);
  EXPECT_EQ(at(3, 1), 256 + 512 + 256);
  EXPECT_EQ(at(3, 0), 0);
}

TEST_F(DescribeTest, WhatALauncherCannotDoIsAnError) {
  const std::string one = "  %c1 = arith.constant 1 : index\n";
  auto launch = [](const std::string &grid, const std::string &rest) {
    return "  gpu.launch_func @m::@k " + rest + " blocks in (" + grid +
           ", %c1, %c1) threads in (%c1, %c1, %c1)";
  };
  auto error = [&](const std::string &signature, const std::string &parameters,
                   const std::string &body) {
    return describeError(makeText(signature, parameters, body));
  };
  EXPECT_EQ(error("(%a: memref<?x?xindex>)", "",
                  one +
                      "  %n = memref.load %a[%c1, %c1] : memref<?x?xindex>\n" +
                      launch("%n", "") + "\n  return"),
            "'memref.load' op runs on the host; a package holds kernels and "
            "formulas for launching them only, so compute this outside the "
            "function");
  EXPECT_EQ(error("(%a: memref<?x?xf32>, %n: index)", "",
                  one + launch("%n", "") + "\n  return"),
            "argument of type 'index' decides the grid of a launch; in a "
            "package only the sizes of tensors can");
  EXPECT_EQ(error("(%a: memref<?x?xf32>)", "",
                  one +
                      "  %r = memref.dim %a, %c1 : memref<?x?xf32>\n"
                      "  %n = arith.andi %r, %c1 : index\n" +
                      launch("%n", "") + "\n  return"),
            "'arith.andi' op decides the grid of a launch, but is no formula "
            "over the sizes of the tensors");
  EXPECT_EQ(error("(%a: memref<?x?xf32>)", "",
                  one + "  %r = memref.dim %a, %c1 : memref<?x?xf32>\n"
                        "  %n = arith.andi %r, %c1 : index\n"
                        "  %s = memref.alloc(%n) : memref<?xf32>\n  return"),
            "'arith.andi' op decides the size of a buffer, but is no formula "
            "over the sizes of the tensors");
  EXPECT_EQ(error("(%b: memref<?x?xf32>)", "%0: f32",
                  one + "  %x = arith.constant 1.0 : f32\n" +
                      launch("%c1", "") + " args(%x : f32)\n  return"),
            "'gpu.launch_func' op passes a value of type 'f32' as argument 0 "
            "of 'k'; a package passes pointers, tensor maps and integers of 32 "
            "and 64 bits");
  EXPECT_EQ(
      error("(%b: memref<?x?xf32>, %p: !llvm.ptr<1>)", "%0: !llvm.ptr<1>",
            one + launch("%c1", "") + " args(%p : !llvm.ptr<1>)\n  return"),
      "'gpu.launch_func' op passes a pointer as argument 0 of 'k' that is "
      "neither an argument nor an allocation of 'f'");
  EXPECT_EQ(
      error(
          "(%b: memref<?x?xf32>)", "%0: !llvm.ptr",
          one +
              "  %s = memref.subview %b[0, 0] [4, 4] [1, 1] : memref<?x?xf32> "
              "to memref<4x4xf32, strided<[?, 1]>>\n"
              "  %m = sparse_attn_gpu.tensor_map %s box [4, 4] : "
              "memref<4x4xf32, "
              "strided<[?, 1]>>\n" +
              launch("%c1", "") + " args(%m : !llvm.ptr)\n  return"),
      "'sparse_attn_gpu.tensor_map' op describes a buffer that is neither an "
      "argument nor an allocation of 'f'");
  const std::string constant =
      "  %b = memref.get_global @g : memref<2x2xf32>\n";
  EXPECT_EQ(
      describeError("memref.global \"private\" constant @g : memref<2x2xf32> = "
                    "dense<0.0>\nfunc.func @f() -> memref<2x2xf32> {\n" +
                    constant + "  return %b : memref<2x2xf32>\n}"),
      "'func.return' op returns a buffer as result 0 that is neither an "
      "argument nor an allocation");
  EXPECT_EQ(error("(%a: memref<?x?xf32>)", "",
                  one + "  %t = gpu.launch_func async @m::@k blocks in (%c1, "
                        "%c1, %c1) threads in (%c1, %c1, %c1)\n  return"),
            "'gpu.launch_func' op launches asynchronously or in clusters, "
            "which a package cannot say");
  EXPECT_EQ(
      error("(%a: memref<?x?xf32>)", "",
            one + "  gpu.launch_func @m::@k clusters in (%c1, %c1, %c1) blocks "
                  "in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)\n  return"),
      "'gpu.launch_func' op launches asynchronously or in clusters, which a "
      "package cannot say");
  EXPECT_EQ(error("(%a: memref<?x?xf32>)", "", "  cf.br ^end\n^end:\n  return"),
            "'func.func' op has control flow; a package needs the launches in "
            "a row, in one block");
}

TEST_F(DescribeTest, AnArgumentOfNoInterfaceIsAnError) {
  OwningOpRef<ModuleOp> module = parse(
      makeText("(%a: memref<4x4xf32>, %b: memref<4x4xf32>)", "", "return"));
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  auto func = module->lookupSymbol<func::FuncOp>("f");
  Program interface = makeInterface(func);
  interface.arguments.pop_back();
  EXPECT_TRUE(failed(describeProgram(func, std::move(interface))));
  EXPECT_NE(message.find("takes argument 1, which is no argument of its "
                         "interface and no result"),
            std::string::npos)
      << message;
}

TEST_F(DescribeTest, AFormulaWithoutEndIsAnError) {
  std::string body = R"(
  %c1 = arith.constant 1 : index
  %x0 = memref.dim %a, %c1 : memref<?x?xf32>
)";
  for (int i = 0; i < 30; ++i) {
    std::string x = "%x" + std::to_string(i);
    body += "  %x" + std::to_string(i + 1) + " = arith.muli " + x + ", " + x +
            " : index\n";
  }
  body += "  gpu.launch_func @m::@k blocks in (%x30, %c1, %c1) threads in "
          "(%c1, %c1, %c1)\n  return";
  EXPECT_EQ(describeError(makeText("(%a: memref<?x?xf32>)", "", body)),
            "'arith.muli' op decides the grid of a launch, but is no formula "
            "over the sizes of the tensors");
}

} // namespace
