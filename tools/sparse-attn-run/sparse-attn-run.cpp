//===- sparse-attn-run.cpp - Compile and run a function -------------------===//
//
//   sparse-attn-run FILE [--entry=F] [--device=cpu|emulator|cuda]
//     [--seed=N] [--schedule-seed=N] [--kernel-ir=FILE] [--threads=N]
//     [--target=x86-64-v3] [--count-products]
//     [--shape=Sq=1,Sk=4096 ...] [--input=a.npy ...] [--output=o.npy ...]
//     [--check[=all|ROWS]] [--repeat=N] [--json]
//
//===----------------------------------------------------------------------===//

#include "ArgumentSizes.h"
#include "Check.h"
#include "Cuda.h"
#include "SparseAttn/Oracle/Npy.h"
#include "SparseAttn/Package/Compile/Isolate.h"
#include "SparseAttn/Support/BugReport.h"
#include "SparseAttn/Support/Entry.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Support/Source.h"
#include "SparseAttn/Support/Version.h"
#include "SparseAttn/Target/Target.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include <chrono>
#include <cmath>
#include <omp.h>
#include <thread>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::run_tool;
using namespace mlir::sparse_attn::support;
namespace cl = llvm::cl;

namespace {
/// The command line. Constructed in main, after LLVM's own options (it has a
/// --threads too) have been taken off the parser.
struct Options {
  cl::OptionCategory category{"sparse-attn-run options"};
  cl::opt<std::string> file{cl::Positional, cl::desc("FILE"), cl::Required,
                            cl::cat(category)};
  cl::opt<std::string> entry{
      "entry", cl::value_desc("function"), cl::cat(category),
      cl::desc("Function to run; needed where the file has several")};
  cl::opt<std::string> device{"device", cl::value_desc("cpu|emulator|cuda"),
                              cl::init("cpu"), cl::cat(category),
                              cl::desc("Where to run (default cpu)")};
  cl::opt<uint64_t> seed{
      "seed", cl::value_desc("number"), cl::init(0), cl::cat(category),
      cl::desc("Seed of the normal noise that arguments without --input are "
               "(default 0)")};
  cl::opt<uint64_t> scheduleSeed{
      "schedule-seed", cl::value_desc("number"), cl::init(0), cl::cat(category),
      cl::desc("Seed of the emulator's scheduling of threads (default 0); each "
               "further --repeat takes the next")};
  cl::opt<std::string> kernelIR{
      "kernel-ir", cl::value_desc("file"), cl::cat(category),
      cl::desc("File to write the kernels to that the emulator runs; its "
               "reports then name lines of that file")};
  cl::opt<std::string> chip{
      "chip", cl::value_desc("sm_80"), cl::init(NVVMPipelineOptions().chip),
      cl::cat(category),
      cl::desc("GPU whose kernels the emulator runs (default sm_80)")};
  cl::opt<int64_t> smCount{
      "sm-count", cl::value_desc("number"), cl::init(0), cl::cat(category),
      cl::desc(
          "Multiprocessors of the emulated device, by which launches of few "
          "blocks are split; 0, the default, splits none")};
  cl::opt<std::string> target{
      "target", cl::value_desc("x86-64-v3"), cl::cat(category),
      cl::desc("Level of processors whose tiles code for the CPU has, in this "
               "machine's instructions (default this machine's level)")};
  cl::opt<bool> countProducts{
      "count-products", cl::cat(category),
      cl::desc("Make code for the CPU that counts the multiply-adds of its "
               "products, as --json reports them")};
  cl::opt<unsigned> threads{"threads", cl::value_desc("number"), cl::init(0),
                            cl::cat(category),
                            cl::desc("Threads of the CPU; 0 is one a core")};
  cl::list<std::string> shapes{"shape", cl::value_desc("Sq=1,Sk=4096"),
                               cl::cat(category),
                               cl::desc(ShapeBindings::help)};
  cl::list<std::string> inputs{"input", cl::value_desc("file.npy"),
                               cl::cat(category),
                               cl::desc("The next argument; may be repeated")};
  cl::list<std::string> outputs{
      "output", cl::value_desc("file.npy"), cl::cat(category),
      cl::desc("Where the next result is written; may be repeated")};
  cl::opt<std::string> check{
      "check",
      cl::value_desc("rows|all"),
      cl::ValueOptional,
      cl::init("off"),
      cl::cat(category),
      cl::desc("Compare so many random rows a head (64 by default), or all, "
               "with the fp64 reference")};
  cl::opt<unsigned> repeat{
      "repeat", cl::value_desc("number"), cl::init(1), cl::cat(category),
      cl::desc("Runs (default 1); the median time is reported. On cuda there "
               "is one more before them, to warm up")};
  cl::opt<bool> json{"json", cl::cat(category), cl::desc("Report as JSON")};
  cl::opt<std::string> emulatorObjects{
      "emulator-objects", cl::Hidden, cl::value_desc("directory"),
      cl::cat(category),
      cl::desc("Write the kernels of --device=cuda for tests, as "
               "sparse-attn-compile does")};
};
} // namespace

