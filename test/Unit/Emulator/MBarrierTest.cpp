//===- MBarrierTest.cpp - Barrier objects in shared memory ----------------===//

#include "EmulatedKernel.h"

using namespace mlir::sparse_attn::emulator;

namespace {
// Barriers lie behind the data.
constexpr int32_t kData = 256;

void *barrierAt(int32_t number) { return sharedMemory() + kData + 8 * number; }
void init(int32_t number, int32_t count, int32_t operation = kFirst) {
  sparse_attn_emu_mbarrier_init(barrierAt(number), count, operation);
}
int64_t arrive(int32_t number, int32_t count = 1, bool mayComplete = true,
               int32_t operation = kSecond) {
  return sparse_attn_emu_mbarrier_arrive(barrierAt(number), count, mayComplete,
                                         operation);
}
void arriveWithCopies(int32_t number, bool isCounted = true) {
  sparse_attn_emu_mbarrier_arrive_with_copies(barrierAt(number), isCounted,
                                              kSecond);
}
void waitFor(int32_t number, int32_t parity, int32_t operation = kThird) {
  while (!sparse_attn_emu_mbarrier_test_parity(barrierAt(number), parity,
                                               /*waits=*/0, operation))
    ;
}
void waitForState(int32_t number, int64_t state) {
  while (!sparse_attn_emu_mbarrier_test(barrierAt(number), state, kThird))
    ;
}
/// One thread initialises; all know of it.
void initOnce(std::initializer_list<int32_t> counts) {
  int32_t number = 0;
  for (int32_t count : counts) {
    if (threadIndex() == 0)
      init(number, count);
    ++number;
  }
  barrier();
}
char *slot(int32_t number) { return sharedMemory() + 4 * number; }

const Shape kOneWarp = {1, 32, kData + 64};
const Shape kTwoWarps = {1, 64, kData + 64};
} // namespace

TEST(MBarrier, OrdersWhatWasBeforeTheArrivals) {
  auto kernel = [](bool waits) {
    return [=] {
      initOnce({64});
      storeShared<int32_t>(slot(threadIndex()), threadIndex());
      arrive(0);
      if (waits)
        waitFor(0, 0);
      int32_t other = 63 - threadIndex();
      EXPECT_EQ(loadShared<int32_t>(slot(other)), other);
    };
  };
  expectNoReport(kTwoWarps, kernel(true));
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasOne(run(kTwoWarps, seed, kernel(false)),
                       {"race in shared", "nobody has written"}));
}

TEST(MBarrier, DoesNotOrderWhatIsBehindAnArrival) {
  expectReport(kTwoWarps, "race in shared memory", [] {
    initOnce({64});
    arrive(0);
    storeShared<int32_t>(slot(threadIndex()), 1);
    waitFor(0, 0);
    loadShared<int32_t>(slot(63 - threadIndex()));
  });
}

TEST(MBarrier, PhasesFollowEachOther) {
  expectNoReport(kTwoWarps, [] {
    initOnce({64, 64});
    for (int32_t turn = 0; turn < 6; ++turn) {
      int32_t writer = 11 * turn % 64;
      if (threadIndex() == writer)
        storeShared<int32_t>(slot(0), turn);
      arrive(0);
      waitFor(0, turn & 1);
      EXPECT_EQ(loadShared<int32_t>(slot(0)), turn);
      waitForState(1, arrive(1));
    }
  });
}

TEST(MBarrier, AFreshOneSeemsToHaveCompletedThePhaseBefore) {
  expectNoReport(kOneWarp, [] {
    initOnce({32});
    waitFor(0, 1);
    EXPECT_EQ(sparse_attn_emu_mbarrier_test_parity(barrierAt(0), 0, 0, kThird),
              0);
  });
}

TEST(MBarrier, AWaitSucceedsOnceItsPhaseIsComplete) {
  expectNoReport(kTwoWarps, [] {
    initOnce({32});
    if (threadIndex() < 32) {
      storeShared<int32_t>(slot(threadIndex()), 1);
      arrive(0);
      return;
    }
    sparse_attn_emu_mbarrier_test_parity(barrierAt(0), 0, /*waits=*/1, kThird);
    EXPECT_EQ(loadShared<int32_t>(slot(threadIndex() - 32)), 1);
  });
}

