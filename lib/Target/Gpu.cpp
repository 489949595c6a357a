//===- Gpu.cpp - GPUs that kernels are made for ---------------------------===//

#include "SparseAttn/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::target;

static constexpr int64_t kAny = INT64_MAX;

/// Accumulators of wide heads take more of a thread's 255 registers, and so do
/// elements of 4 bytes. The parts of f32 operands take some, too: beyond 96
/// columns there is no room for the sums for 32 keys besides.
static constexpr WideRows kWideRows[] = {
    {128, 0, {64, 32}}, {0, 2, {64, 32}}, {96, 2, {kAny, 16}}};

/// 128 queries x 64 keys: 4 or 8 warps whose accumulators fit the registers.
static constexpr TileRules kTiles = {
    /*usual=*/{128, 64}, /*window=*/{128, 64}, /*block=*/{128, 64}, kWideRows,
    /*granule=*/{16, 16}};

/// Chosen by the replay of kernels, bench/gpu/predict.py.
static constexpr RingRules kNarrowRings = {64, 2};

static constexpr int64_t kMiB = 1 << 20;

/// Shared memory a block, from the table of technical specifications by compute
/// capability in the CUDA C++ Programming Guide: 163 KiB on 8.0, 99 KiB on 8.6,
/// 8.9 and 12.0, 227 KiB on 9.0 and 10.0. Second-level caches from NVIDIA's
/// data sheets, of A100, RTX 3090, L4, H100, B200 and RTX 5070.
static constexpr GpuTarget kGpus[] = {
    {"sm_80", 71, 163 * 1024, &kTiles, 40 * kMiB, kNarrowRings},
    {"sm_86", 71, 99 * 1024, &kTiles, 6 * kMiB},
    {"sm_89", 78, 99 * 1024, &kTiles, 48 * kMiB},
    {"sm_90", 78, 227 * 1024, &kTiles, 50 * kMiB, kNarrowRings, true},
    {"sm_90a", 80, 227 * 1024, &kTiles, 50 * kMiB, kNarrowRings, true},
    {"sm_100", 86, 227 * 1024, &kTiles, 126 * kMiB, {}, true},
    {"sm_100a", 86, 227 * 1024, &kTiles, 126 * kMiB, {}, true},
    {"sm_120", 87, 99 * 1024, &kTiles, 48 * kMiB, {}, true},
    {"sm_120a", 87, 99 * 1024, &kTiles, 48 * kMiB, {}, true},
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
