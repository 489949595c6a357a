//===- Compile.cpp - An MLIR file to a callable function ------------------===//

#include "Compile.h"
#include "SparseAttn/Emulator/Pipeline.h"
#include "SparseAttn/Emulator/Runtime.h"
#include "SparseAttn/Package/Compile/Optimize.h"
#include "SparseAttn/Package/Compile/Symbols.h"
#include "SparseAttn/Support/Entry.h"
#include "SparseAttn/Support/Error.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/LocationSnapshot.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Target/TargetMachine.h"
#include <atomic>
#include <chrono>
#include <cstdlib>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::run_tool;
using namespace mlir::sparse_attn::support;

//===----------------------------------------------------------------------===//
// Entry and observation
//===----------------------------------------------------------------------===//

static bool isRunnableTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return false;
  Type element = tensor.getElementType();
  return element.isF16() || element.isBF16() || element.isF32() ||
         element.isInteger(32) || element.isInteger(64);
}

llvm::Expected<func::FuncOp> run_tool::findEntry(ModuleOp module,
                                                 StringRef entry) {
  SmallVector<FunctionOpInterface> functions;
  module.walk([&](func::FuncOp func) {
    if (!func.isExternal())
      functions.push_back(func);
  });
  if (functions.empty())
    return makeError("the file defines no function");
  if (entry.empty()) {
    // Others are its parts.
    auto isPublic = [](FunctionOpInterface func) { return func.isPublic(); };
    if (llvm::count_if(functions, isPublic) == 1)
      functions = {*llvm::find_if(functions, isPublic)};
    if (functions.size() > 1)
      return makeError(
          "the file defines several functions ({0}); name one with --entry",
          listPaths(functions));
    entry = functions.front().getName();
  }
  llvm::Expected<FunctionOpInterface> named = findByName(functions, entry);
  if (!named)
    return named.takeError();
  auto found = cast<func::FuncOp>(named->getOperation());
  for (Type type : llvm::concat<const Type>(found.getArgumentTypes(),
                                            found.getResultTypes()))
    if (!isRunnableTensor(type)) {
      std::string text;
      llvm::raw_string_ostream(text) << type;
      return makeError(
          "'{0}' has a value of type {1}; only ranked tensors of f16, "
          "bf16, f32, i32 or i64 can be passed in and out",
          found.getName(), text);
    }
  return found;
}

