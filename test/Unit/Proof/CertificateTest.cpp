//===- CertificateTest.cpp - Proofs of plans of known patterns ------------===//

#include "WitnessOracle.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::plan_test;

namespace {

TEST(CertificateTest, FullDrawsAreProvenAtAnyKnownLength) {
  for (int64_t n : {1 << 10, 1 << 20}) {
    Mask mask = bigBird(64, 3, 3, 0, 64);
    Plan plan = makePlan(mask, {64, 64}, known(n, n));
    ASSERT_TRUE(plan.classes[0].draws[0].full);
    EXPECT_EQ(provePlan(mask, plan, known(n, n), 12).verdict, Verdict::Proven);
    // Not where the mask has less than the draw, or tiles are not blocks.
    Mask causal = Mask::intersectionOf({mask, Mask::causal()});
    EXPECT_NE(provePlan(causal, plan, known(n, n), 12).verdict,
              Verdict::Proven);
    plan = makePlan(mask, {64, 128}, known(n, n));
    ASSERT_FALSE(plan.classes[0].draws[0].full);
    plan.classes[0].draws[0].full = true;
    EXPECT_NE(provePlan(mask, plan, known(n, n), 12).verdict, Verdict::Proven);
  }
}

TEST(CertificateTest, ProofsOfThePatternsHoldAtAllLengths) {
  Mask::RandomOptions random;
  struct Case {
    Mask mask;
    TileShape tile;
  };
  for (const Case &test : std::initializer_list<Case>{
           {Mask::full(), {48, 64}},
           {Mask::causal(), {48, 64}},
           {Mask::slidingWindow(256, 256), {48, 64}},
           {Mask::slidingWindow(8, 8, 4), {48, 64}},
           {longformer(512, {0}), {48, 64}},
           {longformer(512, {0, 1, 77, -1}), {48, 64}},
           {bigBird(64, 3, 3, 0, 64), {64, 64}},
           {bigBird(64, 3, 3, 0, 40), {48, 64}},
           {streaming(4, 1024), {48, 64}},
           {Mask::chunked(512), {48, 64}},
           {Mask::unionOf({Mask::causal(), Mask::prefix(100)}), {48, 64}},
           {Mask::intersectionOf({Mask::causal(), Mask::strided(64)}),
            {48, 64}},
           {Mask::intersectionOf(
                {Mask::causal(),
                 Mask::unionOf(
                     {Mask::chunked(128), Mask::periodicColumns(128, 8)})}),
            {48, 64}},
           {Mask::complementOf(longformer(64, {0})), {48, 64}},
           {Mask::random(random), {48, 64}}}) {
    Plan plan = makePlan(test.mask, test.tile, {});
    Proof proof = provePlan(test.mask, plan, {}, 4);
    EXPECT_EQ(proof.verdict, Verdict::Proven) << proof.reason << "\n"
                                              << textOf(test.mask) << "\n"
                                              << textOf(plan);
    EXPECT_EQ(proof.method, "presburger");
    // The same plan at some lengths, by the other route.
    for (Lengths n : {Lengths{1, 1}, Lengths{97, 97}, Lengths{1025, 1025},
                      Lengths{64, 300}, Lengths{300, 64}}) {
      proof = provePlan(test.mask, plan, known(n.nq, n.nk), 2);
      EXPECT_EQ(proof.verdict, Verdict::Proven) << proof.reason;
      EXPECT_EQ(proof.method, "exhaustive rows");
    }
  }
}

TEST(CertificateTest, NamesTheViolation) {
  Mask mask = Mask::causal();
  auto prove = [&](llvm::ArrayRef<Segment> segments, LengthFacts facts) {
    RowClass cls;
    cls.rowEnd = TileExpr::numQueries();
    cls.segments.assign(segments.begin(), segments.end());
    Plan plan{{16, 16}, {cls}, {}};
    Proof proof = provePlan(mask, plan, facts, 1);
    EXPECT_EQ(proof.verdict, Verdict::Refuted);
    EXPECT_TRUE(proof.witness && isTrueWitness(mask, plan, proof));
    return proof.reason;
  };
  TileExpr zero, one = TileExpr::constant(1);
  TileExpr tiles = TileExpr::numKeys().ceilDiv(16);
  TileExpr whole = TileExpr::numKeys().floorDiv(16);
  for (LengthFacts facts : {LengthFacts(), known(64, 64), known(50, 50)}) {
    EXPECT_EQ(prove({{zero, one, false}}, facts),
              "a live pair lies in no visited tile");
    EXPECT_EQ(prove({{zero, tiles, false}, {zero, one, false}}, facts),
              "a key tile is visited twice");
    EXPECT_EQ(prove({{zero, whole, true}, {whole, tiles, false}}, facts),
              "a full tile has a masked pair");
    EXPECT_EQ(prove({{zero, tiles + 1, false}}, facts),
              "a visited tile lies outside [0, Sk)");
    EXPECT_EQ(prove({{zero - 1, tiles, false}}, facts),
              "a visited tile lies outside [0, Sk)");
  }
  // One that names too much, one too little, and one a key that is not there.
  auto pairs = [](llvm::ArrayRef<Bound> upper) {
    Piece piece;
    piece.upper.assign(upper.begin(), upper.end());
    return Pieces{piece};
  };
  auto naming = [&](Pieces where) {
    return Segment{zero, tiles, false, TileExpr::constant(1), where};
  };
  for (LengthFacts facts : {LengthFacts(), known(64, 64), known(50, 50)}) {
    for (int64_t offset : {0, 2})
      EXPECT_EQ(prove(naming(pairs(Bound::diagonal(offset))), facts),
                "the pairs that a segment names in its tiles are not the live "
                "ones");
    EXPECT_EQ(prove(naming({}), facts), "the pairs that a segment names in "
                                        "its tiles are not the live ones");
  }
  mask = Mask::full();
  for (LengthFacts facts : {LengthFacts(), known(50, 50)})
    EXPECT_EQ(prove(naming(pairs({})), facts),
              "the pairs that a segment names in its tiles are not the live "
              "ones");
  for (LengthFacts facts : {LengthFacts(), known(50, 50)})
    EXPECT_EQ(prove({{zero, tiles, true}}, facts),
              "a full tile has keys past Sk");
  RowClass cls;
  cls.rowEnd = TileExpr::numQueries() + 1;
  cls.segments.push_back({zero, tiles, false});
  EXPECT_EQ(provePlan(mask, {{16, 16}, {cls}}, {}, 1).reason,
            "a row class has rows outside [0, Sq)");
  EXPECT_EQ(provePlan(mask, {{16, 16}, {cls}}, known(20, 20), 1).reason,
            "a row class has rows outside [0, Sq)");
}

/// A segment within documents may not hold pairs that are live whatever
/// documents they are of, and is full where all pairs of one document are live.
TEST(CertificateTest, TilesWithinDocumentsHoldNoOtherPairs) {
  Mask inside = Mask::intersectionOf({Mask::document(), Mask::causal()});
  Mask mask = Mask::unionOf({inside, Mask::prefix(3)});
  for (LengthFacts facts : {LengthFacts(), known(64, 64), known(50, 70)}) {
    Plan plan = makePlan(mask, {16, 16}, facts);
    ASSERT_TRUE(plan.readsDocuments());
    EXPECT_EQ(provePlan(mask, plan, facts, 1).verdict, Verdict::Proven);
    Plan others = plan;
    for (Segment &segment : others.classes[0].segments)
      segment.within.documents = true;
    EXPECT_EQ(provePlan(mask, others, facts, 1).reason,
              "a live pair lies in no visited tile");
    Plan full = plan;
    for (Segment &segment : full.classes[0].segments)
      segment.full = segment.within.documents;
    EXPECT_EQ(provePlan(mask, full, facts, 1).verdict, Verdict::Refuted);
    // Not every pair of a tile is of one document.
    Plan all = plan;
    for (Segment &segment : all.classes[0].segments)
      segment.within.documents = false;
    EXPECT_EQ(provePlan(mask, all, facts, 1).reason,
              "a full tile has a masked pair");
  }
}

/// A segment within listed tokens may hold no pair that is live for another
/// reason, and visits the tiles of rows as well as those of keys.
TEST(CertificateTest, TilesOfListedTokensHoldNoOtherPairs) {
  Mask mask = Mask::unionOf({Mask::slidingWindow(20, 4), Mask::listed()});
  for (LengthFacts facts : {LengthFacts(), known(64, 64), known(50, 70)}) {
    Plan plan = makePlan(mask, {16, 16}, facts);
    ASSERT_TRUE(plan.readsListed());
    EXPECT_EQ(provePlan(mask, plan, facts, 1).verdict, Verdict::Proven);
    Plan others = plan;
    for (Segment &segment : others.classes[0].segments)
      segment.within = Within::of(ListedRow | ListedKey);
    EXPECT_EQ(provePlan(mask, others, facts, 1).reason,
              "a live pair lies in no visited tile");
    for (unsigned fact : {ListedRow, ListedKey}) {
      Plan some = plan;
      for (Segment &segment : some.classes[0].segments)
        if (segment.within.isListed())
          segment.within = Within::of(fact);
      EXPECT_EQ(provePlan(mask, some, facts, 1).reason,
                "a live pair lies in no visited tile");
    }
    Plan full = plan;
    for (Segment &segment : full.classes[0].segments)
      segment.full |= segment.within.isListed();
    Proof refused = provePlan(mask, full, facts, 1);
    EXPECT_EQ(refused.verdict, Verdict::Unsupported);
    EXPECT_EQ(refused.reason, "a tile with a listed token has other rows and "
                              "keys, too, so that it is not full");
  }
}

TEST(CertificateTest, RowsOfALayoutAreSlotsOfIt) {
  Mask mask = Mask::global({5, 9}, 0, 0, Mask::Direction::Rows);
  TileExpr tiles = TileExpr::numKeys().ceilDiv(16);
  RowClass cls;
  cls.layout = Layout::list({5, 9}, 1, 16);
  cls.segments.push_back({TileExpr::constant(0), tiles, false});
  auto reasonOf = [&](int64_t begin, int64_t end, LengthFacts facts) {
    cls.rowBegin = TileExpr::constant(begin);
    cls.rowEnd = TileExpr::constant(end);
    return provePlan(mask, {{16, 16}, {cls}}, facts, 1).reason;
  };
  for (LengthFacts facts : {LengthFacts(), known(40, 40)}) {
    for (auto [begin, end] : {std::pair(0, 3), std::pair(-1, 2)})
      EXPECT_EQ(reasonOf(begin, end, facts),
                "a row class has slots that its layout does not have");
    EXPECT_EQ(reasonOf(0, 1, facts), "a live pair lies in no visited tile");
  }
  EXPECT_EQ(reasonOf(0, 2, {}), "no violation exists at any of the lengths");
  EXPECT_EQ(reasonOf(0, 2, known(40, 40)), "every row was checked");
  Mask::RandomOptions options;
  cls.draws.push_back({options, TileExpr::constant(0), tiles});
  EXPECT_EQ(reasonOf(0, 2, {}),
            "blocks are drawn for rows that stand in a layout");
}

// Lists are told apart by their numbers, not by cases of a search.
TEST(CertificateTest, ManyTokensAreProvenAtAllLengths) {
  for (int64_t count : {17, 100, 500}) {
    llvm::SmallVector<int64_t> tokens;
    for (int64_t k = 0; k < count; ++k)
      tokens.push_back(50 * k + k % 7);
    for (const Mask &mask :
         {longformer(64, tokens),
          Mask::intersectionOf({Mask::causal(), longformer(64, tokens)})}) {
      Plan plan = makePlan(mask, {32, 32}, {}, /*losses=*/nullptr,
                           KeyLayouts::Any, RowLayouts::Any);
      Proof proof = provePlan(mask, plan, {}, 1);
      EXPECT_EQ(proof.verdict, Verdict::Proven)
          << count << " tokens: " << proof.reason;
    }
  }
}

TEST(CertificateTest, SaysWhatItDoesNotSupport) {
  Mask mask = Mask::causal();
  Plan plan = makePlan(mask, {16, 16}, {});
  EXPECT_EQ(provePlan(mask, {{0, 16}, plan.classes}, {}, 1).reason,
            "tile sizes must be positive");
  EXPECT_EQ(provePlan(mask, plan, known(0, 5), 1).reason,
            "lengths must be at least 1");
  llvm::SmallVector<Mask> diagonals;
  for (int64_t k = 0; k < 80; ++k)
    diagonals.push_back(Mask::slidingWindow(3 * k, -3 * k));
  Mask large = Mask::unionOf(diagonals);
  EXPECT_EQ(provePlan(large, makePlan(large, {16, 16}, {}), {}, 1).reason,
            "the mask is a union of too many pieces");
  Plan huge = plan;
  huge.classes[0].segments[0].end = TileExpr::constant(int64_t(1) << 60);
  EXPECT_EQ(provePlan(mask, huge, {}, 1).reason,
            "a bound of the plan has a number beyond 2^56");
  plan.classes[0].rowBegin = TileExpr::queryTile();
  EXPECT_EQ(provePlan(mask, plan, {}, 1).reason,
            "the row bounds of a class depend on q");
}

} // namespace
