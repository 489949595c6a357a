//===- DecomposeSteps.cpp - Steps as linalg on tiles ----------------------===//
//
// Conversion patterns: a state becomes three tensors, which upstream's patterns
// carry through loops and branches, and each op of a step the code of the
// target's TileOps.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Transforms/DecomposeSteps.h"
#include "StateScales.h"
#include "StepPattern.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

Value transforms::withKnownRows(Value tile) {
  auto cast = tile.getDefiningOp<tensor::CastOp>();
  return cast && tensor::canFoldIntoConsumerOp(cast) ? cast.getSource() : tile;
}

/// The tensors of a state.
static SmallVector<Type> tensorsOf(StateType state, const StepTarget &target) {
  OpBuilder b(state.getContext());
  auto tiles = target.tiles(b, b.getUnknownLoc(), {state});
  SmallVector<Type> types = {tiles->rowType(), tiles->rowType(),
                             tiles->tileType(state.getValueSize())};
  if (target.hasFactor(state))
    types.push_back(tiles->rowType());
  if (target.mayRunAgain(state))
    types.push_back(b.getI1Type());
  return types;
}

LogicalResult transforms::decomposeSteps(Operation *root,
                                         const StepTarget &target) {
  if (failed(verifyStateScales(root)))
    return failure();
  MLIRContext *context = root->getContext();
  Decomposition shared{target};
  TypeConverter converter;
  converter.addConversion([](Type type) { return type; });
  converter.addConversion([&](StateType state, SmallVectorImpl<Type> &results) {
    llvm::append_range(results, tensorsOf(state, target));
    return success();
  });
  RewritePatternSet patterns(context);
  populateStepPatterns(patterns, converter, shared);
  if (!target.copiesRows())
    populateGatherPatterns(patterns, converter);
  if (!target.writesRows())
    populateScatterPatterns(patterns, converter);
  populateStatePatterns(patterns, converter, shared);
  populateStoredPatterns(patterns, converter, shared);
  populateResultPatterns(patterns, converter, shared);
  ConversionTarget legality(*context);
  legality.addIllegalOp<StepOp, InitialStateOp, SettleOp, RestartOp,
                        StoreStateOp, MergeStoredOp, ResultStateOp,
                        MergeStatesOp, FinishOp, IsTrustedOp>();
  if (!target.copiesRows())
    legality.addIllegalOp<GatherRowsOp>();
  if (!target.writesRows())
    legality.addIllegalOp<ScatterRowsOp>();
  legality.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       legality);
  return applyPartialConversion(root, legality, std::move(patterns));
}
