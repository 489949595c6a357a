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

/// A causal window of 2 beside a fold by 4, of which row 15 is a class of its
/// own: it sees all keys.
plan::Plan planOfParts() {
  plan::RowClass all, last;
  all.rowEnd = last.rowEnd = plan::TileExpr::numQueries();
  last.rowBegin = plan::TileExpr::numQueries() - 1;
  Piece fold, window, row;
  fold.upper = {Bound::diagonal(1)};
  window.lower = {Bound::diagonal(-1)};
  window.upper = {Bound::diagonal(0)};
  row.rowLower = {Bound::fromEnd(-1)};
  plan::Plan plan;
  plan.parts = {{4, {fold}, {16, 16}, {all}},
                {1, {window, row}, {16, 16}, {all, last}}};
  return plan;
}

Mask maskOfParts() {
  Piece row;
  row.rowLower = {Bound::fromEnd(-1)};
  return Mask::unionOf(
      {Mask::intersectionOf({Mask::causal(), Mask::strided(4)}),
       Mask::slidingWindow(1, 0), Mask::ofPieces({row})});
}

TEST(Picture, PartsHaveLetters) {
  Picture picture = makePicture(maskOfParts(), {9, 9}, 0, 9);
  addParts(picture, planOfParts());
  EXPECT_EQ(toAscii(picture),
            "9 queries x 9 keys, head 0, 34.57% of the pairs live\n"
            "       key  0\n"
            "   query 0 |A........|\n"
            "           |BA.......|\n"
            "           |.BA......|\n"
            "           |..BA.....|\n"
            "           |A..BA....|\n"
            "           |.A..BA...|\n"
            "           |..A..BA..|\n"
            "           |...A..BA.|\n"
            "         8 |BBBBBBBBB|\n"
            "one cell = 1 x 1 pairs:  # all live  + some live  . none live\n"
            "where one part has all of them:  Aa part 1, folded by 4  Bb part "
            "2\n");
}

TEST(Picture, CellsOfSeveralPartsHaveNoLetter) {
  Picture picture = makePicture(maskOfParts(), {9, 9}, 0, 5);
  addParts(picture, planOfParts());
  std::string text = toAscii(picture);
  EXPECT_NE(text.find("   query 0 |+....|\n"
                      "           |b+...|\n"
                      "           |ab+..|\n"
                      "           |.ab+.|\n"
                      "           |BBBBB|\n"),
            std::string::npos)
      << text;
  // The shades of the parts, in the cells and in the legend.
  Picture fine = makePicture(maskOfParts(), {9, 9}, 0, 9);
  EXPECT_EQ(toSvg(fine, "x").find("class=\"f0\""), std::string::npos);
  addParts(fine, planOfParts());
  std::string svg = toSvg(fine, "x");
  EXPECT_EQ(llvm::StringRef(svg).count("class=\"f0\""), 12u + 1);
  EXPECT_EQ(llvm::StringRef(svg).count("class=\"f1\""), 8u + 1);
  EXPECT_NE(svg.find("part 1, folded by 4"), std::string::npos);
}

// One part has all pairs, and there is nothing to tell.
TEST(Picture, OnePartIsNotTold) {
  plan::Plan plan = planOfParts();
  plan.parts.erase(plan.parts.begin());
  Picture picture = makePicture(Mask::causal(), {9, 9}, 0);
  addParts(picture, plan);
  EXPECT_TRUE(picture.partNames.empty());
  EXPECT_EQ(picture.part(0, 0), 0u);
}

TEST(Picture, NoQueriesDrawNothing) {
  Picture picture = makePicture(Mask::full(), {0, 8}, 0);
  EXPECT_EQ(picture.rows, 0);
  EXPECT_EQ(picture.density, 0);
  EXPECT_NE(toSvg(picture, "x").find("</svg>"), std::string::npos);
}
