//===- sparse-attn-compile.cpp - Packages of compiled attention -----------===//
//
//   sparse-attn-compile FILE --target=sm_80,sm_90a,x86-64-v3
//     [--emit=ptx,cubin,manifest,header,host] [--entry=F] -o DIR
//   sparse-attn-compile FILE --target=x86-64-v3 --emit=iree [--entry=F] -o DIR
//
//===----------------------------------------------------------------------===//

#include "Iree.h"
#include "SparseAttn/Package/Compile/Compile.h"
#include "SparseAttn/Package/Emulate/Emulate.h"
#include "SparseAttn/Support/BugReport.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Support/Source.h"
#include "SparseAttn/Support/Version.h"
#include "SparseAttn/Target/Target.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;
namespace cl = llvm::cl;

namespace {
/// The command line. Constructed in main, after LLVM's own options have been
/// taken off the parser.
struct Options {
  cl::OptionCategory category{"sparse-attn-compile options"};
  cl::opt<std::string> file{cl::Positional, cl::desc("FILE"), cl::Required,
                            cl::cat(category)};
  cl::list<std::string> targets{
      "target", cl::CommaSeparated, cl::value_desc("sm_80"), cl::cat(category),
      cl::desc("GPUs to make kernels for, and levels of x86-64 (x86-64-v3, "
               "x86-64-v4, or native) to make host code for; may be repeated")};
  cl::list<std::string> emit{
      "emit", cl::CommaSeparated, cl::cat(category),
      cl::value_desc("ptx,cubin,manifest,header,host"),
      cl::desc("What to write; by default all, but cubins only where there is "
               "a ptxas. Or iree: what IREE links into its modules, for one "
               "target")};
  cl::opt<std::string> entry{
      "entry", cl::value_desc("function"), cl::cat(category),
      cl::desc("Compile this function only; else all that have attention")};
  cl::opt<std::string> directory{
      "o", cl::value_desc("directory"), cl::Required, cl::cat(category),
      cl::desc("Where to write; created if it is missing")};
  cl::opt<int64_t> tileQueries{
      "tile-queries", cl::value_desc("number"), cl::init(0), cl::cat(category),
      cl::desc("Query rows of a tile; 0 lets the mask analysis choose")};
  cl::opt<int64_t> tileKeys{
      "tile-keys", cl::value_desc("number"), cl::init(0), cl::cat(category),
      cl::desc("Keys of a tile; 0 lets the mask analysis choose")};
  cl::opt<int64_t> heavySplits{
      "heavy-splits", cl::value_desc("number"), cl::cat(category),
      cl::init(NVVMPipelineOptions().heavySplits),
      cl::desc("Parts that heavy rows are split into along the keys")};
  cl::opt<int64_t> stages{
      "stages", cl::value_desc("number"), cl::cat(category),
      cl::init(NVVMPipelineOptions().stages),
      cl::desc("Key and value tiles in shared memory at a time")};
  cl::opt<int64_t> warps{"warps", cl::value_desc("number"), cl::init(0),
                         cl::cat(category),
                         cl::desc("Warps of a block; 0 lets the tile choose")};
  cl::opt<bool> dense{"dense", cl::cat(category),
                      cl::desc("Kernels for dense, row-major tensors alone; "
                               "else they take rows at any strides")};
  cl::opt<bool> variants{
      "variants", cl::init(true), cl::cat(category),
      cl::desc("Launch faster kernels for sizes that allow some; "
               "--variants=false compiles less")};
  cl::opt<bool> openmp{
      "openmp", cl::init(false), cl::cat(category),
      cl::desc("Let host code run query tiles in threads of LLVM's OpenMP "
               "library, which it then needs; else it runs in the caller's")};
  cl::opt<std::string> emulatorObjects{
      "emulator-objects", cl::Hidden, cl::value_desc("directory"),
      cl::cat(category),
      cl::desc("Write the kernels for the emulator, too, as host code for "
               "tests: SHA256.o, by the SHA-256 of their PTX")};
};

/// What to write.
struct Emit {
  bool ptx = true, cubin = true, manifest = true, header = true, host = true;
  /// In place of all these.
  bool iree = false;
  /// Cubins were asked for by name.
  bool needCubin = false;
};
} // namespace

static Options &flags() {
  static Options options;
  return options;
}

static llvm::raw_ostream &warn() {
  return llvm::WithColor::warning(llvm::errs(), "sparse-attn-compile");
}

static llvm::Expected<Emit> parseEmit() {
  Emit emit;
  if (flags().emit.empty())
    return emit;
  emit.ptx = emit.cubin = emit.manifest = emit.header = emit.host = false;
  for (StringRef kind : flags().emit) {
    if (kind == "ptx")
      emit.ptx = true;
    else if (kind == "cubin")
      emit.cubin = emit.needCubin = true;
    else if (kind == "manifest")
      emit.manifest = true;
    else if (kind == "header")
      emit.header = true;
    else if (kind == "host")
      emit.host = true;
    else if (kind == "iree")
      emit.iree = true;
    else
      return makeError("unknown --emit '{0}'; use ptx, cubin, manifest, header "
                       "or host, or iree",
                       kind);
  }
  if (emit.iree && flags().emit.size() > 1)
    return makeError("--emit=iree goes with nothing else; write the package "
                     "by a command of its own");
  return emit;
}

