//===- Json.cpp - Inspections for programs to read ------------------------===//
//
// The keys are an interface: programs outside this project read them.
//
//===----------------------------------------------------------------------===//

#include "llvm/Support/JSON.h"
#include "Inspection.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspect_tool;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
namespace json = llvm::json;

static StringRef toString(Verdict verdict) {
  switch (verdict) {
  case Verdict::Proven:
    return "proven";
  case Verdict::Refuted:
    return "refuted";
  case Verdict::Unsupported:
    return "unsupported";
  }
  llvm_unreachable("all verdicts handled");
}

static json::Value textOrNull(StringRef text) {
  return text.empty() ? json::Value(nullptr) : json::Value(text);
}

static json::Value toJson(const std::optional<Proof> &proof) {
  if (!proof)
    return json::Object{
        {"verdict", "not_run"}, {"method", nullptr}, {"reason", nullptr}};
  json::Object object{{"verdict", toString(proof->verdict)},
                      {"method", textOrNull(proof->method)},
                      {"reason", textOrNull(proof->reason)}};
  if (const std::optional<Witness> &w = proof->witness)
    object["witness"] = json::Object{{"head", w->head},
                                     {"query", w->i},
                                     {"key", w->j},
                                     {"num_queries", w->n.nq},
                                     {"num_keys", w->n.nk}};
  return object;
}

static json::Value toJson(const std::optional<Reach> &reach,
                          std::optional<int64_t> layers) {
  if (!reach)
    return nullptr;
  json::Object object{{"kind", toString(reach->kind)},
                      {"layers", reach->layers},
                      {"exact", reach->isExact()},
                      {"looks_ahead", reach->looksAhead}};
  if (layers)
    object["fraction_after"] = reach->fractionAfter(*layers);
  return object;
}

static json::Value divide(uint64_t part, uint64_t whole) {
  if (whole == 0)
    return nullptr;
  return double(part) / double(whole);
}

static std::string textOf(const Plan &plan) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  printPlan(plan, stream);
  return text;
}

/// All query tiles, one by one, where the plan as text has the first ones.
static json::Value toJson(const TileTable &table) {
  json::Array tiles;
  for (int64_t q = 0; q < table.numQueryTiles(); ++q) {
    mask::Range rows = table.rowsOf(q);
    tiles.push_back(json::Object{{"rows", json::Array{rows.begin, rows.end}},
                                 {"partial", json::Array(table.partialOf(q))},
                                 {"full", json::Array(table.fullOf(q))}});
  }
  return tiles;
}

static json::Value toJson(const Inspection &inspection) {
  const Cost &cost = inspection.cost;
  const TileCounts &tiles = inspection.tiles;
  const TileShape &tile = inspection.plan.tile;
  json::Array losses;
  for (const PlanLoss &loss : inspection.losses)
    losses.push_back(describe(loss));
  json::Array tables;
  for (const RowClass &cls : inspection.plan.classes)
    if (cls.hasTable())
      tables.push_back(toJson(cls.table));
  return json::Object{
      {"entry", inspection.entry},
      {"mask", inspection.maskText},
      {"tables", std::move(tables)},
      {"reads_data", inspection.mask.readsData()},
      {"tile", json::Array{tile.queries, tile.keys}},
      {"plan", textOf(inspection.plan)},
      {"plan_losses", std::move(losses)},
      {"live_pairs", cost.livePairs},
      {"total_pairs", cost.totalPairs},
      {"density", cost.density},
      {"visited_pairs", inspection.visitedPairs},
      {"computed_pairs", inspection.computedPairs},
      {"waste", divide(inspection.visitedPairs, cost.livePairs)},
      {"least_waste",
       json::Object{{"rows", inspection.rowsTogether},
                    {"waste", divide(inspection.leastPairs, cost.livePairs)}}},
      {"speedup_bound", divide(cost.totalPairs, inspection.visitedPairs)},
      {"tiles", json::Object{{"full", tiles.full},
                             {"partial", tiles.partial},
                             {"empty", tiles.empty}}},
      {"flops", cost.flops},
      {"dense_flops", cost.denseFlops},
      {"bytes", cost.bytes},
      {"proof", toJson(inspection.proof)},
      {"reach", toJson(inspection.reach, inspection.layers)}};
}

void inspect_tool::printJson(ArrayRef<Inspection> inspections,
                             raw_ostream &os) {
  json::Array attentions;
  for (const Inspection &inspection : inspections)
    attentions.push_back(toJson(inspection));
  json::Value document = json::Object{{"attentions", std::move(attentions)}};
  os << llvm::formatv("{0:2}", document) << "\n";
}
