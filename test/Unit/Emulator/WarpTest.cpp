//===- WarpTest.cpp - Operations of a warp --------------------------------===//

#include "EmulatedKernel.h"

using namespace mlir::sparse_attn::emulator;

static int32_t lane() {
  return sparse_attn_emu_special_register(
      static_cast<int32_t>(SpecialRegister::LaneId));
}

/// Every lane gives its number; what it gets, and whether that is valid.
static std::pair<std::array<int32_t, 32>, uint32_t>
shuffle(ShuffleKind kind, int32_t offset, int32_t maskAndClamp) {
  std::array<int32_t, 32> values{};
  uint32_t valid = 0;
  EXPECT_EQ(run({1, 32}, 1,
                [&] {
                  int64_t both = sparse_attn_emu_shuffle(
                      static_cast<int32_t>(kind), -1, lane(), offset,
                      maskAndClamp, kFirst);
                  values[lane()] = static_cast<int32_t>(both);
                  valid |= static_cast<uint32_t>(both >> 32) << lane();
                }),
            "");
  return {values, valid};
}

TEST(Shuffle, ButterflySwapsLanes) {
  auto [values, valid] = shuffle(ShuffleKind::Butterfly, 2, 31);
  for (int32_t i = 0; i < 32; ++i)
    EXPECT_EQ(values[i], i ^ 2);
  EXPECT_EQ(valid, ~0u);
}

TEST(Shuffle, UpAndDownKeepTheEnds) {
  auto [up, upValid] = shuffle(ShuffleKind::Up, 3, 0);
  auto [down, downValid] = shuffle(ShuffleKind::Down, 3, 31);
  for (int32_t i = 0; i < 32; ++i) {
    EXPECT_EQ(up[i], i < 3 ? i : i - 3);
    EXPECT_EQ(down[i], i > 28 ? i : i + 3);
  }
  EXPECT_EQ(upValid, ~7u);
  EXPECT_EQ(downValid, ~0u >> 3);
}

TEST(Shuffle, IndexAndSegments) {
  // CUDA's __shfl_sync(x, 5, 8): the mask's upper part names the segment.
  auto [values, valid] = shuffle(ShuffleKind::Index, 5, (32 - 8) << 8 | 31);
  for (int32_t i = 0; i < 32; ++i)
    EXPECT_EQ(values[i], i / 8 * 8 + 5);
  EXPECT_EQ(valid, ~0u);
  auto [down, downValid] = shuffle(ShuffleKind::Down, 1, (32 - 4) << 8 | 31);
  for (int32_t i = 0; i < 32; ++i)
    EXPECT_EQ(down[i], i % 4 == 3 ? i : i + 1);
  EXPECT_EQ(downValid, 0x77777777u);
}

TEST(Shuffle, FromALaneThatTakesNoPartIsAnError) {
  expectReport({1, 32}, "reads from lane 16, which takes no part", [] {
    if (lane() < 16)
      sparse_attn_emu_shuffle(static_cast<int32_t>(ShuffleKind::Butterfly),
                              0xffff, 0, lane() == 0 ? 16 : 1, 31, kFirst);
  });
}

TEST(Vote, CombinesPredicates) {
  auto vote = [](VoteKind kind, uint32_t predicates) {
    int32_t result = 0;
    EXPECT_EQ(run({1, 32}, 1,
                  [&] {
                    result =
                        sparse_attn_emu_vote(static_cast<int32_t>(kind), -1,
                                             predicates >> lane() & 1, kFirst);
                  }),
              "");
    return static_cast<uint32_t>(result);
  };
  EXPECT_EQ(vote(VoteKind::Ballot, 0x80001234u), 0x80001234u);
  EXPECT_EQ(vote(VoteKind::Any, 0), 0u);
  EXPECT_EQ(vote(VoteKind::Any, 4), 1u);
  EXPECT_EQ(vote(VoteKind::All, ~0u), 1u);
  EXPECT_EQ(vote(VoteKind::All, ~1u), 0u);
  EXPECT_EQ(vote(VoteKind::Uniform, 0), 1u);
  EXPECT_EQ(vote(VoteKind::Uniform, ~0u), 1u);
  EXPECT_EQ(vote(VoteKind::Uniform, 2), 0u);
}

