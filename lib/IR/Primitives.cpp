//===- Primitives.cpp - The primitive masks as attributes -----------------===//
//
// Each mask: its value and its verifier. The formulas are those
// of docs/Patterns.md.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

using ErrorEmitter = llvm::function_ref<InFlightDiagnostic()>;

/// Rejects value <= 0 with the parameter's name.
static LogicalResult verifyPositive(ErrorEmitter emitError, StringRef name,
                                    int64_t value) {
  if (value >= 1)
    return success();
  return emitError() << "'" << name << "' must be at least 1, got " << value;
}

//===----------------------------------------------------------------------===//
// full, causal, prefix, chunked, strided, periodic_columns, periodic_rows
//===----------------------------------------------------------------------===//

Mask FullAttr::getMask(std::optional<int64_t>) const { return Mask::full(); }

Mask CausalAttr::getMask(std::optional<int64_t>) const {
  return Mask::causal();
}

Mask PrefixAttr::getMask(std::optional<int64_t>) const {
  return Mask::prefix(getLength());
}

LogicalResult PrefixAttr::verify(ErrorEmitter emitError, int64_t length) {
  return verifyPositive(emitError, "length", length);
}

Mask ChunkedAttr::getMask(std::optional<int64_t>) const {
  return Mask::chunked(getSize());
}

LogicalResult ChunkedAttr::verify(ErrorEmitter emitError, int64_t size) {
  return verifyPositive(emitError, "size", size);
}

Mask StridedAttr::getMask(std::optional<int64_t>) const {
  return Mask::strided(getStride());
}

LogicalResult StridedAttr::verify(ErrorEmitter emitError, int64_t stride) {
  return verifyPositive(emitError, "stride", stride);
}

Mask PeriodicColumnsAttr::getMask(std::optional<int64_t>) const {
  return Mask::periodicColumns(getPeriod(), getLast());
}

static LogicalResult verifyPeriod(ErrorEmitter emitError, int64_t period,
                                  int64_t last) {
  if (failed(verifyPositive(emitError, "period", period)) ||
      failed(verifyPositive(emitError, "last", last)))
    return failure();
  if (last > period)
    return emitError() << "'last' must be at most the period, got " << last
                       << " of " << period;
  return success();
}

LogicalResult PeriodicColumnsAttr::verify(ErrorEmitter emitError,
                                          int64_t period, int64_t last) {
  return verifyPeriod(emitError, period, last);
}

Mask PeriodicRowsAttr::getMask(std::optional<int64_t>) const {
  return Mask::periodicRows(getPeriod(), getLast());
}

LogicalResult PeriodicRowsAttr::verify(ErrorEmitter emitError, int64_t period,
                                       int64_t last) {
  return verifyPeriod(emitError, period, last);
}

//===----------------------------------------------------------------------===//
// sliding_window
//===----------------------------------------------------------------------===//

Mask SlidingWindowAttr::getMask(std::optional<int64_t>) const {
  return Mask::slidingWindow(getLeft().value, getRight().value, getDilation(),
                             getBlock());
}

LogicalResult SlidingWindowAttr::verify(ErrorEmitter emitError,
                                        WindowExtent left, WindowExtent right,
                                        int64_t dilation, int64_t block) {
  for (auto [name, extent] : {std::pair("left", left), {"right", right}})
    if (extent.value && *extent.value < 0)
      return emitError() << "'" << name << "' must not be negative, got "
                         << *extent.value
                         << "; use a smaller window or 'intersection'";
  if (failed(verifyPositive(emitError, "dilation", dilation)) ||
      failed(verifyPositive(emitError, "block", block)))
    return failure();
  if (dilation > 1 && block > 1)
    return emitError() << "'dilation' and 'block' do not combine; write the "
                          "intersection of two windows";
  return success();
}

//===----------------------------------------------------------------------===//
// global
//===----------------------------------------------------------------------===//

Mask GlobalAttr::getMask(std::optional<int64_t>) const {
  auto direction = Mask::Direction::Both;
  if (getDirection() == GlobalDirection::rows)
    direction = Mask::Direction::Rows;
  if (getDirection() == GlobalDirection::columns)
    direction = Mask::Direction::Columns;
  if (getListed())
    return Mask::listed(direction);
  Mask global = Mask::global(getTokens(), getFirst(), getLast(), direction);
  if (getLastBlock() == 0)
    return global;
  return Mask::unionOf({global, Mask::lastBlock(getLastBlock(), direction)});
}

LogicalResult GlobalAttr::verify(ErrorEmitter emitError,
                                 ArrayRef<int64_t> tokens, int64_t first,
                                 int64_t last, int64_t lastBlock, bool listed,
                                 GlobalDirection) {
  bool hasOthers = !tokens.empty() || first != 0 || last != 0 || lastBlock != 0;
  if (listed && hasOthers)
    return emitError() << "'listed' tokens are all that this mask has; write "
                          "the union with a 'global' of the others";
  if (lastBlock < 0)
    return emitError() << "'last_block' must not be negative, got "
                       << lastBlock;
  if (first < 0 || last < 0)
    return emitError() << "'first' and 'last' must not be negative, got "
                       << first << " and " << last;
  if (!listed && !hasOthers)
    return emitError() << "a global mask needs 'tokens', 'first', 'last', "
                          "'last_block' or 'listed'";
  return success();
}

StringRef GlobalAttr::getDataOperandName() const {
  return getListed() ? StringRef(kGlobalTokens) : StringRef();
}

LogicalResult GlobalAttr::verifyLengths(ErrorEmitter emitError,
                                        std::optional<int64_t>,
                                        std::optional<int64_t> nk) const {
  if (!nk)
    return success();
  for (int64_t token : getTokens())
    if (token >= *nk || token < -*nk)
      return emitError() << "global token " << token
                         << " is out of range: the sequence has " << *nk
                         << " keys";
  for (auto [name, count] :
       {std::pair("first", getFirst()), {"last", getLast()}})
    if (count > *nk)
      return emitError() << "'" << name << " = " << count
                         << "' is out of range: the sequence has " << *nk
                         << " keys";
  return success();
}

//===----------------------------------------------------------------------===//
// random
//===----------------------------------------------------------------------===//

Mask::RandomOptions RandomAttr::getRandomOptions() const {
  Mask::RandomOptions options;
  // A longer block holds every position, too.
  options.block = std::min(getBlock(), maxSequenceLength);
  options.blocksPerRow = getBlocksPerRow();
  options.seed = getSeed();
  options.perHead = getPerHead();
  options.bigBirdWindowRadius = getBigbirdRadius();
  return options;
}

Mask RandomAttr::getMask(std::optional<int64_t>) const {
  return Mask::random(getRandomOptions());
}

LogicalResult RandomAttr::verify(ErrorEmitter emitError, int64_t block,
                                 int64_t blocksPerRow, uint64_t, bool,
                                 std::optional<int64_t> radius) {
  if (failed(verifyPositive(emitError, "block", block)) ||
      failed(verifyPositive(emitError, "blocks_per_row", blocksPerRow)))
    return failure();
  if (blocksPerRow > kMaxBlocksPerRow)
    return emitError() << "'blocks_per_row' must be at most "
                       << kMaxBlocksPerRow << ", got " << blocksPerRow
                       << ": code grows with it; draw fewer or larger blocks";
  if (radius && (*radius < 0 || *radius > kMaxBigBirdRadius))
    return emitError() << "'bigbird_radius' must be from 0 to "
                       << kMaxBigBirdRadius << ", got " << *radius
                       << ": code grows with it; use larger blocks";
  return success();
}
