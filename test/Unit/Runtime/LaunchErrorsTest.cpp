//===- LaunchErrorsTest.cpp - What reaches no driver, or fails there ------===//

#include "LaunchTest.h"

using namespace runtime_test;

namespace {
class LaunchErrorsTest : public LaunchTest {};
} // namespace

TEST_F(LaunchErrorsTest, FreesTheWorkspaceWhenALaunchFails) {
  for (bool hasPools : {true, false}) {
    program.reset();
    use("longformer", {{90, 232448, hasPools}});
    Call call = makeLongformer(1, 2, 2, 256, 256);
    cuda_double::failNext("cuLaunchKernel", 701, /*skip=*/1);
    expectError(SPARSE_ATTN_DRIVER_ERROR, launch(program, call),
                {"the launch of kernel 'longformer_1' of 'longformer': error "
                 "701"});
    EXPECT_EQ(cuda_double::getCounts().allocations, 0);
    cuda_double::failNext(hasPools ? "cuMemAllocAsync" : "cuMemAlloc", 2);
    expectError(SPARSE_ATTN_OUT_OF_MEMORY, launch(program, call),
                {"no workspace of ", " bytes for 'longformer'",
                 "free memory of the device"});
    EXPECT_EQ(cuda_double::getLaunches().size(), 1u);
  }
  Call call = makeLongformer(1, 2, 2, 256, 256);
  cuda_double::failNext("cuStreamSynchronize", 700);
  expectError(SPARSE_ATTN_DRIVER_ERROR, launch(program, call),
              {"'longformer' failed on the device: error 700"});
}

TEST_F(LaunchErrorsTest, ReportsOtherFailuresOfTheDriver) {
  use("longformer");
  Call call = makeLongformer(1, 2, 2, 256, 256);
  cuda_double::failNext("cuPointerGetAttributes", 700);
  expectError(SPARSE_ATTN_DRIVER_ERROR, launch(program, call),
              {"cuPointerGetAttributes: error 700"});
  cuda_double::failNext("cuCtxPushCurrent", 201);
  expectError(SPARSE_ATTN_DRIVER_ERROR, launch(program, call),
              {"cuCtxPushCurrent: error 201", "the context has ended"});
  EXPECT_TRUE(cuda_double::getLaunches().empty());
}

TEST_F(LaunchErrorsTest, ReportsAWorkspaceThatCannotBeFreed) {
  use("longformer");
  cuda_double::failNext("cuMemFreeAsync", 700);
  expectError(SPARSE_ATTN_DRIVER_ERROR,
              launch(program, makeLongformer(1, 2, 2, 256, 256)),
              {"the workspace of 'longformer' cannot be freed: error 700"});
  // As it is: of the program's memory nothing else is left.
  EXPECT_EQ(cuda_double::getCounts().allocations, 1);
  program.reset();
  cuda_double::reset();
}

TEST_F(LaunchErrorsTest, ChecksTheWorkspace) {
  use("longformer");
  Call call = makeLongformer(1, 2, 2, 256, 256);
  uint64_t bytes = getWorkspaceBytes(program, call);
  uint64_t workspace = cuda_double::allocate(0, bytes, 8);
  expectError(SPARSE_ATTN_SMALL_WORKSPACE,
              launch(program, call, workspace, bytes - 1),
              {"the workspace has " + std::to_string(bytes - 1) + " bytes",
               "needs " + std::to_string(bytes) +
                   " for these sizes; give that many, or none"});
  expectError(SPARSE_ATTN_MISALIGNED, launch(program, call, workspace, bytes),
              {"the workspace of 'longformer' starts 8 bytes past a multiple "
               "of 16"});
  expectError(SPARSE_ATTN_WRONG_DEVICE, launch(program, call, 4096, bytes),
              {"the workspace of 'longformer' is not in memory that the driver "
               "knows"});
  EXPECT_TRUE(cuda_double::getLaunches().empty());
}

/// What is done to a good call, and what is then said.
struct WrongCall {
  void (*damage)(Call &);
  SparseAttnStatus status;
  std::vector<std::string> parts;
};

