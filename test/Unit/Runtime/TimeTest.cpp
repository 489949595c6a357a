//===- TimeTest.cpp - How long launches take ------------------------------===//

#include "LaunchTest.h"
#include <algorithm>

using namespace runtime_test;

namespace {
class TimeTest : public LaunchTest {};
} // namespace

TEST_F(TimeTest, EventsSurroundTheLaunches) {
  use("longformer");
  Call call = makeLongformer(1, 2, 1, 201, 201);
  void *stream = cuda_double::makeStream(0);
  double seconds = -1;
  ASSERT_EQ(timeLaunches(program, call, &seconds, stream), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_GE(seconds, 0);
  EXPECT_LT(seconds, 60);
  ASSERT_EQ(cuda_double::getLaunches().size(), 2u);
  EXPECT_EQ(cuda_double::getLaunches().front().stream, stream);
  std::string order;
  for (const std::string &called : cuda_double::getCalls()) {
    if (called == "cuEventRecord")
      order += 'r';
    if (called == "cuLaunchKernel")
      order += 'l';
    if (called == "cuEventSynchronize")
      order += 's';
    if (called == "cuEventElapsedTime")
      order += 't';
  }
  EXPECT_EQ(order, "rllrst");
}

// Neither the checks before a launch nor the allocation of a workspace are in
// the time, and of nothing it is 0.
TEST_F(TimeTest, NothingButLaunchesIsBetweenTheEvents) {
  use("longformer");
  Call call = makeLongformer(1, 2, 1, 201, 201);
  double seconds = -1;
  ASSERT_EQ(timeLaunches(program, call, &seconds), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  std::vector<std::string> calls = cuda_double::getCalls();
  auto first = std::find(calls.begin(), calls.end(), "cuEventRecord");
  ASSERT_GE(calls.end() - first, 4);
  EXPECT_EQ(std::vector<std::string>(first, first + 4),
            (std::vector<std::string>{"cuEventRecord", "cuLaunchKernel",
                                      "cuLaunchKernel", "cuEventRecord"}));
  call = makeLongformer(1, 2, 1, 0, 201);
  EXPECT_EQ(timeLaunches(program, call, &seconds), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_EQ(seconds, 0);
}

TEST_F(TimeTest, NothingIsLeftWhereItFails) {
  use("causal");
  Call call = makeCausal(1, 100);
  struct Case {
    const char *function;
    int skip;
    const char *message;
  };
  for (Case c : {Case{"cuEventCreate", 0, "no event"},
                 {"cuEventCreate", 1, "no event"},
                 {"cuEventRecord", 0, "an event cannot be recorded"},
                 {"cuLaunchKernel", 0, "the launch of kernel"},
                 {"cuEventRecord", 1, "an event cannot be recorded"},
                 {"cuEventSynchronize", 0, "'causal' failed on the device"},
                 {"cuEventElapsedTime", 0, "no time between two events"}}) {
    cuda_double::failNext(c.function, 719, c.skip);
    double seconds = -1;
    expectError(SPARSE_ATTN_DRIVER_ERROR, timeLaunches(program, call, &seconds),
                {c.message, "error 719"});
    EXPECT_EQ(seconds, -1);
    EXPECT_EQ(cuda_double::getCounts().events, 0);
  }
}

TEST_F(TimeTest, LaunchesNothingWhereItCannotTime) {
  use("causal");
  Call call = makeCausal(1, 100);
  double seconds = -1;
  void *stream = cuda_double::makeStream(0, /*isCapturing=*/true);
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              timeLaunches(program, call, &seconds, stream),
              {"the stream is being captured", "give another stream"});
  cuda_double::failNext("cuStreamIsCapturing", 719);
  expectError(SPARSE_ATTN_DRIVER_ERROR, timeLaunches(program, call, &seconds),
              {"cuStreamIsCapturing"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              timeLaunches(program, call, nullptr), {"seconds is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              timeLaunches(nullptr, call, &seconds), {"program is null"});
  // Whatever a launch refuses.
  call.arguments[0].type = SPARSE_ATTN_F32;
  expectError(SPARSE_ATTN_WRONG_TYPE, timeLaunches(program, call, &seconds),
              {});
  EXPECT_EQ(seconds, -1);
  EXPECT_TRUE(cuda_double::getLaunches().empty());
}
