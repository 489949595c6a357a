//===- EmitMaskTest.cpp - Code of masks against their formula -------------===//
//
// The code that is generated for random masks, interpreted here, says what
// `contains` says.
//
//===----------------------------------------------------------------------===//

#include "ArithOracle.h"
#include "FuzzOptions.h"
#include "Mask/RandomMask.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/MLIRContext.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::test;

namespace {

/// A pair, and what code may ask besides.
struct Pair {
  Lengths n;
  int64_t head, i, j;
};

/// Code of one mask, to be run for any pair.
class Code {
public:
  Code(MLIRContext &context, const mask::Mask &mask, bool mayPassEnd) {
    OpBuilder b(&context);
    b.setInsertionPointToStart(&block);
    Location loc = b.getUnknownLoc();
    MaskPosition at;
    for (Value *value : {&at.i, &at.j, &at.n, &at.batch, &at.head})
      *value = block.addArgument(b.getI32Type(), loc);
    at.drawnBlock = [&](OpBuilder &, Location,
                        const mask::Mask::RandomOptions &options,
                        Value rowBlock, int64_t t) {
      draws.push_back({options, t});
      return ask(b, rowBlock, draws.size() - 1, "test.draw", b.getI32Type());
    };
    mask::Predicate predicate = makePredicate(mask);
    if (mayPassEnd)
      predicate = amongKeys(std::move(predicate));
    result = emitPredicate(b, loc, predicate, at,
                           [&](OpBuilder &, Location, const MaskNode &leaf) {
                             leaves.push_back(&leaf);
                             return ask(b, at.j, leaves.size() - 1, "test.leaf",
                                        b.getI1Type());
                           });
  }

  bool run(const Pair &pair) {
    int64_t inputs[] = {pair.i, pair.j, pair.n.nk, /*batch=*/0, pair.head};
    for (auto [argument, value] : llvm::zip_equal(block.getArguments(), inputs))
      values[argument] = value;
    for (Operation &op : block)
      values[op.getResult(0)] = evaluate(op, pair);
    return values.at(result);
  }

  Block block;

private:
  static Value ask(OpBuilder &b, Value operand, size_t number, StringRef name,
                   Type type) {
    OperationState state(b.getUnknownLoc(), name);
    state.addOperands(operand);
    state.addTypes(type);
    state.addAttribute("number", b.getI64IntegerAttr(number));
    return b.create(state)->getResult(0);
  }

  int64_t evaluate(Operation &op, const Pair &pair) const;

  DenseMap<Value, int64_t> values;
  SmallVector<std::pair<mask::Mask::RandomOptions, int64_t>> draws;
  SmallVector<const MaskNode *> leaves;
  Value result;
};

int64_t Code::evaluate(Operation &op, const Pair &pair) const {
  auto number = [&] {
    return op.getAttrOfType<IntegerAttr>("number").getInt();
  };
  if (op.getName().getStringRef() == "test.leaf")
    return leaves[number()]->contains(pair.n, pair.head, pair.i, pair.j);
  if (op.getName().getStringRef() == "test.draw") {
    auto [options, t] = draws[number()];
    auto drawn = drawRandomBlocks(options, pair.n.nk, pair.head,
                                  values.at(op.getOperand(0)));
    return t < int64_t(drawn.size()) ? drawn[t] : -1;
  }
  return evaluateArith(op, values);
}

class EmitMaskTest : public ::testing::Test {
protected:
  EmitMaskTest() {
    context.loadDialect<arith::ArithDialect>();
    context.allowUnregisteredDialects();
  }

  size_t count(const mask::Mask &mask, bool mayPassEnd) {
    return Code(context, mask, mayPassEnd).block.getOperations().size();
  }

