//===- CompileHost.cpp - A function to a shared object --------------------===//

#include "SparseAttn/Boundary/Passes.h"
#include "SparseAttn/Package/Compile/Compile.h"
#include "SparseAttn/Package/Compile/HostObject.h"
#include "SparseAttn/Package/Compile/Optimize.h"
#include "SparseAttn/Package/Compile/Symbols.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;
using namespace mlir::sparse_attn::target;

/// The level of that name, if packages can hold code for it.
static const CpuTarget *findLevel(StringRef name) {
  const CpuTarget *level = findCpu(name);
  return level && level->isForPackages ? level : nullptr;
}

/// The highest level whose instructions this machine has, or null.
static const CpuTarget *findNativeLevel() {
  const auto features = llvm::sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<StringRef> names) {
    return llvm::all_of(names,
                        [&](StringRef name) { return features.lookup(name); });
  };
  if (!has({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}))
    return nullptr;
  if (!has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    return findLevel("x86-64-v3");
  return findLevel("x86-64-v4");
}

std::optional<StringRef> package::findHostTarget(StringRef target) {
  const CpuTarget *level =
      target == "native" ? findNativeLevel() : findLevel(target);
  return level ? std::optional(level->name) : std::nullopt;
}

std::string package::knownHostTargets() {
  auto levels = llvm::make_filter_range(
      getCpus(), [](const CpuTarget &cpu) { return cpu.isForPackages; });
  return llvm::join(llvm::map_range(
                        levels, [](const CpuTarget &cpu) { return cpu.name; }),
                    ", ") +
         " and, where this machine has one of them, native";
}

/// The caller makes the memory of the results.
static LogicalResult checkResultSizes(func::FuncOp func,
                                      const Program &program) {
  for (auto [index, result] : llvm::enumerate(program.results))
    for (const SizeExpr &size : result.shape)
      if (std::optional<int64_t> constant = size.asConstant();
          constant && ShapedType::isDynamic(*constant))
        return func.emitOpError("returns a tensor as result ")
               << index
               << " that has a size of no argument; return what attention "
                  "gives, or a tensor of static shape";
  return success();
}

/// Moves what the lowering says of buffers into the program. Returns for each
/// argument of the lowered function its place in the list of descriptors:
/// arguments, then results that have memory of their own.
static SmallVector<unsigned> readBuffers(ModuleOp module, StringRef name,
                                         Program &program) {
  auto func = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  auto places = func->getAttrOfType<DenseI64ArrayAttr>(kResultPlacesAttr);
  auto type = cast<FunctionType>(
      func->getAttrOfType<TypeAttr>(kBuffersAttr).getValue());
  auto isStrided = [&](unsigned argument) {
    return !cast<MemRefType>(type.getInput(argument)).getLayout().isIdentity();
  };
  SmallVector<unsigned> order;
  for (auto [index, argument] : llvm::enumerate(program.arguments)) {
    argument.isStrided = isStrided(index);
    order.push_back(index);
  }
  order.resize(type.getNumInputs());
  llvm::DenseMap<int64_t, unsigned> firstResults;
  for (auto [index, place] : llvm::enumerate(places.asArrayRef())) {
    program.results[index].isStrided = isStrided(place);
    if (place < static_cast<int64_t>(program.arguments.size())) {
      program.resultBuffers.push_back(
          {BufferRef::Kind::Argument, static_cast<unsigned>(place)});
      continue;
    }
    auto [first, isNew] = firstResults.insert({place, index});
    if (isNew)
      order[place] = program.arguments.size() + firstResults.size() - 1;
    program.resultBuffers.push_back({BufferRef::Kind::Result, first->second});
  }
  func->removeAttr(kResultPlacesAttr);
  func->removeAttr(kBuffersAttr);
  return order;
}

