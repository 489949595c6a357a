//===- Cpu.cpp - Levels of processors -------------------------------------===//

#include "SparseAttn/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::target;

static constexpr int64_t kAny = INT64_MAX;

/// Heads of more than 128 elements get 32 keys, so that the tiles of keys and
/// values stay in the first cache.
static constexpr LargestTile kLargest[] = {{128, kAny, {kAny, kAny}},
                                           {kAny, kAny, {kAny, 32}}};

/// 48 queries x 64 keys: three vectors of 16 queries leave registers for the
/// keys' broadcasts, and the tile of scores stays in the first cache. 32 x 32
/// for windows: every query tile has two cut edges, and what they waste grows
/// with the tile (measured against 48 x 64 on Zen 4, 2 threads: a tenth of the
/// time of Longformer's window of 512, for 2% on dense). 16 x 16 for windows of
/// few keys (measured against 32 x 32 on Zen 4, one thread, f32, heads of 64
/// and 128: 7 to 11% of the time with 129 keys, 1 to 3% with 513, nothing
/// beyond).
static constexpr TileRules kTiles = {
    /*usual=*/{48, 64}, /*window=*/{32, 32}, /*narrow=*/{16, 16},
    /*narrowKeys=*/257, /*block=*/{64, 64},  kLargest,
    /*granule=*/{16, 8}};

// Packages are not made for x86-64-v2, which has no FMA: each would be a call.
// Where LLVM may choose, it prefers vectors of 256 bits for v4, which costs
// half of the arithmetic.
static constexpr CpuTarget kCpus[] = {
    {"x86-64-v2", 4, 16, "", /*isForPackages=*/false, &kTiles},
    {"x86-64-v3", 8, 16, "", /*isForPackages=*/true, &kTiles},
    {"x86-64-v4", 16, 32, "-prefer-256-bit", /*isForPackages=*/true, &kTiles},
    {"armv8-a", 4, 32, "", /*isForPackages=*/false, &kTiles},
};

llvm::ArrayRef<CpuTarget> target::getCpus() { return kCpus; }

const CpuTarget *target::findCpu(llvm::StringRef name) {
  const CpuTarget *found = llvm::find_if(
      kCpus, [&](const CpuTarget &cpu) { return cpu.name == name; });
  return found == std::end(kCpus) ? nullptr : found;
}

std::string target::knownCpus() {
  return llvm::join(
      llvm::map_range(kCpus, [](const CpuTarget &cpu) { return cpu.name; }),
      ", ");
}
