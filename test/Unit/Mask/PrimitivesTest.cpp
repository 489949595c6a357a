// Every primitive against its formula in docs/Patterns.md, written here again
// and tested pair by pair.

#include "RandomMask.h"
#include <functional>
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;
using test::toString;

namespace {

using Formula = std::function<bool(int64_t n, int64_t i, int64_t j)>;

/// Floor division by counting, slow and plain.
int64_t floorOf(int64_t x, int64_t y) {
  int64_t q = 0;
  while (q * y > x)
    --q;
  while ((q + 1) * y <= x)
    ++q;
  return q;
}

const Lengths lengths[] = {{1, 1},   {2, 2},   {1, 2},   {2, 1},  {3, 3},
                           {16, 16}, {31, 31}, {64, 64}, {1, 40}, {7, 40},
                           {40, 7},  {33, 3},  {50, 1},  {23, 48}};

void expectFormula(const Mask &mask, const Formula &formula) {
  for (const Lengths &n : lengths) {
    for (int64_t i = n.firstQuery(); i < n.nk; ++i) {
      IntervalSet live = mask.liveKeys(n, 0, i, {0, n.nk});
      for (int64_t j = 0; j < n.nk; ++j) {
        bool expected = formula(n.nk, i, j);
        ASSERT_EQ(mask.contains(n, 0, i, j), expected)
            << toString(mask) << " Sq=" << n.nq << " Sk=" << n.nk << " i=" << i
            << " j=" << j;
        ASSERT_EQ(live.covers({j, j + 1}), expected)
            << toString(mask) << " Sq=" << n.nq << " Sk=" << n.nk << " i=" << i
            << " j=" << j;
      }
    }
  }
}

TEST(Primitives, FullAllowsEverything) {
  expectFormula(Mask::full(), [](auto...) { return true; });
}

TEST(Primitives, CausalIsKeyAtMostQuery) {
  expectFormula(Mask::causal(),
                [](int64_t, int64_t i, int64_t j) { return j <= i; });
}

TEST(Primitives, WindowIsInclusiveOnBothSides) {
  for (int64_t left : {-2, 0, 1, 5, 100})
    for (int64_t right : {-1, 0, 3, 100})
      expectFormula(Mask::slidingWindow(left, right),
                    [=](int64_t, int64_t i, int64_t j) {
                      return -left <= j - i && j - i <= right;
                    });
}

TEST(Primitives, UnboundedWindowSideHasNoLimit) {
  expectFormula(Mask::slidingWindow(std::nullopt, 2),
                [](int64_t, int64_t i, int64_t j) { return j - i <= 2; });
  expectFormula(Mask::slidingWindow(3, std::nullopt),
                [](int64_t, int64_t i, int64_t j) { return -3 <= j - i; });
  expectFormula(Mask::slidingWindow(std::nullopt, std::nullopt),
                [](auto...) { return true; });
}

TEST(Primitives, HugeWindowSideIsAsGoodAsUnbounded) {
  for (int64_t block : {1, 16})
    expectFormula(Mask::slidingWindow(INT64_MAX, INT64_MAX, 1, block),
                  [](auto...) { return true; });
  expectFormula(Mask::slidingWindow(INT64_MIN, INT64_MAX),
                [](auto...) { return false; });
}

TEST(Primitives, DilatedWindowStepsByDilation) {
  for (int64_t d : {2, 3, 7})
    expectFormula(Mask::slidingWindow(4, 2, d),
                  [=](int64_t, int64_t i, int64_t j) {
                    for (int64_t t = -4; t <= 2; ++t)
                      if (j == i + d * t)
                        return true;
                    return false;
                  });
  expectFormula(
      Mask::slidingWindow(std::nullopt, 0, 3),
      [](int64_t, int64_t i, int64_t j) { return j <= i && (i - j) % 3 == 0; });
}

TEST(Primitives, BlockWindowComparesWholeBlocks) {
  for (int64_t b : {2, 5, 16})
    for (int64_t left : {-1, 0, 1, 2})
      expectFormula(Mask::slidingWindow(left, 1, 1, b),
                    [=](int64_t, int64_t i, int64_t j) {
                      int64_t distance = floorOf(j, b) - floorOf(i, b);
                      return -left <= distance && distance <= 1;
                    });
}

TEST(Primitives, GlobalTokensCountFromEitherEnd) {
  struct Case {
    std::vector<int64_t> tokens;
    int64_t first, last;
  };
  const Case cases[] = {{{0}, 0, 0},
                        {{-1}, 0, 0},
                        {{0, 5, -1}, 0, 0},
                        {{2, 3, 4, 9}, 0, 0},
                        {{}, 3, 0},
                        {{}, 0, 4},
                        {{}, 4, 4},
                        {{6, -3, -2}, 2, 1},
                        {{1000, -1000}, 0, 0},
                        {{}, 1000, 0},
                        {{}, 0, 1000},
                        {{-20, 20}, 0, 0},
                        {{INT64_MAX, INT64_MIN}, 0, 0}};
  using Direction = Mask::Direction;
  for (const Case &c : cases)
    for (Direction direction :
         {Direction::Both, Direction::Rows, Direction::Columns})
      expectFormula(Mask::global(c.tokens, c.first, c.last, direction),
                    [&](int64_t n, int64_t i, int64_t j) {
                      std::vector<bool> isGlobal(n, false);
                      for (int64_t t : c.tokens)
                        if (t > -n - 1 && t < n)
                          isGlobal[t < 0 ? t + n : t] = true;
                      for (int64_t x = 0; x < n; ++x)
                        if (x < c.first || x >= n - c.last)
                          isGlobal[x] = true;
                      bool row = i >= 0 && i < n && isGlobal[i];
                      bool column = isGlobal[j];
                      return (direction != Direction::Columns && row) ||
                             (direction != Direction::Rows && column);
                    });
}

TEST(Primitives, ChunkedIsSameChunk) {
  for (int64_t size : {1, 2, 7, 64})
    expectFormula(Mask::chunked(size), [=](int64_t, int64_t i, int64_t j) {
      return floorOf(i, size) == floorOf(j, size);
    });
}

TEST(Primitives, StridedIsCongruent) {
  for (int64_t stride : {1, 2, 7, 64})
    expectFormula(Mask::strided(stride), [=](int64_t, int64_t i, int64_t j) {
      return (i - j) - stride * floorOf(i - j, stride) == 0;
    });
}

TEST(Primitives, PrefixIsKeysBelowLength) {
  for (int64_t length : {-5, 0, 1, 7, 1000})
    expectFormula(Mask::prefix(length),
                  [=](int64_t, int64_t, int64_t j) { return j < length; });
}

TEST(Primitives, PeriodicColumnsAndRowsAreTheLastOfEachPeriod) {
  for (int64_t period : {1, 4, 16})
    for (int64_t last : {-1, 0, 1, 3, 16, 20}) {
      auto isLast = [=](int64_t x) {
        return x - period * floorOf(x, period) >= period - last;
      };
      expectFormula(Mask::periodicColumns(period, last),
                    [=](int64_t, int64_t, int64_t j) { return isLast(j); });
      expectFormula(Mask::periodicRows(period, last),
                    [=](int64_t, int64_t i, int64_t) { return isLast(i); });
    }
}

TEST(Primitives, EmptyUnionIsEmptyAndEmptyIntersectionFull) {
  expectFormula(Mask::unionOf({}), [](auto...) { return false; });
  expectFormula(Mask::intersectionOf({}), [](auto...) { return true; });
}

TEST(Primitives, PrintIsReadable) {
  Mask longformer =
      Mask::unionOf({Mask::slidingWindow(256, 256), Mask::global({0})});
  EXPECT_EQ(toString(longformer),
            "union(sliding_window(left=256, right=256), global(tokens=[0]))");
  EXPECT_EQ(toString(Mask::complementOf(Mask::causal())), "complement(causal)");
  EXPECT_EQ(toString(Mask::slidingWindow(std::nullopt, 0, 2)),
            "sliding_window(left=unbounded, right=0, dilation=2)");
  EXPECT_EQ(toString(Mask::slidingWindow(1, 1, 1, 64)),
            "sliding_window(left=1, right=1, block=64)");
  EXPECT_EQ(toString(Mask::global({}, 64, 32, Mask::Direction::Columns)),
            "global(first=64, last=32, direction=columns)");
  EXPECT_EQ(toString(Mask::global({}, 0, 0, Mask::Direction::Rows)),
            "global(tokens=[], direction=rows)");
  Mask::RandomOptions options;
  options.seed = 7;
  options.perHead = false;
  options.bigBirdWindowRadius = 1;
  EXPECT_EQ(toString(Mask::random(options)),
            "random(block=64, blocks_per_row=3, seed=7, per_head=false, "
            "bigbird_window_radius=1)");
  EXPECT_EQ(toString(Mask::intersectionOf({Mask::full(), Mask::chunked(4),
                                           Mask::strided(3), Mask::prefix(2),
                                           Mask::periodicColumns(8, 2)})),
            "intersection(full, chunked(size=4), strided(stride=3), "
            "prefix(length=2), periodic_columns(period=8, last=2))");
  EXPECT_EQ(toString(Mask::random({64, 3, 0, true, std::nullopt}).transpose()),
            "transpose(random(block=64, blocks_per_row=3, seed=0))");
}

/// `mask` against a formula, by membership and by intervals, with positions
/// below zero.
void expectFormula(const Mask &mask,
                   llvm::function_ref<bool(__int128, __int128)> formula) {
  Lengths n{9, 6};
  for (int64_t i = n.firstQuery(); i < n.nk; ++i) {
    IntervalSet live = mask.liveKeys(n, 0, i, {0, n.nk});
    for (int64_t j = 0; j < n.nk; ++j) {
      EXPECT_EQ(mask.contains(n, 0, i, j), formula(i, j)) << i << ", " << j;
      EXPECT_EQ(live.covers({j, j + 1}), formula(i, j)) << i << ", " << j;
    }
  }
}

TEST(Primitives, ParametersBeyondEveryPositionMeanWhatTheFormulaSays) {
  constexpr int64_t greatest = std::numeric_limits<int64_t>::max();
  auto floorOf = [](__int128 x, __int128 y) {
    return x / y - (x % y < 0 ? 1 : 0);
  };
  for (int64_t huge : {int64_t(1) << 31, int64_t(1) << 40, int64_t(1) << 60,
                       (int64_t(1) << 62) + 1, greatest}) {
    for (int64_t reach : {int64_t(0), int64_t(1), huge}) {
      expectFormula(Mask::slidingWindow(reach, reach, 1, huge),
                    [&](__int128 i, __int128 j) {
                      __int128 blocks = floorOf(j, huge) - floorOf(i, huge);
                      return -reach <= blocks && blocks <= reach;
                    });
      expectFormula(Mask::slidingWindow(reach, 0, huge),
                    [&](__int128 i, __int128 j) { return i == j; });
      expectFormula(Mask::slidingWindow(reach, huge, 2),
                    [&](__int128 i, __int128 j) {
                      return (j - i) % 2 == 0 && j - i >= -2 * __int128(reach);
                    });
    }
    expectFormula(Mask::chunked(huge), [&](__int128 i, __int128 j) {
      return floorOf(i, huge) == floorOf(j, huge);
    });
    expectFormula(Mask::strided(huge),
                  [&](__int128 i, __int128 j) { return i == j; });
    expectFormula(Mask::prefix(huge), [&](__int128, __int128) { return true; });
    for (int64_t last : {int64_t(1), huge / 2, huge - 4, huge})
      for (bool transposed : {false, true}) {
        Mask mask = Mask::periodicColumns(huge, last);
        expectFormula(transposed ? mask.transpose() : mask,
                      [&](__int128 i, __int128 j) {
                        __int128 x = transposed ? i : j;
                        return x - huge * floorOf(x, huge) >= huge - last;
                      });
      }
    expectFormula(
        Mask::global({huge, -huge, 2}, 0, huge, Mask::Direction::Rows),
        [&](__int128 i, __int128) { return i >= 0; });
    expectFormula(Mask::complementOf(Mask::lastBlock(huge)),
                  [&](__int128 i, __int128) { return false; });
  }
}

} // namespace
