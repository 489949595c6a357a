//===- LaunchTest.cpp - What reaches the driver ---------------------------===//

#include "LaunchTest.h"
#include <map>
#include <set>

using namespace runtime_test;

/// What the functions of the driver were called, each once.
static std::set<std::string> getCalled() {
  std::vector<std::string> calls = cuda_double::getCalls();
  return {calls.begin(), calls.end()};
}

/// What the manifest says of the parameters, by names of values.
using Values = std::map<std::string, uint64_t>;

static void expectStride(uint64_t value, const nlohmann::json &place,
                         const Call &call) {
  bool isResult = place.count("result");
  const Tensor &tensor = isResult
                             ? call.results[place["result"].get<size_t>()]
                             : call.arguments[place["argument"].get<size_t>()];
  size_t dim = place["dim"];
  int64_t dense = 1;
  for (size_t i = dim + 1; i < tensor.shape.size(); ++i)
    dense *= tensor.shape[i];
  EXPECT_EQ(int64_t(value),
            tensor.strides.empty() ? dense : tensor.strides[dim])
      << place;
}

static void expectParameters(const cuda_double::Launch &launch,
                             const nlohmann::json &arguments,
                             const Values &values, const Call &call) {
  ASSERT_EQ(launch.parameters.size(), arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto entry = arguments[i].begin();
    std::string kind = entry.key();
    const nlohmann::json &value = *entry;
    bool isScalar = kind == "i32";
    EXPECT_EQ(launch.parameters[i].bits, isScalar ? 32 : 64);
    if (kind == "stride") {
      expectStride(launch.parameters[i].value, value, call);
      continue;
    }
    std::string name =
        isScalar ? value.get<std::string>() : kind + value.dump();
    // The only formula among them: the tiles of heavy rows.
    if (isScalar && name.rfind("floordiv(", 0) == 0)
      name = "heavy";
    ASSERT_TRUE(values.count(name)) << name;
    EXPECT_EQ(launch.parameters[i].value, values.at(name)) << name;
  }
}

TEST_F(LaunchTest, PassesWhatTheManifestSays) {
  use("longformer");
  Call call = makeLongformer(2, 4, 2, 300, 300);
  // [B, S, H, D] seen as [B, H, S, D], and an LSE between others.
  call.arguments[0].strides = {300 * 4 * 64, 64, 4 * 64, 1};
  call.results[0].strides = {300 * 4 * 64, 64, 4 * 64, 1};
  call.results[1].strides = {7 * 1203, 301, 1};
  call.results[1].data = cuda_double::allocate(0, 2 * 7 * 1203 * 4);
  uint64_t bytes = getWorkspaceBytes(program, call);
  uint64_t workspace = cuda_double::allocate(0, bytes);
  void *stream = cuda_double::makeStream(0);
  ASSERT_EQ(launch(program, call, workspace, bytes, stream),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();

  std::vector<cuda_double::Launch> launches = cuda_double::getLaunches();
  ASSERT_EQ(launches.size(), 2u);
  // 16 rows in 8 parts, of 8 heads.
  uint64_t rows = 8 * 8 * 16 * 4;
  Values values = {{"argument0", call.arguments[0].data},
                   {"argument1", call.arguments[1].data},
                   {"argument2", call.arguments[2].data},
                   {"result0", call.results[0].data},
                   {"result1", call.results[1].data},
                   {"workspace0", workspace},
                   {"workspace1", workspace + rows},
                   {"workspace2", workspace + rows + rows * 64},
                   {"B", 2},
                   {"Hq", 4},
                   {"Hkv", 2},
                   {"Sq", 300},
                   {"Sk", 300},
                   {"heavy", 1}};
  auto manifest =
      nlohmann::json::parse(readFile(getPackage() / "manifest.json"));
  auto specs = manifest["programs"][1]["variants"][0]["launches"];
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(launches[i].kernel, specs[i]["kernel"]);
    EXPECT_EQ(launches[i].stream, stream);
    EXPECT_EQ(launches[i].sharedBytes, specs[i]["shared_bytes"]);
    for (int d = 0; d < 3; ++d)
      EXPECT_EQ(launches[i].block[d], specs[i]["block"][d]);
    expectParameters(launches[i], specs[i]["arguments"], values, call);
  }
  using Grid = std::array<unsigned, 3>;
  // Four parts, of one warp each, run in a block of four.
  EXPECT_EQ(launches[0].grid, (Grid{8 * 8 / 4 + 3 * 4 * 2, 1, 1}));
  // A block merges 8 of 64 columns.
  EXPECT_EQ(launches[1].grid, (Grid{4 * 2 * 64 / 8, 1, 1}));
}

