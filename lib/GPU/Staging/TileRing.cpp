//===- TileRing.cpp - Tiles on their way through shared memory ------------===//

#include "TileRing.h"
#include "Form/Elements.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// Emits at `b` the values that `value` depends on inside the loop, with the
/// induction variable replaced as `map` says.
static Value cloneSlice(OpBuilder &b, scf::ForOp loop, Value value,
                        IRMapping &map) {
  if (Value known = map.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != loop.getBody())
    return value;
  llvm::SetVector<Value> operands;
  operands.insert_range(op->getOperands());
  getUsedValuesDefinedAbove(op->getRegions(), operands);
  for (Value operand : operands)
    (void)cloneSlice(b, loop, operand, map);
  b.clone(*op, map);
  return map.lookup(value);
}

/// Starts to copy what `staged` reads, to byte `offset` of `shared`. `valueOf`
/// emits at `b` what is to be taken for a scalar or a buffer that the read, or
/// the numbers of its rows, depend on.
static Value startCopy(OpBuilder &b, StagedRead &staged, Value shared,
                       Value offset, function_ref<Value(Value)> valueOf) {
  TileRead read = staged.read;
  Location loc = read->getLoc();
  auto copy = StageOp::create(b, loc, TokenType::get(b.getContext()),
                              valueOf(read.getSource()), shared, offset,
                              /*thread=*/Value(), read.getRows());
  if (!read.getPositions())
    return copy.getToken();
  OpBuilder::InsertionGuard guard(b);
  Type i32 = b.getI32Type();
  Block *block = b.createBlock(&copy.getPosition(), {}, i32, loc);
  OpBuilder inside = OpBuilder::atBlockEnd(block);
  b.setInsertionPoint(copy);
  kernels::YieldOp::create(
      inside, loc,
      emitElement(inside, read.getPositions(), block->getArgument(0), valueOf));
  return copy.getToken();
}

static Value itself(Value value) { return value; }

/// Reads the tile from shared memory. The read itself stays, as `b` may stand
/// in front of it.
static Value replaceRead(OpBuilder &b, TileRead read, Value shared,
                         Value offset) {
  auto tile =
      StagedTileOp::create(b, read->getLoc(), read.getType(), shared, offset);
  read.getResult().replaceAllUsesWith(tile.getTile());
  return tile.getTile();
}

/// True where `ring` brings tiles that products take together with `queries`.
static bool isUsedWith(Value queries, const Ring &ring) {
  return llvm::any_of(queries.getUsers(), [&](Operation *user) {
    return ring.block->findAncestorOpInBlock(*user);
  });
}

/// Where the tiles of `ring` are waited for first, from outside.
static Operation *waitingIn(Ring &ring) {
  if (scf::ForOp loop = ring.getLoop())
    return loop;
  return ring.reads.front().read.getOperation();
}

StagedQueries kernels::stageQueries(OpBuilder &b, StagedRead &staged,
                                    Value shared, MutableArrayRef<Ring> rings) {
  TileRead read = staged.read;
  DominanceInfo dominance;
  bool isBeforeAll = llvm::all_of(rings, [&](Ring &ring) {
    return !isUsedWith(read.getResult(), ring) ||
           dominance.properlyDominates(read.getResult(), waitingIn(ring));
  });
  b.setInsertionPoint(read.getOperation());
  Value offset =
      arith::ConstantIndexOp::create(b, read->getLoc(), staged.offset);
  Value token = startCopy(b, staged, shared, offset, itself);
  if (!isBeforeAll) {
    WaitOp::create(b, read->getLoc(), token);
    token = Value();
  }
  Value tile = replaceRead(b, read, shared, offset);
  read->erase();
  return {token, tile};
}

/// The tokens of queries that must have come with the first tiles of `ring`.
static SmallVector<Value> queriesOf(const Ring &ring,
                                    ArrayRef<StagedQueries> queries) {
  SmallVector<Value> tokens;
  for (const StagedQueries &staged : queries)
    if (staged.token && isUsedWith(staged.tile, ring))
      tokens.push_back(staged.token);
  return tokens;
}