static llvm::Error checkTargets() {
  if (flags().targets.empty())
    return makeError("--target is missing; kernels are made for {0}, host code "
                     "for {1}",
                     target::knownGpus(), knownHostTargets());
  for (StringRef target : flags().targets)
    if (!target::findGpu(target) && !findHostTarget(target))
      return makeError("unknown --target '{0}'; kernels are made for {1}, host "
                       "code for {2}",
                       target, target::knownGpus(), knownHostTargets());
  return llvm::Error::success();
}

static void setOptions(NVVMPipelineOptions &options, StringRef chip) {
  options.chip = chip.str();
  options.tileQueries = flags().tileQueries;
  options.tileKeys = flags().tileKeys;
  options.heavySplits = flags().heavySplits;
  options.stages = flags().stages;
  options.warps = flags().warps;
  options.strides = flags().dense ? "dense" : "any";
  options.variants = flags().variants;
}

static HostOptions getHostOptions(StringRef cpu) {
  HostOptions options;
  options.cpu = cpu.str();
  options.tileQueries = flags().tileQueries;
  options.tileKeys = flags().tileKeys;
  options.openmp = flags().openmp;
  options.dense = flags().dense;
  return options;
}

/// Adds the cubin. Without one a package still works, so only who asked for it
/// by name gets an error.
static llvm::Error addCubin(PackagedProgram &packaged, const Emit &emit,
                            const std::optional<std::string> &ptxas) {
  if (!ptxas)
    return llvm::Error::success();
  llvm::Expected<std::string> cubin =
      assemble(*ptxas, packaged.ptx, packaged.chip);
  if (!cubin) {
    if (emit.needCubin)
      return cubin.takeError();
    warn() << "no cubin is written: " << llvm::toString(cubin.takeError())
           << "\n";
    return llvm::Error::success();
  }
  packaged.files.push_back(
      {"cubin", makeFileName(packaged.program.name, packaged.chip, "cubin"),
       std::move(*cubin)});
  return llvm::Error::success();
}

static llvm::Error addFiles(PackagedProgram &packaged, const Emit &emit,
                            const std::optional<std::string> &ptxas) {
  const std::string &name = packaged.program.name;
  if (packaged.isHost) {
    if (emit.host)
      packaged.files.push_back({"host", makeFileName(name, packaged.chip, "so"),
                                packaged.sharedObject});
    return llvm::Error::success();
  }
  if (emit.ptx)
    packaged.files.push_back(
        {"ptx", makeFileName(name, packaged.chip, "ptx"), packaged.ptx});
  if (emit.cubin)
    if (llvm::Error error = addCubin(packaged, emit, ptxas))
      return error;
  if (emit.header)
    packaged.files.push_back({"header", makeFileName(name, packaged.chip, "h"),
                              printHeader(packaged)});
  return llvm::Error::success();
}

static llvm::Expected<std::optional<std::string>> getPtxas(const Emit &emit) {
  if (!emit.cubin)
    return std::nullopt;
  std::optional<std::string> ptxas = findPtxas();
  if (ptxas)
    return ptxas;
  std::string where = "no ptxas on the PATH or in the bin directory of "
                      "CUDA_HOME or CUDA_PATH; install the CUDA toolkit";
  if (emit.needCubin)
    return makeError("{0}, or leave cubin out of --emit: a driver compiles PTX "
                     "when it is loaded",
                     where);
  warn() << "no cubin is written: " << where
         << " for one; a driver compiles PTX when it is loaded\n";
  return std::nullopt;
}

/// The targets, each once.
struct Targets {
  llvm::SetVector<StringRef> chips, cpus;
};

static Targets getTargets() {
  Targets targets;
  for (StringRef target : flags().targets) {
    if (std::optional<StringRef> cpu = findHostTarget(target))
      targets.cpus.insert(*cpu);
    else
      targets.chips.insert(target);
  }
  return targets;
}

/// Refuses what would write nothing: kernels come in files of other kinds than
/// host code.
static llvm::Error checkEmit(const Emit &emit, const Targets &targets) {
  if (emit.iree && targets.chips.size() + targets.cpus.size() > 1)
    return makeError("--emit=iree is for one --target: the files of several "
                     "would have the same names; give each a directory");
  if (emit.iree && flags().openmp)
    return makeError("--openmp does not go with --emit=iree, whose workgroups "
                     "run in the threads of IREE");
  if (emit.iree)
    return llvm::Error::success();
  bool forChips = emit.ptx || emit.cubin || emit.header;
  if (emit.manifest || (forChips && !targets.chips.empty()) ||
      (emit.host && !targets.cpus.empty()))
    return llvm::Error::success();
  return makeError("nothing to write: --emit={0} is for {1}, and no --target "
                   "is one",
                   llvm::join(flags().emit, ","),
                   forChips ? "GPUs" : "processors of a host");
}