TEST_F(LaunchErrorsTest, RefusesWrongTensors) {
  use("longformer");
  const WrongCall cases[] = {
      {[](Call &c) { c.arguments[0].type = SPARSE_ATTN_F16; },
       SPARSE_ATTN_WRONG_TYPE,
       {"argument 0 (query) of 'longformer' has elements of f16, expected bf16",
        "convert it to bf16, or compile the function for f16"}},
      // A result that was converted would be written in vain.
      {[](Call &c) { c.results[0].type = SPARSE_ATTN_F32; },
       SPARSE_ATTN_WRONG_TYPE,
       {"result 0 (output) of 'longformer' has elements of f32, expected bf16; "
        "give a tensor of bf16, or compile the function for f32"}},
      // For which there is no compiling.
      {[](Call &c) { c.arguments[1].type = SPARSE_ATTN_F64; },
       SPARSE_ATTN_WRONG_TYPE,
       {"argument 1 (key) of 'longformer' has elements of f64, expected bf16; "
        "attention is compiled for f16, bf16 and f32 only: convert it to "
        "bf16"}},
      {[](Call &c) { c.results[1].type = SPARSE_ATTN_BF16; },
       SPARSE_ATTN_WRONG_TYPE,
       {"result 1 (lse) of 'longformer' has elements of bf16, expected f32; "
        "give a tensor of f32"}},
      {[](Call &c) { c.results[1].type = SparseAttnType(77); },
       SPARSE_ATTN_WRONG_TYPE,
       {"result 1 (lse) of 'longformer' has elements of an unknown type, "
        "expected f32"}},
      {[](Call &c) { c.arguments[1].shape.pop_back(); },
       SPARSE_ATTN_WRONG_SHAPE,
       {"argument 1 (key) of 'longformer' has rank 3, expected the shape [B, "
        "Hkv, Sk, 64]"}},
      {[](Call &c) { c.arguments[0].shape[3] = 80; },
       SPARSE_ATTN_WRONG_SHAPE,
       {"argument 0 (query) of 'longformer' has size 80 in dimension 3, "
        "expected 64"}},
      {[](Call &c) { c.arguments[2].shape[2] = 255; },
       SPARSE_ATTN_WRONG_SHAPE,
       {"argument 2 (value) of 'longformer' has size 255 in dimension 2, "
        "expected 256, which is Sk, from dimension 2 of argument 1 (key)"}},
      {[](Call &c) { c.results[0].shape[1] = 2; },
       SPARSE_ATTN_WRONG_SHAPE,
       {"result 0 (output) of 'longformer' has size 2 in dimension 1, expected "
        "4, which is Hq, from dimension 1 of argument 0 (query)"}},
      {[](Call &c) { c.arguments[0].shape[2] = -1; },
       SPARSE_ATTN_WRONG_SHAPE,
       {"argument 0 (query) of 'longformer' has the negative size -1 in "
        "dimension 2"}},
      {[](Call &c) {
         for (int i : {1, 2})
           c.arguments[i].shape[1] = 3;
       },
       SPARSE_ATTN_WRONG_SHAPE,
       {"the sizes of the arguments of 'longformer' do not fit together: the "
        "number of query heads, Hq, must be a multiple of that of key heads, "
        "Hkv; Hq is 4, Hkv is 3"}},
      {[](Call &c) {
         for (int i : {1, 2})
           c.arguments[i].shape[1] = 0;
       },
       SPARSE_ATTN_WRONG_SHAPE,
       {"must be a multiple of that of key heads, Hkv; Hq is 4, Hkv is 0"}},
      {[](Call &c) { c.arguments.pop_back(); },
       SPARSE_ATTN_INVALID_ARGUMENT,
       {"'longformer' has 3 arguments, 2 were given"}},
      {[](Call &c) { c.results.pop_back(); },
       SPARSE_ATTN_INVALID_ARGUMENT,
       {"'longformer' has 2 results, 1 were given"}},
      {[](Call &c) { c.arguments[1].strides = {1 << 20, 1 << 15, 1, 256}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"argument 1 (key) of 'longformer' has stride 256 in dimension 3, "
        "expected 1",
        "its shape is [1, 2, 256, 64], its strides are [1048576, 32768, 1, "
        "256]",
        "copy it into a contiguous tensor"}},
      {[](Call &c) { c.arguments[1].strides = {1 << 20, 1 << 15, 68, 1}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"argument 1 (key) of 'longformer' has stride 68 in dimension 2, "
        "expected a multiple of 8: rows must start at aligned addresses"}},
      {[](Call &c) { c.arguments[1].strides = {1 << 20, -64 * 256, 64, 1}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"argument 1 (key) of 'longformer' runs backwards: its stride in "
        "dimension 1 is -16384, and kernels take none below 0; copy it into a "
        "contiguous tensor"}},
      // Rows of all heads in one place.
      {[](Call &c) { c.results[0].strides = {1 << 20, 0, 64, 1}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"result 0 (output) of 'longformer' is written, and its elements "
        "overlap: the stride 0 of dimension 1 is not above 0"}},
      {[](Call &c) { c.results[0].strides = {1 << 20, 64, 192, 1}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"is written, and its elements overlap: the stride 192 of dimension 2 "
        "is not above 255",
        "give memory of its own"}},
      {[](Call &c) { c.results[1].strides = {1024, 256, 2}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"result 1 (lse) of 'longformer' has stride 2 in dimension 2, expected "
        "1"}},
      {[](Call &c) { c.arguments[2].data += 8; },
       SPARSE_ATTN_MISALIGNED,
       {"argument 2 (value) of 'longformer' starts 8 bytes past a multiple of "
        "16"}},
      {[](Call &c) { c.results[1].data += 2; },
       SPARSE_ATTN_MISALIGNED,
       {"result 1 (lse) of 'longformer' starts 2 bytes past a multiple of 4"}},
      {[](Call &c) { c.arguments[0].data = 0; },
       SPARSE_ATTN_INVALID_ARGUMENT,
       {"argument 0 (query) of 'longformer' has address 0"}},
      {[](Call &c) { c.results[0].data = 0; },
       SPARSE_ATTN_INVALID_ARGUMENT,
       {"result 0 (output) of 'longformer' has address 0"}},
      {[](Call &c) { c.arguments[0].data = 0x5000; },
       SPARSE_ATTN_WRONG_DEVICE,
       {"argument 0 (query) of 'longformer' is not in memory that the driver "
        "knows; copy it to the device"}}};
  for (const WrongCall &wrong : cases) {
    Call call = makeLongformer(1, 4, 2, 256, 256);
    wrong.damage(call);
    expectError(wrong.status, launch(program, call), wrong.parts);
  }
  EXPECT_TRUE(cuda_double::getLaunches().empty());
}