/// Tiles that no loop brings are copied where they are read, and waited for.
static void stageInPlace(OpBuilder &b, Ring &ring, Value shared,
                         ArrayRef<StagedQueries> queries) {
  SmallVector<Value> others = queriesOf(ring, queries);
  for (StagedRead &staged : ring.reads) {
    Location loc = staged.read->getLoc();
    b.setInsertionPoint(staged.read.getOperation());
    Value offset = arith::ConstantIndexOp::create(b, loc, staged.offset);
    // Others may still read what lies there.
    gpu::BarrierOp::create(b, loc);
    SmallVector<Value> tokens{startCopy(b, staged, shared, offset, itself)};
    tokens.append(std::exchange(others, {}));
    WaitOp::create(b, loc, tokens);
    replaceRead(b, staged.read, shared, offset);
  }
}

/// Counts the tiles of a loop in 32 bits, as all sizes of a kernel have: an
/// index takes two registers, and so does each bound.
static scf::ForOp narrowed(OpBuilder &b, scf::ForOp loop) {
  Location loc = loop.getLoc();
  b.setInsertionPoint(loop);
  auto narrow = [&](Value bound) {
    return b.createOrFold<arith::IndexCastUIOp>(loc, b.getI32Type(), bound);
  };
  auto counting = scf::ForOp::create(
      b, loc, narrow(loop.getLowerBound()), narrow(loop.getUpperBound()),
      narrow(loop.getStep()), loop.getInitArgs());
  counting->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  Block *body = counting.getBody();
  if (!body->empty())
    body->getTerminator()->erase();
  b.setInsertionPointToStart(body);
  Value tile = arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                            counting.getInductionVar());
  loop.getInductionVar().replaceAllUsesWith(tile);
  for (auto [old, fresh] :
       llvm::zip(loop.getRegionIterArgs(), counting.getRegionIterArgs()))
    old.replaceAllUsesWith(fresh);
  body->getOperations().splice(body->end(), loop.getBody()->getOperations());
  loop.replaceAllUsesWith(counting.getResults());
  loop.erase();
  return counting;
}

namespace {
/// Rewrites one loop.
class RingEmitter {
public:
  RingEmitter(OpBuilder &b, Ring &ring, Value shared, int64_t ahead)
      : ring(ring),
        loop(ring.isNarrow ? narrowed(b, ring.getLoop()) : ring.getLoop()),
        loc(loop.getLoc()), shared(shared), ahead(ahead) {
    ring.block = loop.getBody();
  }

  void run(RewriterBase &b, ArrayRef<StagedQueries> queries) {
    SmallVector<Value> others = queriesOf(ring, queries);
    SmallVector<Value> first = emitPrologue(b);
    (void)loop.replaceWithAdditionalYields(
        b, first, /*replaceInitOperandUsesInLoop=*/false,
        [&](OpBuilder &body, Location, ArrayRef<BlockArgument> carried) {
          return emitIteration(body, carried, others);
        });
  }

private:
  /// Waits for this iteration's tiles, the oldest of the copies that the loop
  /// carries, starts the copies of a later one's, and returns what is carried
  /// on.
  SmallVector<Value> emitIteration(OpBuilder &b,
                                   ArrayRef<BlockArgument> carried,
                                   ArrayRef<Value> others) {
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> tokens{carried.front()};
    llvm::append_range(tokens, others);
    Value number = numberOf(b, loop.getInductionVar());
    WaitOp::create(b, loc, tokens, handle,
                   handle ? toIndex(b, number) : Value());
    Value newest =
        stageIfInside(b, arith::AddIOp::create(b, loc, loop.getInductionVar(),
                                               count(b, ahead)));
    Value slot = slotOf(b, number);
    SmallVector<Value> tiles;
    for (StagedRead &staged : ring.reads)
      tiles.push_back(replaceRead(
          b, staged.read, shared,
          arith::AddIOp::create(b, loc, slot, index(b, staged.offset))));
    if (handle)
      emitRelease(b, tiles, number);
    SmallVector<Value> next(carried.drop_front());
    next.push_back(newest);
    return next;
  }

  /// Behind the last operation of the body that reads one of `tiles`.
  void emitRelease(OpBuilder &b, ArrayRef<Value> tiles, Value number) {
    Operation *last = tiles.back().getDefiningOp();
    for (Value tile : tiles)
      for (Operation *user : tile.getUsers()) {
        user = loop.getBody()->findAncestorOpInBlock(*user);
        if (last->isBeforeInBlock(user))
          last = user;
      }
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfter(last);
    ReleaseOp::create(b, loc, handle, toIndex(b, number), /*thread=*/Value());
  }

