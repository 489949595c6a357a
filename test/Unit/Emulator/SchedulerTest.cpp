//===- SchedulerTest.cpp - Seeds, blocks, launches ------------------------===//

#include "EmulatedKernel.h"
#include <set>

using namespace mlir::sparse_attn::emulator;

/// The order in which threads take turns under a seed.
static std::vector<int32_t> trace(uint64_t seed) {
  static std::vector<int32_t> turns;
  turns.clear();
  EXPECT_EQ(run({3, 64, 256}, seed,
                [] {
                  for (int32_t i = 0; i < 20; ++i) {
                    storeShared(sharedMemory() + 4 * threadIndex(), i);
                    turns.push_back(blockIndex() * 64 + threadIndex());
                  }
                  barrier();
                  turns.push_back(blockIndex() * 64 + threadIndex());
                }),
            "");
  return turns;
}

TEST(Scheduler, ASeedReplaysItsSchedule) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_EQ(trace(seed), trace(seed));
}

TEST(Scheduler, SeedsDiffer) {
  std::set<std::vector<int32_t>> traces;
  for (uint64_t seed = 0; seed < 16; ++seed)
    traces.insert(trace(seed));
  EXPECT_EQ(traces.size(), 16u);
}

TEST(Scheduler, RunsEveryThreadOfEveryBlockOnce) {
  static std::multiset<std::array<int32_t, 2>> ran;
  ran.clear();
  expectNoReport({5, 48}, [] { ran.insert({blockIndex(), threadIndex()}); });
  EXPECT_EQ(ran.size(), 8u * 5 * 48);
  EXPECT_EQ(ran.count({4, 47}), 8u);
}

TEST(Scheduler, BlocksRunInAnyOrder) {
  std::set<std::vector<int32_t>> orders;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<int32_t> order;
    run({3, 1}, seed, [&] { order.push_back(blockIndex()); });
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(Scheduler, AnErrorIsTheSameAgain) {
  auto kernel = [] {
    storeShared<int32_t>(sharedMemory() + 4 * (threadIndex() / 2), 1);
  };
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::string report = run({1, 64, 256}, seed, kernel);
    EXPECT_NE(report, "");
    EXPECT_EQ(run({1, 64, 256}, seed, kernel), report);
  }
}

TEST(Launch, GivesThreadsTheirPlace) {
  static std::set<std::array<int32_t, 12>> seen;
  seen.clear();
  startSession(0);
  KernelDescriptor descriptor{"kernel",
                              [](void *) {
                                std::array<int32_t, 12> place;
                                for (int32_t i = 0; i < 12; ++i)
                                  place[i] =
                                      sparse_attn_emu_special_register(i);
                                seen.insert(place);
                              },
                              kOperations,
                              nullptr,
                              0,
                              0};
  sparse_attn_emu_launch(&descriptor, 2, 3, 4, 5, 6, 2, 0, nullptr);
  EXPECT_EQ(getReport(), std::nullopt);
  EXPECT_EQ(seen.size(), 2u * 3 * 4 * 5 * 6 * 2);
  EXPECT_EQ(*seen.begin(),
            (std::array<int32_t, 12>{0, 0, 0, 5, 6, 2, 0, 0, 0, 2, 3, 4}));
  EXPECT_EQ(*seen.rbegin(),
            (std::array<int32_t, 12>{4, 5, 1, 5, 6, 2, 1, 2, 3, 2, 3, 4}));
}

TEST(Launch, SpecialRegistersOfLanes) {
  expectNoReport({1, 64, 48}, [] {
    auto read = [](SpecialRegister which) {
      return static_cast<uint32_t>(
          sparse_attn_emu_special_register(static_cast<int32_t>(which)));
    };
    uint32_t lane = threadIndex() % 32, bit = 1u << lane;
    EXPECT_EQ(read(SpecialRegister::LaneId), lane);
    EXPECT_EQ(read(SpecialRegister::WarpId), threadIndex() / 32u);
    EXPECT_EQ(read(SpecialRegister::NumWarps), 2u);
    EXPECT_EQ(read(SpecialRegister::LaneMaskEq), bit);
    EXPECT_EQ(read(SpecialRegister::LaneMaskLt), bit - 1);
    EXPECT_EQ(read(SpecialRegister::LaneMaskLe), bit | (bit - 1));
    EXPECT_EQ(read(SpecialRegister::LaneMaskGt), ~(bit | (bit - 1)));
    EXPECT_EQ(read(SpecialRegister::LaneMaskGe), ~(bit - 1));
    EXPECT_EQ(read(SpecialRegister::DynamicSharedBytes), 48u);
  });
}

TEST(Launch, ChecksTheSizeOfABlock) {
  auto nothing = [] {};
  expectReport({1, 0},
               "kernel 'kernel' is launched with 0 threads a block; it "
               "takes 1 to 1024",
               nothing);
  expectReport({1, 1025}, "is launched with 1025 threads a block", nothing);
  Shape limited{1, 129};
  limited.maxThreads = 128;
  expectReport(limited, "it takes 1 to 128", nothing);
  expectReport({1, 1, 232449},
               "is launched with 232449 bytes of shared memory a block; no GPU "
               "has more than 232448",
               nothing);
  expectNoReport({1, 1, 232448}, nothing);
}

TEST(Launch, ChecksTheSizeOfAGrid) {
  KernelDescriptor descriptor{};
  descriptor.name = "kernel";
  descriptor.entry = [](void *) { FAIL(); };
  descriptor.operations = kOperations;
  auto reportOf = [&](int64_t x, int64_t y, int64_t z) {
    startSession(0);
    sparse_attn_emu_launch(&descriptor, x, y, z, 32, 1, 1, 0, nullptr);
    return getReport().value_or("");
  };
  int64_t large = int64_t(1) << 31;
  EXPECT_EQ(reportOf(large, 1, 1),
            "kernel 'kernel' is launched with 2147483648 blocks in dimension 0 "
            "of its grid; no GPU takes more than 2147483647");
  // Not taken for its low 32 bits.
  EXPECT_NE(reportOf(2 * large, 1, 1), "");
  EXPECT_EQ(reportOf(1, 65536, 1),
            "kernel 'kernel' is launched with 65536 blocks in dimension 1 of "
            "its grid; no GPU takes more than 65535");
  EXPECT_TRUE(hasAll(reportOf(1, 1, 65536), {"65536 blocks in dimension 2"}));
  // Nothing runs where one of them is 0.
  EXPECT_EQ(reportOf(large - 1, 0, 1), "");
}

TEST(Launch, AnEmptyGridRunsNothing) {
  expectNoReport({0, 32}, [] { FAIL(); });
}
