//===- BarrierTest.cpp - Barriers of a block ------------------------------===//

#include "EmulatedKernel.h"

using namespace mlir::sparse_attn::emulator;

static int32_t warpIndex() { return threadIndex() / 32; }

TEST(Barrier, IsReusable) {
  expectNoReport({1, 96, 4}, [] {
    for (int32_t turn = 0; turn < 96; ++turn) {
      if (threadIndex() == turn)
        storeShared<int32_t>(sharedMemory(), turn);
      barrier();
      EXPECT_EQ(loadShared<int32_t>(sharedMemory()), turn);
      barrier();
    }
  });
}

TEST(Barrier, ReducesThePredicatesOfAllThreads) {
  auto reduce = [](BarrierReduction kind, bool predicate) {
    return sparse_attn_emu_barrier_reduce(static_cast<int32_t>(kind), 0, 0,
                                          predicate, kFirst);
  };
  expectNoReport({1, 96, 4}, [=] {
    for (int32_t turn = 0; turn < 8; ++turn) {
      EXPECT_EQ(reduce(BarrierReduction::Count, threadIndex() < 10 * turn),
                10 * turn);
      EXPECT_EQ(reduce(BarrierReduction::And, threadIndex() != turn), 0);
      EXPECT_EQ(reduce(BarrierReduction::And, true), 1);
      EXPECT_EQ(reduce(BarrierReduction::Or, threadIndex() == turn), 1);
      EXPECT_EQ(reduce(BarrierReduction::Or, false), 0);
    }
  });
}

TEST(Barrier, OfSomeWarpsOrdersThoseOnly) {
  auto kernel = [](int32_t reader) {
    return [=] {
      if (threadIndex() == 0)
        storeShared<int32_t>(sharedMemory(), 1);
      if (warpIndex() < 2)
        sparse_attn_emu_barrier(3, 64, kFirst);
      if (threadIndex() == reader)
        loadShared<int32_t>(sharedMemory());
    };
  };
  expectNoReport({1, 96, 4}, kernel(33));
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_NE(run({1, 96, 4}, seed, kernel(64)), "");
}

TEST(Barrier, AnArrivalReleasesAndDoesNotWait) {
  // Warp 0 produces and goes on, warp 1 waits for it; not the other way round.
  auto kernel = [](bool backwards) {
    return [=] {
      if (warpIndex() == 0) {
        storeShared<int32_t>(sharedMemory() + 4 * threadIndex(), 1);
        sparse_attn_emu_barrier_arrive(1, 64, kFirst);
        if (backwards)
          storeShared<int32_t>(sharedMemory() + 4 * threadIndex(), 2);
      } else {
        sparse_attn_emu_barrier(1, 64, kSecond);
        loadShared<int32_t>(sharedMemory() + 4 * (threadIndex() - 32));
      }
    };
  };
  expectNoReport({1, 64, 128}, kernel(false));
  expectReport({1, 64, 128}, "race in shared memory", kernel(true));
}

TEST(Barrier, CountsOnlyThreadsThatAreAlive) {
  expectNoReport({1, 96, 4}, [] {
    if (warpIndex() == 1)
      return;
    barrier();
  });
}

TEST(Barrier, DeadlockNamesWhoWaitsWhere) {
  expectReport({1, 96, 4},
               "deadlock in kernel 'kernel', block (0, 0, 0)\n"
               "  threads 0-31 wait in a barrier\n    first\n"
               "  threads 64-95 wait in a barrier\n    second\n"
               "  32 threads have exited",
               [] {
                 if (warpIndex() == 0)
                   sparse_attn_emu_barrier(1, 64, kFirst);
                 if (warpIndex() == 2)
                   sparse_attn_emu_barrier(2, 64, kSecond);
               });
}

TEST(Barrier, AWarpArrivesAsAWhole) {
  expectReport({1, 64, 4}, "diverges: lane",
               [] { barrier(threadIndex() == 5 ? kSecond : kFirst); });
  expectReport({1, 64, 4}, "diverges: lane", [] {
    if (threadIndex() % 2)
      sparse_attn_emu_barrier(1, 32, kFirst);
    else
      barrier(kSecond);
  });
  expectReport({1, 64, 4}, "names another barrier or number of threads",
               [] { sparse_attn_emu_barrier(threadIndex() == 5, 64, kFirst); });
}

TEST(Barrier, LanesThatHaveExitedAreNotWaitedFor) {
  expectNoReport({1, 64, 4}, [] {
    if (threadIndex() % 32 == 5)
      return;
    barrier();
  });
}

/// Both warps use barrier 1 for themselves.
TEST(Barrier, CountsWarps) {
  expectNoReport({1, 64, 256}, [] {
    int32_t *mine = reinterpret_cast<int32_t *>(sharedMemory()) + threadIndex();
    storeShared<int32_t>(mine, 1);
    sparse_attn_emu_barrier(1, 32, kFirst);
    loadShared<int32_t>(mine - threadIndex() + (threadIndex() ^ 31));
  });
}

TEST(Barrier, ChecksItsOperands) {
  auto arrive = [](int32_t id, int32_t threads) {
    return [=] { sparse_attn_emu_barrier(id, threads, kFirst); };
  };
  expectReport({1, 64, 4}, "names barrier 16; a block has 16", arrive(16, 0));
  expectReport({1, 64, 4}, "names barrier -1", arrive(-1, 0));
  expectReport({1, 64, 4}, "asks for 48 threads at a barrier", arrive(0, 48));
  expectReport({1, 64, 4}, "asks for 96 threads at a barrier", arrive(0, 96));
  expectReport(
      {1, 96, 4}, "threads at barrier 1, but those who wait there expect",
      [] { sparse_attn_emu_barrier(1, warpIndex() == 0 ? 64 : 96, kFirst); });
}

TEST(Barrier, ArrivingTwiceInOnePhaseIsAnError) {
  expectReport({1, 64, 4}, "arrives twice at barrier 1 in one phase", [] {
    if (warpIndex() == 0) {
      sparse_attn_emu_barrier_arrive(1, 64, kFirst);
      sparse_attn_emu_barrier_arrive(1, 64, kFirst);
    }
  });
}
