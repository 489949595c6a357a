//===- ColumnGroupsTest.cpp - Columns of values, cut into slices ----------===//

#include "SparseAttn/Plan/ColumnGroups.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <vector>

using namespace mlir::sparse_attn::plan;

namespace {

struct Slice {
  int64_t first, size;
};

std::vector<Slice> slicesOf(int64_t columns, int64_t most) {
  std::vector<Slice> slices;
  for (const ColumnGroup &group : cutColumns(columns, most))
    for (int64_t i = 0; i < group.count; ++i)
      slices.push_back({group.first + i * group.size, group.size});
  return slices;
}

TEST(ColumnGroupsTest, SlicesCoverAllColumnsOnce) {
  for (int64_t columns = 8; columns <= 1024; columns += 8)
    for (int64_t most : {8, 64, 136, 256}) {
      int64_t next = 0;
      for (const Slice &slice : slicesOf(columns, most)) {
        EXPECT_EQ(slice.first, next);
        next += slice.size;
      }
      EXPECT_EQ(next, columns) << most;
    }
}

TEST(ColumnGroupsTest, SlicesAreFewAndOfNearlyOneSize) {
  for (int64_t columns = 8; columns <= 1024; columns += 8)
    for (int64_t most : {8, 64, 136, 256}) {
      std::vector<Slice> slices = slicesOf(columns, most);
      EXPECT_EQ(static_cast<int64_t>(slices.size()),
                llvm::divideCeil(columns, most));
      EXPECT_LE(cutColumns(columns, most).size(), 2u);
      for (const Slice &slice : slices) {
        EXPECT_EQ(slice.size % 8, 0);
        EXPECT_LE(slice.size, most);
        EXPECT_LE(slice.size, slices.front().size);
        EXPECT_GE(slice.size, slices.front().size - 8);
      }
    }
}

TEST(ColumnGroupsTest, WhatFitsIsWhole) {
  for (auto [columns, most] : {std::pair(7, 0), {256, 256}, {12, 16}}) {
    auto groups = cutColumns(columns, most);
    ASSERT_EQ(groups.size(), 1u);
    EXPECT_TRUE(groups[0].isWhole(columns));
  }
  EXPECT_FALSE(cutColumns(512, 256)[0].isWhole(512));
}

} // namespace
