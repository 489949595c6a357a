//===- RuntimeTest.cpp - What tests of the runtime share ------------------===//

#include "RuntimeTest.h"
#include "../../../lib/Runtime/Sha256.h"
#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace runtime_test;
namespace fs = std::filesystem;

static fs::path makeTemporaryDirectory() {
  std::string name = fs::temp_directory_path() / "sparse-attn-XXXXXX";
  return mkdtemp(name.data()) ? name : "";
}

TemporaryDirectory::TemporaryDirectory() : path(makeTemporaryDirectory()) {}
TemporaryDirectory::~TemporaryDirectory() { fs::remove_all(path); }

/// Has `package` and `kernels`.
static const fs::path &getCompiled() {
  static TemporaryDirectory directory;
  static const fs::path compiled = [] {
    fs::path output = directory.path / "package";
    std::string command =
        std::string(SPARSE_ATTN_COMPILE) +
        " " SPARSE_ATTN_INPUTS "/attention.mlir --target=sm_80,sm_90a "
        "--emit=ptx,manifest,header --variants=false --emulator-objects=" +
        (directory.path / "kernels").string() + " -o " + output.string();
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return directory.path;
  }();
  return compiled;
}

const fs::path &runtime_test::getPackage() {
  static const fs::path path = getCompiled() / "package";
  return path;
}

const fs::path &runtime_test::getKernels() {
  static const fs::path path = getCompiled() / "kernels";
  return path;
}

