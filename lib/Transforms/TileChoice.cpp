//===- TileChoice.cpp - The tile of an op by a target's rules -------------===//

#include "TileChoice.h"
#include "SparseAttn/Plan/ChooseTile.h"
#include "SparseAttn/Plan/ColumnGroups.h"
#include "SparseAttn/Target/Target.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

LogicalResult TileChoice::verify(Operation *op) const {
  for (int64_t size : {queries, keys})
    if (size < 0 || size > kMaxTileSize)
      return op->emitError("tile-queries and tile-keys must be from 1 to ")
             << kMaxTileSize << ", or 0 to have them chosen; got " << size;
  if (target != "cpu" && target != "gpu" && !target::findCpu(target) &&
      !target::findGpu(target))
    return op->emitError("unknown target '")
           << target << "'; use cpu or gpu, or one of " << target::knownCpus()
           << ", " << target::knownGpus();
  return success();
}

/// The target, where it is a processor; `cpu` is any of them.
static const target::CpuTarget *findCpu(StringRef target) {
  return target == "cpu" ? &target::getCpus().front() : target::findCpu(target);
}

static const target::GpuTarget *findGpu(StringRef target) {
  return target == "gpu" ? &target::getGpus().front() : target::findGpu(target);
}

bool TileChoice::isForGpu() const { return findGpu(target) != nullptr; }

PlanForms TileChoice::forms(MaskedReductionOpInterface op) const {
  const target::CpuTarget *cpu = findCpu(target);
  PlanForms forms;
  // What data decides on has no closed form by which parts could be told apart.
  if (op.getMaskValue().readsData() || op.needsPlainPlan())
    return forms;
  // The cost of a loop more is known where kernels were replayed, which is
  // where there are rings of mbarriers. Elsewhere registers would be spilled
  // for it.
  bool isReplayed = !cpu && findGpu(target)->rings.mbarrierAccumulators > 0;
  if (op.takesKeyLayouts())
    forms.layouts = isReplayed ? KeyLayouts::InKernels : KeyLayouts::Any;
  if (op.takesRowLayouts())
    forms.rowLayouts = RowLayouts::Any;
  int64_t pairs = cpu ? cpu->mergedRowPairs : findGpu(target)->mergedRowPairs;
  bool isGiven = queries > 0 || keys > 0;
  // A tile of a larger attention has few rows, of which a residue has fewer.
  if (!isGiven && op.takesParts() && op.getOrigin().empty())
    forms.mergedRowPairs = pairs;
  if (!cpu) {
    const target::TileSize &least = findGpu(target)->leastPartTile;
    forms.leastTile = {least.queries, least.keys};
  }
  return forms;
}

static TileShape chooseByRules(const TileChoice &choice,
                               MaskedReductionOpInterface op, const Mask &mask,
                               const LengthFacts &facts) {
  TileNeeds needs = op.getTileNeeds();
  // Tiles are of f32, and those of keys decide.
  if (const target::CpuTarget *cpu = findCpu(choice.target))
    return plan::chooseTile(mask, *cpu->tiles,
                            {needs.headDim, needs.headDim, sizeof(float)},
                            facts);
  const target::GpuTarget *gpu = findGpu(choice.target);
  // The first slice is a widest one.
  int64_t most = needs.elementBytes > 2 ? gpu->columns : gpu->halfColumns;
  int64_t columns = cutColumns(needs.valueDim, most)[0].size;
  TileMemory memory = {needs.headDim, columns, needs.elementBytes};
  memory.stages = choice.stages;
  memory.sharedLimit =
      choice.target == "gpu" ? choice.sharedLimit : gpu->sharedLimit;
  return plan::chooseTile(mask, *gpu->tiles, memory, facts);
}

TileShape TileChoice::choose(MaskedReductionOpInterface op, const Mask &mask,
                             const LengthFacts &facts) const {
  TileShape tile = chooseByRules(*this, op, mask, facts);
  if (queries > 0)
    tile.queries = queries;
  if (keys > 0)
    tile.keys = keys;
  // A tile has keys of one page.
  constexpr int64_t granule = 16;
  std::optional<int64_t> page = op.getPageSize();
  while (page && *page % tile.keys != 0 && tile.keys > granule)
    tile.keys = llvm::alignDown(tile.keys - 1, granule);
  return tile;
}

SmallVector<target::TableTile>
TileChoice::tableTiles(MaskedReductionOpInterface op, TileShape chosen) const {
  SmallVector<target::TableTile> tiles;
  if (queries > 0 || keys > 0)
    return tiles;
  const target::CpuTarget *cpu = findCpu(target);
  const target::TileRules &rules = cpu ? *cpu->tiles : *findGpu(target)->tiles;
  TileNeeds needs = op.getTileNeeds();
  for (const target::TableTile &some : rules.tables)
    if (std::max(needs.headDim, needs.valueDim) <= some.headDim &&
        needs.elementBytes <= some.elementBytes &&
        some.size.queries < chosen.queries && some.size.keys < chosen.keys)
      tiles.push_back(some);
  return tiles;
}
