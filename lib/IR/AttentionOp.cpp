//===- AttentionOp.cpp - sparse_attn.attention ----------------------------===//

#include "DataOperands.h"
#include "Scale.h"
#include "StepSyntax.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <cmath>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

#define GET_OP_CLASSES
#include "SparseAttn/IR/SparseAttnOps.cpp.inc"

double AttentionOp::getScaleValue() {
  if (std::optional<APFloat> scale = getScale())
    return scale->convertToDouble();
  return 1.0 / std::sqrt(double(getQueryType().getDimSize(3)));
}

std::optional<double> AttentionOp::getSoftcapValue() {
  if (std::optional<APFloat> softcap = getSoftcap())
    return softcap->convertToDouble();
  return std::nullopt;
}

bool AttentionOp::changesScores() {
  return getSoftcap() || hasScore() || getDataOperand(kBias) ||
         getDataOperand(kSlopes);
}

AttentionOp AttentionOp::createLike(OpBuilder &b, TypeRange results,
                                    Value query, Value key, Value value,
                                    ValueRange data, ValueRange origin,
                                    ValueRange inits) {
  // The scale of heads of the same size, where it is not given.
  auto copy =
      AttentionOp::create(b, getLoc(), results, getMaskAttr(), getScaleAttr(),
                          getSoftcapAttr(), getPlanAttr(), getDataNamesAttr(),
                          query, key, value, data, origin, inits);
  IRMapping mapping;
  getScore().cloneInto(&copy.getScore(), mapping);
  return copy;
}

//===----------------------------------------------------------------------===//
// Verifier
//===----------------------------------------------------------------------===//

LogicalResult mlir::sparse_attn::verifyScale(Operation *op,
                                             const APFloat &scale) {
  double value = scale.convertToDouble();
  if (std::isfinite(static_cast<float>(value)))
    return success();
  return op->emitOpError() << "scale must be finite in f32, got " << value;
}

/// Rejects what tanh(scale / softcap * score) loses in f32.
static LogicalResult verifySoftcap(AttentionOp op, double softcap) {
  auto isNormal = [](double x) { return std::isnormal(static_cast<float>(x)); };
  if (!(softcap > 0) || !isNormal(softcap))
    return op.emitOpError("softcap must be positive and a normal number of f32")
           << ", got " << softcap << "; leave it out for scores without bound";
  double scale = op.getScaleValue();
  if (scale != 0 && !isNormal(scale / softcap))
    return op.emitOpError(
               "scale / softcap must be a normal number of f32, got ")
           << scale << " / " << softcap;
  return success();
}

/// Rejects two known sizes that differ.
static LogicalResult verifySameDim(AttentionOp op, StringRef what, Type a,
                                   unsigned dimA, Type b, unsigned dimB) {
  std::optional<int64_t> x = staticDim(cast<ShapedType>(a), dimA);
  std::optional<int64_t> y = staticDim(cast<ShapedType>(b), dimB);
  if (!x || !y || *x == *y)
    return success();
  return op.emitOpError() << what << " differ: " << *x << " and " << *y;
}

static LogicalResult verifyOperandTypes(AttentionOp op) {
  Type element = op.getQueryType().getElementType();
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return op.emitOpError("element type must be f16, bf16 or f32, got ")
           << element;
  for (auto [name, type] : {std::pair("query", op.getQueryType()),
                            {"key", op.getKeyType()},
                            {"value", op.getValueType()}}) {
    if (type.getRank() != 4)
      return op.emitOpError() << name << " must have rank 4 [batch, heads, "
                              << "sequence, head size], got " << type;
    if (type.getElementType() != element)
      return op.emitOpError() << "query, key and value must share one element "
                              << "type, got " << element << " and "
                              << type.getElementType() << " for " << name;
    if (type.isDynamicDim(3))
      return op.emitOpError()
             << "head size of " << name << " must be static, got " << type;
    // A batch and a sequence may be empty; a group of heads may not.
    for (unsigned dim : {1, 3})
      if (!type.isDynamicDim(dim) && type.getDimSize(dim) == 0)
        return op.emitOpError()
               << name << " has no "
               << (dim == 1 ? "heads" : "elements in a head") << ": " << type;
  }
  return success();
}

static LogicalResult verifyOperandShapes(AttentionOp op) {
  Type q = op.getQueryType(), k = op.getKeyType(), v = op.getValueType();
  bool isPaged = bool(op.getDataOperand(kPageTable));
  if (!isPaged &&
      failed(verifySameDim(op, "batch sizes of query and key", q, 0, k, 0)))
    return failure();
  StringRef batches =
      isPaged ? "page counts of key and value" : "batch sizes of key and value";
  StringRef lengths = isPaged ? "page sizes of key and value"
                              : "sequence lengths of key and value";
  if (failed(verifySameDim(op, batches, k, 0, v, 0)) ||
      failed(verifySameDim(op, "head counts of key and value", k, 1, v, 1)) ||
      failed(verifySameDim(op, lengths, k, 2, v, 2)) ||
      failed(verifySameDim(op, "head sizes of query and key", q, 3, k, 3)))
    return failure();
  std::optional<int64_t> hq = staticDim(op.getQueryType(), 1);
  std::optional<int64_t> hkv = staticDim(op.getKeyType(), 1);
  if (hq && hkv && *hq % *hkv != 0)
    return op.emitOpError()
           << "query heads (" << *hq << ") must be a multiple of key heads ("
           << *hkv << ")";
  return success();
}

