//===- ThreadsTest.cpp - Several threads at once --------------------------===//

#include "RuntimeTest.h"
#include <atomic>
#include <thread>

using namespace runtime_test;

static constexpr int kThreads = 8;
static constexpr int kRounds = 20;

template <typename Body> static void runThreads(Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([=] { body(i); });
  for (std::thread &thread : threads)
    thread.join();
}

namespace {
class ThreadsTest : public RuntimeTest {};
} // namespace

TEST_F(ThreadsTest, OpenLoadAndLaunchOnTheirOwn) {
  getPackage();
  runThreads([](int) {
    for (int round = 0; round < 3; ++round) {
      Package package = open(getPackage());
      Driver driver = openDriver();
      Program program = load(driver, getFunction(package, "longformer"));
      EXPECT_EQ(launch(program, makeLongformer(1, 2, 1, 256, 256)),
                SPARSE_ATTN_SUCCESS)
          << sparseAttnGetLastError();
    }
    EXPECT_EQ(cuda_double::getCounts().contextDepth, 0);
  });
  EXPECT_EQ(cuda_double::getLaunches().size(), kThreads * 3u * 2u);
}

TEST_F(ThreadsTest, LoadOneModuleTogether) {
  Package package = open(getPackage());
  Driver driver = openDriver();
  const SparseAttnFunction *function = getFunction(package, "longformer");
  std::vector<Program> programs(kThreads);
  runThreads([&](int i) { programs[i] = load(driver, function); });
  EXPECT_EQ(cuda_double::getCounts().loads, 1);
  runThreads([&](int i) { programs[i].reset(); });
  EXPECT_EQ(cuda_double::getCounts().unloads, 1);
  // Loading again while the last one unloads.
  runThreads([&](int) {
    for (int round = 0; round < kRounds; ++round)
      load(driver, function);
  });
  EXPECT_EQ(cuda_double::getCounts().modules, 0);
}

TEST_F(ThreadsTest, LaunchOneProgramOnTheirStreams) {
  Package package = open(getPackage());
  Driver driver = openDriver();
  Program program = load(driver, getFunction(package, "causal"));
  std::vector<Call> calls;
  std::vector<void *> streams;
  for (int i = 0; i < kThreads; ++i) {
    calls.push_back(makeCausal(1, 128 * (i + 1)));
    streams.push_back(cuda_double::makeStream(0));
  }
  runThreads([&](int i) {
    for (int round = 0; round < kRounds; ++round)
      EXPECT_EQ(launch(program, calls[i], 0, 0, streams[i]),
                SPARSE_ATTN_SUCCESS)
          << sparseAttnGetLastError();
  });
  std::vector<cuda_double::Launch> launches = cuda_double::getLaunches();
  EXPECT_EQ(launches.size(), size_t(kThreads) * kRounds);
  std::vector<int> counts(kThreads);
  for (const cuda_double::Launch &launch : launches)
    for (int i = 0; i < kThreads; ++i)
      if (launch.stream == streams[i]) {
        ++counts[i];
        EXPECT_EQ(launch.grid[0], unsigned(4 * (i + 1)));
        EXPECT_EQ(launch.parameters[3].value, calls[i].arguments[3].data);
      }
  EXPECT_EQ(counts, std::vector<int>(kThreads, kRounds));
}

TEST_F(ThreadsTest, HaveTheirOwnMessages) {
  Package package = open(getPackage());
  runThreads([&](int i) {
    std::string name = "missing" + std::to_string(i);
    for (int round = 0; round < kRounds; ++round) {
      const SparseAttnFunction *function = nullptr;
      expectError(SPARSE_ATTN_NOT_FOUND,
                  sparseAttnPackageGetFunctionNamed(package.get(), name.c_str(),
                                                    &function),
                  {"no function '" + name + "'"});
    }
  });
}
