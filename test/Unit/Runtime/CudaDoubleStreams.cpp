//===- CudaDoubleStreams.cpp - Memory, streams, launches ------------------===//

#include "CudaDoubleState.h"
#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace cuda_double;

const Allocation *cuda_double::findAllocation(uint64_t address) {
  auto it = state->memory.upper_bound(address);
  if (it == state->memory.begin())
    return nullptr;
  --it;
  bool isInside = address - it->first < std::max<uint64_t>(it->second.bytes, 1);
  return isInside ? &it->second : nullptr;
}

EXPORT CUresult cuPointerGetAttributes(unsigned count, int *attributes,
                                       void **values, CUdeviceptr address) {
  ENTER("cuPointerGetAttributes");
  const Allocation *found = findAllocation(address);
  for (unsigned i = 0; i < count; ++i) {
    if (attributes[i] == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
      *static_cast<int *>(values[i]) = found ? found->device : -2;
    else if (attributes[i] == CU_POINTER_ATTRIBUTE_IS_MANAGED)
      *static_cast<unsigned *>(values[i]) =
          found && found->kind == Memory::Managed;
    else if (attributes[i] == CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
      *static_cast<unsigned *>(values[i]) = !found ? 0
                                            : found->kind == Memory::Host
                                                ? CU_MEMORYTYPE_HOST
                                                : CU_MEMORYTYPE_DEVICE;
    else
      return violate("an unknown attribute of a pointer",
                     CUDA_ERROR_INVALID_VALUE);
  }
  return CUDA_SUCCESS;
}

static bool isAnyCapturing() {
  return std::any_of(state->streams.begin(), state->streams.end(),
                     [](const auto &stream) { return stream->isCapturing; });
}

CUresult cuda_double::checkStream(CUstream stream,
                                  const std::string &function) {
  if (!stream)
    return CUDA_SUCCESS;
  for (const auto &known : state->streams)
    if (known.get() == stream && !known->isDestroyed)
      return known->context == current() ? CUDA_SUCCESS
                                         : CUDA_ERROR_INVALID_HANDLE;
  return violate(function + " on no stream", CUDA_ERROR_INVALID_HANDLE);
}

static uint64_t addForProgram(size_t bytes) {
  return addMemory(bytes, {0, Memory::Device, current()->device, true});
}

static CUresult release(CUdeviceptr address) {
  auto it = state->memory.find(address);
  if (it == state->memory.end() || !it->second.isProgram)
    return violate("memory is freed twice, or is not the program's",
                   CUDA_ERROR_INVALID_VALUE);
  state->memory.erase(it);
  if (!state->kernels.empty())
    freeEmulated(reinterpret_cast<void *>(address));
  return CUDA_SUCCESS;
}

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  ENTER_IN_CONTEXT("cuMemAlloc");
  if (bytes == 0)
    return violate("cuMemAlloc of no bytes", CUDA_ERROR_INVALID_VALUE);
  if (isAnyCapturing())
    return violate("cuMemAlloc while a stream is captured",
                   kCaptureUnsupported);
  *address = addForProgram(bytes);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  ENTER_IN_CONTEXT("cuMemFree");
  return release(address);
}

EXPORT CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes,
                                CUstream stream) {
  ENTER_IN_CONTEXT("cuMemAllocAsync");
  if (!state->devices[current()->device].hasMemoryPools)
    return violate("cuMemAllocAsync without memory pools",
                   CUDA_ERROR_INVALID_VALUE);
  if (CUresult result = checkStream(stream, "cuMemAllocAsync"))
    return result;
  *address = addForProgram(bytes);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
  ENTER_IN_CONTEXT("cuMemFreeAsync");
  if (CUresult result = checkStream(stream, "cuMemFreeAsync"))
    return result;
  return release(address);
}

EXPORT CUresult cuStreamIsCapturing(CUstream stream, int *isCapturing) {
  ENTER_IN_CONTEXT("cuStreamIsCapturing");
  if (CUresult result = checkStream(stream, "cuStreamIsCapturing"))
    return result;
  *isCapturing = stream && stream->isCapturing;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamSynchronize(CUstream stream) {
  ENTER_IN_CONTEXT("cuStreamSynchronize");
  if (stream && stream->isCapturing)
    return violate("a stream is waited for while it is captured",
                   kCaptureUnsupported);
  return checkStream(stream, "cuStreamSynchronize");
}

/// As many bytes as the PTX declares.
static void readParameters(CUfunction function, void **parameters,
                           Launch &launch) {
  for (size_t i = 0; i < function->parameterBits.size(); ++i) {
    Parameter parameter;
    parameter.bits = function->parameterBits[i];
    if (parameter.bits == 8 * sizeof(CUtensorMap))
      parameter.map = decodeMap(parameters[i]);
    else
      std::memcpy(&parameter.value, parameters[i], parameter.bits / 8);
    launch.parameters.push_back(parameter);
  }
}

/// An error shows at the calls that come next, as a GPU's.
static void run(const CUmod_st &module, const Launch &launch) {
  if (!module.kernels)
    return;
  for (const Parameter &parameter : launch.parameters)
    if (parameter.bits > 64) {
      violate("the emulator runs no kernel that takes a tensor map", 0);
      return;
    }
  module.kernels->run(launch);
  std::string report = getEmulatorReport();
  if (report.empty())
    return;
  std::fprintf(stderr, "driver double: %s\n", report.c_str());
  state->failed = kLaunchFailed;
}

EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gridX,
                               unsigned gridY, unsigned gridZ, unsigned blockX,
                               unsigned blockY, unsigned blockZ,
                               unsigned shared, CUstream stream,
                               void **parameters, void **extra) {
  ENTER_IN_CONTEXT("cuLaunchKernel");
  if (!isUsable(function->module))
    return violate("a launch of an unloaded module", CUDA_ERROR_INVALID_HANDLE);
  if (CUresult result = checkStream(stream, "cuLaunchKernel"))
    return result;
  uint64_t threads = uint64_t(blockX) * blockY * blockZ;
  if (!gridX || !gridY || !gridZ || gridX > 2147483647u || gridY > 65535 ||
      gridZ > 65535 || threads < 1 || threads > 1024)
    return violate("a launch with a grid or block that no device has",
                   CUDA_ERROR_INVALID_VALUE);
  if (shared > unsigned(function->maxShared))
    return violate(function->name + " takes " + std::to_string(shared) +
                       " bytes of shared memory, its limit is " +
                       std::to_string(function->maxShared),
                   CUDA_ERROR_INVALID_VALUE);
  if (!parameters || extra)
    return violate("a launch without parameters", CUDA_ERROR_INVALID_VALUE);
  Launch launch = {function->name,
                   {gridX, gridY, gridZ},
                   {blockX, blockY, blockZ},
                   shared,
                   stream,
                   current()->device,
                   {}};
  readParameters(function, parameters, launch);
  // An empty tensor may have no memory, and so the address 0, which the
  // emulator lets no kernel access.
  for (size_t i = 0; i < launch.parameters.size(); ++i)
    if (uint64_t address = launch.parameters[i].value;
        function->isPointer[i] && address != 0 && !findAllocation(address))
      violate(function->name + " gets a pointer to nothing", 0);
  if (!stream || !stream->isCapturing)
    run(*function->module, launch);
  state->launches.push_back(std::move(launch));
  return CUDA_SUCCESS;
}
