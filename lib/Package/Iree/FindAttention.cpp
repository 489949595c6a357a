//===- FindAttention.cpp - Whether a program is one attention -------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Package/Iree/Iree.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {
/// Reads the function, or says why no op of IREE is what it computes.
class AttentionReader {
public:
  explicit AttentionReader(func::FuncOp func) : func(func) {}

  IreeAttention read() {
    for (AttentionOp op : func.getOps<AttentionOp>())
      attention = op;
    if (attention && attention.hasLse())
      refuse("attention of IREE gives no log-sum-exp");
    else if (!attention || !isAlone())
      refuse("the function is more than one attention of its three arguments");
    else if (attention.changesScores() || !attention.getData().empty())
      refuse("attention of IREE has no data operands, soft cap or scores of "
             "its own");
    else if (getHeads(attention.getQuery()) != getHeads(attention.getKey()) ||
             ShapedType::isDynamic(getHeads(attention.getQuery())))
      refuse("query heads and key heads must be as many, and a number that is "
             "known");
    else
      readMask();
    return std::move(found);
  }

private:
  void refuse(std::string why) { found.whyNone = std::move(why); }

  static int64_t getHeads(Value operand) {
    return cast<ShapedType>(operand.getType()).getDimSize(1);
  }

  bool isAlone() {
    auto end = cast<func::ReturnOp>(func.getBody().front().getTerminator());
    Value operands[] = {attention.getQuery(), attention.getKey(),
                        attention.getValue()};
    return func.getBody().hasOneBlock() && attention.getOrigin().empty() &&
           llvm::equal(func.getArguments(), operands) &&
           end.getNumOperands() == 1 &&
           end.getOperand(0) == attention.getResults().front();
  }

  void readMask() {
    found.scale = attention.getScaleValue();
    llvm::raw_string_ostream(found.elementType)
        << cast<ShapedType>(attention.getQuery().getType()).getElementType();
    std::optional<int64_t> queries = attention.getStaticNumQueries();
    std::optional<int64_t> keys = attention.getStaticNumKeys();
    // A tile of the other corner would be taken for it.
    bool isSquare = queries == keys;
    if (isa<FullAttr>(attention.getMask())) {
      found.mask = IreeAttention::Mask::None;
    } else if (queries && keys) {
      found.isTriangle = isa<CausalAttr>(attention.getMask()) && isSquare;
      readPairs(*queries, *keys);
    } else if (isa<CausalAttr>(attention.getMask()) && isSquare) {
      found.isTriangle = found.mustBeSquare = true;
    } else {
      refuse("only causal masks are recognised where lengths are not known");
    }
  }

  /// The pairs one by one, as a model has them in a constant.
  void readPairs(int64_t queries, int64_t keys) {
    const auto live = attention.getMaskValue();
    found.heads = live.isHeadInvariant() ? 1 : getHeads(attention.getQuery());
    if (found.heads * queries * keys > kMaxPairs) {
      if (!found.isTriangle)
        refuse("the mask has more pairs than a spec lists");
      return;
    }
    mask::Lengths lengths{queries, keys};
    found.queries = queries;
    found.keys = keys;
    for (int64_t head = 0; head < found.heads; ++head)
      for (int64_t row = 0; row < queries; ++row)
        for (int64_t key = 0; key < keys; ++key)
          found.pairs.push_back(
              live.contains(lengths, head, row + keys - queries, key));
  }

  /// A constant of more is slow to read, and not what models have.
  static constexpr int64_t kMaxPairs = 1 << 20;

  func::FuncOp func;
  AttentionOp attention;
  IreeAttention found;
};
} // namespace

IreeAttention package::findAttention(func::FuncOp func) {
  return AttentionReader(func).read();
}
