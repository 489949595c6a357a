//===- AccessTest.cpp - Bounds, alignment, poison and races ---------------===//

#include "EmulatedKernel.h"
#include <cmath>

using namespace mlir::sparse_attn::emulator;

//===----------------------------------------------------------------------===//
// Bounds and alignment
//===----------------------------------------------------------------------===//

TEST(Bounds, OfSharedMemoryAreThoseOfTheLaunch) {
  auto write = [](int64_t offset) {
    return [=] {
      if (threadIndex() == 0)
        storeShared<float>(sharedMemory() + offset, 1, kSecond);
    };
  };
  Shape shape{1, 32, 64};
  expectNoReport(shape, write(60));
  expectReport(shape, "access outside of shared memory in kernel 'kernel'",
               write(64));
  expectReport(shape,
               "thread (0, 0, 0) writes 4 bytes, at byte 64 of a variable of 64"
               "\n    second\n",
               write(64));
  expectReport(shape, "access outside of shared memory", write(-4));
  expectReport(shape, "access outside of shared memory", write(1 << 19));
}

TEST(Bounds, OfAStaticVariableAreItsOwn) {
  Shape shape;
  shape.shared = {{64, 4}, {64, 4}};
  expectReport(shape, "access outside of shared memory", [] {
    storeShared<float>(sharedMemory() + 64 + 4 * threadIndex(), 1);
  });
}

TEST(Bounds, OfGlobalMemoryAreThoseOfAnAllocation) {
  float values[8] = {};
  for (int64_t index : {-1, 0, 7, 8}) {
    startSession(0);
    registerAllocation(values, sizeof(values));
    auto address = reinterpret_cast<uintptr_t>(values) + 4 * index;
    launch({1, 1},
           [&] { loadGlobal(reinterpret_cast<const float *>(address)); });
    bool isInside = index >= 0 && index < 8;
    EXPECT_EQ(getReport().has_value(), !isInside) << index;
  }
  EXPECT_TRUE(hasAll(*getReport(), {"at byte 32 of an allocation of 32"}));
}

TEST(Bounds, OfAGenericAddressAreThoseOfItsMemory) {
  static float outside;
  auto access = [](const void *address) {
    sparse_attn_emu_access_generic(address, 4, 4, kWrite, kFirst);
  };
  expectNoReport({1, 32, 128}, [&] {
    // Variables are elsewhere under AddressSanitizer.
    access(__builtin_frame_address(0));
    access(sharedMemory() + 4 * threadIndex());
  });
  expectReport({1, 32, 128}, "outside of global memory",
               [&] { access(&outside); });
}

TEST(Alignment, IsThatOfTheAccess) {
  expectReport({1, 1, 64}, "misaligned access to shared memory", [] {
    sparse_attn_emu_access_shared(sharedMemory() + 8, 16, 16, kWrite, kFirst);
  });
  alignas(16) float values[8] = {};
  startSession(0);
  registerAllocation(values, sizeof(values));
  launch({1, 1}, [&] {
    sparse_attn_emu_access_global(values + 1, 16, 16, kRead, kFirst);
  });
  EXPECT_TRUE(
      hasAll(*getReport(), {"at byte 4 of an allocation of 32, not at a "
                            "multiple of 16"}));
}

TEST(Alignment, OfAVariableIsNoBetterThanDeclared) {
  Shape shape{1, 1, 4096};
  for (int64_t alignment : {16, 128, 1024}) {
    shape.shared = {{SharedVariable::kDynamic, alignment}};
    EXPECT_EQ(run(shape, 0,
                  [&] {
                    auto address = reinterpret_cast<uintptr_t>(sharedMemory());
                    EXPECT_EQ(address % (2 * alignment),
                              static_cast<uintptr_t>(alignment));
                    EXPECT_LT(address, uintptr_t(1) << 32);
                  }),
              "");
  }
}

//===----------------------------------------------------------------------===//
// Poison
//===----------------------------------------------------------------------===//