/// A caller of a function does not ask what it is compiled for.
static llvm::Error checkEqualPlaces(ArrayRef<PackagedProgram> programs) {
  for (const PackagedProgram &program : programs) {
    const PackagedProgram &first = programs.front();
    auto same = [](BufferRef a, BufferRef b) {
      return a.kind == b.kind && a.index == b.index;
    };
    if (!llvm::equal(first.program.resultBuffers, program.program.resultBuffers,
                     same))
      return makeError("'{0}' writes its results elsewhere for {1} than for "
                       "{2}; compile it into two packages",
                       first.program.name, program.chip, first.chip);
  }
  return llvm::Error::success();
}

/// The function for all targets, and the emulator's objects, if asked for.
static llvm::Expected<std::vector<PackagedProgram>>
compileForAll(func::FuncOp func, const Targets &targets, StringRef linker,
              std::vector<OutputFile> &objects) {
  std::vector<PackagedProgram> programs;
  for (StringRef chip : targets.chips) {
    NVVMPipelineOptions options;
    setOptions(options, chip);
    auto packaged = compile(func, options);
    if (!packaged)
      return packaged.takeError();
    if (!flags().emulatorObjects.empty()) {
      auto object = compileForDouble(func, options, packaged->ptx);
      if (!object)
        return object.takeError();
      objects.push_back(std::move(*object));
    }
    programs.push_back(std::move(*packaged));
  }
  for (StringRef cpu : targets.cpus) {
    auto packaged = compileForHost(func, getHostOptions(cpu), linker);
    if (!packaged)
      return packaged.takeError();
    programs.push_back(std::move(*packaged));
  }
  if (llvm::Error error = checkEqualPlaces(programs))
    return std::move(error);
  return programs;
}

/// Writes what IREE takes in place of a package.
static llvm::Error runForIree(ArrayRef<func::FuncOp> functions,
                              const Targets &targets) {
  hideToolkit();
  NVVMPipelineOptions gpu;
  IreeTarget target = &gpu;
  if (targets.cpus.empty())
    setOptions(gpu, targets.chips.front());
  else
    target = getHostOptions(targets.cpus.front());
  auto files = makeIreeFiles(functions, target);
  return files ? writePackage(flags().directory, *files) : files.takeError();
}

static llvm::Error run() {
  llvm::Expected<Emit> emit = parseEmit();
  if (!emit)
    return emit.takeError();
  if (llvm::Error unknown = checkTargets())
    return unknown;
  Targets targets = getTargets();
  if (llvm::Error nothing = checkEmit(*emit, targets))
    return nothing;
  if (flags().directory.empty())
    return makeError("-o has no name; give the directory to write to, '.' for "
                     "the current one");
  if (flags().entry.getNumOccurrences() && flags().entry.empty())
    return makeError("--entry has no name; give a function's, or leave it out");
  DialectRegistry registry;
  registerDialects(registry);
  registerOpenMPDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  llvm::Expected<OwningOpRef<ModuleOp>> module =
      readModule(flags().file, sources, context);
  if (!module)
    return module.takeError();
  auto functions = findPrograms(**module, flags().entry);
  if (!functions)
    return functions.takeError();
  if (emit->iree)
    return runForIree(*functions, targets);
  emit->cubin &= !targets.chips.empty();
  llvm::Expected<std::optional<std::string>> ptxas = getPtxas(*emit);
  if (!ptxas)
    return ptxas.takeError();
  std::string linker;
  if (!targets.cpus.empty()) {
    llvm::Expected<std::string> found = findLinker();
    if (!found)
      return found.takeError();
    linker = std::move(*found);
  }
  hideToolkit();

  std::vector<PackagedProgram> programs;
  std::vector<OutputFile> files, objects;
  for (func::FuncOp func : *functions) {
    auto compiled = compileForAll(func, targets, linker, objects);
    if (!compiled)
      return compiled.takeError();
    for (PackagedProgram &packaged : *compiled) {
      if (llvm::Error error = addFiles(packaged, *emit, *ptxas))
        return error;
      llvm::append_range(files, packaged.files);
      programs.push_back(std::move(packaged));
    }
  }
  if (!objects.empty())
    if (llvm::Error error = writePackage(flags().emulatorObjects, objects))
      return error;
  // Last, so that a manifest never names what is not there yet.
  if (emit->manifest)
    files.push_back({"manifest", "manifest.json", printManifest(programs)});
  return writePackage(flags().directory, files);
}

int main(int argc, char **argv) {
  setBugReport();
  llvm::InitLLVM init(argc, argv);
  ignoreFileSizeLimit();
  cl::ResetCommandLineParser();
  (void)flags();
  setVersion("sparse-attn-compile");
  cl::ParseCommandLineOptions(
      argc, argv,
      "Compiles sparse attention to a package for use ahead of time\n");
  if (llvm::Error failure = run()) {
    llvm::WithColor::error(llvm::errs(), "sparse-attn-compile")
        << llvm::toString(std::move(failure)) << "\n";
    return 1;
  }
  return 0;
}
