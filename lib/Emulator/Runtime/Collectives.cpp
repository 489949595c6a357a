//===- Collectives.cpp - What a warp does when its lanes have met ---------===//

#include "Fragments.h"
#include "Session.h"
#include <bitset>

using namespace mlir::sparse_attn::emulator;

static Block &block() { return *Session::get().block; }

/// Calls `function(lane, operands)` for each lane that takes part.
template <typename Operands, typename Function>
static void forEachLane(Rendezvous &rendezvous, Function function) {
  for (unsigned lane = 0; lane < kWarpSize; ++lane)
    if (rendezvous.mask & (1u << lane))
      function(lane, *static_cast<Operands *>(rendezvous.operands[lane]));
}

//===----------------------------------------------------------------------===//
// Synchronisation and exchange
//===----------------------------------------------------------------------===//

/// Of these operations bar.warp.sync alone orders memory.
void sparse_attn_emu_warp_sync(int32_t mask, int32_t operation) {
  block().meet(Collective::WarpSync, mask, operation, nullptr,
               [](Block &block, Warp &warp, Rendezvous &rendezvous) {
                 llvm::SmallVector<Thread *, kWarpSize> threads;
                 for (Thread *thread : warp.lanes)
                   if (rendezvous.mask & thread->laneBit())
                     threads.push_back(thread);
                 block.joinClocks(threads);
               });
}

namespace {
struct Shuffle {
  ShuffleKind kind;
  uint32_t value, offset, maskAndClamp;
  uint32_t result;
  bool isValid;
};
} // namespace

/// The lane that `lane` reads, and whether it is in range, as PTX defines it.
static std::pair<unsigned, bool> getSourceLane(unsigned lane,
                                               const Shuffle &shuffle) {
  int offset = shuffle.offset & 31;
  unsigned clamp = shuffle.maskAndClamp & 31;
  unsigned segments = shuffle.maskAndClamp >> 8 & 31;
  int self = lane;
  int highest = (lane & segments) | (clamp & ~segments);
  int lowest = lane & segments;
  int source = 0;
  bool isValid = false;
  switch (shuffle.kind) {
  case ShuffleKind::Up:
    source = self - offset;
    isValid = source >= highest;
    break;
  case ShuffleKind::Down:
    source = self + offset;
    isValid = source <= highest;
    break;
  case ShuffleKind::Butterfly:
    source = self ^ offset;
    isValid = source <= highest;
    break;
  case ShuffleKind::Index:
    source = lowest | (offset & ~segments);
    isValid = source <= highest;
    break;
  }
  return {isValid ? source : lane, isValid};
}

static void performShuffle(Block &block, Warp &warp, Rendezvous &rendezvous) {
  forEachLane<Shuffle>(rendezvous, [&](unsigned lane, Shuffle &shuffle) {
    auto [source, isValid] = getSourceLane(lane, shuffle);
    if (!(rendezvous.mask & (1u << source)))
      block.fail(*warp.lanes[lane], rendezvous.operation,
                 "reads from lane {0}, which takes no part", source);
    shuffle.isValid = isValid;
    shuffle.result = static_cast<Shuffle *>(rendezvous.operands[source])->value;
  });
}

int64_t sparse_attn_emu_shuffle(int32_t kind, int32_t mask, int32_t value,
                                int32_t offset, int32_t maskAndClamp,
                                int32_t operation) {
  Shuffle shuffle{static_cast<ShuffleKind>(kind),
                  static_cast<uint32_t>(value),
                  static_cast<uint32_t>(offset),
                  static_cast<uint32_t>(maskAndClamp),
                  0,
                  false};
  block().meet(Collective::Shuffle, mask, operation, &shuffle, performShuffle);
  return static_cast<int64_t>(shuffle.isValid) << 32 | shuffle.result;
}

namespace {
/// A vote or a reduction: a value of each lane becomes one for all.
struct Combination {
  uint32_t kind, value;
};
} // namespace

static uint32_t vote(VoteKind kind, uint32_t ballot, uint32_t mask) {
  switch (kind) {
  case VoteKind::Any:
    return ballot != 0;
  case VoteKind::All:
    return ballot == mask;
  case VoteKind::Uniform:
    return ballot == 0 || ballot == mask;
  case VoteKind::Ballot:
    break;
  }
  return ballot;
}

int32_t sparse_attn_emu_vote(int32_t kind, int32_t mask, int32_t predicate,
                             int32_t operation) {
  Combination combination{static_cast<uint32_t>(kind), predicate != 0};
  block().meet(
      Collective::Vote, mask, operation, &combination,
      [](Block &, Warp &, Rendezvous &rendezvous) {
        uint32_t ballot = 0;
        forEachLane<Combination>(rendezvous,
                                 [&](unsigned lane, Combination &of) {
                                   ballot |= of.value << lane;
                                 });
        forEachLane<Combination>(rendezvous, [&](unsigned, Combination &of) {
          of.value =
              vote(static_cast<VoteKind>(of.kind), ballot, rendezvous.mask);
        });
      });
  return combination.value;
}