TEST(Poison, ReadingUnwrittenSharedMemoryIsAnError) {
  expectReport({1, 32, 128}, "read of shared memory that nobody has written",
               [] { loadShared<float>(sharedMemory() + 4 * threadIndex()); });
}

TEST(Poison, KnowsPartsOfAWord) {
  auto kernel = [](bool whole) {
    return [=] {
      storeShared<uint16_t>(sharedMemory() + 2, 1);
      if (whole)
        loadShared<uint32_t>(sharedMemory());
      else
        loadShared<uint16_t>(sharedMemory() + 2);
    };
  };
  expectNoReport({1, 1, 16}, kernel(false));
  expectReport({1, 1, 16}, "nobody has written", kernel(true));
}

TEST(Poison, ReturnsWithEachBlock) {
  expectReport({4, 1, 16}, "nobody has written", [] {
    static int blocks;
    if (blocks++ % 4 == 0)
      storeShared<float>(sharedMemory(), 1);
    loadShared<float>(sharedMemory());
  });
}

TEST(Poison, IsNaN) {
  run({1, 1, 16}, 0, [] {
    EXPECT_TRUE(std::isnan(*reinterpret_cast<float *>(sharedMemory())));
  });
}

//===----------------------------------------------------------------------===//
// Races in a block
//===----------------------------------------------------------------------===//

static void *slot(int32_t index) { return sharedMemory() + 4 * index; }

TEST(Race, ReadAfterAnothersWriteNeedsABarrier) {
  auto kernel = [](bool synchronised) {
    return [=] {
      storeShared<int32_t>(slot(threadIndex()), 1, kFirst);
      if (synchronised)
        barrier();
      loadShared<int32_t>(slot((threadIndex() + 1) % 64), kSecond);
    };
  };
  expectNoReport({1, 64, 256}, kernel(true));
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasOne(run({1, 64, 256}, seed, kernel(false)),
                       {"race in shared memory", "nobody has written"}));
}

TEST(Race, WriteAfterAnothersReadNeedsABarrier) {
  auto kernel = [](bool synchronised) {
    return [=] {
      storeShared<int32_t>(slot(threadIndex()), 1);
      barrier();
      loadShared<int32_t>(slot(63 - threadIndex()), kFirst);
      if (synchronised)
        barrier();
      storeShared<int32_t>(slot(threadIndex()), 2, kSecond);
    };
  };
  expectNoReport({1, 64, 256}, kernel(true));
  expectReport({1, 64, 256}, "race in shared memory", kernel(false));
}

TEST(Race, NamesBothThreadsAndOperations) {
  std::string report = run({1, 64, 256}, 3, [] {
    if (threadIndex() == 0)
      storeShared<int32_t>(slot(5), 1, kSecond);
    if (threadIndex() == 40)
      storeShared<int32_t>(slot(5), 1, kThird);
  });
  EXPECT_TRUE(hasAll(report, {"in kernel 'kernel', block (0, 0, 0)"}));
  EXPECT_TRUE(hasAll(report, {"thread (0, 0, 0) "}));
  EXPECT_TRUE(hasAll(report, {"thread (40, 0, 0) "}));
  EXPECT_TRUE(hasAll(report, {"\n    second"}));
  EXPECT_TRUE(hasAll(report, {"\n    third"}));
  EXPECT_TRUE(hasAll(report, {"at byte 20 of a variable of 256"}));
  EXPECT_TRUE(hasAll(report, {"replay with schedule seed 3"}));
}

/// More readers than a word remembers one by one. All warps but one meet the
/// writer before it writes.
TEST(Race, EveryOneOfManyReadersCounts) {
  for (int32_t absent = 0; absent < 4; ++absent)
    expectReport({1, 160, 256}, "race in shared memory", [=] {
      int32_t warp = threadIndex() / 32;
      if (threadIndex() == 159)
        storeShared<int32_t>(slot(0), 1);
      barrier();
      if (warp < 4)
        loadShared<int32_t>(slot(0), kSecond);
      if (warp != absent)
        sparse_attn_emu_barrier(1, 128, kFirst);
      if (threadIndex() == 159)
        storeShared<int32_t>(slot(0), 2, kThird);
    });
  expectNoReport({1, 160, 256}, [] {
    if (threadIndex() == 159)
      storeShared<int32_t>(slot(0), 1);
    barrier();
    loadShared<int32_t>(slot(0));
    barrier();
    if (threadIndex() == 159)
      storeShared<int32_t>(slot(0), 2);
  });
}

