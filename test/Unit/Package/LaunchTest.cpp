//===- LaunchTest.cpp - Descriptions against what the host does -----------===//
//
// The emulator compiles host functions and runs them. Here it does so with a
// recorder in place of its launches and its heap, and what a description says
// must be what the host function did.
//
//===----------------------------------------------------------------------===//

#include "../Formula/Evaluate.h"
#include "SparseAttn/Emulator/Pipeline.h"
#include "SparseAttn/Emulator/Runtime.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/TargetSelect.h"
#include "gtest/gtest.h"
#include <cstring>
#include <map>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;
using namespace mlir::sparse_attn::package;

namespace {

struct RecordedLaunch {
  std::string kernel;
  std::array<int64_t, 7> shape; ///< grid, block, shared memory
  std::vector<uint64_t> arguments;
};

struct Recording {
  const Program *program = nullptr;
  std::vector<RecordedLaunch> launches;
  std::map<uint64_t, int64_t> allocations; ///< address to bytes, none freed
} recording;

/// Fields of a struct at their natural alignment.
std::vector<uint64_t> unpack(const char *fields, const LaunchSpec &launch) {
  std::vector<uint64_t> values;
  size_t offset = 0;
  for (const KernelArgument &argument : launch.arguments) {
    auto *integer = std::get_if<IntegerArgument>(&argument);
    size_t bytes = integer ? integer->bits / 8 : 8;
    offset = llvm::alignTo(offset, bytes);
    uint64_t value = 0;
    std::memcpy(&value, fields + offset, bytes);
    values.push_back(value);
    offset += bytes;
  }
  return values;
}

void recordLaunch(const emulator::KernelDescriptor *kernel, int64_t gridX,
                  int64_t gridY, int64_t gridZ, int64_t blockX, int64_t blockY,
                  int64_t blockZ, int64_t shared, void *arguments) {
  size_t index = recording.launches.size();
  RecordedLaunch launch{
      kernel->name, {gridX, gridY, gridZ, blockX, blockY, blockZ, shared}, {}};
  if (index < recording.program->launches.size())
    launch.arguments = unpack(static_cast<const char *>(arguments),
                              recording.program->launches[index]);
  recording.launches.push_back(std::move(launch));
}

void *recordAllocation(uint64_t bytes) {
  void *begin = std::malloc(bytes);
  recording.allocations[reinterpret_cast<uint64_t>(begin)] = bytes;
  return begin;
}

/// No address may come twice.
void keepAllocation(void *) {}

void freeAllocations() {
  for (auto [address, bytes] : recording.allocations)
    std::free(reinterpret_cast<void *>(address));
  recording.allocations.clear();
}

llvm::orc::SymbolMap getSymbols(llvm::orc::MangleAndInterner interner) {
  llvm::orc::SymbolMap map;
  for (const emulator::Symbol &symbol : emulator::getSymbols()) {
    void *address = symbol.address;
    if (StringRef(symbol.name) == "sparse_attn_emu_launch")
      address = reinterpret_cast<void *>(recordLaunch);
    else if (StringRef(symbol.name) == "malloc")
      address = reinterpret_cast<void *>(recordAllocation);
    else if (StringRef(symbol.name) == "free")
      address = reinterpret_cast<void *>(keepAllocation);
    map[interner(symbol.name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                  llvm::JITSymbolFlags::Exported};
  }
  return map;
}

using Bindings = std::map<std::string, int64_t>;

class LaunchTest : public testing::Test {
protected:
  LaunchTest() {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.disableMultithreading();
  }

  void compile(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    auto func = module->lookupSymbol<func::FuncOp>("f");
    FailureOr<Program> interface = describeInterface(func);
    ASSERT_TRUE(succeeded(interface));
    PassManager kernels(&context);
    NVVMPipelineOptions options;
    options.emit = "nvvm";
    // A description is of one way to launch.
    options.variants = false;
    ASSERT_TRUE(succeeded(buildNVVMPipeline(
        kernels, options, [](const Twine &) { return failure(); })));
    ASSERT_TRUE(succeeded(kernels.run(*module)));
    FailureOr<Program> described = describeProgram(func, *interface);
    ASSERT_TRUE(succeeded(described));
    program = *described;
    PassManager host(&context);
    buildEmulatorPipeline(host, EmulatorPipelineOptions());
    ASSERT_TRUE(succeeded(host.run(*module)));
    auto created = ExecutionEngine::create(*module);
    ASSERT_TRUE(bool(created));
    engine = std::move(*created);
    engine->registerSymbols(getSymbols);
  }

  /// Calls the function with these sizes and compares.
  void check(const Bindings &bindings) {
    sizes = bindings;
    recording = Recording();
    recording.program = &program;
    std::vector<std::vector<int64_t>> descriptors;
    for (const BufferSpec &argument : program.arguments)
      descriptors.push_back(
          makeDescriptor(argument, 0x10000 * (descriptors.size() + 1)));
    std::vector<int64_t> results;
    for (const BufferSpec &result : program.results)
      results.resize(results.size() + 3 + 2 * result.shape.size());
    void *resultPointer = results.data();
    std::vector<void *> pointers{&resultPointer}, addresses;
    for (std::vector<int64_t> &descriptor : descriptors)
      addresses.push_back(descriptor.data());
    for (void *&address : addresses)
      pointers.push_back(&address);
    llvm::Error error = engine->invokePacked("_mlir_ciface_f", pointers);
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
    compareResults(results);
    compareLaunches();
    freeAllocations();
  }

private:
  int64_t evaluate(const SizeExpr &formula) {
    std::optional<int64_t> value = formula_test::evaluate(formula.str(), sizes);
    EXPECT_TRUE(value) << formula.str();
    return value.value_or(-1);
  }

  std::vector<int64_t> makeDescriptor(const BufferSpec &buffer,
                                      int64_t address) {
    std::vector<int64_t> descriptor = {address, address, 0}, strides;
    int64_t stride = 1;
    for (const SizeExpr &size : buffer.shape)
      descriptor.push_back(evaluate(size));
    for (size_t dim = buffer.shape.size(); dim-- > 0;) {
      strides.insert(strides.begin(), stride);
      stride *= descriptor[3 + dim];
    }
    descriptor.insert(descriptor.end(), strides.begin(), strides.end());
    return descriptor;
  }

  /// Each buffer has one place, and no two share one.
  void comparePlace(BufferRef ref, uint64_t address) {
    int kind = ref.kind == BufferRef::Kind::Argument    ? 0
               : ref.kind == BufferRef::Kind::Workspace ? 1
                                                        : 2;
    if (kind == 0) {
      EXPECT_EQ(address, 0x10000u * (ref.index + 1));
      return;
    }
    auto [place, isNew] = places.insert({{kind, ref.index}, address});
    EXPECT_EQ(place->second, address);
    if (!isNew)
      return;
    const BufferSpec &spec =
        kind == 1 ? program.workspaces[ref.index] : program.results[ref.index];
    // Aligned by hand, inside an allocation that is longer by the alignment.
    auto allocation = recording.allocations.upper_bound(address);
    ASSERT_NE(allocation, recording.allocations.begin());
    auto [begin, bytes] = *--allocation;
    constexpr int64_t alignment = 64;
    EXPECT_EQ(bytes, evaluate(spec.bytes()) + alignment);
    EXPECT_LT(address - begin, alignment);
    for (const auto &[other, at] : places)
      EXPECT_TRUE(other == place->first || at != address);
  }

  void compareResults(const std::vector<int64_t> &fields) {
    places.clear();
    const int64_t *field = fields.data();
    for (auto [spec, ref] : llvm::zip(program.results, program.resultBuffers)) {
      comparePlace(ref, field[1]);
      for (auto [dim, size] : llvm::enumerate(spec.shape))
        EXPECT_EQ(evaluate(size), field[3 + dim]) << size.str();
      field += 3 + 2 * spec.shape.size();
    }
  }

  void compareLaunches() {
    ASSERT_EQ(recording.launches.size(), program.launches.size());
    for (auto [did, says] : llvm::zip(recording.launches, program.launches)) {
      EXPECT_EQ(did.kernel, says.kernel);
      for (int axis = 0; axis < 3; ++axis) {
        EXPECT_EQ(did.shape[axis], evaluate(says.grid[axis]))
            << says.grid[axis].str();
        EXPECT_EQ(did.shape[3 + axis], evaluate(says.block[axis]));
      }
      EXPECT_EQ(did.shape[6], evaluate(says.sharedBytes));
      for (auto [value, argument] : llvm::zip(did.arguments, says.arguments)) {
        if (auto *pointer = std::get_if<PointerArgument>(&argument)) {
          comparePlace(pointer->buffer, value);
          continue;
        }
        const SizeExpr &formula = std::get<IntegerArgument>(argument).value;
        EXPECT_EQ(static_cast<int64_t>(value), evaluate(formula))
            << formula.str();
      }
    }
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<ExecutionEngine> engine;
  Program program;
  Bindings sizes;
  /// Where buffers are, by kind and index.
  std::map<std::pair<int, unsigned>, uint64_t> places;
};

/// A function of three tensors whose result and, maybe, LSE it allocates.
std::string makeFunction(const std::string &mask, const std::string &q,
                         const std::string &k, const std::string &lse) {
  std::string results = q + (lse.empty() ? "" : ", " + lse);
  auto sizesOf = [](const std::string &type) {
    std::string text;
    for (int dim = 0; dim < 3; ++dim) {
      size_t begin = 7; // tensor<
      for (int i = 0; i < dim; ++i)
        begin = type.find('x', begin) + 1;
      if (type[begin] == '?')
        text += (text.empty() ? "%n" : ", %n") + std::to_string(dim);
    }
    return text;
  };
  std::string body;
  for (int dim = 0; dim < 3; ++dim) {
    std::string n = std::to_string(dim);
    body += "  %c" + n + " = arith.constant " + n + " : index\n  %n" + n +
            " = tensor.dim %q, %c" + n + " : " + q + "\n";
  }
  body += "  %i = tensor.empty(" + sizesOf(q) + ") : " + q + "\n";
  std::string inits = "%i", types = q;
  if (!lse.empty()) {
    body += "  %j = tensor.empty(" + sizesOf(lse) + ") : " + lse + "\n";
    inits += ", %j";
    types += ", " + lse;
  }
  std::string names = lse.empty() ? "%o" : "%o, %l";
  return "func.func @f(%q: " + q + ", %k: " + k + ", %v: " + k + ") -> (" +
         results + ") {\n" + body + "  " + names +
         " = sparse_attn.attention mask(" + mask + ") ins(%q, %k, %v : " + q +
         ", " + k + ", " + k + ") outs(" + inits + " : " + types + ") -> " +
         types + "\n  return " + names + " : " + types + "\n}\n";
}

const Bindings kSizes[] = {
    {{"B", 1}, {"Hq", 2}, {"Hkv", 1}, {"Sq", 1}, {"Sk", 1}},
    {{"B", 2}, {"Hq", 4}, {"Hkv", 2}, {"Sq", 1}, {"Sk", 300}},
    {{"B", 3}, {"Hq", 1}, {"Hkv", 1}, {"Sq", 129}, {"Sk", 128}},
    {{"B", 1}, {"Hq", 2}, {"Hkv", 2}, {"Sq", 1000}, {"Sk", 77}},
    {{"B", 1}, {"Hq", 6}, {"Hkv", 3}, {"Sq", 257}, {"Sk", 513}},
    {{"B", 0}, {"Hq", 2}, {"Hkv", 2}, {"Sq", 64}, {"Sk", 64}},
    {{"B", 2}, {"Hq", 2}, {"Hkv", 2}, {"Sq", 0}, {"Sk", 64}},
};

TEST_F(LaunchTest, CausalWithDynamicSizes) {
  compile(makeFunction("#sparse_attn.causal", "tensor<?x?x?x64xbf16>",
                       "tensor<?x?x?x64xbf16>", "tensor<?x?x?xf32>"));
  for (const Bindings &sizes : kSizes)
    check(sizes);
}

TEST_F(LaunchTest, HeavyRowsWithDynamicSizes) {
  compile(makeFunction(
      "#sparse_attn.longformer<window = 32, global_tokens = [0, 70]>",
      "tensor<?x?x?x32xf16>", "tensor<?x?x?x32xf16>", "tensor<?x?x?xf32>"));
  for (const Bindings &sizes : kSizes)
    check(sizes);
}

TEST_F(LaunchTest, RandomBlocksWithDynamicSizes) {
  compile(makeFunction(
      "#sparse_attn.bigbird<block = 32, window_blocks = 3, random_blocks = 2>",
      "tensor<?x?x?x32xf16>", "tensor<?x?x?x32xf16>", ""));
  for (const Bindings &sizes : kSizes)
    check(sizes);
}

TEST_F(LaunchTest, SomeStaticSizes) {
  compile(makeFunction(
      "#sparse_attn.union<#sparse_attn.sliding_window<left = 16, right = 0>, "
      "#sparse_attn.global<first = 3, last = 2>>",
      "tensor<2x4x?x16xf16>", "tensor<?x2x?x16xf16>", ""));
  for (Bindings sizes : kSizes)
    check(sizes);
}

TEST_F(LaunchTest, StaticSizes) {
  compile(makeFunction("#sparse_attn.longformer<window = 32, "
                       "global_tokens = [0]>",
                       "tensor<1x2x200x64xf32>", "tensor<1x1x200x64xf32>",
                       "tensor<1x2x200xf32>"));
  check({});
}

} // namespace
