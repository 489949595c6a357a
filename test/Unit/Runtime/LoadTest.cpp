//===- LoadTest.cpp - The driver, devices and modules ---------------------===//

#include "RuntimeTest.h"
#include <algorithm>
#include <cstdlib>
#include <set>

using namespace runtime_test;

namespace {
class LoadTest : public RuntimeTest {
protected:
  static void expectNoDriver(const char *library, SparseAttnStatus expected,
                             const std::vector<std::string> &parts) {
    SparseAttnDriver *driver = nullptr;
    expectError(expected, sparseAttnDriverOpen(library, &driver), parts);
    EXPECT_EQ(driver, nullptr);
  }

  static void expectNotLoaded(const std::filesystem::path &path,
                              SparseAttnStatus expected,
                              const std::vector<std::string> &parts,
                              int32_t device = 0) {
    Package package = open(path);
    Driver driver = openDriver();
    SparseAttnProgram *program = nullptr;
    expectError(expected,
                sparseAttnProgramLoad(driver.get(),
                                      getFunction(package, "longformer"),
                                      device, &program),
                parts);
    EXPECT_EQ(program, nullptr);
    EXPECT_EQ(cuda_double::getCounts().modules, 0);
    EXPECT_EQ(cuda_double::getCounts().primaryContexts, 0);
  }

  /// The chip of what a device gets.
  static std::string getChip(int capability) {
    cuda_double::reset({{capability}});
    Package package = open(getPackage());
    Driver driver = openDriver();
    const SparseAttnFunction *function = getFunction(package, "longformer");
    Program program = load(driver, function);
    EXPECT_EQ(sparseAttnProgramIsCubin(program.get()), 0);
    return sparseAttnFunctionGetChip(
        function, sparseAttnProgramGetVariant(program.get()));
  }
};
} // namespace

TEST_F(LoadTest, NeedsADriver) {
  expectNoDriver("libnone.so.7", SPARSE_ATTN_NO_DRIVER,
                 {"no CUDA driver", "libnone.so.7", "install NVIDIA's driver",
                  "SPARSE_ATTN_LIBCUDA"});
  // A library that is none.
  expectNoDriver("libm.so.6", SPARSE_ATTN_OLD_DRIVER,
                 {"the CUDA driver has no cuInit"});
  expectNoDriver(SPARSE_ATTN_CUDA_DOUBLE "x", SPARSE_ATTN_NO_DRIVER,
                 {"cannot open shared object file"});
}

TEST_F(LoadTest, TakesTheDriverFromTheEnvironment) {
  setenv("SPARSE_ATTN_LIBCUDA", SPARSE_ATTN_CUDA_DOUBLE, 1);
  SparseAttnDriver *driver = nullptr;
  EXPECT_EQ(sparseAttnDriverOpen(nullptr, &driver), SPARSE_ATTN_SUCCESS);
  sparseAttnDriverClose(driver);
  setenv("SPARSE_ATTN_LIBCUDA", "libnone.so.7", 1);
  expectNoDriver(nullptr, SPARSE_ATTN_NO_DRIVER, {"libnone.so.7"});
  unsetenv("SPARSE_ATTN_LIBCUDA");
}

TEST_F(LoadTest, ReportsDriversThatDoNotStart) {
  cuda_double::reset({});
  expectNoDriver(SPARSE_ATTN_CUDA_DOUBLE, SPARSE_ATTN_NO_DEVICE,
                 {"the CUDA driver does not start (cuInit)",
                  "CUDA_ERROR_NO_DEVICE", "CUDA_VISIBLE_DEVICES"});
  cuda_double::reset();
  cuda_double::failNext("cuInit", 34);
  expectNoDriver(SPARSE_ATTN_CUDA_DOUBLE, SPARSE_ATTN_NO_DRIVER,
                 {"error 34", "the toolkit's stub"});
  cuda_double::failNext("cuInit", 803);
  expectNoDriver(SPARSE_ATTN_CUDA_DOUBLE, SPARSE_ATTN_OLD_DRIVER,
                 {"error 803", "restart the machine"});
  cuda_double::failNext("cuInit", 999);
  expectNoDriver(SPARSE_ATTN_CUDA_DOUBLE, SPARSE_ATTN_DRIVER_ERROR,
                 {"error 999"});
  cuda_double::setVersion(10020);
  expectNoDriver(SPARSE_ATTN_CUDA_DOUBLE, SPARSE_ATTN_OLD_DRIVER,
                 {"the driver is of CUDA 10.2; install one of CUDA 11.0"});
}

