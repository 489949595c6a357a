//===- NewestChipTest.cpp - The best code for a device --------------------===//

#include "SparseAttn/Package/Compile/Compile.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

TEST(NewestChip, CodeForOneChipIsBestThere) {
  EXPECT_EQ(findNewestChip(90), "sm_90a");
  EXPECT_EQ(findNewestChip(100), "sm_100a");
  EXPECT_EQ(findNewestChip(120), "sm_120a");
}

TEST(NewestChip, OlderCodeRunsOnNewerDevices) {
  EXPECT_EQ(findNewestChip(80), "sm_80");
  EXPECT_EQ(findNewestChip(87), "sm_86");
  EXPECT_EQ(findNewestChip(89), "sm_89");
  EXPECT_EQ(findNewestChip(103), "sm_100");
  EXPECT_EQ(findNewestChip(121), "sm_120");
}

TEST(NewestChip, ThereIsNoneForOlderDevices) {
  EXPECT_EQ(findNewestChip(75), std::nullopt);
  EXPECT_EQ(findNewestChip(0), std::nullopt);
}