static uint32_t reduce(ReduceKind kind, uint32_t a, uint32_t b) {
  auto x = static_cast<int32_t>(a), y = static_cast<int32_t>(b);
  switch (kind) {
  case ReduceKind::Add:
    return a + b;
  case ReduceKind::And:
    return a & b;
  case ReduceKind::Or:
    return a | b;
  case ReduceKind::Xor:
    return a ^ b;
  case ReduceKind::Max:
    return std::max(x, y);
  case ReduceKind::Min:
    return std::min(x, y);
  case ReduceKind::UMax:
    return std::max(a, b);
  case ReduceKind::UMin:
    return std::min(a, b);
  }
  return 0;
}

int32_t sparse_attn_emu_reduce(int32_t kind, int32_t mask, int32_t value,
                               int32_t operation) {
  Combination combination{static_cast<uint32_t>(kind),
                          static_cast<uint32_t>(value)};
  block().meet(
      Collective::Reduce, mask, operation, &combination,
      [](Block &, Warp &, Rendezvous &rendezvous) {
        std::optional<uint32_t> all;
        forEachLane<Combination>(rendezvous, [&](unsigned, Combination &of) {
          all = all ? reduce(static_cast<ReduceKind>(of.kind), *all, of.value)
                    : of.value;
        });
        forEachLane<Combination>(
            rendezvous, [&](unsigned, Combination &of) { of.value = *all; });
      });
  return combination.value;
}

int32_t sparse_attn_emu_elect(int32_t mask, int32_t operation) {
  bool isElected = false;
  block().meet(Collective::Elect, mask, operation, &isElected,
               [](Block &, Warp &, Rendezvous &rendezvous) {
                 unsigned first = llvm::countr_zero(rendezvous.mask);
                 *static_cast<bool *>(rendezvous.operands[first]) = true;
               });
  return isElected;
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

namespace {
struct MatrixAccess {
  char *row;
  uint32_t *values;
  uint32_t numMatrices;
  bool transposed;
};
} // namespace

constexpr unsigned kMatrixRows = 8;
constexpr unsigned kRowBytes = 16;

/// The rows of matrix m are those that lanes 8 m ... 8 m + 7 give.
template <typename Element>
static void getRows(Block &block, Warp &warp, Rendezvous &rendezvous,
                    unsigned matrix, uint32_t mode,
                    Element *rows[kMatrixRows]) {
  for (unsigned row = 0; row < kMatrixRows; ++row) {
    unsigned lane = kMatrixRows * matrix + row;
    char *address = static_cast<MatrixAccess *>(rendezvous.operands[lane])->row;
    block.accessShared(*warp.lanes[lane], address, kRowBytes, kRowBytes, mode,
                       rendezvous.operation);
    rows[row] = reinterpret_cast<Element *>(address);
  }
}

static void performLoad(Block &block, Warp &warp, Rendezvous &rendezvous) {
  auto **lanes = reinterpret_cast<MatrixAccess **>(rendezvous.operands);
  for (unsigned matrix = 0; matrix < lanes[0]->numMatrices; ++matrix) {
    const uint16_t *rows[kMatrixRows];
    uint32_t result[kWarpSize];
    getRows(block, warp, rendezvous, matrix, kRead, rows);
    loadMatrix(rows, lanes[0]->transposed, result);
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      lanes[lane]->values[matrix] = result[lane];
  }
}

static void performStore(Block &block, Warp &warp, Rendezvous &rendezvous) {
  auto **lanes = reinterpret_cast<MatrixAccess **>(rendezvous.operands);
  for (unsigned matrix = 0; matrix < lanes[0]->numMatrices; ++matrix) {
    uint16_t *rows[kMatrixRows];
    uint32_t values[kWarpSize];
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      values[lane] = lanes[lane]->values[matrix];
    getRows(block, warp, rendezvous, matrix, kWrite, rows);
    storeMatrix(rows, lanes[0]->transposed, values);
  }
}

void sparse_attn_emu_ldmatrix(const void *row, uint32_t *result,
                              int32_t matrices, int32_t transposed,
                              int32_t operation) {
  MatrixAccess access{static_cast<char *>(const_cast<void *>(row)), result,
                      static_cast<uint32_t>(matrices), transposed != 0};
  block().meetAll(Collective::LoadMatrix, operation, &access, performLoad);
}

void sparse_attn_emu_stmatrix(void *row, const uint32_t *values,
                              int32_t matrices, int32_t transposed,
                              int32_t operation) {
  MatrixAccess access{static_cast<char *>(row), const_cast<uint32_t *>(values),
                      static_cast<uint32_t>(matrices), transposed != 0};
  block().meetAll(Collective::StoreMatrix, operation, &access, performStore);
}

void sparse_attn_emu_mma(MmaRegisters *registers, int32_t kind,
                         int32_t operation) {
  struct Mma {
    MmaRegisters *registers;
    MmaKind kind;
  } mma{registers, static_cast<MmaKind>(kind)};
  block().meetAll(Collective::Mma, operation, &mma,
                  [](Block &, Warp &, Rendezvous &rendezvous) {
                    MmaRegisters *lanes[kWarpSize];
                    forEachLane<Mma>(rendezvous, [&](unsigned lane, Mma &of) {
                      lanes[lane] = of.registers;
                    });
                    MmaKind kind =
                        static_cast<Mma *>(rendezvous.operands[0])->kind;
                    multiplyFragments(kind, lanes);
                    Session::get().multiplyAdds += countMultiplyAdds(kind);
                  });
}
