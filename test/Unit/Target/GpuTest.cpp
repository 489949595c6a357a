//===- GpuTest.cpp - GPUs that kernels are made for -----------------------===//

#include "SparseAttn/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::target;

static llvm::SmallVector<std::string> names() {
  std::string all = knownGpus();
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(all).split(parts, ", ");
  return llvm::SmallVector<std::string>(parts.begin(), parts.end());
}

TEST(GpuTargetTest, EveryNamedChipIsFound) {
  EXPECT_GE(names().size(), 6u);
  for (const std::string &name : names()) {
    const GpuTarget *chip = findGpu(name);
    ASSERT_TRUE(chip) << name;
    EXPECT_EQ(chip->name, name);
  }
}

TEST(GpuTargetTest, OthersAreNot) {
  for (const char *name : {"", "sm_70", "sm_75", "sm_8", "sm_800", "SM_80",
                           "sm_80 ", "compute_80"})
    EXPECT_FALSE(findGpu(name)) << name;
}

TEST(GpuTargetTest, FamiliesHaveTheLimitsOfTheirBase) {
  for (const std::string &name : names()) {
    if (name.back() != 'a')
      continue;
    const GpuTarget *base = findGpu(llvm::StringRef(name).drop_back());
    ASSERT_TRUE(base) << name;
    EXPECT_EQ(findGpu(name)->sharedLimit, base->sharedLimit);
    EXPECT_GE(findGpu(name)->ptxVersion, base->ptxVersion);
  }
}

/// A KiB of a multiprocessor's shared memory goes to the system, for each
/// block: 164, 100 and 228 KiB less one.
TEST(GpuTargetTest, SharedMemoryIsWhatOneBlockMayHave) {
  EXPECT_EQ(findGpu("sm_80")->sharedLimit, (164 - 1) * 1024);
  EXPECT_EQ(findGpu("sm_86")->sharedLimit, (100 - 1) * 1024);
  EXPECT_EQ(findGpu("sm_89")->sharedLimit, (100 - 1) * 1024);
  EXPECT_EQ(findGpu("sm_90")->sharedLimit, (228 - 1) * 1024);
  EXPECT_EQ(findGpu("sm_100")->sharedLimit, (228 - 1) * 1024);
  EXPECT_EQ(findGpu("sm_120")->sharedLimit, (100 - 1) * 1024);
}

TEST(GpuTargetTest, FeaturesNameThePTXVersion) {
  EXPECT_EQ(findGpu("sm_80")->features(), "+ptx71");
  EXPECT_EQ(findGpu("sm_90a")->features(), "+ptx80");
  // mma.sync, ldmatrix and cp.async are there from PTX 7.0 on.
  for (const std::string &name : names())
    EXPECT_GE(findGpu(name)->ptxVersion, 70u);
}

constexpr int64_t kAny = INT64_MAX;

TEST(GpuTargetTest, EveryHeadOf16And32BitsHasALargestTile) {
  for (const GpuTarget &gpu : getGpus())
    for (int64_t elementBytes : {2, 4})
      EXPECT_TRUE(
          llvm::any_of(gpu.tiles->largest, [&](const LargestTile &tile) {
            return gpu.maxHalfHeadSize <= tile.headDim &&
                   elementBytes <= tile.elementBytes;
          }));
}

/// A step of a product takes 16 rows and 16 keys.
TEST(GpuTargetTest, TilesAreWholeProducts) {
  for (const GpuTarget &gpu : getGpus()) {
    const TileRules &tiles = *gpu.tiles;
    for (const TileSize &size : {tiles.usual, tiles.window, tiles.narrow,
                                 tiles.block, tiles.granule}) {
      EXPECT_EQ(size.queries % gpu.warps.rows, 0);
      EXPECT_EQ(size.keys % 16, 0);
    }
    for (const LargestTile &largest : tiles.largest) {
      const TileSize &most = largest.most;
      EXPECT_TRUE(most.queries == kAny || most.queries % gpu.warps.rows == 0);
      EXPECT_TRUE(most.keys == kAny || most.keys % 16 == 0);
    }
    EXPECT_EQ(gpu.warps.wideRows % gpu.warps.rows, 0);
    EXPECT_EQ(gpu.warps.wideTileRows % gpu.warps.wideRows, 0);
  }
}

/// PTX has instructions for pairs of f32 numbers from 8.6 (sm_100) on.
TEST(GpuTargetTest, PairsHaveALimitWherePTXKnowsThem) {
  for (const GpuTarget &gpu : getGpus())
    EXPECT_EQ(gpu.pairs.mostCarried < kAny, gpu.ptxVersion >= 86)
        << gpu.name.str();
}

/// They came with PTX 7.0 (sm_80), the test of a parity with 7.1, the wait that
/// sleeps with 7.8 (sm_90).
TEST(GpuTargetTest, PTXKnowsMBarriersWhereRingsHaveThem) {
  for (const GpuTarget &gpu : getGpus()) {
    if (gpu.rings.mbarrierAccumulators > 0)
      EXPECT_GE(gpu.ptxVersion, gpu.canSuspend ? 78u : 71u) << gpu.name.str();
    if (gpu.canSuspend)
      EXPECT_GE(gpu.ptxVersion, 78u) << gpu.name.str();
  }
}
