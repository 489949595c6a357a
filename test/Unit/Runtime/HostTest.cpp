//===- HostTest.cpp - Code for the host -----------------------------------===//

#include "../../../lib/Runtime/Host.h"
#include "../../../lib/Runtime/Sha256.h"
#include "RuntimeTest.h"
#include <cmath>
#include <cstdlib>
#include <thread>

using namespace runtime_test;
namespace fs = std::filesystem;

/// Of Inputs/attention.mlir for this machine and for a GPU.
static const fs::path &getHostPackage() {
  static TemporaryDirectory directory;
  static const fs::path package = [] {
    fs::path output = directory.path / "package";
    std::string command = std::string(SPARSE_ATTN_COMPILE) +
                          " " SPARSE_ATTN_INPUTS
                          "/attention.mlir --target=sm_80,native "
                          "--emit=ptx,manifest,host -o " +
                          output.string();
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return output;
  }();
  return package;
}

namespace {
/// A copy of the package whose host programs an edit changes.
struct DamagedPackage : TemporaryDirectory {
  DamagedPackage() {
    fs::copy(getHostPackage(), path, fs::copy_options::recursive);
  }
  void edit(const std::function<void(nlohmann::json &)> &change) const {
    auto json = nlohmann::json::parse(readFile(path / "manifest.json"));
    for (auto &program : json["host_programs"])
      change(program);
    writeFile(path / "manifest.json", json.dump());
  }
};

/// bf16 arrays in this process's memory, for @longformer.
struct HostCall {
  static constexpr int64_t kB = 1, kH = 2, kS = 150, kD = 64;
  std::vector<uint16_t> q, k, v, o;
  std::vector<float> lse;
  Call call;

  explicit HostCall(uint16_t query = 0)
      : q(kB * kH * kS * kD, query), k(q.size(), 0x3f80), v(q.size()),
        o(q.size(), 0x7fc0), lse(kB * kH * kS, NAN) {
    // Values are small integers, the same along a row.
    for (size_t i = 0; i < v.size(); ++i)
      v[i] = 0x4000; // 2
    auto address = [](auto &array) {
      return reinterpret_cast<uint64_t>(array.data());
    };
    std::vector<int64_t> shape = {kB, kH, kS, kD};
    call.arguments = {{SPARSE_ATTN_BF16, shape, {}, address(q)},
                      {SPARSE_ATTN_BF16, shape, {}, address(k)},
                      {SPARSE_ATTN_BF16, shape, {}, address(v)}};
    call.results = {{SPARSE_ATTN_BF16, shape, {}, address(o)},
                    {SPARSE_ATTN_F32, {kB, kH, kS}, {}, address(lse)}};
  }
};

class HostTest : public RuntimeTest {
protected:
  static Program loadHost(const Package &package, const char *name) {
    SparseAttnProgram *program = nullptr;
    EXPECT_EQ(sparseAttnProgramLoad(nullptr, getFunction(package, name),
                                    SPARSE_ATTN_HOST, &program),
              SPARSE_ATTN_SUCCESS)
        << sparseAttnGetLastError();
    return Program(program);
  }
  static void expectLoadError(const fs::path &path, SparseAttnStatus status,
                              const std::vector<std::string> &parts) {
    Package package = open(path);
    SparseAttnProgram *program = nullptr;
    expectError(status,
                sparseAttnProgramLoad(nullptr,
                                      getFunction(package, "longformer"),
                                      SPARSE_ATTN_HOST, &program),
                parts);
    EXPECT_EQ(program, nullptr);
  }
};
} // namespace