TEST_F(LaunchErrorsTest, RefusesResultsThatOverlap) {
  use("longformer");
  const WrongCall cases[] = {
      {[](Call &c) { c.results[0].data = c.arguments[0].data; },
       SPARSE_ATTN_INVALID_ARGUMENT,
       {"result 0 (output) of 'longformer' is written, and it overlaps "
        "argument "
        "0 (query) of 'longformer'; give memory of its own"}},
      // Its last rows.
      {[](Call &c) { c.results[0].data = c.arguments[2].data + 2 * 255 * 128; },
       SPARSE_ATTN_INVALID_ARGUMENT,
       {"result 0 (output) of 'longformer' is written, and it overlaps "
        "argument "
        "2 (value)"}},
      {[](Call &c) { c.results[1].data = c.results[0].data + 64; },
       SPARSE_ATTN_INVALID_ARGUMENT,
       {"result 1 (lse) of 'longformer' is written, and it overlaps result 0 "
        "(output) of 'longformer'"}}};
  for (const WrongCall &wrong : cases) {
    Call call = makeLongformer(1, 4, 2, 256, 256);
    wrong.damage(call);
    expectError(wrong.status, launch(program, call), wrong.parts);
  }
  Call call = makeLongformer(1, 2, 2, 256, 256);
  uint64_t bytes = getWorkspaceBytes(program, call);
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              launch(program, call, call.results[1].data, bytes),
              {"the workspace of 'longformer' overlaps result 1 (lse) of "
               "'longformer'; give memory of its own"});
  EXPECT_TRUE(cuda_double::getLaunches().empty());
  // All are parts of one buffer [B, S, 4, H, D].
  constexpr int64_t kH = 2, kS = 256, kD = 64;
  uint64_t buffer = cuda_double::allocate(0, kS * 4 * kH * kD * 2);
  Tensor *parts[] = {&call.arguments[0], &call.arguments[1], &call.arguments[2],
                     &call.results[0]};
  for (int64_t i = 0; i < 4; ++i) {
    parts[i]->strides = {kS * 4 * kH * kD, kD, 4 * kH * kD, 1};
    parts[i]->data = buffer + i * kH * kD * 2;
  }
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  program.reset();
  use("causal");
  call = makeCausal(2, 128);
  call.arguments[1] = call.results[0];
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, launch(program, call),
              {"argument 3 (output) of 'causal' is written, and it overlaps "
               "argument 1 (key) of 'causal'"});
  // What is only read may be one.
  call = makeCausal(2, 128);
  call.arguments[1] = call.arguments[2];
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
}