TEST(Race, NeighboursInAWordDoNotRace) {
  expectNoReport({1, 64, 256}, [] {
    storeShared<uint16_t>(sharedMemory() + 2 * threadIndex(), 1);
    loadShared<uint16_t>(sharedMemory() + 2 * threadIndex());
    storeShared<uint8_t>(sharedMemory() + 128 + threadIndex(), 1);
  });
}

TEST(Race, OfAtomicsWithAtomicsIsNone) {
  auto update = [](uint32_t mode) {
    return [=] {
      if (threadIndex() == 0)
        storeShared<int32_t>(slot(0), 0);
      barrier();
      sparse_attn_emu_access_shared(slot(0), 4, 4, mode, kFirst);
    };
  };
  expectNoReport({1, 64, 256}, update(kRead | kWrite | kAtomic));
  expectReport({1, 64, 256}, "race", update(kRead | kWrite));
}

//===----------------------------------------------------------------------===//
// Races between blocks
//===----------------------------------------------------------------------===//

static std::string runOn(float *values, size_t count, const Shape &shape,
                         uint64_t seed, const std::function<void()> &kernel) {
  startSession(seed);
  registerAllocation(values, count * sizeof(float));
  launch(shape, kernel);
  return getReport().value_or("");
}

TEST(GlobalRace, BlocksThatWriteTheSameWordRace) {
  float values[4] = {};
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(runOn(values, 4, {4, 1}, seed,
                    [&] { storeGlobal<float>(values + blockIndex(), 1); }),
              "");
    EXPECT_TRUE(
        hasAll(runOn(values, 4, {4, 1}, seed,
                     [&] { storeGlobal<float>(values + blockIndex() / 2, 1); }),
               {"race in global memory"}));
  }
}

TEST(GlobalRace, BlocksThatReadWhatAnotherWritesRace) {
  float values[4] = {};
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasAll(
        runOn(values, 4, {4, 1}, seed,
              [&] {
                if (blockIndex() == 2)
                  storeGlobal<float>(values, 1, kSecond);
                else
                  loadGlobal<float>(values, kThird);
              }),
        {"race in global memory", "block (2, 0, 0)", "second", "third"}));
}

TEST(GlobalRace, ThreadsOfABlockNeedABarrier) {
  float values[64] = {};
  auto kernel = [&](bool synchronised) {
    return [&, synchronised] {
      storeGlobal<float>(values + threadIndex(), 1);
      if (synchronised)
        barrier();
      loadGlobal<float>(values + 63 - threadIndex());
    };
  };
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(runOn(values, 64, {1, 64}, seed, kernel(true)), "");
    EXPECT_TRUE(hasAll(runOn(values, 64, {1, 64}, seed, kernel(false)),
                       {"race in global memory"}));
  }
}

TEST(GlobalRace, ALaterLaunchIsOrderedAfterAnEarlierOne) {
  float value = 0;
  startSession(0);
  registerAllocation(&value, sizeof(value));
  launch({1, 1}, [&] { storeGlobal<float>(&value, 1); });
  launch({1, 1}, [&] { EXPECT_EQ(loadGlobal<float>(&value), 1); });
  EXPECT_EQ(getReport(), std::nullopt);
}

TEST(Session, NothingRunsAfterAnError) {
  startSession(0);
  launch({1, 1}, [] { loadShared<float>(sharedMemory()); });
  std::string first = *getReport();
  bool ran = false;
  launch({1, 1}, [&] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_EQ(*getReport(), first);
}