// Scores are equal: O is the mean of equal values, and LSE the logarithm of how
// many keys the mask lets a row see.
TEST_F(HostTest, ComputesWithoutADriver) {
  Package package = open(getHostPackage());
  Program program = loadHost(package, "longformer");
  HostCall call;
  ASSERT_EQ(launch(program, call.call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  for (uint16_t value : call.o)
    ASSERT_EQ(value, 0x4000);
  for (int64_t i = 0; i < HostCall::kS; ++i) {
    int64_t live = 0;
    for (int64_t j = 0; j < HostCall::kS; ++j)
      live += std::abs(i - j) <= 64 || i == 0 || j == 0;
    ASSERT_NEAR(call.lse[i], std::log(double(live)), 1e-5) << i;
  }
  EXPECT_TRUE(cuda_double::getCalls().empty());
}

TEST_F(HostTest, TimesACall) {
  Package package = open(getHostPackage());
  Program program = loadHost(package, "longformer");
  HostCall call;
  double seconds = -1;
  ASSERT_EQ(timeLaunches(program, call.call, &seconds), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_GT(seconds, 0);
  EXPECT_LT(seconds, 60);
  EXPECT_EQ(call.o.back(), 0x4000);
  EXPECT_TRUE(cuda_double::getCalls().empty());
}

TEST_F(HostTest, PackageOutlivesItsHandleWhileAProgramIsLoaded) {
  Package package = open(getHostPackage());
  Program program = loadHost(package, "longformer");
  package.reset();
  HostCall call;
  EXPECT_EQ(launch(program, call.call), SPARSE_ATTN_SUCCESS);
}

TEST_F(HostTest, ThreadsCallOneProgram) {
  Package package = open(getHostPackage());
  Program program = loadHost(package, "longformer");
  HostCall expected(0x3e00);
  ASSERT_EQ(launch(program, expected.call), SPARSE_ATTN_SUCCESS);
  std::vector<HostCall> calls;
  for (int i = 0; i < 4; ++i)
    calls.emplace_back(0x3e00);
  std::vector<SparseAttnStatus> statuses(calls.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < calls.size(); ++i) {
    // Addresses of vectors do not move with them.
    threads.emplace_back(
        [&, i] { statuses[i] = launch(program, calls[i].call); });
  }
  for (std::thread &thread : threads)
    thread.join();
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(statuses[i], SPARSE_ATTN_SUCCESS);
    EXPECT_EQ(calls[i].o, expected.o);
    EXPECT_EQ(calls[i].lse, expected.lse);
  }
}

TEST_F(HostTest, SaysOfAFunctionWhatItIs) {
  Package package = open(getHostPackage());
  const SparseAttnFunction *function = getFunction(package, "longformer");
  ASSERT_EQ(sparseAttnFunctionGetNumVariants(function), 2);
  EXPECT_STREQ(sparseAttnFunctionGetChip(function, 0), "sm_80");
  EXPECT_EQ(std::string(sparseAttnFunctionGetChip(function, 1)).substr(0, 8),
            "x86-64-v");
  EXPECT_EQ(sparseAttnFunctionGetNumLaunches(function, 1), 0);
  Program program = loadHost(package, "longformer");
  EXPECT_EQ(sparseAttnProgramGetVariant(program.get()), 1);
  EXPECT_EQ(sparseAttnProgramIsCubin(program.get()), 0);
  HostCall call;
  EXPECT_EQ(getWorkspaceBytes(program, call.call), 0u);
}

TEST_F(HostTest, DevicesDoNotTakeHostCode) {
  DamagedPackage package;
  auto json = nlohmann::json::parse(readFile(package.path / "manifest.json"));
  json["programs"] = nlohmann::json::array();
  writeFile(package.path / "manifest.json", json.dump());
  Package opened = open(package.path);
  Driver driver = openDriver();
  SparseAttnProgram *program = nullptr;
  expectError(SPARSE_ATTN_WRONG_CHIP,
              sparseAttnProgramLoad(
                  driver.get(), getFunction(opened, "longformer"), 0, &program),
              {"'longformer' has code for x86-64-v",
               "only; compile it with --target=sm_90"});
}

TEST_F(HostTest, RefusesWhatItCannotRun) {
  expectLoadError(getPackage(), SPARSE_ATTN_WRONG_CHIP,
                  {"'longformer' has code for sm_80, sm_90a, none of which "
                   "this processor runs; compile it with --target=x86-64-v"});
  DamagedPackage unknown;
  unknown.edit([](auto &program) { program["target"]["cpu"] = "x86-64-v9"; });
  expectLoadError(unknown.path, SPARSE_ATTN_WRONG_CHIP, {"x86-64-v9, none of"});
  DamagedPackage without;
  without.edit(
      [](auto &program) { program["files"] = nlohmann::json::array(); });
  expectLoadError(without.path, SPARSE_ATTN_WRONG_CHIP, {"none of which"});
}

TEST_F(HostTest, RefusesCodeThatCannotBeLoaded) {
  DamagedPackage symbol;
  symbol.edit([](auto &program) { program["entry"] = "missing"; });
  expectLoadError(symbol.path, SPARSE_ATTN_INVALID_CODE,
                  {"the code of 'longformer' for x86-64-v",
                   "cannot be loaded: ", "missing",
                   "; install the library that is missing, or write the "
                   "package anew"});
  DamagedPackage garbage;
  garbage.edit([&](auto &program) {
    std::string name = program["files"][0]["name"];
    writeFile(garbage.path / name, "no ELF");
    program["files"][0]["size"] = 6;
    program["files"][0]["sha256"] = sparse_attn::runtime::sha256("no ELF");
  });
  expectLoadError(garbage.path, SPARSE_ATTN_INVALID_CODE,
                  {"cannot be loaded: "});
}

TEST_F(HostTest, ChecksFilesAndManifest) {
  auto expectCorrupt = [](const fs::path &path, const std::string &part) {
    SparseAttnPackage *package = nullptr;
    expectError(SPARSE_ATTN_CORRUPT_PACKAGE,
                sparseAttnPackageOpen(path.c_str(), &package), {part});
  };
  DamagedPackage file;
  file.edit([&](auto &program) {
    std::string name = program["files"][0]["name"];
    std::string contents = readFile(file.path / name);
    contents[contents.size() / 2] ^= 1;
    writeFile(file.path / name, contents);
  });
  expectCorrupt(file.path, "has SHA-256");
  DamagedPackage entry;
  entry.edit([](auto &program) { program.erase("entry"); });
  expectCorrupt(entry.path, "host_programs[0].entry is missing");
  DamagedPackage type;
  type.edit([](auto &program) { program["arguments"][0]["type"] = "f16"; });
  expectCorrupt(type.path, "takes or gives other tensors for x86-64-v");
}

// Each tensor starts at an element of its own, though others have wider ones.
TEST_F(HostTest, TakesAnyElementsAddress) {
  Package package = open(getHostPackage());
  Program program = loadHost(package, "longformer");
  HostCall expected(0x3e00);
  ASSERT_EQ(launch(program, expected.call), SPARSE_ATTN_SUCCESS);
  for (size_t first = 1; first < 8; ++first) {
    HostCall call(0x3e00);
    for (auto *array : {&call.q, &call.k, &call.v, &call.o})
      array->insert(array->begin(), first, 0x7fc0);
    call.lse.insert(call.lse.begin(), first, NAN);
    call.call.arguments[0].data = uint64_t(call.q.data() + first);
    call.call.arguments[1].data = uint64_t(call.k.data() + first);
    call.call.arguments[2].data = uint64_t(call.v.data() + first);
    call.call.results[0].data = uint64_t(call.o.data() + first);
    call.call.results[1].data = uint64_t(call.lse.data() + first);
    ASSERT_EQ(launch(program, call.call), SPARSE_ATTN_SUCCESS)
        << sparseAttnGetLastError();
    call.o.erase(call.o.begin(), call.o.begin() + first);
    call.lse.erase(call.lse.begin(), call.lse.begin() + first);
    EXPECT_EQ(call.o, expected.o);
    EXPECT_EQ(call.lse, expected.lse);
  }
}

TEST_F(HostTest, AdvisesATargetThatThereIs) {
  EXPECT_EQ(sparse_attn::runtime::adviseTarget(4),
            "compile it with --target=x86-64-v4 as well");
  EXPECT_EQ(sparse_attn::runtime::adviseTarget(3),
            "compile it with --target=x86-64-v3 as well");
  for (int level : {0, 1, 2})
    EXPECT_EQ(sparse_attn::runtime::adviseTarget(level),
              "sparse-attn-compile makes host code for processors from "
              "x86-64-v3 on: use another, or a GPU");
}

TEST_F(HostTest, ChecksTensorsBeforeTheCall) {
  Package package = open(getHostPackage());
  Program program = loadHost(package, "longformer");
  HostCall strides;
  strides.call.arguments[1].strides = {2 * 150 * 64, 1, 64, 2};
  expectError(SPARSE_ATTN_WRONG_STRIDES, launch(program, strides.call),
              {"argument 1 (key) of 'longformer' has stride 2 in dimension 3"});
  HostCall misaligned;
  misaligned.call.results[1].data += 1;
  expectError(SPARSE_ATTN_MISALIGNED, launch(program, misaligned.call),
              {"result 1 (lse) of 'longformer' starts 1 bytes past a multiple "
               "of 4"});
  HostCall half;
  half.call.arguments[0].data += 1;
  expectError(SPARSE_ATTN_MISALIGNED, launch(program, half.call),
              {"argument 0 (query) of 'longformer' starts 1 bytes past a "
               "multiple of 2",
               "copy it to an address that is a multiple"});
  HostCall overlap;
  overlap.call.results[0].data = overlap.call.arguments[1].data;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, launch(program, overlap.call),
              {"result 0 (output) of 'longformer' is written, and it overlaps "
               "argument 1 (key) of 'longformer'"});
  HostCall null;
  null.call.arguments[0].data = 0;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, launch(program, null.call),
              {"argument 0 (query) of 'longformer' has address 0"});
  HostCall stream;
  int dummy = 0;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              launch(program, stream.call, 0, 0, &dummy),
              {"a stream is given, and 'longformer' is loaded for the host, "
               "which has none; give null"});
  EXPECT_TRUE(std::isnan(stream.lse[0]));
}