std::string runtime_test::readFile(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

void runtime_test::writeFile(const fs::path &path,
                             const std::string &contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

PackageCopy::PackageCopy() {
  fs::copy(getPackage(), path, fs::copy_options::recursive);
}

void PackageCopy::editManifest(const Edit &edit) const {
  auto json = nlohmann::ordered_json::parse(readFile(path / "manifest.json"));
  edit(json);
  writeFile(path / "manifest.json", json.dump());
}

void PackageCopy::addFile(size_t program, const std::string &kind,
                          const std::string &name,
                          const std::string &contents) const {
  writeFile(path / name, contents);
  editManifest([&](nlohmann::ordered_json &json) {
    auto &files = json["programs"][program]["files"];
    for (size_t i = files.size(); i-- > 0;)
      if (files[i]["kind"] == kind)
        files.erase(i);
    files.push_back({{"kind", kind},
                     {"name", name},
                     {"size", contents.size()},
                     {"sha256", sparse_attn::runtime::sha256(contents)}});
  });
}

std::string PackageCopy::getFile(size_t program,
                                 const std::string &kind) const {
  auto json = nlohmann::json::parse(readFile(path / "manifest.json"));
  for (const auto &file : json["programs"][program]["files"])
    if (file["kind"] == kind)
      return file["name"];
  ADD_FAILURE() << "no file of kind " << kind;
  return "";
}

std::vector<SparseAttnTensor>
runtime_test::getViews(const std::vector<Tensor> &tensors) {
  std::vector<SparseAttnTensor> views;
  for (const Tensor &tensor : tensors)
    views.push_back(tensor.getView());
  return views;
}

static Tensor makeTensor(SparseAttnType type, std::vector<int64_t> shape,
                         int device) {
  uint64_t bytes = type == SPARSE_ATTN_F32 ? 4 : 2;
  for (int64_t size : shape)
    bytes *= size;
  return {type, std::move(shape), {}, cuda_double::allocate(device, bytes)};
}

Call runtime_test::makeLongformer(int64_t b, int64_t hq, int64_t hkv,
                                  int64_t sq, int64_t sk, int device) {
  Call call;
  call.arguments = {makeTensor(SPARSE_ATTN_BF16, {b, hq, sq, 64}, device),
                    makeTensor(SPARSE_ATTN_BF16, {b, hkv, sk, 64}, device),
                    makeTensor(SPARSE_ATTN_BF16, {b, hkv, sk, 64}, device)};
  call.results = {makeTensor(SPARSE_ATTN_BF16, {b, hq, sq, 64}, device),
                  makeTensor(SPARSE_ATTN_F32, {b, hq, sq}, device)};
  return call;
}

Call runtime_test::makeCausal(int64_t b, int64_t s, int device) {
  Call call;
  for (int i = 0; i < 4; ++i)
    call.arguments.push_back(
        makeTensor(SPARSE_ATTN_F16, {b, 4, s, 128}, device));
  call.results = {call.arguments[3]};
  return call;
}

SparseAttnStatus runtime_test::launch(const Program &program, const Call &call,
                                      uint64_t workspace, uint64_t bytes,
                                      void *stream) {
  std::vector<SparseAttnTensor> arguments = getViews(call.arguments),
                                results = getViews(call.results);
  return sparseAttnProgramLaunch(
      program.get(), arguments.data(), static_cast<int32_t>(arguments.size()),
      results.data(), static_cast<int32_t>(results.size()), workspace, bytes,
      stream);
}

SparseAttnStatus runtime_test::timeLaunches(const Program &program,
                                            const Call &call, double *seconds,
                                            void *stream) {
  std::vector<SparseAttnTensor> arguments = getViews(call.arguments),
                                results = getViews(call.results);
  return sparseAttnProgramTime(
      program.get(), arguments.data(), static_cast<int32_t>(arguments.size()),
      results.data(), static_cast<int32_t>(results.size()), 0, 0, stream,
      seconds);
}

uint64_t runtime_test::getWorkspaceBytes(const Program &program,
                                         const Call &call) {
  std::vector<SparseAttnTensor> arguments = getViews(call.arguments);
  uint64_t bytes = 0;
  EXPECT_EQ(sparseAttnProgramGetWorkspaceBytes(
                program.get(), arguments.data(),
                static_cast<int32_t>(arguments.size()), &bytes),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  return bytes;
}

void RuntimeTest::SetUp() { cuda_double::reset(); }

void RuntimeTest::TearDown() {
  for (const std::string &violation : cuda_double::getViolations())
    ADD_FAILURE() << violation;
  cuda_double::Counts counts = cuda_double::getCounts();
  EXPECT_EQ(counts.modules, 0);
  EXPECT_EQ(counts.loads, counts.unloads);
  EXPECT_EQ(counts.primaryContexts, 0);
  EXPECT_EQ(counts.allocations, 0);
  EXPECT_EQ(counts.events, 0);
  EXPECT_EQ(counts.contextDepth, 0);
}

Package RuntimeTest::open(const fs::path &path) {
  SparseAttnPackage *package = nullptr;
  EXPECT_EQ(sparseAttnPackageOpen(path.c_str(), &package), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  return Package(package);
}

Driver RuntimeTest::openDriver() {
  SparseAttnDriver *driver = nullptr;
  EXPECT_EQ(sparseAttnDriverOpen(SPARSE_ATTN_CUDA_DOUBLE, &driver),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  return Driver(driver);
}

const SparseAttnFunction *RuntimeTest::getFunction(const Package &package,
                                                   const char *name) {
  const SparseAttnFunction *function = nullptr;
  EXPECT_EQ(sparseAttnPackageGetFunctionNamed(package.get(), name, &function),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  return function;
}

Program RuntimeTest::load(const Driver &driver,
                          const SparseAttnFunction *function, int32_t device) {
  SparseAttnProgram *program = nullptr;
  EXPECT_EQ(sparseAttnProgramLoad(driver.get(), function, device, &program),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  return Program(program);
}

void runtime_test::expectError(SparseAttnStatus expected,
                               SparseAttnStatus status,
                               const std::vector<std::string> &parts) {
  EXPECT_STREQ(sparseAttnGetStatusName(status),
               sparseAttnGetStatusName(expected));
  std::string message = sparseAttnGetLastError();
  for (const std::string &part : parts)
    EXPECT_NE(message.find(part), std::string::npos)
        << "no '" << part << "' in: " << message;
}