TEST_F(LaunchTest, WritesResultsIntoArguments) {
  use("causal");
  Call call = makeCausal(2, 128);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  call.results[0].data = 0;
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  std::vector<cuda_double::Launch> launches = cuda_double::getLaunches();
  ASSERT_EQ(launches.size(), 2u);
  // More than 48 KiB, which the double allows only once it is asked for.
  EXPECT_EQ(launches[0].sharedBytes, 82064u);
  EXPECT_EQ(launches[1].parameters[3].value, call.arguments[3].data);
  call.results[0].data = call.arguments[0].data;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, launch(program, call),
              {"result 0 (output) of 'causal' is written to argument 3 "
               "(output) of 'causal' and cannot be elsewhere"});
}

// Of the 48 KiB that a driver allows unasked, what a kernel has statically is a
// part; the double refuses the launch otherwise.
TEST_F(LaunchTest, AsksForSharedMemoryBesideStaticVariables) {
  PackageCopy copy;
  std::string name = copy.getFile(1, "ptx");
  std::string ptx = readFile(copy.path / name);
  const std::string entry = ".visible .entry longformer_0(";
  ptx.insert(ptx.find(entry), ".shared .align 8 .b8 list[152];\n");
  ptx.insert(ptx.find("ret;", ptx.find(entry)), "mov.b32 %r1, list;\n");
  copy.addFile(1, "ptx", name, ptx);
  copy.editManifest([](nlohmann::ordered_json &json) {
    json["programs"][1]["variants"][0]["launches"][0]["shared_bytes"] = 49152;
  });
  usePackage(copy.path, "longformer");
  Call call = makeLongformer(1, 2, 1, 128, 128);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_EQ(cuda_double::getLaunches()[0].sharedBytes, 49152u);
}

TEST_F(LaunchTest, LeavesOutEmptyGrids) {
  use("longformer");
  // One new query of a long sequence: the global token has no row.
  Call call = makeLongformer(1, 2, 2, 1, 100);
  EXPECT_EQ(getWorkspaceBytes(program, call), 0u);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  ASSERT_EQ(cuda_double::getLaunches().size(), 1u);
  EXPECT_EQ(cuda_double::getLaunches()[0].kernel, "longformer_0");
}

TEST_F(LaunchTest, DoesNothingForEmptyTensors) {
  use("longformer");
  Call call = makeLongformer(0, 2, 2, 100, 100);
  for (Tensor &tensor : call.arguments)
    tensor.data = 0;
  for (Tensor &tensor : call.results)
    tensor.data = 0;
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_TRUE(cuda_double::getCalls().empty());
}