TEST_F(LoadTest, ChoosesTheNewestCodeThatRuns) {
  EXPECT_EQ(getChip(80), "sm_80");
  EXPECT_EQ(getChip(86), "sm_80");
  EXPECT_EQ(getChip(90), "sm_90a");
  // sm_90a runs on nothing else, not even on what is newer.
  EXPECT_EQ(getChip(100), "sm_80");
  EXPECT_EQ(getChip(120), "sm_80");
}

TEST_F(LoadTest, HasNoCodeForOlderDevices) {
  cuda_double::reset({{75}});
  expectNotLoaded(getPackage(), SPARSE_ATTN_WRONG_CHIP,
                  {"device 0 (Double) has compute capability 7.5",
                   "'longformer' has code for sm_80, sm_90a only",
                   "kernels run from compute capability 8.0 on: use another "
                   "device, or the host"});
}

// What is advised is a chip that sparse-attn-compile knows.
TEST_F(LoadTest, AdvisesAChipThatTheDeviceRuns) {
  PackageCopy copy;
  copy.editManifest([](nlohmann::ordered_json &json) {
    for (auto &program : json["programs"])
      program["target"]["this_chip_only"] = true;
  });
  std::pair<int, const char *> cases[] = {
      {86, "sm_86"},   {87, "sm_86"},   {89, "sm_89"},   {101, "sm_100"},
      {103, "sm_100"}, {120, "sm_120"}, {121, "sm_120"}, {999, "sm_120"}};
  std::set<std::string> chips;
  for (auto [capability, chip] : cases) {
    cuda_double::reset({{capability}});
    expectNotLoaded(
        copy.path, SPARSE_ATTN_WRONG_CHIP,
        {std::string("compile it with --target=") + chip + " as well"});
    chips.insert(chip);
  }
  for (const std::string &chip : chips) {
    std::string command =
        std::string(SPARSE_ATTN_COMPILE) +
        " " SPARSE_ATTN_INPUTS "/attention.mlir --target=" + chip +
        " --entry=causal --emit=manifest -o " + (copy.path / chip).string();
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
}

TEST_F(LoadTest, NeedsCodeInThePackage) {
  PackageCopy copy;
  copy.editManifest([](nlohmann::ordered_json &json) {
    for (auto &program : json["programs"])
      program["files"] = nlohmann::json::array();
  });
  expectNotLoaded(copy.path, SPARSE_ATTN_WRONG_CHIP,
                  {"sm_80 (without PTX and cubin in the package)"});
}

TEST_F(LoadTest, PrefersACubinOfExactlyTheChip) {
  PackageCopy copy;
  std::string ptx = readFile(copy.path / copy.getFile(1, "ptx"));
  copy.addFile(1, "cubin", "l.cubin", "CUBIN sm_90a\n" + ptx);
  copy.addFile(0, "cubin", "l80.cubin", "CUBIN sm_80\n" + ptx);
  {
    Package package = open(copy.path);
    Driver driver = openDriver();
    Program program = load(driver, getFunction(package, "longformer"));
    EXPECT_EQ(sparseAttnProgramIsCubin(program.get()), 1);
    EXPECT_EQ(sparseAttnProgramGetVariant(program.get()), 1);
    EXPECT_EQ(cuda_double::getLastImage().rfind("CUBIN sm_90a", 0), 0u);
  }
  // An sm_86 gets sm_80's PTX, not its cubin.
  cuda_double::reset({{86}});
  Package package = open(copy.path);
  Driver driver = openDriver();
  Program program = load(driver, getFunction(package, "longformer"));
  EXPECT_EQ(sparseAttnProgramIsCubin(program.get()), 0);
  EXPECT_EQ(sparseAttnProgramGetVariant(program.get()), 0);
}

TEST_F(LoadTest, FallsBackToPtxWhereACubinIsRefused) {
  PackageCopy copy;
  copy.addFile(1, "cubin", "l.cubin", "CUBIN sm_100\n");
  {
    Package package = open(copy.path);
    Driver driver = openDriver();
    Program program = load(driver, getFunction(package, "longformer"));
    EXPECT_EQ(sparseAttnProgramIsCubin(program.get()), 0);
    EXPECT_EQ(sparseAttnProgramGetVariant(program.get()), 1);
  }
  copy.editManifest([](nlohmann::ordered_json &json) {
    auto &files = json["programs"][1]["files"];
    for (size_t i = files.size(); i-- > 0;)
      if (files[i]["kind"] == "ptx")
        files.erase(i);
  });
  expectNotLoaded(copy.path, SPARSE_ATTN_INVALID_CODE,
                  {"the driver refuses the cubin of 'longformer' for sm_90a",
                   "error 209", "write the package anew"});
}

TEST_F(LoadTest, NeedsADriverAsNewAsThePtx) {
  // PTX 8.0 is of CUDA 12.0.
  cuda_double::setVersion(11080);
  expectNotLoaded(getPackage(), SPARSE_ATTN_OLD_DRIVER,
                  {"the driver is of CUDA 11.8",
                   "'longformer' for sm_90a is PTX 8.0, which needs CUDA 12.0",
                   "install a newer driver"});
  cuda_double::reset();
  cuda_double::setVersion(12000);
  Package package = open(getPackage());
  Driver driver = openDriver();
  EXPECT_TRUE(load(driver, getFunction(package, "longformer")));
}

TEST_F(LoadTest, KnowsTheCudaVersionOfPtx) {
  const std::pair<const char *, int> versions[] = {
      {"7.0", 11000}, {"7.8", 11080}, {"8.5", 12050}, {"8.6", 12070},
      {"8.7", 12080}, {"8.8", 12090}, {"9.0", 13000}, {"6.5", 11000}};
  for (auto [ptx, cuda] : versions) {
    PackageCopy copy;
    copy.editManifest([&, ptx = ptx](nlohmann::ordered_json &json) {
      json["programs"][1]["target"]["ptx_version"] = ptx;
    });
    cuda_double::reset();
    cuda_double::setVersion(cuda);
    Package package = open(copy.path);
    Driver driver = openDriver();
    EXPECT_TRUE(load(driver, getFunction(package, "longformer"))) << ptx;
    if (cuda == 11000)
      continue;
    cuda_double::reset();
    cuda_double::setVersion(cuda - 10);
    expectNotLoaded(copy.path, SPARSE_ATTN_OLD_DRIVER, {"which needs CUDA"});
    // What the earlier program held is of the driver before the reset.
    package.reset();
  }
}

TEST_F(LoadTest, ReportsPtxThatTheDriverRefuses) {
  PackageCopy copy;
  copy.addFile(1, "ptx", "l.ptx", "nonsense");
  expectNotLoaded(copy.path, SPARSE_ATTN_INVALID_CODE,
                  {"the driver refuses the PTX of 'longformer' for sm_90a "
                   "(ptxas fatal: not for this double)",
                   "CUDA_ERROR_INVALID_PTX"});
  cuda_double::failNext("cuModuleLoadDataEx", 222);
  expectNotLoaded(getPackage(), SPARSE_ATTN_OLD_DRIVER, {"error 222"});
  cuda_double::failNext("cuModuleLoadDataEx", 221);
  expectNotLoaded(getPackage(), SPARSE_ATTN_INVALID_CODE,
                  {"error 221", "libnvidia-ptxjitcompiler"});
  cuda_double::failNext("cuModuleLoadDataEx", 2);
  expectNotLoaded(getPackage(), SPARSE_ATTN_OUT_OF_MEMORY,
                  {"CUDA_ERROR_OUT_OF_MEMORY (out of memory)",
                   "free memory of the device"});
}

TEST_F(LoadTest, UnloadsWhatIsHalfLoaded) {
  PackageCopy copy;
  copy.editManifest([](nlohmann::ordered_json &json) {
    json["programs"][1]["variants"][0]["launches"][1]["kernel"] = "missing";
  });
  expectNotLoaded(copy.path, SPARSE_ATTN_INVALID_CODE,
                  {"kernel 'missing' of 'longformer': error 500"});
  EXPECT_EQ(cuda_double::getCounts().unloads, 1);
  cuda_double::failNext("cuFuncGetAttribute", 2);
  expectNotLoaded(getPackage(), SPARSE_ATTN_OUT_OF_MEMORY,
                  {"cuFuncGetAttribute"});
  EXPECT_EQ(cuda_double::getCounts().unloads, 2);
}

TEST_F(LoadTest, NeedsTheSharedMemory) {
  cuda_double::reset({{90, 40000}});
  expectNotLoaded(getPackage(), SPARSE_ATTN_WRONG_CHIP,
                  {"kernel 'longformer_0' of 'longformer' needs 65728 bytes of "
                   "shared memory, this device has 40000 for it",
                   "smaller tiles"});
}

TEST_F(LoadTest, ReportsALimitThatCannotBeRaised) {
  Package package = open(getPackage());
  Driver driver = openDriver();
  cuda_double::failNext("cuFuncSetAttribute", 1);
  SparseAttnProgram *program = nullptr;
  expectError(SPARSE_ATTN_DRIVER_ERROR,
              sparseAttnProgramLoad(
                  driver.get(), getFunction(package, "causal"), 0, &program),
              {"cannot raise the limit of shared memory to 82064 bytes"});
}

TEST_F(LoadTest, ReportsMissingDevices) {
  expectNotLoaded(getPackage(), SPARSE_ATTN_NO_DEVICE,
                  {"there is no device 1, of 1"}, 1);
  expectNotLoaded(getPackage(), SPARSE_ATTN_NO_DEVICE,
                  {"there is no device -3, of 1"}, -3);
  cuda_double::failNext("cuDevicePrimaryCtxRetain", 2);
  expectNotLoaded(getPackage(), SPARSE_ATTN_OUT_OF_MEMORY,
                  {"device 0 gives no context"});
  Driver driver = openDriver();
  int32_t count = 0;
  EXPECT_EQ(sparseAttnDriverGetNumDevices(driver.get(), &count),
            SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(count, 1);
}

TEST_F(LoadTest, SharesAModuleInAContext) {
  cuda_double::reset({{90}, {90}});
  Package package = open(getPackage());
  Driver driver = openDriver();
  const SparseAttnFunction *function = getFunction(package, "longformer");
  Program first = load(driver, function), second = load(driver, function);
  EXPECT_EQ(cuda_double::getCounts().loads, 1);
  Program other = load(driver, function, 1);
  EXPECT_EQ(cuda_double::getCounts().loads, 2);
  Program causal = load(driver, getFunction(package, "causal"));
  EXPECT_EQ(cuda_double::getCounts().loads, 3);
  first.reset();
  EXPECT_EQ(cuda_double::getCounts().unloads, 0);
  second.reset();
  EXPECT_EQ(cuda_double::getCounts().unloads, 1);
  // A new module once the old one is gone.
  first = load(driver, function);
  EXPECT_EQ(cuda_double::getCounts().loads, 4);
}

TEST_F(LoadTest, UsesTheCurrentContextWhereAsked) {
  Package package = open(getPackage());
  Driver driver = openDriver();
  const SparseAttnFunction *function = getFunction(package, "causal");
  SparseAttnProgram *none = nullptr;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnProgramLoad(driver.get(), function,
                                    SPARSE_ATTN_CURRENT_CONTEXT, &none),
              {"the calling thread has no current context"});
  void *context = cuda_double::makeContext(0);
  cuda_double::makeCurrent(context);
  Program program = load(driver, function, SPARSE_ATTN_CURRENT_CONTEXT);
  EXPECT_EQ(cuda_double::getCounts().primaryContexts, 0);
  EXPECT_EQ(launch(program, makeCausal(1, 128), 0, 0,
                   cuda_double::makeStream(context)),
            SPARSE_ATTN_SUCCESS);
  // A stream of another context.
  expectError(
      SPARSE_ATTN_DRIVER_ERROR,
      launch(program, makeCausal(1, 128), 0, 0, cuda_double::makeStream(0)),
      {"the launch of kernel 'causal_0' of 'causal': error 400",
       "the stream is of another context"});
  program.reset();
  EXPECT_EQ(cuda_double::getCounts().contextDepth, 1);
  cuda_double::reset();
}

TEST_F(LoadTest, ThingsMayEndInAnyOrder) {
  Package package = open(getPackage());
  Driver driver = openDriver();
  Program program = load(driver, getFunction(package, "longformer"));
  package.reset();
  driver.reset();
  EXPECT_EQ(launch(program, makeLongformer(1, 2, 2, 256, 256)),
            SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(cuda_double::getLaunches().size(), 2u);
}
