//===- PictureTest.cpp ----------------------------------------------------===//

#include "SparseAttn/Inspect/Picture.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::mask;

static std::string toAscii(const Picture &picture) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printAscii(picture, os);
  return text;
}

static std::string toSvg(const Picture &picture, llvm::StringRef title) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printSvg(picture, title, os);
  return text;
}

TEST(Picture, AsciiOfACausalMask) {
  EXPECT_EQ(toAscii(makePicture(Mask::causal(), {8, 8}, 0, 4)),
            "8 queries x 8 keys, head 0, 56.25% of the pairs live\n"
            "       key  0\n"
            "   query 0 |+...|\n"
            "           |#+..|\n"
            "           |##+.|\n"
            "           |###+|\n"
            "one cell = 2 x 2 pairs:  # all live  + some live  . none live\n");
}

TEST(Picture, DecodingQueriesStandAtTheLastPositions) {
  std::string text =
      toAscii(makePicture(Mask::slidingWindow(3, 0), {2, 10}, 0));
  EXPECT_NE(text.find("   query 8 |.....####.|\n"
                      "           |......####|\n"),
            std::string::npos)
      << text;
}

TEST(Picture, EveryCellAgreesWithItsPairs) {
  Mask::RandomOptions random;
  random.block = 4;
  random.blocksPerRow = 2;
  Mask mask = Mask::unionOf(
      {Mask::slidingWindow(5, 3), Mask::global({0, -1}), Mask::random(random)});
  for (Lengths n : {Lengths{100, 100}, Lengths{37, 150}, Lengths{1, 65}}) {
    Picture picture = makePicture(mask, n, 1, 16);
    ASSERT_LE(picture.rows, 16);
    ASSERT_LE(picture.columns, 16);
    ASSERT_GE(picture.rows * picture.cell, n.nq);
    ASSERT_GE(picture.columns * picture.cell, n.nk);
    double total = 0;
    for (int64_t r = 0; r < picture.rows; ++r)
      for (int64_t c = 0; c < picture.columns; ++c) {
        int64_t live = 0, pairs = 0;
        for (int64_t row = r * picture.cell;
             row < std::min(n.nq, (r + 1) * picture.cell); ++row)
          for (int64_t j = c * picture.cell;
               j < std::min(n.nk, (c + 1) * picture.cell); ++j) {
            ++pairs;
            live += mask.contains(n, 1, row + n.firstQuery(), j);
          }
        total += live;
        EXPECT_EQ(picture.state(r, c), live == 0       ? TileState::Empty
                                       : live == pairs ? TileState::Full
                                                       : TileState::Partial);
      }
    EXPECT_DOUBLE_EQ(picture.density, total / double(n.nq * n.nk));
  }
}

TEST(Picture, SvgMergesRunsAndEscapesItsTitle) {
  Picture picture = makePicture(Mask::causal(), {4096, 4096}, 0, 128);
  std::string svg = toSvg(picture, "a<b> & \"c\"\x01");
  EXPECT_NE(svg.find("<title>a&lt;b&gt; &amp; &quot;c&quot;?</title>"),
            std::string::npos)
      << svg.substr(0, 400);
  // A full run and a partial cell a row, not 128 * 129 / 2 cells.
  EXPECT_EQ(llvm::StringRef(svg).count("height=\"1\""), 2u * 128 - 1);
  EXPECT_LT(svg.size(), 20'000u);
  EXPECT_EQ(llvm::StringRef(svg).count("<g "),
            llvm::StringRef(svg).count("</g>"));
}

TEST(Picture, NoQueriesDrawNothing) {
  Picture picture = makePicture(Mask::full(), {0, 8}, 0);
  EXPECT_EQ(picture.rows, 0);
  EXPECT_EQ(picture.density, 0);
  EXPECT_NE(toSvg(picture, "x").find("</svg>"), std::string::npos);
}