/// The call as [B, S, H, D].
static Call swapDims(Call call) {
  for (auto *tensors : {&call.arguments, &call.results})
    for (Tensor &tensor : *tensors) {
      tensor.type |= SPARSE_ATTN_BSHD;
      if (tensor.shape.size() == 4)
        std::swap(tensor.shape[1], tensor.shape[2]);
    }
  return call;
}

TEST_F(LaunchErrorsTest, CountsDimensionsAsTheyAreGiven) {
  use("longformer");
  const WrongCall cases[] = {
      {[](Call &c) { c.arguments[2].shape[1] = 255; },
       SPARSE_ATTN_WRONG_SHAPE,
       {"argument 2 (value) of 'longformer' has size 255 in dimension 1, "
        "expected 256, which is Sk, from dimension 1 of argument 1 (key)"}},
      {[](Call &c) { c.results[1].shape[2] = 255; },
       SPARSE_ATTN_WRONG_SHAPE,
       {"result 1 (lse) of 'longformer' has size 255 in dimension 2, expected "
        "256, which is Sq, from dimension 1 of argument 0 (query)"}},
      {[](Call &c) { c.arguments[1].shape.pop_back(); },
       SPARSE_ATTN_WRONG_SHAPE,
       {"has rank 3, expected the shape [B, Sk, Hkv, 64]"}},
      {[](Call &c) { c.arguments[1].strides = {1 << 20, 68, 1 << 10, 1}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"has stride 68 in dimension 1, expected a multiple of 8",
        "its shape is [1, 256, 2, 64], its strides are [1048576, 68, 1024, "
        "1]"}},
      {[](Call &c) { c.results[0].strides = {1 << 20, 256, 0, 1}; },
       SPARSE_ATTN_WRONG_STRIDES,
       {"the stride 0 of dimension 2 is not above 0"}}};
  for (const WrongCall &wrong : cases) {
    Call call = swapDims(makeLongformer(1, 4, 2, 256, 256));
    wrong.damage(call);
    expectError(wrong.status, launch(program, call), wrong.parts);
  }
  EXPECT_TRUE(cuda_double::getLaunches().empty());
  EXPECT_EQ(launch(program, swapDims(makeLongformer(1, 4, 2, 256, 256))),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
}

TEST_F(LaunchErrorsTest, ChecksNullPointers) {
  use("longformer");
  Call call = makeLongformer(1, 4, 2, 256, 256);
  std::vector<SparseAttnTensor> arguments = getViews(call.arguments),
                                results = getViews(call.results);
  auto status = [&](const SparseAttnTensor *a, const SparseAttnTensor *r) {
    return sparseAttnProgramLaunch(program.get(), a, 3, r, 2, 0, 0, nullptr);
  };
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, status(nullptr, results.data()),
              {"the list of arguments is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, status(arguments.data(), nullptr),
              {"the list of results is null"});
  arguments[1].shape = nullptr;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              status(arguments.data(), results.data()),
              {"argument 1 (key) of 'longformer' has no shape: null was "
               "given"});
  expectError(
      SPARSE_ATTN_INVALID_ARGUMENT,
      sparseAttnProgramLaunch(nullptr, nullptr, 0, nullptr, 0, 0, 0, nullptr),
      {"program is null"});
}

TEST_F(LaunchErrorsTest, RefusesStridesWhoseAddressesDoNotFit) {
  use("longformer");
  Call call = makeLongformer(2, 4, 2, 256, 256);
  call.arguments[0].strides = {int64_t(1) << 62, 64, 256, 1};
  expectError(SPARSE_ATTN_TOO_LARGE, launch(program, call),
              {"argument 0 (query) of 'longformer' has the shape [2, 4, 256, "
               "64], whose bytes do not fit 64 bits"});
  EXPECT_TRUE(cuda_double::getLaunches().empty());
}

