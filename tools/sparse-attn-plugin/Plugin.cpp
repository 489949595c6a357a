//===- Plugin.cpp - The dialect and its passes, loaded by mlir-opt --------===//
//
// For --load-dialect-plugin and --load-pass-plugin.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <link.h>
#include <optional>

using namespace mlir;

namespace {
/// Looks for the object that has `address` among those that are loaded.
struct Search {
  uintptr_t address;
  size_t visited = 0;
  std::optional<size_t> place = std::nullopt;
};
} // namespace

static int visitObject(dl_phdr_info *object, size_t, void *data) {
  auto &search = *static_cast<Search *>(data);
  for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = object->dlpi_phdr[i];
    uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && search.address >= begin &&
        search.address - begin < segment.p_memsz)
      search.place = search.visited;
  }
  ++search.visited;
  return search.place.has_value();
}

/// Objects are numbered in the order in which they were loaded.
template <typename Function>
static std::optional<size_t> placeOf(Function *function) {
  Search search{reinterpret_cast<uintptr_t>(function)};
  dl_iterate_phdr(visitObject, &search);
  return search.place;
}

/// Whether LLVM and MLIR were there before this plug-in. Where they came with
/// it, the program has others, of which neither knows the types of the other's,
/// and to register a dialect would write into an object of another layout.
static bool hostHasOurLibraries() {
  std::optional<size_t> own = placeOf(visitObject);
  std::optional<size_t> mlir = placeOf(registerPassPipeline);
  std::optional<size_t> llvm = placeOf(llvm::errs);
  return own && mlir && llvm && std::max(*mlir, *llvm) < *own;
}

/// What upstream asks for: it refuses plug-ins of another version than its own.
static uint32_t getApiVersion() {
  if (hostHasOurLibraries())
    return MLIR_PLUGIN_API_VERSION;
  llvm::errs() << "SparseAttnPlugin: error: the program that loads this "
                  "plug-in does not use the shared libraries of MLIR and LLVM "
               << LLVM_VERSION_MAJOR << "." << LLVM_VERSION_MINOR
               << " that it was built with; load it into the mlir-opt of that "
                  "version\n";
  return 0;
}

static void registerDialectsOf(DialectRegistry *registry) {
  sparse_attn::registerDialects(*registry);
}

DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {getApiVersion(), "SparseAttn", SPARSE_ATTN_VERSION,
          registerDialectsOf};
}

PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {getApiVersion(), "SparseAttn", SPARSE_ATTN_VERSION,
          sparse_attn::registerPassesAndPipelines};
}
