//===- Launch.cpp - Kernels onto a stream ---------------------------------===//
//
// Everything is checked and evaluated before the first kernel is launched.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "LaunchVariant.h"
#include "Parameters.h"
#include "Placement.h"
#include <algorithm>

using namespace sparse_attn::runtime;

namespace {
/// A launch whose formulas have values.
struct ReadyLaunch {
  size_t index; ///< among those of its launch variant
  unsigned grid[3], block[3], sharedBytes;
  size_t firstParameter;
};

class Launcher {
public:
  Launcher(const Module &module, const LaunchRequest &request)
      : module(module), driver(*module.driver), variant(module.variant),
        request(request), call{variant, request, {}, nullptr},
        parameters(call) {}

  bool run() {
    call.values = bindSizes(variant, request.arguments, request.numArguments);
    checkResults(variant, call.values, request.arguments, request.results,
                 request.numResults);
    call.values.push_back(module.numMultiprocessors);
    call.launches = &chooseLaunches(variant, call.values);
    uint64_t bytes = getWorkspaceBytes(*call.launches, call.values);
    Workspace workspace;
    if (request.workspace)
      workspace = {request.workspace, bytes};
    checkPlacement(variant, request.arguments, request.results, workspace);
    for (size_t i = 0; i < call.launches->launches.size(); ++i)
      prepare(i);
    if (ready.empty())
      return false;

    ContextScope scope(driver, module.context);
    checkAddresses();
    if (bytes == 0 || request.workspace) {
      checkWorkspace(bytes);
      launchAll(request.workspace);
    } else if (module.hasMemoryPools) {
      launchWithPool(bytes);
    } else {
      launchAndWait(bytes);
    }
    return true;
  }

private:
  void prepare(size_t index) {
    const Launch &launch = call.launches->launches[index];
    int64_t grid[3];
    for (int i = 0; i < 3; ++i)
      grid[i] = launch.grid[i].evaluate(call.values);
    // A class of rows that are split along the keys may have none.
    if (*std::min_element(grid, grid + 3) <= 0)
      return;
    ReadyLaunch next = {};
    next.index = index;
    for (int i = 0; i < 3; ++i)
      next.grid[i] = checkGrid(index, i, grid[i]);
    setBlock(launch, next);
    next.sharedBytes = getSharedBytes(index);
    next.firstParameter = parameters.size();
    parameters.add(launch);
    ready.push_back(next);
  }

  unsigned checkGrid(size_t index, int dim, int64_t blocks) const {
    if (blocks > module.maxGrid[dim])
      fail(SPARSE_ATTN_TOO_LARGE,
           call.describe(call.launches->launches[index]) + " needs " +
               std::to_string(blocks) + " blocks in dimension " +
               std::to_string(dim) + " of its grid, the device allows " +
               std::to_string(module.maxGrid[dim]) +
               "; split the batch into several calls");
    return static_cast<unsigned>(blocks);
  }

  void setBlock(const Launch &launch, ReadyLaunch &next) const {
    int64_t threads = 1;
    for (int i = 0; i < 3; ++i) {
      int64_t block = launch.block[i].evaluate(call.values);
      bool fits = block >= 1 && block <= module.maxThreads / threads;
      if (!fits)
        fail(SPARSE_ATTN_CORRUPT_PACKAGE,
             call.describe(launch) +
                 " asks for a block of other than 1 "
                 "to " +
                 std::to_string(module.maxThreads) +
                 " threads; write the package anew with sparse-attn-compile");
      threads *= block;
      next.block[i] = static_cast<unsigned>(block);
    }
  }

  unsigned getSharedBytes(size_t index) const {
    int64_t most = module.maxShared[call.launches->firstLaunch + index];
    int64_t shared =
        call.launches->launches[index].sharedBytes.evaluate(call.values);
    if (shared < 0 || shared > most)
      fail(SPARSE_ATTN_TOO_LARGE,
           call.describe(call.launches->launches[index]) + " needs " +
               std::to_string(shared) +
               " bytes of shared memory, the device has " +
               std::to_string(most) +
               "; give smaller tensors, or compile with smaller tiles");
    return static_cast<unsigned>(shared);
  }

  /// A kernel that reads other memory would end the whole context.
  void checkAddresses() const {
    for (size_t i = 0; i < variant.arguments.size(); ++i)
      checkAddress(request.arguments[i].data, {false, i});
    for (size_t i = 0; i < variant.results.size(); ++i)
      if (variant.hasOwnMemory(i))
        checkAddress(request.results[i].data, {true, i});
  }

  void checkAddress(CUdeviceptr address, TensorLabel label) const {
    const SparseAttnTensor &tensor =
        (label.isResult ? request.results : request.arguments)[label.index];
    bool isEmpty = std::count(tensor.shape, tensor.shape + tensor.rank, 0) > 0;
    if (!isEmpty)
      checkAddress(address, [&] { return label.describe(variant); });
  }