TEST(MBarrier, AnArrivalMayCountForSeveral) {
  expectNoReport(kTwoWarps, [] {
    initOnce({41});
    if (threadIndex() == 0) {
      arrive(0, 39, /*mayComplete=*/false);
      arrive(0);
    }
    if (threadIndex() == 40)
      arrive(0);
    waitFor(0, 0);
  });
}

TEST(MBarrier, KnowsOfTwoPhases) {
  expectReport({1, 1, kData + 8},
               "waits for phase 0 of an mbarrier in its "
               "phase 2; it knows of that and of the one "
               "before",
               [] {
                 init(0, 1);
                 int64_t state = arrive(0);
                 waitForState(0, state);
                 waitForState(0, arrive(0));
                 waitForState(0, state);
               });
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

namespace {
struct MBarrierCopies : testing::Test {
  alignas(16) int32_t source[256];

  MBarrierCopies() {
    for (int32_t i = 0; i < 256; ++i)
      source[i] = 100 + i;
  }

  std::string run(int64_t threads, const std::function<void()> &kernel,
                  uint64_t seed = 0) {
    startSession(seed);
    registerAllocation(source, sizeof(source));
    launch({1, threads, 1024 + 64}, kernel);
    return getReport().value_or("");
  }
  /// 16 bytes to slot `to`.
  void copy(int32_t to, int32_t from) {
    sparse_attn_emu_cp_async(sharedMemory() + 512 + 16 * to, source + 4 * from,
                             16, 16, kFirst);
  }
  static int32_t load(int32_t from) {
    return loadShared<int32_t>(sharedMemory() + 512 + 16 * from, kThird);
  }
};
} // namespace

TEST_F(MBarrierCopies, AreVisibleBehindThePhaseThatTracksThem) {
  auto kernel = [&](bool waits) {
    return [&, waits] {
      initOnce({32});
      copy(threadIndex(), threadIndex());
      arriveWithCopies(0);
      if (waits)
        waitFor(0, 0);
      else
        barrier();
      int32_t other = 31 - threadIndex();
      EXPECT_EQ(load(other), 100 + 4 * other);
    };
  };
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(run(32, kernel(true), seed), "");
    EXPECT_TRUE(hasOne(run(32, kernel(false), seed),
                       {"still writes", "behind the phase of the mbarrier"}));
  }
}

TEST_F(MBarrierCopies, AreNotTheThreadsOwnBeforeItWaits) {
  // The phase is complete when thread 1 has waited; thread 0 has not.
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasAll(run(
                           32,
                           [&] {
                             initOnce({1, 1});
                             if (threadIndex() == 0) {
                               copy(0, 0);
                               arriveWithCopies(0);
                             }
                             if (threadIndex() == 1)
                               waitFor(0, 0);
                             if (threadIndex() == 1)
                               storeShared<int32_t>(slot(0), 1);
                             if (threadIndex() == 0) {
                               while (*reinterpret_cast<volatile int32_t *>(
                                          slot(0)) != 1)
                                 sparse_attn_emu_yield();
                               load(0);
                             }
                           },
                           seed),
                       {"race in shared memory",
                        "a copy has written there, and nothing orders the "
                        "access behind the phase of the mbarrier"}));
}

TEST_F(MBarrierCopies, DoNotReleaseWhatElseTheirThreadHasDone) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_NE(run(
                  64,
                  [&] {
                    initOnce({1});
                    if (threadIndex() == 40) {
                      storeShared<int32_t>(slot(0), 1);
                      arriveWithCopies(0);
                    } else if (threadIndex() == 0) {
                      waitFor(0, 0);
                      loadShared<int32_t>(slot(0));
                    }
                  },
                  seed),
              "");
}

TEST_F(MBarrierCopies, OfALaterArrivalTakeTheEarlierAlong) {
  // Whoever waits for the second phase may read both, as PTX tracks all copies
  // so far.
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_EQ(run(
                  16,
                  [&] {
                    initOnce({17, 16});
                    copy(threadIndex(), threadIndex());
                    arriveWithCopies(0);
                    copy(16 + threadIndex(), 16 + threadIndex());
                    arriveWithCopies(1);
                    waitFor(1, 0);
                    EXPECT_EQ(load(15 - threadIndex()),
                              100 + 4 * (15 - threadIndex()));
                    EXPECT_EQ(load(31 - threadIndex()),
                              100 + 4 * (31 - threadIndex()));
                  },
                  seed),
              "");
}

