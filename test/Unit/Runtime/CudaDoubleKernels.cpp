//===- CudaDoubleKernels.cpp - Kernels that the double runs ---------------===//

#include "CudaDoubleKernels.h"
#include "CudaDouble.h"
#include "SparseAttn/Emulator/Runtime.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/TargetSelect.h"
#include <cstring>

using namespace cuda_double;
namespace emulator = mlir::sparse_attn::emulator;
namespace orc = llvm::orc;

void cuda_double::startEmulator(uint64_t seed) { emulator::startSession(seed); }
void *cuda_double::allocateEmulated(uint64_t bytes) {
  return emulator::allocate(bytes);
}
void cuda_double::freeEmulated(void *memory) { emulator::deallocate(memory); }
void cuda_double::addEmulated(void *memory, uint64_t bytes) {
  emulator::registerAllocation(memory, bytes);
}
void cuda_double::removeEmulated(void *memory) {
  emulator::unregisterAllocation(memory);
}
std::string cuda_double::getEmulatorReport() {
  return emulator::getReport().value_or("");
}

namespace {
class LinkedKernels : public Kernels {
public:
  LinkedKernels(std::unique_ptr<orc::LLJIT> linker,
                const emulator::KernelModule &module)
      : linker(std::move(linker)), module(module) {}
  ~LinkedKernels() override {
    for (const emulator::GlobalVariable &variable : getVariables())
      emulator::unregisterAllocation(variable.address);
  }

  bool has(const std::string &kernel) const override { return find(kernel); }

  void run(const Launch &launch) const override {
    for (const emulator::GlobalVariable &variable : getVariables())
      emulator::registerAllocation(variable.address, variable.bytes);
    // As a struct of C: each at a multiple of its size.
    std::vector<uint64_t> arguments(launch.parameters.size() + 1);
    size_t offset = 0;
    for (const Parameter &parameter : launch.parameters) {
      size_t bytes = parameter.bits / 8;
      offset = llvm::alignTo(offset, bytes);
      std::memcpy(reinterpret_cast<char *>(arguments.data()) + offset,
                  &parameter.value, bytes);
      offset += bytes;
    }
    const auto &grid = launch.grid, &block = launch.block;
    sparse_attn_emu_launch(find(launch.kernel), grid[0], grid[1], grid[2],
                           block[0], block[1], block[2], launch.sharedBytes,
                           arguments.data());
  }

private:
  const emulator::KernelDescriptor *find(const std::string &name) const {
    for (const auto *kernel : llvm::ArrayRef(module.kernels, module.numKernels))
      if (kernel->name == name)
        return kernel;
    return nullptr;
  }
  llvm::ArrayRef<emulator::GlobalVariable> getVariables() const {
    return {module.variables, static_cast<size_t>(module.numVariables)};
  }

  std::unique_ptr<orc::LLJIT> linker; ///< owns the code
  const emulator::KernelModule &module;
};
} // namespace

static llvm::Expected<std::unique_ptr<Kernels>>
link(std::unique_ptr<llvm::MemoryBuffer> object) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto linker =
      orc::LLJITBuilder().setPlatformSetUp(orc::setUpInactivePlatform).create();
  if (!linker)
    return linker.takeError();
  orc::SymbolMap calls;
  for (const emulator::Symbol &symbol : emulator::getSymbols())
    calls[(*linker)->mangleAndIntern(symbol.name)] = {
        orc::ExecutorAddr::fromPtr(symbol.address),
        llvm::JITSymbolFlags::Exported};
  orc::JITDylib &library = (*linker)->getMainJITDylib();
  if (llvm::Error error = library.define(orc::absoluteSymbols(calls)))
    return error;
  if (llvm::Error error = (*linker)->addObjectFile(std::move(object)))
    return error;
  auto module = (*linker)->lookup(emulator::kKernelModule);
  if (!module)
    return module.takeError();
  return std::make_unique<LinkedKernels>(
      std::move(*linker), *module->toPtr<const emulator::KernelModule *>());
}

std::unique_ptr<Kernels> Kernels::load(const std::string &directory,
                                       const std::string &ptx,
                                       std::string &error) {
  auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(ptx));
  std::string path = directory + "/" + llvm::toHex(hash, true) + ".o";
  auto object = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!object) {
    error = "no emulated kernels " + path + ": " + object.getError().message() +
            "; compile with --emulator-objects=" + directory;
    return nullptr;
  }
  auto kernels = link(std::move(*object));
  if (kernels)
    return std::move(*kernels);
  error = path + ": " + llvm::toString(kernels.takeError());
  return nullptr;
}