/// Rejects what 32-bit positions and 64-bit offsets cannot tell apart.
static LogicalResult verifyMagnitudes(AttentionOp op) {
  for (auto [name, type] : {std::pair("query", op.getQueryType()),
                            {"key", op.getKeyType()},
                            {"value", op.getValueType()}}) {
    if (type.getDimSize(2) >= maxSequenceLength)
      return op.emitOpError()
             << "sequences must be shorter than " << maxSequenceLength
             << ", got " << type.getDimSize(2) << " positions of " << name;
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size) && llvm::MulOverflow(bytes, size, bytes))
        return op.emitOpError() << name << " has more bytes than 64 bits can "
                                << "count: " << type;
  }
  return success();
}

static LogicalResult verifyInits(AttentionOp op) {
  OperandRange inits = op.getInits();
  if (inits.empty() || inits.size() > 2)
    return op.emitOpError() << "expects one init (output) or two (output, "
                            << "log-sum-exp), got " << inits.size();
  auto output = cast<ShapedType>(inits[0].getType());
  Type q = op.getQueryType(), v = op.getValueType();
  if (output.getRank() != 4 ||
      output.getElementType() != op.getQueryType().getElementType())
    return op.emitOpError() << "output must be [batch, query heads, queries, "
                            << "value head size] of the query's element type, "
                            << "got " << output;
  if (failed(verifySameDim(op, "batch sizes of query and output", q, 0, output,
                           0)) ||
      failed(verifySameDim(op, "head counts of query and output", q, 1, output,
                           1)) ||
      failed(verifySameDim(op, "sequence lengths of query and output", q, 2,
                           output, 2)) ||
      failed(
          verifySameDim(op, "head sizes of value and output", v, 3, output, 3)))
    return failure();
  if (!op.hasLse())
    return success();
  auto lse = cast<ShapedType>(inits[1].getType());
  if (lse.getRank() != 3 || !lse.getElementType().isF32())
    return op.emitOpError() << "log-sum-exp must be [batch, query heads, "
                            << "queries] of f32, got " << lse;
  constexpr const char *what[] = {"batch sizes of query and log-sum-exp",
                                  "head counts of query and log-sum-exp",
                                  "sequence lengths of query and log-sum-exp"};
  for (unsigned dim = 0; dim < 3; ++dim)
    if (failed(verifySameDim(op, what[dim], q, dim, lse, dim)))
      return failure();
  return success();
}

static LogicalResult verifyResults(AttentionOp op) {
  bool onTensors = isa<TensorType>(op.getQuery().getType());
  SmallVector<Value> others = {op.getKey(), op.getValue()};
  llvm::append_range(others, op.getData());
  llvm::append_range(others, op.getInits());
  for (Value operand : others)
    if (isa<TensorType>(operand.getType()) != onTensors)
      return op.emitOpError("operands must be all tensors or all memrefs");
  if (!onTensors) {
    if (op->getNumResults() != 0)
      return op.emitOpError("on memrefs has no results");
    return success();
  }
  if (op->getNumResults() != op.getInits().size())
    return op.emitOpError()
           << "expects one result an init, got " << op->getNumResults()
           << " for " << op.getInits().size();
  for (auto [init, result] : llvm::zip(op.getInits(), op.getResults()))
    if (init.getType() != result.getType())
      return op.emitOpError() << "result type " << result.getType()
                              << " differs from its init's " << init.getType();
  return success();
}

static LogicalResult verifyOrigin(AttentionOp op) {
  size_t count = op.getOrigin().size();
  if (count == 0 || count == (op.isPlacedByRow() ? 4 : 2))
    return success();
  if (op.isPlacedByRow())
    return op.emitOpError("origin takes a batch, a head, a row and a number of "
                          "queries where there is data or a score region, got ")
           << count << " values";
  return op.emitOpError("origin takes a head and a position, got ")
         << count << " values";
}