TEST(Reduce, CombinesValues) {
  auto reduce = [](ReduceKind kind) {
    int32_t result = 0;
    EXPECT_EQ(run({1, 32}, 1,
                  [&] {
                    result = sparse_attn_emu_reduce(static_cast<int32_t>(kind),
                                                    -1, lane() - 3, kFirst);
                  }),
              "");
    return result;
  };
  EXPECT_EQ(reduce(ReduceKind::Add), 31 * 16 - 96);
  EXPECT_EQ(reduce(ReduceKind::Max), 28);
  EXPECT_EQ(reduce(ReduceKind::Min), -3);
  EXPECT_EQ(reduce(ReduceKind::UMax), -1);
  EXPECT_EQ(reduce(ReduceKind::UMin), 0);
  EXPECT_EQ(reduce(ReduceKind::Or), -1);
  EXPECT_EQ(reduce(ReduceKind::And), 0);
}

TEST(Elect, OneLaneIsElected) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    uint32_t elected = 0;
    EXPECT_EQ(run({1, 32}, seed,
                  [&] {
                    if (lane() >= 8)
                      elected |= sparse_attn_emu_elect(~0xff, kFirst) << lane();
                  }),
              "");
    EXPECT_EQ(elected, 1u << 8);
  }
}

TEST(Warp, SyncOrdersMemoryAndShufflesDoNot) {
  auto kernel = [](bool synchronises) {
    return [=] {
      storeShared<int32_t>(sharedMemory() + 4 * lane(), lane());
      if (synchronises)
        sparse_attn_emu_warp_sync(-1, kFirst);
      else
        sparse_attn_emu_vote(0, -1, 1, kFirst);
      EXPECT_EQ(loadShared<int32_t>(sharedMemory() + 4 * (31 - lane())),
                31 - lane());
    };
  };
  expectNoReport({1, 32, 128}, kernel(true));
  expectReport({1, 32, 128}, "race in shared memory", kernel(false));
}

TEST(Warp, SyncMeetsAtDifferentOperations) {
  expectNoReport({1, 32, 128}, [] {
    sparse_attn_emu_warp_sync(-1, lane() < 7 ? kFirst : kSecond);
  });
}

TEST(Warp, HalvesMeetOnTheirOwn) {
  expectNoReport({1, 32, 128}, [] {
    for (int32_t i = 0; i < 20; ++i)
      if (lane() < 16)
        sparse_attn_emu_vote(0, 0xffff, 1, kFirst);
      else
        sparse_attn_emu_vote(0, ~0xffff, 1, kSecond);
  });
}

TEST(Warp, LanesThatDivergeAreAnError) {
  expectReport({1, 32}, "diverges: lane", [] {
    sparse_attn_emu_vote(0, -1, 1, lane() == 9 ? kSecond : kFirst);
  });
  // The same operation with another mask.
  expectReport({1, 32}, "diverges: lane", [] {
    sparse_attn_emu_vote(0, lane() == 9 ? ~1 : -1, 1, kFirst);
  });
}

TEST(Warp, ALaneOutsideOfTheMaskIsAnError) {
  expectReport({1, 32},
               "which the mask 0xff of the lanes that take part does not", [] {
                 if (lane() == 8)
                   sparse_attn_emu_vote(0, 0xff, 1, kFirst);
               });
}

TEST(Warp, WaitingForAnExitedLaneIsAnError) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasOne(run({1, 32}, seed,
                           [] {
                             if (lane() != 9)
                               sparse_attn_emu_vote(0, -1, 1, kFirst);
                           }),
                       {"has exited, but other lanes of its warp wait",
                        "waits for lane 9, which has exited"}));
}

TEST(Warp, APartialWarpVotesButHasNoMatrices) {
  expectNoReport({1, 40}, [] {
    EXPECT_EQ(sparse_attn_emu_vote(static_cast<int32_t>(VoteKind::All), -1, 1,
                                   kFirst),
              1);
  });
  expectReport({1, 40}, "is in a warp of 8 threads; the operation needs 32",
               [] {
                 MmaRegisters registers{};
                 if (threadIndex() >= 32)
                   sparse_attn_emu_mma(&registers, 0, kFirst);
               });
}

TEST(Warp, LanesAtABarrierDivergeFromOthers) {
  expectReport({1, 32}, "diverges: lane", [] {
    if (lane() == 9)
      barrier(kFirst);
    else
      sparse_attn_emu_vote(0, -1, 1, kSecond);
  });
}

TEST(Warp, DeadlockNamesLanes) {
  expectReport({1, 64},
               "  threads 0-31 wait in a barrier\n    first\n"
               "  threads 32-47 wait in a barrier\n    second\n",
               [] {
                 if (threadIndex() < 32)
                   sparse_attn_emu_barrier(1, 64, kFirst);
                 else if (threadIndex() < 48)
                   sparse_attn_emu_barrier(2, 64, kSecond);
               });
}
