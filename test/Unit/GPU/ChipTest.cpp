//===- ChipTest.cpp - GPUs that kernels are made for ----------------------===//

#include "SparseAttn/GPU/Chip.h"
#include "llvm/ADT/SmallVector.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static llvm::SmallVector<std::string> names() {
  std::string all = knownChips();
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(all).split(parts, ", ");
  return llvm::SmallVector<std::string>(parts.begin(), parts.end());
}

TEST(Chip, EveryNamedChipIsFound) {
  EXPECT_GE(names().size(), 6u);
  for (const std::string &name : names()) {
    std::optional<Chip> chip = findChip(name);
    ASSERT_TRUE(chip) << name;
    EXPECT_EQ(chip->name, name);
  }
}

TEST(Chip, OthersAreNot) {
  for (const char *name : {"", "sm_70", "sm_75", "sm_8", "sm_800", "SM_80",
                           "sm_80 ", "compute_80"})
    EXPECT_FALSE(findChip(name)) << name;
}

TEST(Chip, FamiliesHaveTheLimitsOfTheirBase) {
  for (const std::string &name : names()) {
    if (name.back() != 'a')
      continue;
    std::optional<Chip> base = findChip(llvm::StringRef(name).drop_back());
    ASSERT_TRUE(base) << name;
    EXPECT_EQ(findChip(name)->sharedLimit, base->sharedLimit);
    EXPECT_GE(findChip(name)->ptxVersion, base->ptxVersion);
  }
}

/// A KiB of a multiprocessor's shared memory goes to the system, for each
/// block: 164, 100 and 228 KiB less one.
TEST(Chip, SharedMemoryIsWhatOneBlockMayHave) {
  EXPECT_EQ(findChip("sm_80")->sharedLimit, (164 - 1) * 1024);
  EXPECT_EQ(findChip("sm_86")->sharedLimit, (100 - 1) * 1024);
  EXPECT_EQ(findChip("sm_89")->sharedLimit, (100 - 1) * 1024);
  EXPECT_EQ(findChip("sm_90")->sharedLimit, (228 - 1) * 1024);
  EXPECT_EQ(findChip("sm_100")->sharedLimit, (228 - 1) * 1024);
  EXPECT_EQ(findChip("sm_120")->sharedLimit, (100 - 1) * 1024);
}

TEST(Chip, FeaturesNameThePTXVersion) {
  EXPECT_EQ(findChip("sm_80")->features(), "+ptx70");
  EXPECT_EQ(findChip("sm_90a")->features(), "+ptx80");
  // mma.sync, ldmatrix and cp.async are there from PTX 7.0 on.
  for (const std::string &name : names())
    EXPECT_GE(findChip(name)->ptxVersion, 70u);
}