llvm::Expected<ObservedOps> run_tool::observe(func::FuncOp func) {
  if (!func.getBody().hasOneBlock())
    return makeError("--check needs a function of one block");
  Operation *terminator = func.getBody().front().getTerminator();
  SmallVector<Value> results(terminator->getOperands());
  auto append = [&](Value value) -> unsigned {
    results.push_back(value);
    return results.size() - 1;
  };
  ObservedOps observed;
  bool nested = false;
  llvm::Error unknown = llvm::Error::success();
  func.walk([&](AttentionOp op) {
    nested |= op->getParentOp() != func || !op.getOrigin().empty();
    if (nested || unknown)
      return;
    auto appendData = [&](StringRef name) -> std::optional<unsigned> {
      if (Value data = op.getDataOperand(name))
        return append(data);
      return std::nullopt;
    };
    ObservedAttention seen{op.getMask(),
                           op.getScaleValue(),
                           op.getSoftcapValue(),
                           append(op.getQuery()),
                           append(op.getKey()),
                           append(op.getValue()),
                           append(op.getResult(0)),
                           std::nullopt};
    if (op.hasScore()) {
      llvm::Expected<ScoreProgram> score = ScoreProgram::compile(op, append);
      if (!score) {
        unknown = llvm::joinErrors(std::move(unknown), score.takeError());
        return;
      }
      seen.score = std::move(*score);
    }
    if (op.hasLse())
      seen.lse = append(op.getResult(1));
    seen.queryLengths = appendData(kQueryLengths);
    seen.keyLengths = appendData(kKeyLengths);
    seen.keyBegins = appendData(kKeyBegin);
    seen.queryPositions = appendData(kQueryPosition);
    seen.keyPositions = appendData(kKeyPosition);
    seen.pageTable = appendData(kPageTable);
    seen.documents = appendData(kDocuments);
    seen.globalTokens = appendData(kGlobalTokens);
    seen.sinks = appendData(kSinks);
    seen.bias = appendData(kBias);
    seen.slopes = appendData(kSlopes);
    observed.attentions.push_back(std::move(seen));
  });
  func.walk([&](MergeOp op) {
    nested |= op->getParentOp() != func;
    if (!nested)
      observed.merges.push_back(
          {append(op.getFirst()), append(op.getFirstLse()),
           append(op.getSecond()), append(op.getSecondLse()),
           append(op.getOutput()), append(op.getLse())});
  });
  if (nested)
    return makeError(
        "--check needs every attention op in the body of '{0}', not "
        "inside loops or branches",
        func.getName());
  if (unknown)
    return std::move(unknown);
  if (observed.attentions.empty() && observed.merges.empty())
    return makeError("--check finds no attention op in '{0}'", func.getName());
  terminator->setOperands(results);
  func.setType(FunctionType::get(func.getContext(), func.getArgumentTypes(),
                                 TypeRange(ValueRange(results))));
  return observed;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// The level whose vector registers the machine this runs on has.
static StringRef levelOf(const llvm::TargetMachine &machine) {
  StringRef features = machine.getTargetFeatureString();
  if (features.contains("+avx512f"))
    return "x86-64-v4";
  if (features.contains("+avx2"))
    return "x86-64-v3";
  return machine.getTargetTriple().isAArch64() ? "armv8-a" : "x86-64-v2";
}

/// From attention to the LLVM dialect. Returns the name that `entry` has there.
static FailureOr<std::string> lowerForCPU(ModuleOp module, func::FuncOp entry,
                                          const HostCode &host,
                                          const llvm::TargetMachine &target) {
  renameForMachineCode(module);
  std::string name = entry.getName().str();
  CPUPipelineOptions options;
  options.target = host.target.empty() ? levelOf(target).str() : host.target;
  options.countProducts = host.countsProducts;
  PassManager pm(module.getContext());
  buildCPUPipeline(pm, options);
  if (failed(pm.run(module)))
    return failure();
  return name;
}

/// The same; kernels and the file of them keep the functions' names.
static FailureOr<std::string> lowerForEmulator(ModuleOp module,
                                               func::FuncOp entry,
                                               const EmulatedDevice &device) {
  renameToIdentifiers(module);
  NVVMPipelineOptions options;
  options.chip = device.chip;
  options.emit = "nvvm";
  options.fewBlocks = device.smCount > 0;
  PassManager kernels(module.getContext()), code(module.getContext());
  // The command line names a chip that there is.
  (void)buildNVVMPipeline(kernels, options,
                          [](const Twine &) { return failure(); });
  if (!device.kernelIR.empty()) {
    LocationSnapshotOptions snapshot;
    snapshot.fileName = device.kernelIR;
    kernels.addPass(createLocationSnapshot(snapshot));
  }
  if (failed(kernels.run(module)))
    return failure();
  renameForMachineCode(module);
  std::string name = entry.getName().str();
  EmulatorPipelineOptions emulator;
  if (device.smCount > 0)
    emulator.smCount = device.smCount;
  buildEmulatorPipeline(code, emulator);
  if (failed(code.run(module)))
    return failure();
  return name;
}

/// Code with `countsProducts` adds to this from all of its threads.
static std::atomic<uint64_t> countedMultiplyAdds;

static void countMultiplyAdds(int64_t count) {
  countedMultiplyAdds.fetch_add(count, std::memory_order_relaxed);
}

/// What code that counts calls, under the name that the linker has for it.
static llvm::orc::SymbolMap
getCounterSymbols(llvm::orc::MangleAndInterner interner) {
  return {{interner("sparse_attn_count_multiply_adds"),
           {llvm::orc::ExecutorAddr::fromPtr(&countMultiplyAdds),
            llvm::JITSymbolFlags::Exported}}};
}

/// What code for the emulator calls, under names as the linker has them.
static llvm::orc::SymbolMap
getEmulatorSymbols(llvm::orc::MangleAndInterner interner) {
  llvm::orc::SymbolMap map;
  for (const emulator::Symbol &symbol : emulator::getSymbols())
    map[interner(symbol.name)] = {
        llvm::orc::ExecutorAddr::fromPtr(symbol.address),
        llvm::JITSymbolFlags::Exported};
  return map;
}

llvm::Expected<Program> Program::compile(ModuleOp module, func::FuncOp entry,
                                         Device device, const HostCode &host,
                                         const EmulatedDevice &emulated) {
  Program program;
  program.device = device;
  std::string symbol = entry.getName().str();
  for (Type type : entry.getResultTypes())
    program.results.push_back(cast<RankedTensorType>(type));

  // Emulated kernels are calls of the runtime most of the time: optimising them
  // costs seconds and gains nothing.
  bool isHot = device == Device::CPU;
  auto level =
      isHot ? llvm::CodeGenOptLevel::Aggressive : llvm::CodeGenOptLevel::None;
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  builder->setCodeGenOptLevel(level);
  auto target = builder->createTargetMachine();
  if (!target)
    return target.takeError();

  FailureOr<std::string> lowered = failure();
  if (succeeded(dropDeclarations(module)))
    lowered = isHot ? lowerForCPU(module, entry, host, **target)
                    : lowerForEmulator(module, entry, emulated);
  if (failed(lowered))
    return makeError("lowering '{0}' failed", symbol);
  program.entry = "_mlir_ciface_" + *lowered;

  auto transformer = [machine = target->get()](llvm::Module *module) {
    package::optimizeHostCode(*module, *machine);
    return llvm::Error::success();
  };
  ExecutionEngineOptions engineOptions;
  if (isHot)
    engineOptions.transformer = transformer;
  engineOptions.jitCodeGenOptLevel = level;
  // It would write a file for a profiler at each run, and leave it.
  engineOptions.enablePerfNotificationListener = false;
  auto engine =
      ExecutionEngine::create(module, engineOptions, std::move(*target));
  if (!engine)
    return engine.takeError();
  program.engine = std::move(*engine);
  if (device == Device::Emulator)
    program.engine->registerSymbols(getEmulatorSymbols);
  else if (host.countsProducts)
    program.engine->registerSymbols(getCounterSymbols);
  // Compile now, not at the first call.
  auto compiled = program.engine->lookup(program.entry);
  if (!compiled)
    return compiled.takeError();
  return program;
}

/// Arguments where kernels may access them.
SmallVector<Descriptor> Program::place(MutableArrayRef<Array> arguments) {
  SmallVector<Descriptor> inputs;
  for (Array &array : arguments) {
    if (device == Device::CPU) {
      inputs.push_back(Descriptor::of(array));
      continue;
    }
    void *copy = emulator::allocate(array.bytes.size());
    llvm::copy(array.bytes, static_cast<char *>(copy));
    inputs.push_back(Descriptor::of(array, copy));
  }
  return inputs;
}

llvm::Error Program::invoke(MutableArrayRef<void *> packedArgs) {
  if (llvm::Error failure = engine->invokePacked(entry, packedArgs))
    return failure;
  if (device == Device::Emulator)
    if (std::optional<std::string> report = emulator::getReport())
      return makeError("{0}", *report);
  return llvm::Error::success();
}

uint64_t Program::getMultiplyAdds() const {
  return device == Device::Emulator ? emulator::getMultiplyAdds()
                                    : countedMultiplyAdds.load();
}

llvm::Expected<std::pair<SmallVector<Array>, double>>
Program::run(MutableArrayRef<Array> arguments) {
  if (device == Device::Emulator)
    emulator::startSession(scheduleSeed);
  countedMultiplyAdds = 0;
  SmallVector<Descriptor> inputs = place(arguments);
  // The results come back as one struct of descriptors, in order.
  size_t numFields = 0;
  SmallVector<Descriptor> outputs;
  for (RankedTensorType type : results) {
    outputs.push_back(Descriptor::ofRank(type.getRank()));
    numFields += outputs.back().sizeInFields();
  }
  SmallVector<int64_t> packed(numFields);
  void *resultPointer = packed.data();
  SmallVector<void *> pointers, packedArgs;
  for (Descriptor &input : inputs)
    pointers.push_back(input.data());
  if (!results.empty())
    packedArgs.push_back(static_cast<void *>(&resultPointer));
  for (void *&pointer : pointers)
    packedArgs.push_back(static_cast<void *>(&pointer));

  auto start = std::chrono::steady_clock::now();
  if (llvm::Error failure = invoke(packedArgs))
    return std::move(failure);
  std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;

  SmallVector<Array> arrays;
  llvm::SmallPtrSet<void *, 8> mine, freed;
  for (Descriptor &input : inputs)
    mine.insert(input.allocated());
  const int64_t *field = packed.data();
  for (auto [descriptor, type] : llvm::zip(outputs, results)) {
    std::copy_n(field, descriptor.sizeInFields(),
                static_cast<int64_t *>(descriptor.data()));
    field += descriptor.sizeInFields();
    arrays.push_back(descriptor.load(type.getElementType()));
  }
  // The emulator's next session frees what was allocated in this one.
  if (device == Device::Emulator)
    return std::pair(std::move(arrays), elapsed.count());
  // A result may be an argument, or two results one buffer.
  for (Descriptor &output : outputs)
    if (!mine.contains(output.allocated()) &&
        freed.insert(output.allocated()).second)
      std::free(output.allocated());
  return std::pair(std::move(arrays), elapsed.count());
}