TEST_F(MBarrierCopies, MayAlsoBeWaitedForByTheirThread) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_EQ(run(
                  32,
                  [&] {
                    initOnce({32});
                    copy(threadIndex(), threadIndex());
                    arriveWithCopies(0);
                    sparse_attn_emu_cp_async_commit();
                    sparse_attn_emu_cp_async_wait(0);
                    load(threadIndex());
                    waitFor(0, 0);
                    load(31 - threadIndex());
                  },
                  seed),
              "");
}

TEST_F(MBarrierCopies, ThatAreNotCountedComeOnTop) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_EQ(run(
                  32,
                  [&] {
                    initOnce({32});
                    copy(threadIndex(), threadIndex());
                    arriveWithCopies(0, /*isCounted=*/false);
                    arrive(0);
                    waitFor(0, 0);
                    load(31 - threadIndex());
                  },
                  seed),
              "");
}

TEST_F(MBarrierCopies, GoThroughARing) {
  // Each thread copies its part of a tile and reads all of it; slots of two
  // turns before are free when all have read them.
  constexpr int32_t threads = 16, turns = 9;
  enum Broken { Nothing, NoFull, NoEmpty, WrongParity, NoRelease, FewerCopies };
  auto kernel = [&](Broken broken) {
    return [&, broken] {
      int32_t expected = broken == FewerCopies ? threads - 1 : threads;
      initOnce({expected, expected, threads, threads});
      auto fill = [&](int32_t turn) {
        if (broken != NoEmpty)
          waitFor(2 + turn % 2, (turn / 2 & 1) ^ 1 ^ (broken == WrongParity));
        copy(turn % 2 * threads + threadIndex(), threadIndex() + turn);
        arriveWithCopies(turn % 2);
      };
      fill(0);
      for (int32_t turn = 0; turn < turns; ++turn) {
        if (turn + 1 < turns)
          fill(turn + 1);
        if (broken != NoFull)
          waitFor(turn % 2, turn / 2 & 1);
        for (int32_t part = 0; part < threads; ++part)
          EXPECT_EQ(load(turn % 2 * threads + part), 100 + 4 * (part + turn));
        if (broken != NoRelease)
          arrive(2 + turn % 2);
      }
    };
  };
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(run(threads, kernel(Nothing), seed), "");
    for (Broken broken : {NoFull, NoEmpty, FewerCopies})
      EXPECT_TRUE(hasOne(
          run(threads, kernel(broken), seed),
          {"still writes", "race in shared memory", "nobody has written"}))
          << broken;
    for (Broken broken : {WrongParity, NoRelease})
      EXPECT_TRUE(hasAll(run(threads, kernel(broken), seed),
                         {"deadlock", "wait in an mbarrier",
                          "of an mbarrier lacks 16 of 16 arrivals"}))
          << broken;
  }
}

//===----------------------------------------------------------------------===//
// Misuse
//===----------------------------------------------------------------------===//

TEST(MBarrier, IsReportedWhereItIsNotInitialised) {
  expectReport(kOneWarp, "use of an mbarrier that is not initialised",
               [] { arrive(0); });
  expectReport(kOneWarp, "use of an mbarrier that is not initialised",
               [] { waitFor(0, 0); });
  expectReport(
      {1, 1, kData + 8}, "use of an mbarrier that is not initialised",
      [] { sparse_attn_emu_mbarrier_invalidate(barrierAt(0), kFirst); });
}

TEST(MBarrier, NeedsABarrierBehindItsInitialisation) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasOne(run(kTwoWarps, seed,
                           [] {
                             if (threadIndex() == 0)
                               init(0, 64);
                             arrive(0);
                           }),
                       {"race in shared memory", "is not initialised"}));
}

TEST(MBarrier, TakesNoMoreArrivalsThanItExpects) {
  expectReport({1, 1, kData + 8},
               "arrives 3 times at an mbarrier that expects 2 more arrivals of "
               "4 in its phase 0",
               [] {
                 init(0, 4);
                 arrive(0, 2);
                 arrive(0, 3);
               });
  expectReport({1, 1, kData + 8}, "arrives 0 times", [] {
    init(0, 4);
    arrive(0, 0);
  });
  expectReport({1, 1, kData + 8},
               "completes phase 0 of an mbarrier; it says that it does not",
               [] {
                 init(0, 4);
                 arrive(0, 4, /*mayComplete=*/false);
               });
  expectReport({1, 1, kData + 8},
               "is arrival 1048576 of a phase of an mbarrier, which counts "
               "1048575",
               [] {
                 init(0, 1048575);
                 arriveWithCopies(0, /*isCounted=*/false);
               });
}

