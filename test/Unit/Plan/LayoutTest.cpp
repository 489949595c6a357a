//===- LayoutTest.cpp -----------------------------------------------------===//

#include "SparseAttn/Plan/Layout.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn::plan;

namespace {

std::string textOf(const Layout &layout) {
  std::string text;
  llvm::raw_string_ostream os(text);
  layout.print(os);
  return text;
}

std::vector<Layout> someLayouts() {
  return {Layout::lattice(7, 3, 4, 16), Layout::lattice(5, 5, 0, 8),
          Layout::lattice(4, 1, 9, 4), Layout::list({2, 3, 9, 30}, 1, 4),
          Layout::list({0, 8, 16, 40}, 8, 16)};
}

TEST(LayoutTest, SlotsStandAtAscendingPositions) {
  for (const Layout &layout : someLayouts()) {
    EXPECT_EQ(layout.findProblem(), "");
    for (int64_t x = 0; x + 1 < layout.numSlots().value_or(60); ++x)
      EXPECT_LT(layout.position(x), layout.position(x + 1)) << textOf(layout);
  }
  Layout lattice = Layout::lattice(7, 3, 4, 16);
  EXPECT_EQ(lattice.position(0), 4);
  EXPECT_EQ(lattice.position(2), 6);
  EXPECT_EQ(lattice.position(3), 11);
  Layout list = Layout::list({5, 77}, 2, 16);
  EXPECT_EQ(list.position(1), 6);
  EXPECT_EQ(list.position(2), 77);
}

TEST(LayoutTest, SlotsBelowAPositionAreThoseThatStandThere) {
  for (const Layout &layout : someLayouts()) {
    for (int64_t end = 0; end < 64; ++end) {
      int64_t count = 0;
      for (int64_t x = 0; x < layout.numSlots().value_or(100); ++x)
        count += layout.position(x) < end;
      EXPECT_EQ(layout.slotsBelow(end), count) << textOf(layout) << " " << end;
    }
  }
}

TEST(LayoutTest, Text) {
  EXPECT_EQ(textOf({}), "contiguous");
  EXPECT_EQ(textOf(Layout::lattice(128, 8, 120, 32)),
            "lattice<step = 128, width = 8, shift = 120, tile = 32>");
  EXPECT_EQ(textOf(Layout::list({5, 77}, 1, 16)),
            "list<[5, 77], width = 1, tile = 16>");
}

} // namespace
