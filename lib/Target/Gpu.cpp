//===- Gpu.cpp - GPUs that kernels are made for ---------------------------===//

#include "SparseAttn/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::target;

static constexpr int64_t kAny = INT64_MAX;

/// Elements of 4 bytes, and the parts of f32 operands, take many of a thread's
/// 255 registers: beyond 96 columns there is no room for the sums for 32 keys.
static constexpr LargestTile kSingleShort = {96, 4, {64, 32}};
static constexpr LargestTile kSingleLong = {kAny, 4, {64, 16}};

/// A warp takes 32 rows of operands of 2 bytes up to heads of 128, with an
/// accumulator a thread for each key and each value of a head, and 16 beyond,
/// with half of one. ptxas 13 assembles loops over full tiles without a spill
/// where a thread has up to 176 of them in 32 rows here, and 160 on sm_90, and
/// in 16 rows up to 144. Beyond 256, so many queries and two pairs of tiles of
/// keys and values fit shared memory for heads of 512.
static constexpr LargestTile kLargest80[] = {{80, 2, {kAny, kAny}},
                                             {128, 2, {kAny, 48}},
                                             {192, 2, {kAny, 48}},
                                             {256, 2, {kAny, 32}},
                                             {kAny, 2, {64, 32}},
                                             kSingleShort,
                                             kSingleLong};

/// Narrow windows have so few keys a row that finer tiles win more than each
/// iteration costs: by the replay of bench/gpu, heads of 128 take 5 to 16% less
/// time with 32 keys than with 48 where windows have 255 to 1024 of them (but
/// Longformer's window of 513 3% more), and 20% less where they have 129; 4%
/// more where they have 2048. Heads of 64 take 10% more with 32 than with 64.
static constexpr LargestTile kNarrow80[] = {
    {80, 2, {kAny, kAny}}, {96, 2, {kAny, 48}}, {160, 2, {kAny, 32}}};
static constexpr int64_t kNarrowKeys80 = 1024;

static constexpr LargestTile kLargest90[] = {{80, 2, {kAny, kAny}},
                                             {128, 2, {kAny, 32}},
                                             {192, 2, {kAny, 48}},
                                             {256, 2, {kAny, 32}},
                                             {kAny, 2, {128, 32}},
                                             kSingleShort,
                                             kSingleLong};
static constexpr WarpRules kWarps80 = {.wideHalfColumns = 176},
                           kWarps90 = {.wideHalfColumns = 160};

/// Elsewhere a warp takes 16 rows beyond heads of 64: ptxas 13 spills more for
/// sm_100 and sm_120, and where a multiprocessor has 100 KiB of shared memory
/// it would have one block of four warps. No model has compared tiles there.
static constexpr LargestTile kLargest[] = {
    {128, 2, {kAny, kAny}}, {kAny, 2, {64, 32}}, kSingleShort, kSingleLong};
static constexpr WarpRules kWarps = {.wideHalfColumns = 128};

/// By the replay of kernels for documents of 20 to 60, 64 to 128 and 100 to 220
/// tokens on an A100 and an H100, with heads of 64; with heads of 128 smaller
/// tiles gain nothing.
static constexpr TableTile kTables[] = {{64, 2, {32, 32}, 1.56}};

/// 128 queries x 64 keys: 4 or 8 warps whose accumulators fit the registers.
static constexpr TileRules
rulesWith(llvm::ArrayRef<LargestTile> largest,
          llvm::ArrayRef<TableTile> tables = {}, int64_t narrowKeys = 0,
          llvm::ArrayRef<LargestTile> largestNarrow = {}) {
  return {/*usual=*/{128, 64},
          /*window=*/{128, 64},
          /*narrow=*/{128, 64}, narrowKeys,
          /*block=*/{128, 64},  largest,
          /*granule=*/{16, 16}, largestNarrow, tables};
}
static constexpr TileRules kTiles80 = rulesWith(kLargest80, kTables,
                                                kNarrowKeys80, kNarrow80),
                           kTiles90 = rulesWith(kLargest90, kTables),
                           kTiles = rulesWith(kLargest);

/// Chosen by the replay of kernels, bench/gpu/predict.py.
static constexpr RingRules kRings = {160, 2};

static constexpr int64_t kMiB = 1 << 20;

/// By ptxas 13 a loop over full tiles of 32 keys has, with pairs and without,
/// 395 and 472 instructions for heads of 240 on sm_100, and 513 and 474 for
/// heads of 256, which hold 128 sums a thread and four numbers more; on sm_120,
/// where each pair becomes two instructions, 712 and 552.
static constexpr PairRules k100 = {128}, k120 = {0};

/// Shared memory a block, from the table of technical specifications by compute
/// capability in the CUDA C++ Programming Guide: 163 KiB on 8.0, 99 KiB on 8.6,
/// 8.9 and 12.0, 227 KiB on 9.0 and 10.0. Second-level caches from NVIDIA's
/// data sheets, of A100, RTX 3090, L4, H100, B200 and RTX 5070.
static constexpr GpuTarget kGpus[] = {
    {"sm_80", 71, 163 * 1024, &kTiles80, 40 * kMiB, kRings, false, kWarps80},
    {"sm_86", 71, 99 * 1024, &kTiles, 6 * kMiB, {}, false, kWarps},
    {"sm_89", 78, 99 * 1024, &kTiles, 48 * kMiB, {}, false, kWarps},
    {"sm_90", 78, 227 * 1024, &kTiles90, 50 * kMiB, kRings, true, kWarps90},
    {"sm_90a", 80, 227 * 1024, &kTiles90, 50 * kMiB, kRings, true, kWarps90},
    {"sm_100", 86, 227 * 1024, &kTiles, 126 * kMiB, {}, true, kWarps, k100},
    {"sm_100a", 86, 227 * 1024, &kTiles, 126 * kMiB, {}, true, kWarps, k100},
    {"sm_120", 87, 99 * 1024, &kTiles, 48 * kMiB, {}, true, kWarps, k120},
    {"sm_120a", 87, 99 * 1024, &kTiles, 48 * kMiB, {}, true, kWarps, k120},
};

llvm::ArrayRef<GpuTarget> target::getGpus() { return kGpus; }

const GpuTarget *target::findGpu(llvm::StringRef name) {
  const GpuTarget *found = llvm::find_if(
      kGpus, [&](const GpuTarget &gpu) { return gpu.name == name; });
  return found == std::end(kGpus) ? nullptr : found;
}

std::string target::knownGpus() {
  return llvm::join(
      llvm::map_range(kGpus, [](const GpuTarget &gpu) { return gpu.name; }),
      ", ");
}
