//===- OverlapTest.cpp - Whether strided tensors share memory -------------===//

#include "../../../lib/Runtime/Overlap.h"
#include "gtest/gtest.h"
#include <climits>
#include <random>
#include <set>

using namespace sparse_attn::runtime;

/// Every byte's address.
static std::set<uint64_t> list(const StridedBytes &bytes) {
  std::set<uint64_t> starts = {bytes.start};
  for (StridedBytes::Dim dim : bytes.dims) {
    std::set<uint64_t> next;
    for (uint64_t start : starts)
      for (int64_t i = 0; i < dim.size; ++i)
        next.insert(start + i * dim.stride);
    starts = std::move(next);
  }
  std::set<uint64_t> all;
  for (uint64_t start : starts)
    for (int64_t i = 0; i < bytes.width; ++i)
      all.insert(start + i);
  return all;
}

static bool share(const StridedBytes &a, const StridedBytes &b) {
  std::set<uint64_t> of = list(a);
  for (uint64_t address : list(b))
    if (of.count(address))
      return true;
  return false;
}

static std::string print(const StridedBytes &bytes) {
  std::string text = std::to_string(bytes.start) + " width " +
                     std::to_string(bytes.width) + ":";
  for (StridedBytes::Dim dim : bytes.dims)
    text +=
        " " + std::to_string(dim.size) + " by " + std::to_string(dim.stride);
  return text;
}

// Small tensors of any strides, also such as overlap themselves and go
// backwards, against a list of all bytes.
TEST(OverlapTest, IsExact) {
  std::mt19937 random(1);
  auto draw = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  auto make = [&] {
    StridedBytes bytes;
    bytes.start = 100 + draw(0, 60);
    bytes.width = int64_t(1) << draw(0, 2);
    for (int64_t i = draw(0, 4); i > 0; --i)
      bytes.dims.push_back(
          {draw(draw(0, 9) == 0 ? 0 : 1, 4), bytes.width * draw(-3, 9)});
    return bytes;
  };
  int sharing = 0, apart = 0;
  for (int i = 0; i < 20000; ++i) {
    StridedBytes a = make(), b = make();
    bool expected = share(a, b);
    ASSERT_EQ(mayOverlap(a, b), expected) << print(a) << "\n" << print(b);
    ASSERT_EQ(mayOverlap(b, a), expected) << print(b) << "\n" << print(a);
    (expected ? sharing : apart) += 1;
  }
  EXPECT_GT(sharing, 2000);
  EXPECT_GT(apart, 2000);
}

/// Part `part` of [B, S, parts, H, D] as [B, H, S, D], in f16.
static StridedBytes getInterleaved(int64_t part, int64_t parts, int64_t b,
                                   int64_t h, int64_t s, int64_t d) {
  int64_t width = 2, head = d * width, row = parts * h * head;
  return {uint64_t(1) << 40 | uint64_t(part * h * head),
          width,
          {{b, s * row}, {h, head}, {s, row}, {d, width}}};
}

// As large as they are in use: there is no time to look at every element.
TEST(OverlapTest, KnowsViewsOfOneBuffer) {
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 3; ++j)
      EXPECT_EQ(mayOverlap(getInterleaved(i, 3, 8, 64, 131072, 128),
                           getInterleaved(j, 3, 8, 64, 131072, 128)),
                i == j);
  StridedBytes one = getInterleaved(0, 3, 8, 64, 131072, 128);
  StridedBytes next = one;
  // One element into the keys, or just up to them.
  next.dims[1].size = 65;
  next.dims[3].size = 1;
  EXPECT_TRUE(mayOverlap(next, getInterleaved(1, 3, 8, 64, 131072, 128)));
  next.dims[1].size = 64;
  next.dims[3].size = 128;
  EXPECT_FALSE(mayOverlap(next, getInterleaved(1, 3, 8, 64, 131072, 128)));
  next.dims[3].size = 129;
  EXPECT_TRUE(mayOverlap(next, getInterleaved(1, 3, 8, 64, 131072, 128)));
}

TEST(OverlapTest, TakesAnyAddresses) {
  StridedBytes low{0, 1, {{INT64_MAX, 1}}}, high{UINT64_MAX, 1, {}};
  EXPECT_FALSE(mayOverlap(low, high));
  EXPECT_TRUE(mayOverlap(high, high));
  StridedBytes middle{uint64_t(INT64_MAX) - 1, 1, {}};
  EXPECT_TRUE(mayOverlap(low, middle));
  middle.start += 1;
  EXPECT_FALSE(mayOverlap(low, middle));
  StridedBytes empty{0, 1, {{0, 1}, {INT64_MAX, 1}}};
  EXPECT_FALSE(mayOverlap(low, empty));
}

// Where an answer would take for ever, it is the one that is safe.
TEST(OverlapTest, GivesUpOnTheSafeSide) {
  // Steps that are no multiples of one another, and a target between them.
  StridedBytes a{0, 1, {}}, b{0, 1, {}};
  int64_t stride = 1000003;
  for (int i = 0; i < 12; ++i) {
    a.dims.push_back({1000, 2 * (stride + 2 * i * 7919)});
    b.dims.push_back({1000, 2 * (stride + 2 * i * 104729)});
  }
  b.start = 1;
  // All addresses of one are even, of the other odd.
  EXPECT_FALSE(mayOverlap(a, b));
  a.dims.push_back({2, 3});
  b.start = 1 + 4;
  EXPECT_TRUE(mayOverlap(a, b));
}
