//===- CopyGroups.cpp - Copies counted in groups --------------------------===//

#include "CopyGroups.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// The age of a token that stands for no copy.
constexpr int64_t kNothing = int64_t(1) << 40;

/// The operation behind which the copies of `token` are committed: a token that
/// only a join takes, or only the branch around it hands on, has no group of
/// its own.
static Operation *findCommit(Value token) {
  while (token.hasOneUse()) {
    OpOperand &use = *token.use_begin();
    Operation *user = use.getOwner();
    auto branch = dyn_cast<scf::IfOp>(user->getParentOp());
    if (isa<JoinOp, FillOp>(user) && user->getBlock() == token.getParentBlock())
      token = user->getResult(0);
    else if (isa<scf::YieldOp>(user) && branch)
      token = branch.getResult(use.getOperandNumber());
    else
      break;
  }
  return token.getDefiningOp();
}

std::optional<int64_t> CopyGroups::ageOf(Value token) const {
  auto birth = births.find(token);
  if (birth == births.end())
    return std::nullopt;
  return std::min(committed - birth->second, kNothing);
}

FailureOr<int64_t> CopyGroups::requireAge(Operation *op, Value token) const {
  if (std::optional<int64_t> age = ageOf(token))
    return *age;
  return op->emitOpError("takes a token from outside of the kernel");
}

void CopyGroups::commitBehind(Operation *op, Value token) {
  if (commits.contains(op))
    setAge(token, 0);
}

FailureOr<CopyGroups> CopyGroups::count(Block &block) {
  CopyGroups groups;
  block.walk(
      [&](StageOp op) { groups.commits.insert(findCommit(op.getToken())); });
  if (failed(groups.countIn(block)))
    return failure();
  return groups;
}

LogicalResult CopyGroups::countIn(Block &block) {
  for (Operation &op : block)
    if (failed(countThrough(&op)))
      return failure();
  return success();
}

static bool isToken(Value value) { return isa<TokenType>(value.getType()); }

LogicalResult CopyGroups::countThrough(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return countIn(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return countIn(branch);
  if (auto join = dyn_cast<JoinOp>(op)) {
    countJoined(join, join.getTokens(), join.getToken());
    return success();
  }
  if (auto fill = dyn_cast<FillOp>(op)) {
    countJoined(fill, fill.getTokens(), fill.getToken());
    return success();
  }
  if (auto wait = dyn_cast<WaitOp>(op))
    return countIn(wait);
  if (auto stage = dyn_cast<StageOp>(op)) {
    committed += commits.contains(op);
    commitBehind(op, stage.getToken());
    return success();
  }
  auto takesPart = [](Operation *inner) {
    return isa<StageOp, WaitOp, JoinOp, FillOp>(inner) ||
           llvm::any_of(inner->getResults(), isToken);
  };
  auto found = op->walk([&](Operation *inner) {
    return takesPart(inner) ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (found.wasInterrupted())
    return op->emitOpError("moves copies into shared memory, whose groups are "
                           "counted through scf.for and scf.if only");
  return success();
}

void CopyGroups::countJoined(Operation *join, ValueRange tokens, Value token) {
  int64_t age = kNothing;
  bool isCommitted = true;
  for (Value joined : tokens) {
    std::optional<int64_t> known = ageOf(joined);
    isCommitted &= known.has_value();
    age = std::min(age, known.value_or(kNothing));
  }
  if (isCommitted)
    return setAge(token, age);
  committed += commits.contains(join);
  commitBehind(join, token);
}

LogicalResult CopyGroups::countIn(WaitOp wait) {
  if (wait.getRing())
    return success();
  int64_t age = kNothing;
  for (Value token : wait.getTokens()) {
    FailureOr<int64_t> known = requireAge(wait, token);
    if (failed(known))
      return failure();
    age = std::min(age, *known);
  }
  waits[wait] = age == kNothing ? std::nullopt : std::optional<int64_t>(age);
  return success();
}

/// Behind a branch as many groups are committed as on the way with fewer, and a
/// token is as young as on the way where it is younger.
LogicalResult CopyGroups::countIn(scf::IfOp branch) {
  int64_t before = committed, after = 0;
  SmallVector<std::optional<int64_t>> ages(branch.getNumResults(), kNothing);
  bool isFirst = true;
  for (Region *region : branch.getRegions()) {
    committed = before;
    if (!region->empty()) {
      if (failed(countIn(region->front())))
        return failure();
      Operation *yield = region->front().getTerminator();
      for (auto [age, value] : llvm::zip(ages, yield->getOperands())) {
        if (!isToken(value))
          continue;
        std::optional<int64_t> known = ageOf(value);
        age =
            age && known ? std::optional(std::min(*age, *known)) : std::nullopt;
      }
    }
    after = isFirst ? committed : std::min(after, committed);
    isFirst = false;
  }
  committed = after + commits.contains(branch);
  for (auto [result, age] : llvm::zip(branch.getResults(), ages)) {
    if (!isToken(result))
      continue;
    if (age)
      setAge(result, std::min(*age + commits.contains(branch), kNothing));
    else
      commitBehind(branch, result);
  }
  return success();
}

/// A token that a loop carries is as young as where it comes from: from outside
/// in the first iteration, from the end of the one before in others. What
/// stands before the loop only grows older by it, and may not run at all.
LogicalResult CopyGroups::countIn(scf::ForOp loop) {
  int64_t before = committed;
  SmallVector<int64_t> ages(loop.getNumResults());
  for (auto [init, age] : llvm::zip(loop.getInitArgs(), ages)) {
    if (!isToken(init))
      continue;
    FailureOr<int64_t> known = requireAge(loop, init);
    if (failed(known))
      return failure();
    age = *known;
  }
  bool changes = true;
  while (changes) {
    committed = before;
    for (auto [arg, age] : llvm::zip(loop.getRegionIterArgs(), ages))
      if (isToken(arg))
        setAge(arg, age);
    if (failed(countIn(*loop.getBody())))
      return failure();
    changes = false;
    for (auto [value, age] : llvm::zip(loop.getYieldedValues(), ages)) {
      if (!isToken(value))
        continue;
      FailureOr<int64_t> known = requireAge(loop, value);
      if (failed(known))
        return failure();
      changes |= *known < age;
      age = std::min(age, *known);
    }
  }
  committed = before;
  for (auto [result, age] : llvm::zip(loop.getResults(), ages))
    if (isToken(result))
      setAge(result, age);
  return success();
}
