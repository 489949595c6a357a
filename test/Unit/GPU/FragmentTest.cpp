//===- FragmentTest.cpp - What one thread holds of a tile -----------------===//
//
// Rows and columns are emitted as arithmetic on the lane; here that arithmetic
// is folded for each thread in turn, and the whole block compared with the
// layout that Fragment.h draws.
//
//===----------------------------------------------------------------------===//

#include "Fragments/Fragment.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/FoldUtils.h"
#include "gtest/gtest.h"
#include <map>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
class FragmentTest : public ::testing::Test {
protected:
  FragmentTest() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect, gpu::GPUDialect,
                        NVVM::NVVMDialect, vector::VectorDialect>();
  }

  /// The threads of a launch of that many warps, at the start of its body.
  Threads makeThreads(int64_t warps) {
    module = ModuleOp::create(UnknownLoc::get(&context));
    b.setInsertionPointToStart(module->getBody());
    Location loc = b.getUnknownLoc();
    auto func = func::FuncOp::create(b, loc, "f", b.getFunctionType({}, {}));
    b.setInsertionPointToStart(func.addEntryBlock());
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value size = arith::ConstantIndexOp::create(b, loc, 32 * warps);
    auto launch = gpu::LaunchOp::create(b, loc, one, one, one, size, one, one);
    b.setInsertionPointToStart(&launch.getBody().front());
    threadId = launch.getThreadIds().x;
    return Threads(b, launch, warps);
  }

  /// What `value` is in thread number `thread`.
  int64_t evaluate(Value value, int64_t thread) {
    if (value == threadId)
      return thread;
    Operation *op = value.getDefiningOp();
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return constant.getSExtValue();
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands())
      operands.push_back(
          b.getIntegerAttr(operand.getType(), evaluate(operand, thread)));
    SmallVector<OpFoldResult> results;
    EXPECT_TRUE(succeeded(op->fold(operands, results)) && results.size() == 1);
    if (auto same = dyn_cast<Value>(results.front()))
      return evaluate(same, thread);
    return cast<IntegerAttr>(cast<Attribute>(results.front())).getInt();
  }

  MLIRContext context;
  OpBuilder b{&context};
  OwningOpRef<ModuleOp> module;
  Value threadId;
};
} // namespace

TEST_F(FragmentTest, EveryElementOfATileHasOneThread) {
  constexpr int64_t kRows = 64, kColumns = 24;
  for (int64_t warps : {1, 2, 4}) {
    Threads threads = makeThreads(warps);
    std::map<std::pair<int64_t, int64_t>, int> owners;
    Location loc = b.getUnknownLoc();
    for (int64_t band = 0; band < threads.bands(kRows); ++band)
      for (int64_t half : {0, 1}) {
        Value row = threads.rowOf(b, loc, kRows, band, half);
        for (int64_t c = 0; c < kColumns / 8; ++c) {
          Value column = threads.columnOf(b, loc, c);
          for (int64_t t = 0; t < threads.numThreads(); ++t)
            for (int64_t e : {0, 1})
              ++owners[{evaluate(row, t), evaluate(column, t) + e}];
        }
      }
    EXPECT_EQ(static_cast<int64_t>(owners.size()), kRows * kColumns);
    for (auto [element, count] : owners) {
      EXPECT_LT(element.first, kRows);
      EXPECT_LT(element.second, kColumns);
      EXPECT_EQ(count, 1);
    }
    EXPECT_EQ(threads.count({true, true}, kRows, kColumns) *
                  threads.numThreads(),
              kRows * kColumns);
  }
}

TEST_F(FragmentTest, LanesHoldTheAccumulatorsOfMma) {
  Threads threads = makeThreads(2);
  Location loc = b.getUnknownLoc();
  for (int64_t warp = 0; warp < 2; ++warp)
    for (int64_t lane = 0; lane < 32; ++lane) {
      int64_t thread = 32 * warp + lane, g = lane / 4, t = lane % 4;
      EXPECT_EQ(evaluate(threads.group, thread), g);
      EXPECT_EQ(evaluate(threads.quad, thread), t);
      auto row = [&](int64_t rows, int64_t band, int64_t half) {
        return evaluate(threads.rowOf(b, loc, rows, band, half), thread);
      };
      EXPECT_EQ(row(32, 0, 0), 16 * warp + g);
      EXPECT_EQ(row(32, 0, 1), 16 * warp + g + 8);
      // Two bands: the second starts below the warp's first.
      EXPECT_EQ(row(64, 0, 0), 32 * warp + g);
      EXPECT_EQ(row(64, 1, 0), 32 * warp + 16 + g);
      EXPECT_EQ(evaluate(threads.columnOf(b, loc, 3), thread), 24 + 2 * t);
    }
}

TEST_F(FragmentTest, RowsAndColumnsAreHeldOnce) {
  Threads threads = makeThreads(4);
  EXPECT_EQ(threads.count({true, false}, 128, 64), 4);
  EXPECT_EQ(threads.count({false, true}, 128, 64), 16);
  EXPECT_EQ(threads.count({false, false}, 128, 64), 1);
  EXPECT_EQ(threads.count({true, true}, 128, 64), 64);
}

/// [band][c][half][e] of a tile are [band][half] of its rows and [c][e] of its
/// columns.
TEST_F(FragmentTest, VectorsGrowToTiles) {
  Threads threads = makeThreads(1);
  Location loc = b.getUnknownLoc();
  auto places = [&](Extent extent, int64_t count) {
    Fragment fragment;
    fragment.extent = extent;
    fragment.lanes = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(VectorType::get({count}, b.getF32Type()), 1.0f));
    Value tile = threads.expand(b, loc, fragment, {true, true}, 32, 16);
    auto shuffle = tile.getDefiningOp<vector::ShuffleOp>();
    return SmallVector<int64_t>(shuffle.getMask());
  };
  EXPECT_EQ(
      places({true, false}, 4),
      SmallVector<int64_t>({0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3}));
  EXPECT_EQ(
      places({false, true}, 4),
      SmallVector<int64_t>({0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3}));
}