TEST_F(LaunchErrorsTest, RefusesGapsWhereKernelsAreDense) {
  PackageCopy copy;
  copy.editManifest([](nlohmann::ordered_json &json) {
    for (auto &argument : json["programs"][1]["arguments"])
      argument["layout"] = "dense";
  });
  usePackage(copy.path, "longformer");
  const std::vector<int64_t> dense = {2 * 256 * 64, 256 * 64, 64, 1};
  for (size_t dim = 0; dim < dense.size(); ++dim)
    for (int64_t stride : {2 * dense[dim], int64_t(0), -dense[dim]}) {
      Call call = makeLongformer(2, 2, 2, 256, 256);
      call.arguments[0].strides = dense;
      EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS);
      size_t launches = cuda_double::getLaunches().size();
      call.arguments[0].strides[dim] = stride;
      expectError(SPARSE_ATTN_WRONG_STRIDES, launch(program, call),
                  {"argument 0 (query) of 'longformer' has stride " +
                       std::to_string(stride) + " in dimension " +
                       std::to_string(dim) + ", expected " +
                       std::to_string(dense[dim]),
                   "--dense"});
      EXPECT_EQ(cuda_double::getLaunches().size(), launches);
    }
}

TEST_F(LaunchErrorsTest, RefusesAResultWithOtherStridesThanItsArgument) {
  use("causal");
  Call call = makeCausal(2, 128);
  std::vector<int64_t> &shape = call.arguments[3].shape;
  // Heads and rows of the argument lie the other way round.
  call.arguments[3].strides = {shape[1] * shape[2] * shape[3], shape[3],
                               shape[1] * shape[3], 1};
  expectError(SPARSE_ATTN_WRONG_STRIDES, launch(program, call),
              {"result 0 (output) of 'causal' is written to argument 3",
               "its stride in dimension"});
  call.results[0].data = 0;
  EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
}

TEST_F(LaunchErrorsTest, RefusesSizesThatNoLaunchHas) {
  use("longformer");
  expectError(SPARSE_ATTN_TOO_LARGE,
              launch(program, makeLongformer(1 << 17, 1 << 14, 1, 1, 1)),
              {"kernel 'longformer_0' of 'longformer' needs 6442450944 blocks "
               "in dimension 0 of its grid, the device allows 2147483647",
               "split the batch"});
  int64_t large = int64_t(1) << 31;
  expectError(SPARSE_ATTN_TOO_LARGE,
              launch(program, makeLongformer(1, 1, 1, 1, large)),
              {"kernel 'longformer_0' of 'longformer' takes Sk as 32 bits, and "
               "it is 2147483648; give sizes below 2147483648"});
  Call call = makeLongformer(1, 1, 1, 1, 1);
  int64_t huge = int64_t(1) << 62;
  call.arguments[0].shape[2] = call.results[0].shape[2] =
      call.results[1].shape[2] = huge;
  expectError(SPARSE_ATTN_TOO_LARGE, launch(program, call),
              {"argument 0 (query) of 'longformer' has the shape [1, 1, "
               "4611686018427387904, 64], whose bytes do not fit 64 bits"});
  EXPECT_TRUE(cuda_double::getLaunches().empty());
}

TEST_F(LaunchErrorsTest, RefusesLaunchesThatNoDeviceHas) {
  PackageCopy copy;
  copy.editManifest([](nlohmann::ordered_json &json) {
    json["programs"][1]["variants"][0]["launches"][0]["block"] = {64, 32, 1};
  });
  usePackage(copy.path, "longformer");
  Call call = makeLongformer(1, 1, 1, 256, 256);
  expectError(SPARSE_ATTN_CORRUPT_PACKAGE, launch(program, call),
              {"kernel 'longformer_0' of 'longformer' asks for a block of "
               "other than 1 to 1024 threads"});
  program.reset();
  copy.editManifest([](nlohmann::ordered_json &json) {
    auto &launch = json["programs"][1]["variants"][0]["launches"][0];
    launch["block"] = {128, 1, 1};
    launch["shared_bytes"] = "Sq * 1000";
  });
  usePackage(copy.path, "longformer");
  expectError(SPARSE_ATTN_TOO_LARGE, launch(program, call),
              {"kernel 'longformer_0' of 'longformer' needs 256000 bytes of "
               "shared memory, the device has 232448"});
  EXPECT_TRUE(cuda_double::getLaunches().empty());
  // As much as it may: the limit was raised for the largest.
  EXPECT_EQ(launch(program, makeLongformer(1, 1, 1, 200, 300)),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
}