TEST_F(LaunchTest, NeitherAllocatesNorWaitsWithAWorkspace) {
  use("longformer");
  Call call = makeLongformer(1, 2, 2, 256, 256);
  uint64_t bytes = getWorkspaceBytes(program, call);
  uint64_t workspace = cuda_double::allocate(0, bytes);
  void *stream = cuda_double::makeStream(0, /*isCapturing=*/true);
  EXPECT_TRUE(cuda_double::getCalls().empty());
  ASSERT_EQ(launch(program, call, workspace, bytes, stream),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_EQ(getCalled(),
            (std::set<std::string>{"cuCtxGetCurrent", "cuCtxPushCurrent",
                                   "cuPointerGetAttributes", "cuLaunchKernel",
                                   "cuCtxPopCurrent"}));
}

TEST_F(LaunchTest, AllocatesInTheStreamsOrder) {
  use("longformer");
  Call call = makeLongformer(1, 2, 2, 256, 256);
  void *stream = cuda_double::makeStream(0, /*isCapturing=*/true);
  ASSERT_EQ(launch(program, call, 0, 0, stream), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  std::vector<std::string> order;
  for (const std::string &name : cuda_double::getCalls())
    if (name.rfind("cuMem", 0) == 0 || name == "cuLaunchKernel" ||
        name == "cuStreamSynchronize")
      order.push_back(name);
  EXPECT_EQ(order,
            (std::vector<std::string>{"cuMemAllocAsync", "cuLaunchKernel",
                                      "cuLaunchKernel", "cuMemFreeAsync"}));
}

TEST_F(LaunchTest, WaitsWhereADeviceHasNoPools) {
  use("longformer", {{90, 232448, /*hasMemoryPools=*/false}});
  Call call = makeLongformer(1, 2, 2, 256, 256);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  std::vector<std::string> calls = cuda_double::getCalls();
  std::vector<std::string> end(calls.end() - 4, calls.end());
  EXPECT_EQ(end,
            (std::vector<std::string>{"cuLaunchKernel", "cuStreamSynchronize",
                                      "cuMemFree", "cuCtxPopCurrent"}));
  void *stream = cuda_double::makeStream(0, /*isCapturing=*/true);
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, launch(program, call, 0, 0, stream),
              {"the stream is being captured", "give a workspace of ",
               std::to_string(getWorkspaceBytes(program, call)) + " bytes"});
  EXPECT_EQ(cuda_double::getLaunches().size(), 2u);
}

TEST_F(LaunchTest, IgnoresStridesThatAreNeverUsed) {
  use("longformer");
  Call call = makeLongformer(1, 1, 1, 256, 256);
  call.arguments[0].strides = {7, 12345, 64, 1};
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
}

TEST_F(LaunchTest, TakesMemoryThatTheDeviceReaches) {
  use("longformer", {{90}, {90}});
  Call call = makeLongformer(1, 1, 1, 256, 256);
  call.arguments[0].data = cuda_double::allocateHost(256 * 64 * 2);
  call.arguments[1].data = cuda_double::allocateManaged(1, 256 * 64 * 2);
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  call.arguments[2].data = cuda_double::allocate(1, 256 * 64 * 2);
  expectError(SPARSE_ATTN_WRONG_DEVICE, launch(program, call),
              {"argument 2 (value) of 'longformer' is on device 1, the program "
               "on device 0"});
  EXPECT_EQ(cuda_double::getLaunches().size(), 2u);
}

TEST_F(LaunchTest, PassesIntegersOf64Bits) {
  PackageCopy copy;
  std::string ptx = readFile(copy.path / copy.getFile(1, "ptx"));
  size_t at =
      ptx.find(".param .u32", ptx.find(".visible .entry longformer_0("));
  copy.addFile(1, "ptx", "l.ptx", ptx.replace(at, 11, ".param .s64"));
  size_t number = 0;
  copy.editManifest([&](nlohmann::ordered_json &json) {
    auto &arguments =
        json["programs"][1]["variants"][0]["launches"][0]["arguments"];
    while (!arguments[number].contains("i32"))
      ++number;
    arguments[number] = {{"i64", "B - 4294967298"}};
  });
  usePackage(copy.path, "longformer");
  ASSERT_EQ(launch(program, makeLongformer(1, 1, 1, 1, 100)),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  cuda_double::Parameter parameter =
      cuda_double::getLaunches()[0].parameters[number];
  EXPECT_EQ(parameter.bits, 64);
  EXPECT_EQ(int64_t(parameter.value), -4294967297);
}

TEST_F(LaunchTest, SharesResultsThatAreOne) {
  // A function that returns one tensor twice.
  PackageCopy copy;
  copy.editManifest([](nlohmann::ordered_json &json) {
    for (int i : {0, 1}) {
      auto &results = json["programs"][i]["results"];
      results.push_back(results[0]);
    }
  });
  usePackage(copy.path, "longformer");
  Call call = makeLongformer(1, 1, 1, 1, 100);
  call.results.push_back(call.results[0]);
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  call.results[2].data = 0;
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  call.results[2].data = call.results[1].data;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, launch(program, call),
              {"result 2 (output) of 'longformer' is written to result 0 "
               "(output)"});
  Package package = open(copy.path);
  SparseAttnTensorInfo info;
  ASSERT_EQ(
      sparseAttnFunctionGetResult(getFunction(package, "longformer"), 2, &info),
      SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(info.inResult, 0);
  EXPECT_EQ(info.inArgument, -1);
}
