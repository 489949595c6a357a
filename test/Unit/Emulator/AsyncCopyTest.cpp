//===- AsyncCopyTest.cpp - Copies land when somebody waits ----------------===//

#include "EmulatedKernel.h"

using namespace mlir::sparse_attn::emulator;

namespace {
/// One thread copies from `source` to shared memory.
struct AsyncCopy : testing::Test {
  alignas(16) int32_t source[16];

  AsyncCopy() {
    for (int32_t i = 0; i < 16; ++i)
      source[i] = 100 + i;
  }

  std::string run(int64_t threads, const std::function<void()> &kernel,
                  uint64_t seed = 0) {
    startSession(seed);
    registerAllocation(source, sizeof(source));
    launch({1, threads, 256}, kernel);
    return getReport().value_or("");
  }

  void copy(int32_t slot, int32_t bytes = 16, int32_t sourceBytes = 16,
            int32_t operation = kFirst) {
    sparse_attn_emu_cp_async(sharedMemory() + 16 * slot, source + 4 * slot,
                             bytes, sourceBytes, operation);
  }
  static int32_t peek(int32_t slot) {
    return *reinterpret_cast<int32_t *>(sharedMemory() + 16 * slot);
  }
  static int32_t load(int32_t slot, int32_t operation = kSecond) {
    return loadShared<int32_t>(sharedMemory() + 16 * slot, operation);
  }
};
} // namespace

TEST_F(AsyncCopy, LandsAtTheWaitAndNotBefore) {
  EXPECT_EQ(run(1,
                [&] {
                  copy(0);
                  sparse_attn_emu_cp_async_commit();
                  EXPECT_EQ(peek(0), -1);
                  source[0] = 7; // what is copied is read as late
                  sparse_attn_emu_cp_async_wait(0);
                  EXPECT_EQ(load(0), 7);
                }),
            "");
}

TEST_F(AsyncCopy, LeavesTheNewestGroupsInFlight) {
  EXPECT_EQ(run(1,
                [&] {
                  for (int32_t slot = 0; slot < 3; ++slot) {
                    copy(slot);
                    sparse_attn_emu_cp_async_commit();
                  }
                  sparse_attn_emu_cp_async_wait(1);
                  EXPECT_EQ(load(0), 100);
                  EXPECT_EQ(load(1), 104);
                  EXPECT_EQ(peek(2), -1);
                }),
            "");
}

TEST_F(AsyncCopy, AnEmptyGroupIsAGroup) {
  EXPECT_EQ(run(1,
                [&] {
                  copy(0);
                  sparse_attn_emu_cp_async_commit();
                  sparse_attn_emu_cp_async_commit();
                  sparse_attn_emu_cp_async_wait(1);
                  EXPECT_EQ(load(0), 100);
                }),
            "");
}

TEST_F(AsyncCopy, WithoutACommitOnlyWaitAllWaits) {
  EXPECT_EQ(run(1,
                [&] {
                  copy(0);
                  sparse_attn_emu_cp_async_wait(0);
                  EXPECT_EQ(peek(0), -1);
                  sparse_attn_emu_cp_async_wait(-1);
                  EXPECT_EQ(load(0), 100);
                }),
            "");
}

TEST_F(AsyncCopy, FillsTheRestWithZeros) {
  EXPECT_EQ(run(1,
                [&] {
                  copy(0, 16, 4);
                  copy(1, 16, 0);
                  sparse_attn_emu_cp_async_wait(-1);
                  EXPECT_EQ(load(0), 100);
                  EXPECT_EQ(loadShared<int32_t>(sharedMemory() + 4), 0);
                  EXPECT_EQ(load(1), 0);
                }),
            "");
}

TEST_F(AsyncCopy, NothingIsReadWhereOnlyZerosAreWritten) {
  EXPECT_EQ(run(1,
                [&] {
                  sparse_attn_emu_cp_async(sharedMemory(), source + 400, 16, 0,
                                           kFirst);
                }),
            "");
}

TEST_F(AsyncCopy, TouchingATargetInFlightIsAnError) {
  EXPECT_TRUE(hasAll(run(1,
                         [&] {
                           copy(0);
                           load(0);
                         }),
                     {

                         "access to shared memory that an asynchronous copy "
                         "still writes",
                         "thread (0, 0, 0) started the copy and has not "
                         "waited for it",
                         "first", "second"}));
  EXPECT_TRUE(hasAll(run(1,
                         [&] {
                           copy(0);
                           storeShared<int32_t>(sharedMemory(), 1);
                         }),
                     {"still writes"}));
  EXPECT_TRUE(hasAll(run(1,
                         [&] {
                           copy(0);
                           copy(0);
                         }),
                     {"still writes"}));
}

TEST_F(AsyncCopy, AWaitIsForTheThreadThatWaits) {
  auto kernel = [&](bool synchronised) {
    return [&, synchronised] {
      if (threadIndex() == 0)
        copy(0);
      sparse_attn_emu_cp_async_wait(-1);
      if (synchronised)
        barrier();
      load(0);
    };
  };
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(run(64, kernel(true), seed), "");
    EXPECT_NE(run(64, kernel(false), seed), "");
  }
}

TEST_F(AsyncCopy, MustNotOvertakeAReader) {
  auto kernel = [&](bool synchronised) {
    return [&, synchronised] {
      storeShared<int32_t>(sharedMemory() + 4 * threadIndex(), 1);
      barrier();
      loadShared<int32_t>(sharedMemory() + 4 * (63 - threadIndex()));
      if (synchronised)
        barrier();
      if (threadIndex() == 0)
        copy(0);
    };
  };
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(run(64, kernel(true), seed), "");
    EXPECT_TRUE(hasOne(run(64, kernel(false), seed),
                       {"race in shared memory", "still writes"}));
  }
}

TEST_F(AsyncCopy, ChecksAddressesAndSizes) {
  auto copyTo = [&](int32_t target, int32_t from, int32_t sourceBytes) {
    return run(1, [&] {
      sparse_attn_emu_cp_async(sharedMemory() + target,
                               reinterpret_cast<char *>(source) + from, 16,
                               sourceBytes, kFirst);
    });
  };
  EXPECT_EQ(copyTo(240, 48, 16), "");
  EXPECT_TRUE(
      hasAll(copyTo(248, 0, 16), {"misaligned access to shared memory"}));
  EXPECT_TRUE(hasAll(copyTo(256, 0, 16), {"outside of shared"}));
  EXPECT_TRUE(hasAll(copyTo(0, 8, 16), {"misaligned access to global memory"}));
  EXPECT_TRUE(hasAll(copyTo(0, 64, 16), {"outside of global"}));
  EXPECT_TRUE(
      hasAll(copyTo(0, 0, 17), {"copies 17 bytes of the source into 16"}));
}
