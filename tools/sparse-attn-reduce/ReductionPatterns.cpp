//===- ReductionPatterns.cpp - Smaller attention that fails alike ---------===//

#include "ReductionPatterns.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Reducer/ReductionPatternInterface.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using Masks = SmallVector<MaskAttrInterface>;

static Masks getSimpler(MaskAttrInterface mask, std::optional<int64_t> nk);

/// Its members, itself without one of them, and itself with a simpler one.
template <typename CombinatorAttr>
static Masks getSimplerCombinators(CombinatorAttr mask,
                                   std::optional<int64_t> nk) {
  ArrayRef<MaskAttrInterface> members = mask.getMembers();
  Masks simpler(members);
  for (size_t index = 0; index < members.size() && members.size() > 2;
       ++index) {
    Masks rest(members);
    rest.erase(rest.begin() + index);
    simpler.push_back(CombinatorAttr::get(mask.getContext(), rest));
  }
  for (auto [index, member] : llvm::enumerate(members))
    for (MaskAttrInterface other : getSimpler(member, nk)) {
      Masks changed(members);
      changed[index] = other;
      simpler.push_back(CombinatorAttr::get(mask.getContext(), changed));
    }
  return simpler;
}

/// Masks with less in them, simplest first. A preset is what it stands for.
static Masks getSimpler(MaskAttrInterface mask, std::optional<int64_t> nk) {
  return llvm::TypeSwitch<Attribute, Masks>(mask)
      .Case<UnionAttr, IntersectionAttr>([&](auto combinator) {
        return getSimplerCombinators(combinator, nk);
      })
      .Case([&](ComplementAttr complement) {
        Masks simpler = {complement.getOperand()};
        for (MaskAttrInterface other : getSimpler(complement.getOperand(), nk))
          simpler.push_back(ComplementAttr::get(mask.getContext(), other));
        return simpler;
      })
      .Case<LongformerAttr, BigBirdAttr, PrefixLMAttr, StreamingAttr,
            SparseTransformerStridedAttr, SparseTransformerFixedAttr>(
          [&](auto preset) { return getSimpler(preset.expand(nk), nk); })
      .Default(Masks());
}

namespace {
/// Takes what leaves the file interesting, one thing at a time: patterns that
/// do not ask are only tried all together, down to where none applies.
struct ReduceAttention : OpRewritePattern<AttentionOp> {
  ReduceAttention(MLIRContext *context, Tester &tester)
      : OpRewritePattern(context), tester(tester) {}

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getPlan() && take(op, rewriter, [&] { op.removePlanAttr(); }))
      return success();
    if (op.getScale() && take(op, rewriter, [&] { op.removeScaleAttr(); }))
      return success();
    if (op.getSoftcap() && take(op, rewriter, [&] { op.removeSoftcapAttr(); }))
      return success();
    for (MaskAttrInterface mask :
         getSimpler(op.getMask(), op.getStaticNumKeys()))
      if (take(op, rewriter, [&] { op.setMaskAttr(mask); }))
        return success();
    return failure();
  }

private:
  /// Whether the file is interesting with the change; undoes it otherwise, and
  /// then the driver does not hear of it, who would come back to the op.
  bool take(AttentionOp op, PatternRewriter &rewriter,
            llvm::function_ref<void()> change) const {
    Attribute before = op->getPropertiesAsAttribute();
    change();
    auto module = op->getParentOfType<ModuleOp>();
    if (module && succeeded(op.verify()) &&
        tester.isInteresting(module).first == Tester::Interestingness::True) {
      rewriter.modifyOpInPlace(op, [] {});
      return true;
    }
    (void)op->setPropertiesFromAttribute(before, /*emitError=*/nullptr);
    return false;
  }

  Tester &tester;
};

struct Reduction : DialectReductionPatternInterface {
  Reduction(Dialect *dialect) : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &patterns) const override {}

  void populateReductionPatternsWithTester(RewritePatternSet &patterns,
                                           Tester &tester) const override {
    patterns.add<ReduceAttention>(patterns.getContext(), tester);
  }
};
} // namespace

void reduce_tool::registerReductionPatterns(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, SparseAttnDialect *dialect) {
    dialect->addInterfaces<Reduction>();
  });
}