  Value index(OpBuilder &b, int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value count(OpBuilder &b, int64_t value) {
    Type type = loop.getInductionVar().getType();
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  }
  Value toIndex(OpBuilder &b, Value number) {
    if (number.getType().isIndex())
      return number;
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
  }

  /// The first tiles. All threads meet before, so that they do not overwrite
  /// what a loop before this one may still read.
  SmallVector<Value> emitPrologue(OpBuilder &b) {
    b.setInsertionPoint(loop);
    if (ring.barriers)
      handle = RingOp::create(b, loc, RingType::get(b.getContext(), ring.slots),
                              shared, index(b, *ring.barriers),
                              /*thread=*/Value());
    else
      gpu::BarrierOp::create(b, loc);
    SmallVector<Value> tokens;
    for (int64_t s = 0; s < ahead; ++s)
      tokens.push_back(stageIfInside(
          b,
          b.createOrFold<arith::AddIOp>(loc, loop.getLowerBound(), count(b, s)),
          /*isFirst=*/true));
    return tokens;
  }

  /// How many tiles come before that of iteration t.
  Value numberOf(OpBuilder &b, Value t) {
    return arith::SubIOp::create(b, loc, t, loop.getLowerBound());
  }

  /// Byte offset of the slot of a tile. Where there are mbarriers, the same is
  /// computed of their places, in 32 bits.
  Value slotOf(OpBuilder &b, Value number) {
    if (handle && number.getType().isIndex())
      number = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), number);
    Value slots = arith::ConstantOp::create(
        b, loc, b.getIntegerAttr(number.getType(), ring.slots));
    Value slot = arith::RemUIOp::create(b, loc, number, slots);
    return arith::MulIOp::create(b, loc, toIndex(b, slot),
                                 index(b, ring.slotBytes));
  }

  /// Starts to copy the tiles of iteration t, if there is one. The first ones
  /// find their slots empty.
  Value stageIfInside(OpBuilder &b, Value t, bool isFirst = false) {
    Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, t,
                                         loop.getUpperBound());
    auto copies = scf::IfOp::create(
        b, loc, inside,
        [&](OpBuilder &then, Location) {
          scf::YieldOp::create(then, loc, stage(then, t, isFirst));
        },
        [&](OpBuilder &otherwise, Location) {
          scf::YieldOp::create(otherwise, loc, join(otherwise, {}));
        });
    return copies.getResult(0);
  }

  Value stage(OpBuilder &b, Value t, bool isFirst) {
    IRMapping map;
    map.map(loop.getInductionVar(), t);
    Value number = numberOf(b, t);
    Value slot = slotOf(b, number);
    if (handle && !isFirst)
      ReserveOp::create(b, loc, handle, toIndex(b, number));
    SmallVector<Value> tokens;
    for (StagedRead &staged : ring.reads) {
      Value offset =
          arith::AddIOp::create(b, loc, slot, index(b, staged.offset));
      tokens.push_back(startCopy(b, staged, shared, offset, [&](Value value) {
        return cloneSlice(b, loop, value, map);
      }));
    }
    if (handle)
      return FillOp::create(b, loc, TokenType::get(b.getContext()), handle,
                            toIndex(b, number), tokens);
    return join(b, tokens);
  }

  Value join(OpBuilder &b, ValueRange tokens) {
    return JoinOp::create(b, loc, TokenType::get(b.getContext()), tokens);
  }

  Ring &ring;
  scf::ForOp loop;
  Location loc;
  Value shared;
  int64_t ahead;
  Value handle; ///< the ring; null where threads meet for each tile
};
} // namespace

void kernels::stageRing(RewriterBase &b, Ring &ring, Value shared,
                        int64_t ahead, ArrayRef<StagedQueries> queries) {
  if (ring.getLoop())
    RingEmitter(b, ring, shared, ahead).run(b, queries);
  else
    stageInPlace(b, ring, shared, queries);
  for (StagedRead &staged : ring.reads)
    staged.read->erase();
}