/// Rejects ops in a score region that write, and those that have regions, which
/// no op on tiles has. Ops that read memory are harmless.
static LogicalResult verifyScoreOps(AttentionOp op) {
  WalkResult result = op.getScore().walk([&](Operation *inner) {
    bool onlyReads = isMemoryEffectFree(inner);
    if (auto effects = dyn_cast<MemoryEffectOpInterface>(inner))
      onlyReads =
          effects.onlyHasEffect<MemoryEffects::Read>() || effects.hasNoEffect();
    if (onlyReads && inner->getNumRegions() == 0)
      return WalkResult::advance();
    InFlightDiagnostic error = op.emitOpError(
        "computes scores anew without side effects or branches, and has '");
    error << inner->getName() << "' in its score region";
    error.attachNote(inner->getLoc())
        << (onlyReads ? "use arith.select" : "have it done before");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult AttentionOp::verifyRegions() {
  if (!hasScore())
    return success();
  Builder b(getContext());
  Type f32 = b.getF32Type(), index = b.getIndexType();
  Block &block = getScore().front();
  if (block.getArgumentTypes() != TypeRange{f32, index, index, index, index})
    return emitOpError(
        "score takes a score (f32), and a batch, a head, and the "
        "positions of a query and a key (index)");
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getValue().getType() != f32)
    return emitOpError("score yields one f32");
  return verifyScoreOps(*this);
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyOperandTypes(*this)) || failed(verifyOperandShapes(*this)) ||
      failed(verifyMagnitudes(*this)) || failed(verifyInits(*this)) ||
      failed(verifyResults(*this)))
    return failure();
  if (std::optional<APFloat> scale = getScale();
      scale && failed(verifyScale(*this, *scale)))
    return failure();
  if (std::optional<double> softcap = getSoftcapValue();
      softcap && failed(verifySoftcap(*this, *softcap)))
    return failure();
  if (failed(verifyOrigin(*this)) || failed(verifyData(*this)))
    return failure();
  auto emitError = [&]() { return emitOpError(); };
  return getMask().verifyLengths(emitError, getStaticNumQueries(),
                                 getStaticNumKeys());
}

//===----------------------------------------------------------------------===//
// Effects, shapes
//===----------------------------------------------------------------------===//

void AttentionOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand *input : getDpsInputOperands())
    if (isa<MemRefType>(input->get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), input,
                           SideEffects::DefaultResource::get());
  for (OpOperand &init : getInitsMutable())
    if (isa<MemRefType>(init.get().getType()))
      effects.emplace_back(MemoryEffects::Write::get(), &init,
                           SideEffects::DefaultResource::get());
}

LogicalResult AttentionOp::reifyResultShapes(
    OpBuilder &b, ReifiedRankedShapedTypeDims &reifiedReturnShapes) {
  for (Value init : getInits())
    reifiedReturnShapes.push_back(tensor::getMixedSizes(b, getLoc(), init));
  return success();
}

//===----------------------------------------------------------------------===//
// Canonicalisation
//===----------------------------------------------------------------------===//

namespace {
/// mask(#union<#a, #union<#a, #b>>)  ->  mask(#union<#a, #b>), without the data
/// that only what has gone did read.
struct SimplifyMaskOfAttention : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    MaskAttrInterface simple = simplifyMask(op.getMask());
    if (simple == op.getMask())
      return rewriter.notifyMatchFailure(op, "mask is in canonical form");
    rewriter.modifyOpInPlace(op, [&] {
      op.setMaskAttr(simple);
      eraseUnreadData(op);
    });
    return success();
  }
};
} // namespace

namespace {
/// A cast that only forgets sizes is not needed before attention. Upstream has
/// a pattern for all operations with destinations, which cannot clone a region
/// without a block; this one comes before it.
struct FoldCastsOfAttention : OpRewritePattern<AttentionOp> {
  explicit FoldCastsOfAttention(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/10) {}

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    auto sourceOf = [](Value operand) -> Value {
      auto cast = operand.getDefiningOp<tensor::CastOp>();
      return cast && tensor::canFoldIntoConsumerOp(cast) ? cast.getSource()
                                                         : Value();
    };
    if (llvm::none_of(op->getOperands(), sourceOf))
      return rewriter.notifyMatchFailure(op, "no operand is cast");
    auto withoutCasts = [&](ValueRange operands) {
      return llvm::map_to_vector(operands, [&](Value operand) {
        Value source = sourceOf(operand);
        return source ? source : operand;
      });
    };
    SmallVector<Value> inputs =
        withoutCasts({op.getQuery(), op.getKey(), op.getValue()});
    SmallVector<Value> inits = withoutCasts(op.getInits());
    AttentionOp made = op.createLike(
        rewriter, TypeRange(ValueRange(inits)), inputs[0], inputs[1], inputs[2],
        withoutCasts(op.getData()), op.getOrigin(), inits);
    made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    SmallVector<Value> results;
    for (auto [before, now] : llvm::zip(op->getResults(), made->getResults()))
      results.push_back(before.getType() == now.getType()
                            ? Value(now)
                            : tensor::CastOp::create(rewriter, op.getLoc(),
                                                     before.getType(), now));
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<SimplifyMaskOfAttention, FoldCastsOfAttention>(context);
}
