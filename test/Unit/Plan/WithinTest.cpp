//===- WithinTest.cpp - Which tiles data leaves ---------------------------===//

#include "SparseAttn/Plan/Plan.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

namespace {

constexpr Within kAll = {}, kDocuments = {true}, kRows = {false, true},
                 kKeys = {false, false, true}, kListed = {false, true, true},
                 kBoth = {true, true, true}, kEither = {true, true, true, true};

std::string textOf(const Within &within) {
  std::string text;
  llvm::raw_string_ostream(text) << within;
  return text;
}

TEST(WithinTest, Text) {
  EXPECT_EQ(textOf(kDocuments), "documents");
  EXPECT_EQ(textOf(kRows), "listed rows");
  EXPECT_EQ(textOf(kKeys), "listed columns");
  EXPECT_EQ(textOf(kListed), "listed");
  EXPECT_EQ(textOf(kBoth), "documents and listed");
  EXPECT_EQ(textOf({true, true, false, true}), "documents or listed rows");
}

TEST(WithinTest, HoldsForThePairsItIsOf) {
  EXPECT_TRUE(kAll.holds(0));
  EXPECT_FALSE(kDocuments.holds(ListedRow | ListedKey));
  EXPECT_TRUE(kRows.holds(ListedRow));
  EXPECT_FALSE(kRows.holds(ListedKey | OneDocument));
  EXPECT_TRUE(kListed.holds(ListedKey));
  EXPECT_FALSE(kBoth.holds(ListedKey));
  EXPECT_TRUE(kBoth.holds(ListedKey | OneDocument));
  EXPECT_TRUE(kEither.holds(OneDocument));
  EXPECT_TRUE(kEither.holds(ListedRow));
  EXPECT_FALSE(kEither.holds(0));
  EXPECT_EQ(Within::of(OneDocument | ListedKey),
            (Within{true, false, true, false}));
}

TEST(WithinTest, WhatCoversComesFirst) {
  const Within order[] = {kAll, kEither, kDocuments, kBoth};
  for (const Within &first : order)
    for (const Within &later : order)
      EXPECT_EQ(first.covers(later), first.rank() <= later.rank());
  EXPECT_TRUE(kListed.covers(kRows));
  EXPECT_FALSE(kRows.covers(kKeys));
  EXPECT_FALSE(kListed.covers(kDocuments));
}

TEST(WithinTest, JoinCoversBoth) {
  const Within all[] = {kAll,    kDocuments, kRows,  kKeys,
                        kListed, kBoth,      kEither};
  for (const Within &a : all)
    for (const Within &b : all) {
      Within joined = a.join(b);
      EXPECT_TRUE(joined.covers(a) && joined.covers(b));
      EXPECT_EQ(joined == kAll, a == kAll || b == kAll);
    }
}

TEST(WithinTest, AlignedOnesCoverEachOther) {
  const Within all[] = {kAll, kDocuments, kRows, kKeys, kBoth, kEither};
  for (const Within &a : all)
    for (const Within &b : all)
      for (const Within &c : all) {
        Within some[] = {a, b, c};
        align({&some[0], &some[1], &some[2]});
        EXPECT_TRUE(some[0].covers(a) && some[1].covers(b) &&
                    some[2].covers(c));
        for (const Within &x : some)
          for (const Within &y : some)
            EXPECT_EQ(x.covers(y), x.rank() <= y.rank())
                << textOf(x) << " and " << textOf(y);
      }
  // What is alone stays as it is.
  Within rows = kRows, everything = kAll;
  align({&rows, &everything});
  EXPECT_EQ(rows, kRows);
  EXPECT_EQ(everything, kAll);
}

} // namespace