/// The one function that others call, and all else internal:
///   void entry(void **descriptors) { f(descriptors[order[0]], ...); }
static void addEntry(llvm::Module &module, StringRef name, StringRef entry,
                     ArrayRef<unsigned> order) {
  llvm::Function *callee = module.getFunction(("_mlir_ciface_" + name).str());
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  llvm::IRBuilder<> b(module.getContext());
  auto *type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false);
  auto *function = llvm::Function::Create(
      type, llvm::GlobalValue::ExternalLinkage, entry, module);
  b.SetInsertPoint(
      llvm::BasicBlock::Create(module.getContext(), "entry", function));
  SmallVector<llvm::Value *> descriptors;
  for (unsigned place : order)
    descriptors.push_back(b.CreateLoad(
        b.getPtrTy(),
        b.CreateConstGEP1_64(b.getPtrTy(), function->getArg(0), place)));
  b.CreateCall(callee, descriptors);
  b.CreateRetVoid();
}

/// Makes an object file's bytes of a module in the LLVM dialect.
static llvm::Expected<std::string> emitCode(ModuleOp lowered, StringRef name,
                                            StringRef entry,
                                            ArrayRef<unsigned> order,
                                            const CpuTarget &level) {
  std::unique_ptr<llvm::TargetMachine> target =
      makeTargetMachine(level, llvm::TargetOptions());
  if (!target)
    return makeError("this LLVM makes no code for {0}; use one that has its "
                     "X86 target",
                     level.name);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(lowered, context, name);
  if (!module)
    return makeError("cannot translate '{0}' to LLVM IR", name);
  setTarget(*module, *target);
  addEntry(*module, name, entry, order);
  optimizeHostCode(*module, *target);
  return emitObject(*module, *target);
}

llvm::Expected<PackagedProgram>
package::compileForHost(func::FuncOp func, const HostOptions &options,
                        StringRef linker) {
  const CpuTarget &level = *findLevel(options.cpu);
  std::string symbol = func.getName().str();
  auto failure = [&] {
    return makeError("cannot compile '{0}' for {1}, for the errors above",
                     symbol, options.cpu);
  };
  OwningOpRef<ModuleOp> module = isolate(func);
  if (!module)
    return failure();
  auto isolated = module->lookupSymbol<func::FuncOp>(symbol);
  CPUPipelineOptions pipeline;
  pipeline.tileQueries = options.tileQueries;
  pipeline.tileKeys = options.tileKeys;
  pipeline.target = level.name.str();
  pipeline.openmp = options.openmp;
  pipeline.resultsToArguments = true;
  pipeline.anyStrides = !options.dense;
  std::string message;
  auto refuse = [&](const Twine &text) {
    message = text.str();
    return mlir::failure();
  };
  if (failed(verifyOptions(pipeline, refuse)))
    return makeError("{0}", message);
  PassManager planning(func.getContext()), lowering(func.getContext());
  planning.addPass(createSparseAttnVerifyPlan());
  pipeline.trustPlans = true;
  buildCPUPlanning(planning, pipeline);
  buildCPUPipeline(lowering, pipeline);
  if (failed(dropDeclarations(*module)) || failed(planning.run(*module)))
    return failure();
  FailureOr<Program> program = describeInterface(isolated);
  if (failed(program) || failed(checkResultSizes(isolated, *program)))
    return failure();
  renameForMachineCode(*module);
  std::string name = isolated.getName().str();
  if (failed(lowering.run(*module)))
    return failure();
  SmallVector<unsigned> order = readBuffers(*module, name, *program);

  PackagedProgram packaged;
  packaged.isHost = true;
  packaged.entry = "sparse_attn_host_" + makeIdentifier(symbol);
  llvm::Expected<std::string> object =
      emitCode(*module, name, packaged.entry, order, level);
  if (!object)
    return object.takeError();
  llvm::Expected<std::string> shared =
      linkShared(linker, *object, options.cpu, options.openmp);
  if (!shared)
    return shared.takeError();
  packaged.sharedObject = std::move(*shared);
  packaged.program = std::move(*program);
  packaged.program.name = symbol;
  packaged.chip = options.cpu;
  packaged.options = {{"tile-queries", options.tileQueries},
                      {"tile-keys", options.tileKeys},
                      {"openmp", options.openmp},
                      {"dense", options.dense}};
  return packaged;
}