static Options &flags() {
  static Options options;
  return options;
}

static llvm::Expected<std::optional<CompareOptions>> parseCheck() {
  if (flags().check == "off")
    return std::nullopt;
  CompareOptions options;
  options.seed = flags().seed;
  options.threads = std::thread::hardware_concurrency();
  if (flags().check.empty())
    return options;
  if (flags().check == "all") {
    options.rowsPerHead = std::nullopt;
    return options;
  }
  int64_t rows;
  if (StringRef(flags().check).getAsInteger(10, rows) || rows < 1)
    return makeError(
        "--check takes 'all' or a positive number of rows, got '{0}'",
        flags().check.getValue());
  options.rowsPerHead = rows;
  return options;
}

static llvm::Error validateOptions(func::FuncOp func) {
  const std::string &device = flags().device;
  if (device != "cpu" && device != "emulator" && device != "cuda")
    return makeError("unknown device '{0}'; use --device=cpu, "
                     "--device=emulator or --device=cuda",
                     device);
  if (device != "emulator" && !flags().kernelIR.empty())
    return makeError("--kernel-ir needs --device=emulator");
  if (device != "cpu" && flags().target.getNumOccurrences())
    return makeError("--target needs --device=cpu");
  if (flags().target.getNumOccurrences() && !target::findCpu(flags().target))
    return makeError("unknown --target '{0}'; code is made for {1}",
                     flags().target.getValue(), target::knownCpus());
  if (device != "cpu" && flags().countProducts)
    return makeError("--count-products needs --device=cpu");
  if (device != "emulator" && flags().smCount.getNumOccurrences())
    return makeError("--sm-count needs --device=emulator");
  if (device != "emulator" && flags().chip.getNumOccurrences())
    return makeError("--chip needs --device=emulator");
  if (!target::findGpu(flags().chip))
    return makeError("unknown --chip '{0}'; kernels are made for {1}",
                     flags().chip.getValue(), target::knownGpus());
  if (flags().smCount < 0)
    return makeError("--sm-count must be at least 0");
  if (device != "emulator" && flags().scheduleSeed.getNumOccurrences())
    return makeError("--schedule-seed needs --device=emulator");
  if (device != "cuda" && !flags().emulatorObjects.empty())
    return makeError("--emulator-objects needs --device=cuda");
  if (flags().repeat < 1)
    return makeError("--repeat must be at least 1");
  if (flags().inputs.size() > func.getNumArguments())
    return makeError("{0} --input files for {1} arguments",
                     flags().inputs.size(), func.getNumArguments());
  if (flags().outputs.size() > func.getNumResults())
    return makeError("{0} --output files for {1} results",
                     flags().outputs.size(), func.getNumResults());
  return llvm::Error::success();
}