  MLIRContext context;
};

TEST_F(EmitMaskTest, CodeOfRandomMasksSaysWhatContainsSays) {
  for (int seed = 0, cases = fuzzCases(5000); seed < cases; ++seed) {
    std::mt19937_64 rng(seed);
    mask::Mask mask = randomMask(rng, seed % 5, /*allowOpaque=*/seed % 2);
    Code inside(context, mask, /*mayPassEnd=*/false);
    Code beyond(context, mask, /*mayPassEnd=*/true);
    for (int k = 0; k < 40; ++k) {
      // The lengths of code need not be known.
      Pair pair;
      pair.n = randomLengths(rng, k < 4 ? 200 : 30);
      pair.head = pick(rng, 0, 3);
      pair.i = pick(rng, pair.n.firstQuery(), pair.n.nk - 1);
      pair.j = pick(rng, 0, pair.n.nk + 7);
      bool exists = pair.j < pair.n.nk;
      bool expected =
          exists && mask.contains(pair.n, pair.head, pair.i, pair.j);
      ASSERT_EQ(beyond.run(pair), expected)
          << toString(mask) << " at " << pair.i << ", " << pair.j << " of "
          << pair.n.nq << " x " << pair.n.nk << ", seed " << seed;
      if (exists)
        ASSERT_EQ(inside.run(pair), expected) << "seed " << seed;
    }
  }
}

/// Parameters beyond every position, and positions as large as they get.
TEST_F(EmitMaskTest, NothingOverflows) {
  constexpr int64_t huge = int64_t(1) << 40, longest = mask::maxSequenceLength;
  using M = mask::Mask;
  std::vector<M> masks = {
      M::slidingWindow(huge, huge),
      M::slidingWindow(longest - 1, longest - 1),
      M::slidingWindow(longest, longest + 5),
      M::slidingWindow(2 * longest, 0),
      M::slidingWindow(longest / 2, longest / 3, 1, longest / 2),
      M::slidingWindow(3, 3, longest - 1),
      M::slidingWindow(3, 3, longest + 7),
      M::slidingWindow(1, 1, 2 * longest),
      M::slidingWindow(3, 3, 1, 2 * longest),
      M::chunked(longest),
      M::chunked(longest - 1),
      M::chunked(2 * longest),
      M::strided(longest - 1),
      M::strided(2 * longest),
      M::prefix(longest),
      M::periodicColumns(longest, 5),
      M::periodicColumns(2 * longest, longest),
      M::periodicColumns(2 * longest, longest).transpose(),
      M::global({-1, 1, longest - 1, 1 - longest}, longest, longest),
      M::lastBlock(longest),
      M::lastBlock(longest - 1)};
  for (size_t k = 0, e = masks.size(); k < e; ++k)
    masks.push_back(M::complementOf(masks[k]));
  for (const M &mask : masks) {
    Code code(context, mask, /*mayPassEnd=*/false);
    for (Lengths n : {Lengths{longest, longest}, Lengths{longest, 1},
                      Lengths{1, longest}, Lengths{7, longest / 2}})
      for (int64_t i : {n.firstQuery(), n.firstQuery() + 1, int64_t(-1),
                        int64_t(0), n.nk / 2, n.nk - 2, n.nk - 1})
        for (int64_t j :
             {int64_t(0), int64_t(1), n.nk / 3, n.nk / 2, n.nk - 2, n.nk - 1}) {
          if (i < n.firstQuery() || i >= n.nk || j < 0 || j >= n.nk)
            continue;
          ASSERT_EQ(code.run({n, 0, i, j}), mask.contains(n, 0, i, j))
              << toString(mask) << " at " << i << ", " << j << " of " << n.nq
              << " x " << n.nk;
        }
  }
}

TEST_F(EmitMaskTest, CodeIsShort) {
  // A constant, a sum, a comparison.
  EXPECT_EQ(count(mask::Mask::causal(), false), 3u);
  EXPECT_EQ(count(mask::Mask::causal(), true), 3u);
  // Besides, j - low and a constant width.
  EXPECT_EQ(count(mask::Mask::slidingWindow(8, 8), false), 7u);
  EXPECT_EQ(count(mask::Mask::full(), false), 1u);
}

} // namespace
