//===- CudaDouble.cpp - A CUDA driver for tests ---------------------------===//

#include "CudaDoubleState.h"
#include <cstdio>
#include <cstdlib>
#include <sstream>

using namespace cuda_double;

/// As the variables of the environment say.
static std::unique_ptr<State> makeState() {
  auto state = std::make_unique<State>();
  auto get = [](const char *name) {
    const char *value = std::getenv(name);
    return std::istringstream(value ? value : "");
  };
  std::string item;
  if (auto list = get("SPARSE_ATTN_DOUBLE_DEVICES"); list.peek() != EOF)
    for (state->devices.clear(); std::getline(list, item, ',');) {
      state->devices.emplace_back();
      state->devices.back().capability = std::atoi(item.c_str());
    }
  for (auto list = get("SPARSE_ATTN_DOUBLE_FAIL");
       std::getline(list, item, ',');)
    state->failures[item.substr(0, item.find(':'))] = {
        std::atoi(item.c_str() + item.find(':') + 1), 0};
  if (auto version = get("SPARSE_ATTN_DOUBLE_VERSION"); version.peek() != EOF)
    version >> state->version;
  get("SPARSE_ATTN_DOUBLE_SEED") >> state->seed;
  get("SPARSE_ATTN_DOUBLE_KERNELS") >> state->kernels;
  // In any case, so that the emulator's session outlives the state.
  startEmulator(state->seed);
  return state;
}

std::mutex cuda_double::mutex;
std::unique_ptr<State> cuda_double::state = makeState();
thread_local std::vector<CUcontext> cuda_double::contextStack;

CUresult cuda_double::violate(const std::string &what, CUresult result) {
  std::fprintf(stderr, "driver double: violation: %s\n", what.c_str());
  state->violations.push_back(what);
  return result;
}

CUcontext cuda_double::current() {
  return contextStack.empty() ? nullptr : contextStack.back();
}

CUresult cuda_double::enter(const std::string &function) {
  state->calls.push_back(function);
  if (!state->isInitialized && function != "cuInit" &&
      function != "cuGetErrorName" && function != "cuGetErrorString")
    return violate(function + " before cuInit", kNotInitialized);
  if (state->failed && function.rfind("cuGetError", 0) != 0)
    return state->failed;
  auto it = state->failures.find(function);
  if (it == state->failures.end() || it->second.skip-- > 0)
    return CUDA_SUCCESS;
  int error = it->second.error;
  state->failures.erase(it);
  return error;
}

CUresult cuda_double::enterInContext(const std::string &function) {
  if (CUresult result = enter(function))
    return result;
  if (!current())
    return violate(function + " without a current context", kInvalidContext);
  return CUDA_SUCCESS;
}

void cuda_double::reset(const std::vector<Device> &devices) {
  std::lock_guard<std::mutex> lock(mutex);
  state = std::make_unique<State>();
  state->devices = devices;
  contextStack.clear();
}

void cuda_double::emulate(const std::string &directory, uint64_t seed) {
  std::lock_guard<std::mutex> lock(mutex);
  state->kernels = directory;
  state->seed = seed;
  startEmulator(seed);
}

std::string cuda_double::getReport() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->kernels.empty() ? "" : getEmulatorReport();
}

void cuda_double::setVersion(int version) {
  std::lock_guard<std::mutex> lock(mutex);
  state->version = version;
}

void cuda_double::failNext(const std::string &function, int error, int skip) {
  std::lock_guard<std::mutex> lock(mutex);
  state->failures[function] = {error, skip};
}

uint64_t cuda_double::addMemory(uint64_t bytes, Allocation allocation,
                                uint64_t misalignment) {
  allocation.bytes = bytes + misalignment;
  if (!state->kernels.empty()) {
    auto begin = reinterpret_cast<uint64_t>(allocateEmulated(allocation.bytes));
    state->memory[begin] = allocation;
    return begin + misalignment;
  }
  uint64_t address = state->nextAddress;
  state->memory[address] = allocation;
  // With a gap, so that what is past the end is nobody's.
  state->nextAddress += (bytes + misalignment + 1023) / 256 * 256;
  return address + misalignment;
}

uint64_t cuda_double::allocate(int device, uint64_t bytes,
                               uint64_t misalignment) {
  std::lock_guard<std::mutex> lock(mutex);
  return addMemory(bytes, {0, Memory::Device, device, false}, misalignment);
}

uint64_t cuda_double::allocateHost(uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  return addMemory(bytes, {0, Memory::Host, 0, false});
}

uint64_t cuda_double::allocateManaged(int device, uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  return addMemory(bytes, {0, Memory::Managed, device, false});
}

static CUcontext addContext(int device, bool isPrimary) {
  state->contexts.push_back(
      std::make_unique<CUctx_st>(CUctx_st{device, isPrimary}));
  return state->contexts.back().get();
}

CUcontext cuda_double::getPrimary(int device) {
  auto &primary = state->primaries[device];
  if (!primary.first)
    primary.first = addContext(device, true);
  return primary.first;
}

void *cuda_double::makeContext(int device) {
  std::lock_guard<std::mutex> lock(mutex);
  return addContext(device, false);
}

void cuda_double::makeCurrent(void *context) {
  contextStack.push_back(static_cast<CUcontext>(context));
}

static void *addStream(CUcontext context, bool isCapturing) {
  state->streams.push_back(
      std::make_unique<CUstream_st>(CUstream_st{context, isCapturing}));
  return state->streams.back().get();
}

void *cuda_double::makeStream(int device, bool isCapturing) {
  std::lock_guard<std::mutex> lock(mutex);
  return addStream(getPrimary(device), isCapturing);
}

void *cuda_double::makeStream(void *context) {
  std::lock_guard<std::mutex> lock(mutex);
  return addStream(static_cast<CUcontext>(context), false);
}

std::vector<Launch> cuda_double::getLaunches() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->launches;
}

std::vector<std::string> cuda_double::getCalls() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->calls;
}

void cuda_double::forgetCalls() {
  std::lock_guard<std::mutex> lock(mutex);
  state->calls.clear();
}

std::vector<std::string> cuda_double::getViolations() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->violations;
}

std::string cuda_double::getLastImage() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->lastImage;
}

Counts cuda_double::getCounts() {
  std::lock_guard<std::mutex> lock(mutex);
  Counts counts = state->counts;
  for (const auto &[device, primary] : state->primaries)
    counts.primaryContexts += primary.second > 0;
  for (const auto &[address, allocation] : state->memory)
    counts.allocations += allocation.isProgram;
  for (const auto &module : state->modules)
    counts.modules += module->isLoaded;
  for (const auto &event : state->events)
    counts.events += !event->isDestroyed;
  counts.contextDepth = static_cast<int>(contextStack.size());
  return counts;
}

void cuda_double::addMemory(uint64_t address, uint64_t bytes, int device) {
  std::lock_guard<std::mutex> lock(mutex);
  state->memory[address] = {bytes, Memory::Device, device, false};
  addEmulated(reinterpret_cast<void *>(address), bytes);
}

void cuda_double::removeMemory(uint64_t address) {
  std::lock_guard<std::mutex> lock(mutex);
  state->memory.erase(address);
  removeEmulated(reinterpret_cast<void *>(address));
}