static llvm::Expected<SmallVector<Array>> makeArguments(func::FuncOp func) {
  llvm::Expected<ShapeBindings> bindings = ShapeBindings::parse(flags().shapes);
  if (!bindings)
    return bindings.takeError();
  ArgumentSizes sizes(func);
  SmallVector<Array> arguments;
  for (auto [index, input] : llvm::enumerate(flags().inputs)) {
    auto tensor = cast<RankedTensorType>(func.getArgumentTypes()[index]);
    llvm::Expected<Array> array = readArgument(input, tensor, index);
    if (!array)
      return array.takeError();
    sizes.noteInput(index, array->shape, input, *bindings);
    arguments.push_back(std::move(*array));
  }
  // A name that is none of a size comes before a size that is missing: it may
  // be meant to be that one.
  sizes.noteNames(arguments.size(), *bindings);
  if (llvm::Error unbound = bindings->checkAllBound(flags().file))
    return std::move(unbound);
  for (unsigned index = arguments.size(); index < func.getNumArguments();
       ++index) {
    auto tensor = cast<RankedTensorType>(func.getArgumentTypes()[index]);
    auto shape = sizes.bindShape(index, *bindings);
    if (!shape)
      return shape.takeError();
    if (llvm::Error tooLarge = checkMemory(tensor, *shape, index))
      return std::move(tooLarge);
    arguments.push_back(
        makeNoise(tensor.getElementType(), *shape, flags().seed, index));
  }
  return arguments;
}

namespace {
/// What came out.
struct Run {
  SmallVector<Array> results;
  SmallVector<double> seconds; ///< of each repeat
  double compileSeconds = 0;
  /// One run has that many: tensor cores in the emulator, products on the CPU
  /// where they are counted.
  std::optional<uint64_t> multiplyAdds;
};

class Stopwatch {
public:
  double getSeconds() const {
    std::chrono::duration<double> elapsed =
        std::chrono::steady_clock::now() - start;
    return elapsed.count();
  }

private:
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
};
} // namespace

static double getMedian(SmallVector<double> values) {
  llvm::sort(values);
  return values[values.size() / 2];
}

/// JSON has no NaN and no infinity.
static llvm::json::Value toJson(double error) {
  return std::isfinite(error) ? llvm::json::Value(error)
                              : llvm::json::Value(nullptr);
}

static void report(StringRef name, const Run &run,
                   const std::optional<Comparison> &comparison) {
  double seconds = getMedian(run.seconds);
  if (flags().json) {
    llvm::json::Object object{{"entry", name},
                              {"device", flags().device.getValue()},
                              {"compile_seconds", run.compileSeconds},
                              {"seconds", seconds}};
    if (run.multiplyAdds)
      object["multiply_adds"] = *run.multiplyAdds;
    if (comparison) {
      object["max_abs_error"] = toJson(comparison->maxAbsError);
      object["max_rel_error"] = toJson(comparison->maxRelError);
      object["checked_rows"] = comparison->rows;
      object["passed"] = comparison->passed();
    }
    llvm::outs() << llvm::formatv("{0:2}\n",
                                  llvm::json::Value(std::move(object)));
    return;
  }
  llvm::outs() << llvm::formatv(
      "{0} on {1}: {2:f3} ms (compiled in {3:f0} ms)\n", name,
      flags().device.getValue(), seconds * 1e3, run.compileSeconds * 1e3);
  if (comparison)
    llvm::outs() << llvm::formatv(
        "checked {0} rows against the fp64 reference: {1}; largest absolute "
        "error {2:e2}, relative {3:e2}\n",
        comparison->rows, comparison->passed() ? "passed" : "FAILED",
        comparison->maxAbsError, comparison->maxRelError);
}

/// A kernel computes the same bits under every schedule of the emulator.
static llvm::Error compareSchedules(ArrayRef<Array> before, ArrayRef<Array> now,
                                    unsigned repeat) {
  if (flags().device != "emulator" || repeat == 0)
    return llvm::Error::success();
  for (auto [index, pair] : llvm::enumerate(llvm::zip(before, now)))
    if (std::get<0>(pair).bytes != std::get<1>(pair).bytes)
      return makeError("result {0} differs between the schedule seeds {1} and "
                       "{2}; it depends on the order of threads",
                       index, flags().scheduleSeed + repeat - 1,
                       flags().scheduleSeed + repeat);
  return llvm::Error::success();
}

/// Runs the program on the CPU or in the emulator.
static llvm::Expected<Run> runHere(ModuleOp module, func::FuncOp func,
                                   Device device,
                                   MutableArrayRef<Array> arguments) {
  Run run;
  Stopwatch compiling;
  auto program = Program::compile(
      module, func, device, {flags().target, flags().countProducts},
      {flags().chip, flags().kernelIR, flags().smCount});
  if (!program)
    return program.takeError();
  run.compileSeconds = compiling.getSeconds();
  if (flags().threads > 0)
    omp_set_num_threads(flags().threads);
  for (unsigned i = 0; i < flags().repeat; ++i) {
    program->setScheduleSeed(flags().scheduleSeed + i);
    auto once = program->run(arguments);
    if (!once)
      return once.takeError();
    if (llvm::Error difference = compareSchedules(run.results, once->first, i))
      return std::move(difference);
    run.results = std::move(once->first);
    run.seconds.push_back(once->second);
  }
  if (device == Device::Emulator || flags().countProducts)
    run.multiplyAdds = program->getMultiplyAdds();
  return run;
}

