//===- AtomicTest.cpp - What atomics and fences order ---------------------===//

#include "EmulatedKernel.h"

using namespace mlir::sparse_attn::emulator;

namespace {
/// Blocks write a value each and count themselves; the last to arrive reads all
/// values, as in a reduction across blocks in one launch.
struct LastBlock : testing::Test {
  static constexpr int32_t numBlocks = 6;
  int32_t values[numBlocks];
  int32_t counter;
  int32_t sum;

  int32_t count(MemoryOrder store, MemoryOrder load) {
    sparse_attn_emu_access_global(&counter, 4, 4, kRead | kWrite | kAtomic,
                                  kFirst);
    sparse_attn_emu_atomic_order(&counter, static_cast<int32_t>(store),
                                 static_cast<int32_t>(load), kFirst);
    return counter++;
  }

  std::string run(uint64_t seed, const std::function<int32_t()> &countMe) {
    counter = sum = 0;
    startSession(seed);
    registerAllocation(values, sizeof(values));
    registerAllocation(&counter, sizeof(counter));
    launch({numBlocks, 1}, [&] {
      storeGlobal(values + blockIndex(), blockIndex(), kSecond);
      if (countMe() < numBlocks - 1)
        return;
      for (int32_t &value : values)
        sum += loadGlobal(&value, kThird);
    });
    return getReport().value_or("");
  }
};
} // namespace

TEST_F(LastBlock, ReleaseAndAcquireOrderBlocks) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(
        run(seed,
            [&] { return count(MemoryOrder::Ordered, MemoryOrder::Ordered); }),
        "");
    EXPECT_EQ(sum, 15);
  }
}

TEST_F(LastBlock, FencesAroundARelaxedAtomicOrderBlocks) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(run(seed,
                  [&] {
                    sparse_attn_emu_fence(kFirst);
                    int32_t before =
                        count(MemoryOrder::Relaxed, MemoryOrder::Relaxed);
                    sparse_attn_emu_fence(kFirst);
                    return before;
                  }),
              "");
    EXPECT_EQ(sum, 15);
  }
}

TEST_F(LastBlock, AMissingFenceOrOrderIsARace) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    Parts race = {"race in global memory"};
    EXPECT_TRUE(hasAll(
        run(seed,
            [&] { return count(MemoryOrder::Relaxed, MemoryOrder::Relaxed); }),
        race));
    EXPECT_TRUE(hasAll(
        run(seed,
            [&] { return count(MemoryOrder::Ordered, MemoryOrder::Relaxed); }),
        race));
    EXPECT_TRUE(hasAll(
        run(seed,
            [&] { return count(MemoryOrder::Relaxed, MemoryOrder::Ordered); }),
        race));
    EXPECT_TRUE(hasAll(run(seed,
                           [&] {
                             sparse_attn_emu_fence(kFirst);
                             return count(MemoryOrder::Relaxed,
                                          MemoryOrder::Relaxed);
                           }),
                       race));
  }
}

TEST_F(LastBlock, OneThreadMayCountForABlockThatMetBefore) {
  for (bool meets : {true, false})
    for (uint64_t seed = 0; seed < 8; ++seed) {
      int32_t many[numBlocks * 64];
      counter = 0;
      startSession(seed);
      registerAllocation(many, sizeof(many));
      registerAllocation(&counter, sizeof(counter));
      launch({numBlocks, 64, 16}, [&] {
        storeGlobal(many + blockIndex() * 64 + threadIndex(), 1);
        if (meets)
          barrier();
        if (threadIndex() == 0)
          storeShared<int32_t>(sharedMemory(), count(MemoryOrder::Ordered,
                                                     MemoryOrder::Ordered));
        barrier();
        if (loadShared<int32_t>(sharedMemory()) < numBlocks - 1)
          return;
        for (int32_t block = 0; block < numBlocks; ++block)
          loadGlobal(many + block * 64 + threadIndex());
      });
      EXPECT_EQ(getReport().has_value(), !meets) << *getReport();
    }
}

TEST(Atomic, OrdersThreadsOfABlock) {
  auto kernel = [](MemoryOrder order) {
    return [=] {
      char *flag = sharedMemory(), *data = sharedMemory() + 4;
      auto access = [&](uint32_t mode, MemoryOrder store, MemoryOrder load) {
        sparse_attn_emu_access_shared(flag, 4, 4, mode | kAtomic, kFirst);
        sparse_attn_emu_atomic_order(flag, static_cast<int32_t>(store),
                                     static_cast<int32_t>(load), kFirst);
      };
      if (threadIndex() == 0)
        storeShared<int32_t>(flag, 0);
      barrier();
      if (threadIndex() == 0) {
        storeShared<int32_t>(data, 5);
        access(kWrite, order, MemoryOrder::NoAccess);
        *reinterpret_cast<int32_t *>(flag) = 1;
      }
      if (threadIndex() == 32) {
        do
          access(kRead, MemoryOrder::NoAccess, order);
        while (!*reinterpret_cast<int32_t *>(flag));
        EXPECT_EQ(loadShared<int32_t>(data), 5);
      }
    };
  };
  expectNoReport({1, 64, 16}, kernel(MemoryOrder::Ordered));
  expectReport({1, 64, 16}, "race in shared memory",
               kernel(MemoryOrder::Relaxed));
}