TEST(MBarrier, CountsSoManyAtMost) {
  for (int32_t count : {0, -1, 1 << 20})
    expectReport({1, 1, kData + 8},
                 "initialises an mbarrier for " + std::to_string(count) +
                     " arrivals; it can count 1 to 1048575",
                 [=] { init(0, count); });
  expectReport({1, 1, 1024},
               "is the initialisation of mbarrier 65 of a block; the emulator "
               "follows no more than 64",
               [] {
                 for (int32_t number = 0; number < 65; ++number)
                   init(number, 1);
               });
}

TEST(MBarrier, IsAlignedAndInSharedMemory) {
  expectReport({1, 1, kData + 16}, "misaligned access to shared memory", [] {
    sparse_attn_emu_mbarrier_init(sharedMemory() + kData + 4, 1, kFirst);
  });
  static int64_t elsewhere;
  expectReport({1, 1, kData + 8}, "access outside of shared memory",
               [] { sparse_attn_emu_mbarrier_init(&elsewhere, 1, kFirst); });
}

TEST(MBarrier, IsNotForLoadsAndStores) {
  const Parts parts = {"access to shared memory that holds an mbarrier",
                       "thread (0, 0, 0) initialised the mbarrier"};
  for (bool stores : {false, true})
    EXPECT_TRUE(hasAll(run({1, 1, kData + 8}, 0,
                           [=] {
                             init(0, 1);
                             if (stores)
                               storeShared<int32_t>(barrierAt(0), 1);
                             else
                               loadShared<int32_t>(barrierAt(0));
                           }),
                       parts));
}

TEST(MBarrier, IsInvalidatedBeforeItIsInitialisedOnceMore) {
  auto kernel = [](bool invalidates) {
    return [=] {
      init(0, 1);
      waitForState(0, arrive(0));
      if (invalidates)
        sparse_attn_emu_mbarrier_invalidate(barrierAt(0), kSecond);
      init(0, 1);
      waitFor(0, 1);
    };
  };
  expectNoReport({1, 1, kData + 8}, kernel(true));
  expectReport({1, 1, kData + 8},
               "initialisation of an mbarrier that is in use", kernel(false));
}

TEST(MBarrier, IsNotInvalidatedWhileItIsInUse) {
  expectReport({1, 1, kData + 8}, "invalidates an mbarrier that tracks copies",
               [] {
                 init(0, 2);
                 arriveWithCopies(0);
                 sparse_attn_emu_mbarrier_invalidate(barrierAt(0), kThird);
               });
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasOne(
        run(kOneWarp, seed,
            [] {
              initOnce({2});
              if (threadIndex() == 0)
                sparse_attn_emu_mbarrier_invalidate(barrierAt(0), kThird);
              else
                waitFor(0, 0);
            }),
        {"waits at", "race in shared memory", "is not initialised"}));
}

TEST(MBarrier, MemoryOfAnInvalidOneIsUnwritten) {
  expectReport({1, 1, kData + 8}, "nobody has written", [] {
    init(0, 1);
    sparse_attn_emu_mbarrier_invalidate(barrierAt(0), kFirst);
    loadShared<int32_t>(barrierAt(0));
  });
}

TEST(MBarrier, APhaseThatNobodyCompletesIsADeadlock) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(
        hasAll(run(kOneWarp, seed,
                   [] {
                     initOnce({33});
                     arrive(0);
                     waitFor(0, 0);
                   }),
               {"deadlock", "threads 0-31 wait in an mbarrier", "third",
                "phase 0 of an mbarrier lacks 1 of 33 arrivals", "first"}));
}

TEST(MBarrier, ATestThatFailsMayBeGivenUp) {
  expectNoReport({1, 1, kData + 8}, [] {
    init(0, 1);
    for (int32_t turn = 0; turn < 100; ++turn)
      EXPECT_EQ(
          sparse_attn_emu_mbarrier_test_parity(barrierAt(0), 0, 0, kThird), 0);
  });
}
