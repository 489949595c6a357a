//===- Cuda.cpp - A function on a GPU -------------------------------------===//

#include "Cuda.h"
#include "SparseAttn/Package/Compile/Compile.h"
#include "SparseAttn/Package/Emulate/Emulate.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::run_tool;
using namespace mlir::sparse_attn::support;

/// CUDA_VISIBLE_DEVICES says which of the machine's that is.
static constexpr int32_t kDevice = 0;

/// The runtime's own words say what is wrong and what to do.
static llvm::Error check(SparseAttnStatus status) {
  if (status == SPARSE_ATTN_SUCCESS)
    return llvm::Error::success();
  return makeError("{0}", sparseAttnGetLastError());
}

llvm::Expected<CudaDevice> CudaDevice::open() {
  CudaDevice device;
  SparseAttnDriver *driver = nullptr;
  if (llvm::Error error = check(sparseAttnDriverOpen(nullptr, &driver)))
    return std::move(error);
  device.driver.reset(driver);
  int32_t capability = 0;
  if (llvm::Error error =
          check(sparseAttnDeviceGetCapability(driver, kDevice, &capability)))
    return std::move(error);
  std::optional<std::string> chip = findNewestChip(capability);
  if (!chip)
    return makeError("device {0} has compute capability {1}.{2}, and kernels "
                     "are made for {3}; use another device",
                     kDevice, capability / 10, capability % 10,
                     target::knownGpus());
  device.chip = std::move(*chip);
  return device;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

namespace {
/// A directory that goes when this does, and all that is in it.
class ScratchDirectory {
public:
  ~ScratchDirectory() {
    if (path.empty())
      return;
    // What cannot be removed stays.
    std::error_code error = llvm::sys::fs::remove_directories(path);
    (void)error;
  }
  llvm::Error create() {
    std::error_code code =
        llvm::sys::fs::createUniqueDirectory("sparse-attn", path);
    if (!code)
      return llvm::Error::success();
    path.clear();
    return makeError("no temporary directory for the package: {0}; check "
                     "TMPDIR",
                     code.message());
  }

  SmallString<128> path;
};
} // namespace

/// The runtime keeps in memory what it has opened.
static llvm::Expected<SparseAttnPackage *>
openPackage(PackagedProgram packaged) {
  packaged.files = {{"ptx",
                     makeFileName(packaged.program.name, packaged.chip, "ptx"),
                     packaged.ptx}};
  std::vector<OutputFile> files = packaged.files;
  files.push_back({"manifest", "manifest.json", printManifest(packaged)});
  ScratchDirectory directory;
  if (llvm::Error error = directory.create())
    return std::move(error);
  if (llvm::Error error = writePackage(directory.path, files))
    return std::move(error);
  SparseAttnPackage *package = nullptr;
  if (llvm::Error error =
          check(sparseAttnPackageOpen(directory.path.c_str(), &package)))
    return std::move(error);
  return package;
}

llvm::Expected<CudaProgram> CudaProgram::compile(const CudaDevice &device,
                                                 func::FuncOp func,
                                                 StringRef objects) {
  auto programs =
      findPrograms(func->getParentOfType<ModuleOp>(), func.getName());
  if (!programs)
    return programs.takeError();
  CudaProgram program;
  program.driver = device.getDriver();
  for (Type type : func.getResultTypes())
    program.results.push_back(cast<RankedTensorType>(type));

  NVVMPipelineOptions options;
  options.chip = device.getChip().str();
  options.strides = "any";
  hideToolkit();
  auto packaged = package::compile(func, options);
  if (!packaged)
    return packaged.takeError();
  if (!objects.empty()) {
    auto object = compileForDouble(func, options, packaged->ptx);
    if (!object)
      return object.takeError();
    if (llvm::Error error = writePackage(objects, *object))
      return std::move(error);
  }
  auto package = openPackage(std::move(*packaged));
  if (!package)
    return package.takeError();
  program.package.reset(*package);
  program.function = sparseAttnPackageGetFunction(*package, 0);
  SparseAttnProgram *loaded = nullptr;
  if (llvm::Error error = check(sparseAttnProgramLoad(
          program.driver, program.function, kDevice, &loaded)))
    return std::move(error);
  program.program.reset(loaded);
  return program;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

namespace {
/// Memory of the device, until this ends. Of no bytes the address is 0.
class DeviceMemory {
public:
  explicit DeviceMemory(SparseAttnDriver *driver) : driver(driver) {}
  DeviceMemory(DeviceMemory &&other)
      : driver(other.driver), address(std::exchange(other.address, 0)) {}
  DeviceMemory &operator=(DeviceMemory &&) = delete;
  ~DeviceMemory() { (void)sparseAttnDeviceFree(driver, kDevice, address); }

  llvm::Error allocate(uint64_t bytes) {
    if (bytes == 0)
      return llvm::Error::success();
    return check(sparseAttnDeviceAllocate(driver, kDevice, bytes, &address));
  }
  uint64_t getAddress() const { return address; }

private:
  SparseAttnDriver *driver;
  uint64_t address = 0;
};

/// The arrays of a call and where they are on the device.
class Call {
public:
  Call(SparseAttnDriver *driver, const SparseAttnFunction *function,
       const SparseAttnProgram *program)
      : driver(driver), function(function), program(program),
        workspace(driver) {}

  llvm::Error place(ArrayRef<Array> given, ArrayRef<RankedTensorType> types);
  /// Launches may write arguments: each starts with those given.
  llvm::Expected<double> launch(bool isFirst);
  /// What the launches have left.
  llvm::Expected<SmallVector<Array>> load();

private:
  llvm::Error placeResult(RankedTensorType type);
  llvm::Error copyArguments();
  static SparseAttnTensor describe(const Array &array, uint64_t address);

  SparseAttnDriver *driver;
  const SparseAttnFunction *function;
  const SparseAttnProgram *program;
  ArrayRef<Array> given;
  std::vector<Array> made;
  std::vector<DeviceMemory> memory;
  SmallVector<SparseAttnTensor> arguments, results;
  bool writesArguments = false;
  DeviceMemory workspace;
  uint64_t workspaceBytes = 0;
};
} // namespace

static SparseAttnType getType(Type element) {
  if (element.isF16())
    return SPARSE_ATTN_F16;
  if (element.isBF16())
    return SPARSE_ATTN_BF16;
  if (element.isF32())
    return SPARSE_ATTN_F32;
  return element.isInteger(32) ? SPARSE_ATTN_I32 : SPARSE_ATTN_I64;
}

/// Valid as long as the array is.
SparseAttnTensor Call::describe(const Array &array, uint64_t address) {
  return {address, getType(array.element),
          static_cast<int32_t>(array.shape.size()), array.shape.data(),
          /*strides=*/nullptr};
}

llvm::Error Call::place(ArrayRef<Array> arrays,
                        ArrayRef<RankedTensorType> types) {
  given = arrays;
  for (const Array &array : given) {
    memory.emplace_back(driver);
    if (llvm::Error error = memory.back().allocate(array.bytes.size()))
      return error;
    arguments.push_back(describe(array, memory.back().getAddress()));
  }
  // Their shapes must stay where they are.
  made.reserve(types.size());
  for (RankedTensorType type : types)
    if (llvm::Error error = placeResult(type))
      return error;
  if (llvm::Error error = check(sparseAttnProgramGetWorkspaceBytes(
          program, arguments.data(), arguments.size(), &workspaceBytes)))
    return error;
  return workspace.allocate(workspaceBytes);
}

/// The result lies in memory of its own, or in that of an argument or an
/// earlier result.
llvm::Error Call::placeResult(RankedTensorType type) {
  auto index = static_cast<int32_t>(results.size());
  Array &array = made.emplace_back();
  array.element = type.getElementType();
  array.shape.resize(type.getRank());
  if (llvm::Error error = check(sparseAttnFunctionGetResultShape(
          function, arguments.data(), arguments.size(), index,
          array.shape.data())))
    return error;
  array.bytes.resize(array.numElements() *
                     array.element.getIntOrFloatBitWidth() / 8);
  SparseAttnTensorInfo info;
  if (llvm::Error error =
          check(sparseAttnFunctionGetResult(function, index, &info)))
    return error;
  uint64_t address = 0;
  if (info.inArgument >= 0) {
    address = arguments[info.inArgument].data;
    writesArguments = true;
  } else if (info.inResult >= 0) {
    address = results[info.inResult].data;
  } else {
    memory.emplace_back(driver);
    if (llvm::Error error = memory.back().allocate(array.bytes.size()))
      return error;
    address = memory.back().getAddress();
  }
  results.push_back(describe(array, address));
  return llvm::Error::success();
}

llvm::Error Call::copyArguments() {
  for (auto [array, tensor] : llvm::zip(given, arguments))
    if (llvm::Error error = check(
            sparseAttnDeviceCopyTo(driver, kDevice, tensor.data,
                                   array.bytes.data(), array.bytes.size())))
      return error;
  return llvm::Error::success();
}

llvm::Expected<double> Call::launch(bool isFirst) {
  if (isFirst || writesArguments)
    if (llvm::Error error = copyArguments())
      return std::move(error);
  double seconds = 0;
  if (llvm::Error error = check(sparseAttnProgramTime(
          program, arguments.data(), arguments.size(), results.data(),
          results.size(), workspace.getAddress(), workspaceBytes,
          /*stream=*/nullptr, &seconds)))
    return std::move(error);
  return seconds;
}

llvm::Expected<SmallVector<Array>> Call::load() {
  for (auto [array, tensor] : llvm::zip(made, results))
    if (llvm::Error error =
            check(sparseAttnDeviceCopyFrom(driver, kDevice, array.bytes.data(),
                                           tensor.data, array.bytes.size())))
      return std::move(error);
  return SmallVector<Array>(std::make_move_iterator(made.begin()),
                            std::make_move_iterator(made.end()));
}

llvm::Expected<std::pair<SmallVector<Array>, SmallVector<double>>>
CudaProgram::run(ArrayRef<Array> arguments, unsigned repeat) const {
  Call call(driver, function, program.get());
  if (llvm::Error error = call.place(arguments, results))
    return std::move(error);
  SmallVector<double> seconds;
  for (unsigned i = 0; i <= repeat; ++i) {
    llvm::Expected<double> once = call.launch(/*isFirst=*/i == 0);
    if (!once)
      return once.takeError();
    if (i > 0)
      seconds.push_back(*once);
  }
  llvm::Expected<SmallVector<Array>> loaded = call.load();
  if (!loaded)
    return loaded.takeError();
  return std::pair(std::move(*loaded), std::move(seconds));
}
