//===- CpuTest.cpp - Levels of processors ---------------------------------===//

#include "SparseAttn/Target/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::target;

TEST(CpuTargetTest, EveryNamedLevelIsFound) {
  llvm::SmallVector<llvm::StringRef> names;
  std::string all = knownCpus();
  llvm::StringRef(all).split(names, ", ");
  EXPECT_EQ(names.size(), getCpus().size());
  for (llvm::StringRef name : names) {
    ASSERT_TRUE(findCpu(name)) << name.str();
    EXPECT_EQ(findCpu(name)->name, name);
  }
}

TEST(CpuTargetTest, OthersAreNot) {
  for (const char *name : {"", "cpu", "x86-64", "x86-64-v5", "sm_80"})
    EXPECT_FALSE(findCpu(name)) << name;
}

TEST(CpuTargetTest, RegistersAreThoseOfTheInstructionSets) {
  EXPECT_EQ(findCpu("x86-64-v2")->lanes * 32, 128);
  EXPECT_EQ(findCpu("x86-64-v3")->lanes * 32, 256);
  EXPECT_EQ(findCpu("x86-64-v4")->lanes * 32, 512);
  EXPECT_EQ(findCpu("armv8-a")->lanes * 32, 128);
  EXPECT_EQ(findCpu("x86-64-v3")->registers, 16);
  EXPECT_EQ(findCpu("x86-64-v4")->registers, 32);
  EXPECT_EQ(findCpu("armv8-a")->registers, 32);
}

/// A query tile runs in lanes, those of the widest vectors in whole ones.
TEST(CpuTargetTest, TilesAreWholeVectors) {
  for (const CpuTarget &cpu : getCpus()) {
    const TileRules &tiles = *cpu.tiles;
    for (const TileSize &size :
         {tiles.usual, tiles.window, tiles.narrow, tiles.block}) {
      EXPECT_EQ(size.queries % tiles.granule.queries, 0);
      EXPECT_EQ(size.keys % tiles.granule.keys, 0);
    }
    EXPECT_EQ(tiles.granule.queries % cpu.lanes, 0);
  }
}