  template <typename Describe>
  void checkAddress(CUdeviceptr address, Describe describe) const {
    unsigned type = 0, isManaged = 0;
    int ordinal = -1;
    int attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                        CU_POINTER_ATTRIBUTE_IS_MANAGED,
                        CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
    void *answers[] = {&type, &isManaged, &ordinal};
    CUresult result = driver.cuPointerGetAttributes(
        std::size(attributes), attributes, answers, address);
    if (result != CUDA_SUCCESS && result != CUDA_ERROR_INVALID_VALUE)
      driver.raise(result, "cuPointerGetAttributes");
    if (result == CUDA_ERROR_INVALID_VALUE || type == 0)
      fail(SPARSE_ATTN_WRONG_DEVICE,
           describe() + " is not in memory that the driver knows; copy it to "
                        "the device");
    if (type == CU_MEMORYTYPE_DEVICE && !isManaged && ordinal != module.device)
      fail(SPARSE_ATTN_WRONG_DEVICE,
           describe() + " is on device " + std::to_string(ordinal) +
               ", the program on device " + std::to_string(module.device) +
               "; copy it there, or load the function for that device");
  }

  void checkWorkspace(uint64_t bytes) const {
    if (bytes == 0)
      return;
    if (request.workspaceBytes < bytes)
      fail(SPARSE_ATTN_SMALL_WORKSPACE,
           "the workspace has " + std::to_string(request.workspaceBytes) +
               " bytes, " + quote(variant.name) + " needs " +
               std::to_string(bytes) +
               " for these sizes; give that many, or none");
    if (request.workspace % variant.alignment != 0)
      fail(SPARSE_ATTN_MISALIGNED,
           "the workspace of " + quote(variant.name) + " starts " +
               std::to_string(request.workspace % variant.alignment) +
               " bytes past a multiple of " +
               std::to_string(variant.alignment) +
               "; give an address that is a multiple");
    checkAddress(request.workspace, [&] {
      return call.describe(BufferRef{BufferRef::Kind::Workspace});
    });
  }

  void launchWithPool(uint64_t bytes) {
    CUdeviceptr workspace = 0;
    driver.check(driver.cuMemAllocAsync(&workspace, bytes, request.stream),
                 describeAllocation(bytes));
    try {
      launchAll(workspace);
    } catch (...) {
      driver.cuMemFreeAsync(workspace, request.stream);
      throw;
    }
    driver.check(driver.cuMemFreeAsync(workspace, request.stream),
                 "the workspace of " + quote(variant.name) +
                     " cannot be freed");
  }

  /// The workspace can go only when the launches have ended.
  void launchAndWait(uint64_t bytes) {
    int isCapturing = 0;
    driver.check(driver.cuStreamIsCapturing(request.stream, &isCapturing),
                 "cuStreamIsCapturing");
    if (isCapturing)
      fail(SPARSE_ATTN_INVALID_ARGUMENT,
           "the stream is being captured and this device allocates in no "
           "stream's order; give a workspace of " +
               std::to_string(bytes) + " bytes");
    CUdeviceptr workspace = 0;
    driver.check(driver.cuMemAlloc_v2(&workspace, bytes),
                 describeAllocation(bytes));
    CUresult ended = CUDA_SUCCESS;
    try {
      launchAll(workspace);
      ended = driver.cuStreamSynchronize(request.stream);
    } catch (...) {
      driver.cuStreamSynchronize(request.stream);
      driver.cuMemFree_v2(workspace);
      throw;
    }
    driver.cuMemFree_v2(workspace);
    driver.check(ended, quote(variant.name) + " failed on the device");
  }

  std::string describeAllocation(uint64_t bytes) const {
    return "no workspace of " + std::to_string(bytes) + " bytes for " +
           quote(variant.name);
  }

  void launchAll(uint64_t workspace) {
    std::vector<void *> places = parameters.locate(driver, workspace);
    record(request.start);
    for (const ReadyLaunch &l : ready)
      driver.check(driver.cuLaunchKernel(
                       module.kernels[call.launches->firstLaunch + l.index],
                       l.grid[0], l.grid[1], l.grid[2], l.block[0], l.block[1],
                       l.block[2], l.sharedBytes, request.stream,
                       places.data() + l.firstParameter, nullptr),
                   "the launch of " +
                       call.describe(call.launches->launches[l.index]));
    record(request.end);
  }

  void record(CUevent event) const {
    if (event)
      driver.check(driver.cuEventRecord(event, request.stream),
                   "an event cannot be recorded");
  }

  const Module &module;
  const Driver &driver;
  const Variant &variant;
  const LaunchRequest &request;
  Call call;
  Parameters parameters; ///< of all launches
  std::vector<ReadyLaunch> ready;
};
} // namespace

bool sparse_attn::runtime::launch(const Module &module,
                                  const LaunchRequest &request) {
  return Launcher(module, request).run();
}
