//===- GridTest.cpp - The order of a grid's blocks ------------------------===//
//
// Indices are emitted as arithmetic on the block's number; with sizes that are
// known it folds for each block in turn.
//
//===----------------------------------------------------------------------===//

#include "Launch/Grid.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <set>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
using Indices = std::vector<int64_t>;

class GridTest : public ::testing::Test {
protected:
  GridTest() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        memref::MemRefDialect, scf::SCFDialect,
                        vector::VectorDialect>();
  }

  /// A grid of batches x heads x tiles blocks that go along arrays of `keys`
  /// keys of 64 bytes.
  void parse(int64_t batches, int64_t heads, int64_t tiles, int64_t keys) {
    std::string array = "memref<" + std::to_string(batches) + "x" +
                        std::to_string(heads) + "x" + std::to_string(keys) +
                        "x16xf32>";
    module = parseSourceString<ModuleOp>(R"mlir(
      func.func @f(%k: )mlir" + array + R"mlir() {
        %zero = arith.constant 0.0 : f32
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        scf.forall (%b, %h, %t) in ()mlir" + std::to_string(batches) +
                                             ", " + std::to_string(heads) +
                                             ", " + std::to_string(tiles) +
                                             R"mlir() {
          scf.for %i = %c0 to %t step %c1 {
            %tile = vector.transfer_read %k[%b, %h, %i, %c0], %zero
                : )mlir" + array + R"mlir(, vector<16x16xf32>
          }
        }
        return
      })mlir",
                                         &context);
    ASSERT_TRUE(module);
  }

  /// The indices of every block, in the grid's order.
  std::vector<Indices> blocksInOrder(int64_t cacheBytes) {
    scf::ForallOp forall;
    module->walk([&](scf::ForallOp op) { forall = op; });
    OpBuilder b(forall);
    Location loc = forall.getLoc();
    Grid grid(b, forall, cacheBytes);
    std::vector<Indices> result;
    for (int64_t block = 0, count = known(grid.getBlocks()); block < count;
         ++block) {
      Value number = arith::ConstantIndexOp::create(b, loc, block);
      Indices &indices = result.emplace_back();
      for (Value index : grid.indices(b, loc, number))
        indices.push_back(known(index));
    }
    return result;
  }

  static int64_t known(Value value) {
    APInt constant;
    EXPECT_TRUE(matchPattern(value, m_ConstantInt(&constant)));
    return constant.getSExtValue();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

TEST_F(GridTest, BlocksAreTheIterationsEachOnce) {
  for (int64_t heads : {1, 3, 7})
    for (int64_t tiles : {1, 4, 5})
      for (int64_t headsOfCache : {0, 1, 2, 3, 100}) {
        parse(2, heads, tiles, /*keys=*/128);
        std::vector<Indices> blocks = blocksInOrder(headsOfCache * 128 * 64);
        EXPECT_EQ(std::set(blocks.begin(), blocks.end()).size(),
                  static_cast<size_t>(2 * heads * tiles));
        EXPECT_EQ(blocks.size(), static_cast<size_t>(2 * heads * tiles));
        for (const Indices &at : blocks)
          EXPECT_TRUE(at[0] >= 0 && at[0] < 2 && at[1] >= 0 && at[1] < heads &&
                      at[2] >= 0 && at[2] < tiles);
      }
}

// Groups of two of three heads: the one that is left is the first to run.
TEST_F(GridTest, LaterTilesComeFirstAmongHeadsThatFitTheCache) {
  parse(1, 3, 2, /*keys=*/100);
  EXPECT_EQ(
      blocksInOrder(2 * 100 * 64),
      (std::vector<Indices>{
          {0, 2, 1}, {0, 2, 0}, {0, 1, 1}, {0, 0, 1}, {0, 1, 0}, {0, 0, 0}}));
}

TEST_F(GridTest, HeadsWhoseKeysDoNotFitRunOneAfterAnother) {
  parse(1, 2, 2, /*keys=*/100);
  EXPECT_EQ(blocksInOrder(100 * 64 - 1),
            (std::vector<Indices>{{0, 1, 1}, {0, 1, 0}, {0, 0, 1}, {0, 0, 0}}));
}

TEST_F(GridTest, ArraysWithoutRowsMakeNoGroupOfMoreThanAllHeads) {
  parse(1, 2, 1, /*keys=*/0);
  EXPECT_EQ(blocksInOrder(1 << 20),
            (std::vector<Indices>{{0, 1, 0}, {0, 0, 0}}));
}