static llvm::Expected<Run> runOnCuda(const CudaDevice &device,
                                     func::FuncOp func,
                                     ArrayRef<Array> arguments) {
  Run run;
  Stopwatch compiling;
  auto program = CudaProgram::compile(device, func, flags().emulatorObjects);
  if (!program)
    return program.takeError();
  run.compileSeconds = compiling.getSeconds();
  auto ran = program->run(arguments, flags().repeat);
  if (!ran)
    return ran.takeError();
  std::tie(run.results, run.seconds) = std::move(*ran);
  return run;
}

static llvm::Error run() {
  DialectRegistry registry;
  registerDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerOpenMPDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  llvm::Expected<OwningOpRef<ModuleOp>> source =
      readModule(flags().file, sources, context);
  if (!source)
    return source.takeError();
  OwningOpRef<ModuleOp> module = std::move(*source);

  if (flags().entry.getNumOccurrences() && flags().entry.empty())
    return makeError("--entry has no name; give a function's, or leave it out");
  auto entry = findEntry(*module, flags().entry);
  if (!entry)
    return entry.takeError();
  // What it calls is taken inside it, so that --check sees all attention.
  OwningOpRef<ModuleOp> alone = package::isolate(*entry);
  if (!alone)
    return makeError("cannot run '{0}' for the error above", entry->getName());
  auto func = alone->lookupSymbol<func::FuncOp>(entry->getName());
  if (llvm::Error invalid = validateOptions(func))
    return invalid;
  auto options = parseCheck();
  if (!options)
    return options.takeError();
  // Without a GPU the error comes before compiling.
  std::optional<CudaDevice> cuda;
  if (flags().device == "cuda") {
    auto opened = CudaDevice::open();
    if (!opened)
      return opened.takeError();
    cuda = std::move(*opened);
  }
  std::string name = getPath(*entry);
  size_t numResults = func.getNumResults();
  auto arguments = makeArguments(func);
  if (!arguments)
    return arguments.takeError();
  if (llvm::Error misfit = checkSizes(func, *arguments))
    return misfit;
  ObservedOps observed;
  if (*options) {
    auto seen = observe(func);
    if (!seen)
      return seen.takeError();
    observed = std::move(*seen);
  }

  Device here = flags().device == "cpu" ? Device::CPU : Device::Emulator;
  llvm::Expected<Run> ran = cuda ? runOnCuda(*cuda, func, *arguments)
                                 : runHere(*alone, func, here, *arguments);
  if (!ran)
    return ran.takeError();
  ArrayRef<Array> results = ran->results;
  std::optional<Comparison> comparison;
  if (*options)
    comparison = checkRun(observed, results, **options);
  if (comparison && comparison->rows == 0)
    return makeError("--check found no row to compare: a size is 0, by a type, "
                     "a --shape or an --input file; give sizes of at least 1");
  for (auto [path, result] :
       llvm::zip(flags().outputs, results.take_front(numResults)))
    if (llvm::Error failure = writeNpy(path, result.toNpy()))
      return failure;
  report(name, *ran, comparison);
  if (comparison && !comparison->passed())
    return makeError("{0} elements are wrong; the worst: {1}",
                     comparison->mismatches,
                     comparison->worst ? comparison->worst->str() : "");
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  setBugReport();
  llvm::InitLLVM init(argc, argv);
  ignoreFileSizeLimit();
  cl::ResetCommandLineParser();
  (void)flags();
  setVersion("sparse-attn-run");
  cl::ParseCommandLineOptions(argc, argv, "Compile and run sparse attention\n");
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  if (llvm::Error failure = run()) {
    llvm::errs() << "sparse-attn-run: error: "
                 << llvm::toString(std::move(failure)) << "\n";
    return 1;
  }
  return 0;
}
