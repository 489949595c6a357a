//===- SharedLayoutTest.cpp - How a tile lies in shared memory ------------===//

#include "Staging/SharedLayout.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
/// Where byte `byte` of `row` lies within the tile, as the header says.
int64_t offsetOf(const SharedLayout &layout, int64_t row, int64_t byte) {
  const SharedPanel &panel = layout.panelOf(byte);
  int64_t within = byte - panel.firstByte;
  int64_t chunk = (within / 16) ^ panel.phase(row);
  return panel.offset + row * panel.width + chunk * 16 + within % 16;
}

/// Rows of every multiple of 16 bytes up to 512: heads of up to 256 16-bit or
/// 128 32-bit values.
class SharedLayoutTest : public ::testing::TestWithParam<int64_t> {
protected:
  static constexpr int64_t kRows = 32;
  int64_t rowBytes = GetParam();
  SharedLayout layout{kRows, rowBytes};
};
} // namespace

INSTANTIATE_TEST_SUITE_P(RowBytes, SharedLayoutTest,
                         ::testing::Range<int64_t>(16, 513, 16));

TEST_P(SharedLayoutTest, EveryByteHasItsOwnPlace) {
  std::vector<bool> taken(layout.sizeInBytes());
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t byte = 0; byte < rowBytes; ++byte) {
      int64_t offset = offsetOf(layout, row, byte);
      ASSERT_GE(offset, 0);
      ASSERT_LT(offset, layout.sizeInBytes());
      ASSERT_FALSE(taken[offset]) << "row " << row << ", byte " << byte;
      taken[offset] = true;
    }
  EXPECT_EQ(layout.sizeInBytes(), kRows * rowBytes);
}

TEST_P(SharedLayoutTest, SixteenBytesStayTogether) {
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t byte = 0; byte < rowBytes; ++byte) {
      int64_t chunk = offsetOf(layout, row, byte - byte % 16);
      EXPECT_EQ(offsetOf(layout, row, byte), chunk + byte % 16);
      EXPECT_EQ(chunk % 16, 0);
    }
}

TEST_P(SharedLayoutTest, PanelsCoverARowWidestFirst) {
  int64_t first = 0, previous = 128;
  for (const SharedPanel &panel : layout.getPanels()) {
    EXPECT_EQ(panel.firstByte, first);
    EXPECT_EQ(panel.offset, kRows * first);
    EXPECT_TRUE(panel.width <= 128 && llvm::isPowerOf2_64(panel.width));
    EXPECT_GE(panel.width, 16);
    EXPECT_LE(panel.width, previous);
    for (int64_t byte = first; byte < first + panel.width; ++byte)
      EXPECT_EQ(layout.panelOf(byte).firstByte, panel.firstByte);
    first += panel.width;
    previous = panel.width;
  }
  EXPECT_EQ(first, rowBytes);
}

/// A quarter of what ldmatrix.x4 reads: one 16-byte chunk of each of 8 rows in
/// turn, 128 bytes in all. They are read at once if they lie in all of the 32
/// banks of 4 bytes.
TEST_P(SharedLayoutTest, EightRowsAtOneChunkTouchEveryBankOnce) {
  for (int64_t row = 0; row < kRows; row += 8)
    for (int64_t byte = 0; byte < rowBytes; byte += 16) {
      std::set<int64_t> banks;
      for (int64_t r = row; r < row + 8; ++r)
        for (int64_t word = 0; word < 4; ++word)
          banks.insert(offsetOf(layout, r, byte + 4 * word) / 4 % 32);
      EXPECT_EQ(banks.size(), 32u) << "row " << row << ", byte " << byte;
    }
}

/// What a copy of 8 threads writes: the chunks of a row, or of the rows that
/// 128 bytes hold, side by side.
TEST_P(SharedLayoutTest, NeighbouringChunksTouchEveryBankOnce) {
  for (const SharedPanel &panel : layout.getPanels()) {
    int64_t rowsAtOnce = 128 / panel.width;
    for (int64_t row = 0; row < kRows; row += rowsAtOnce) {
      std::set<int64_t> banks;
      for (int64_t r = row; r < row + rowsAtOnce; ++r)
        for (int64_t byte = 0; byte < panel.width; byte += 4)
          banks.insert(offsetOf(layout, r, panel.firstByte + byte) / 4 % 32);
      EXPECT_EQ(banks.size(), 32u) << "row " << row;
    }
  }
}

TEST_P(SharedLayoutTest, RepeatsAfterEightRows) {
  for (int64_t byte = 0; byte < rowBytes; byte += 16)
    for (int64_t row = 8; row < kRows; ++row)
      EXPECT_EQ(offsetOf(layout, row, byte),
                offsetOf(layout, row - 8, byte) +
                    8 * layout.panelOf(byte).width);
}

/// What SharedAddress builds on: the constant of a chunk goes into the
/// exclusive or beside the lane's, the row's into the sum.
TEST_P(SharedLayoutTest, ConstantsLeaveTheLanePart) {
  for (const SharedPanel &panel : layout.getPanels())
    for (int64_t row = 0; row < 8; ++row)
      for (int64_t chunk = 0; chunk < std::min<int64_t>(2, panel.chunks());
           ++chunk)
        for (int64_t constant = 0; constant < panel.chunks(); constant += 2)
          for (int64_t rows = 0; rows + row < kRows; rows += 8) {
            int64_t lane =
                row * panel.width + 16 * (chunk ^ panel.phase(row) ^ constant);
            EXPECT_EQ(offsetOf(layout, rows + row,
                               panel.firstByte + 16 * (constant + chunk)),
                      lane + panel.offset + rows * panel.width);
          }
}

/// The widths that Hopper's 128-, 64- and 32-byte swizzles permute: address
/// bits 4 to 6 by bits 7 to 9, bits 4 and 5 by 7 and 8, bit 4 by bit 7.
TEST(SharedLayout, PermutesAsTheHardwareDoes) {
  for (auto [width, bits] : {std::pair(128, 3), {64, 2}, {32, 1}}) {
    SharedLayout layout(32, width);
    for (int64_t row = 0; row < 32; ++row)
      for (int64_t byte = 0; byte < width; ++byte) {
        int64_t plain = row * width + byte;
        int64_t mask = (1 << bits) - 1;
        int64_t swizzled = plain ^ (((plain >> 7) & mask) << 4);
        EXPECT_EQ(offsetOf(layout, row, byte), swizzled);
      }
  }
}

TEST(SharedLayout, HeadsThat64DoesNotDivideGetNarrowerPanels) {
  auto widths = [](int64_t rowBytes) {
    SharedLayout layout(8, rowBytes);
    std::vector<int64_t> result;
    for (const SharedPanel &panel : layout.getPanels())
      result.push_back(panel.width);
    return result;
  };
  EXPECT_EQ(widths(2 * 16), std::vector<int64_t>({32}));
  EXPECT_EQ(widths(2 * 48), std::vector<int64_t>({64, 32}));
  EXPECT_EQ(widths(2 * 64), std::vector<int64_t>({128}));
  EXPECT_EQ(widths(2 * 80), std::vector<int64_t>({128, 32}));
  EXPECT_EQ(widths(2 * 96), std::vector<int64_t>({128, 64}));
  EXPECT_EQ(widths(2 * 112), std::vector<int64_t>({128, 64, 32}));
  EXPECT_EQ(widths(2 * 256), std::vector<int64_t>({128, 128, 128, 128}));
}
