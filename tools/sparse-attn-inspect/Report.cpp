//===- Report.cpp - An inspection for people to read ----------------------===//

#include "Inspection.h"
#include "SparseAttn/Inspect/Picture.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspect_tool;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::support;

/// The start of a line, whose text begins in one column.
static raw_ostream &label(raw_ostream &os, StringRef name) {
  return os << llvm::left_justify(name, 10);
}

/// `6.4 G`: three digits and the letter of the power of a thousand.
static std::string withUnit(double value, StringRef unit) {
  constexpr StringLiteral prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  const StringLiteral *prefix = prefixes;
  // 999.5 would be printed as 1e+03.
  for (; value >= 999.5 && prefix + 1 != std::end(prefixes); ++prefix)
    value /= 1000;
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::format("%.3g ", value) << *prefix << unit;
  return text;
}

static std::string percent(double fraction) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.4g%%", 100 * fraction);
  return text;
}

/// `text` without the differences in spelling between attribute and mask.
static std::string withoutSyntax(StringRef text) {
  std::string plain;
  while (!text.empty()) {
    if (text.consume_front("#sparse_attn."))
      continue;
    if (!StringRef(" <>()").contains(text.front()))
      plain += text.front();
    text = text.drop_front();
  }
  return plain;
}

static void printMask(const Inspection &inspection, raw_ostream &os) {
  label(os, "mask") << inspection.maskText << "\n";
  std::string expansion;
  llvm::raw_string_ostream stream(expansion);
  inspection.mask.print(stream);
  // A preset means more than it says.
  if (withoutSyntax(expansion) != withoutSyntax(inspection.maskText))
    label(os, "") << "= " << expansion << "\n";
}

static void printShape(const Inspection &inspection, raw_ostream &os) {
  const AttentionShape &s = inspection.shape;
  auto print = [&](StringRef name, int64_t heads, int64_t length, int64_t dim) {
    os << name << s.batch << "x" << heads << "x" << length << "x" << dim;
  };
  label(os, "shape");
  print("Q ", s.queryHeads, s.queries, s.headDim);
  print(", K ", s.keyHeads, s.keys, s.headDim);
  print(", V ", s.keyHeads, s.keys, s.valueDim);
  os << " of " << inspection.elementType << "\n";
}

/// Counts are of what is known before anything runs.
static void printData(const Inspection &inspection, raw_ostream &os) {
  unsigned facts = inspection.mask.getDataFacts();
  if (facts & mask::OneDocument)
    label(os, "data") << "documents are known at run time only: all that "
                         "follows is of positions of one\n";
  if (facts & (mask::ListedRow | mask::ListedKey))
    label(os, "data") << "global tokens are known at run time only: all that "
                         "follows is of none\n";
}

static void printPlanLines(const Inspection &inspection, raw_ostream &os) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  printPlan(inspection.plan, stream);
  StringRef name = "plan";
  for (StringRef line : llvm::split(StringRef(text).rtrim(), '\n')) {
    label(os, name) << line << "\n";
    name = "";
  }
  for (const PlanLoss &loss : inspection.losses)
    label(os, "loss") << describe(loss) << "\n";
}

/// `1.49: 9.5 M pairs are computed; no plan of 32 neighbouring rows is below
/// 1.24`.
static void printWaste(const Inspection &inspection, raw_ostream &os) {
  auto live = double(inspection.cost.livePairs);
  if (live == 0)
    return;
  label(os, "waste")
      << llvm::format("%.3g: ", double(inspection.visitedPairs) / live)
      << inspection.visitedPairs << " pairs are computed; no plan of "
      << inspection.rowsTogether << " neighbouring rows is below "
      << llvm::format("%.3g\n", double(inspection.leastPairs) / live);
}

/// `at most 8.1x by live pairs, 6.4x by those computed`.
static void printSpeedUp(const Inspection &inspection, raw_ostream &os) {
  const Cost &cost = inspection.cost;
  label(os, "speed-up");
  if (cost.livePairs == 0 || inspection.visitedPairs == 0) {
    os << "none to speak of: no query has a key, and the output is all zeros\n";
    return;
  }
  os << llvm::format("over dense at most %.3gx by live pairs, %.3gx by the "
                     "pairs that are computed\n",
                     1 / cost.density,
                     double(cost.totalPairs) / double(inspection.visitedPairs));
}

static void printCost(const Inspection &inspection, raw_ostream &os) {
  const Cost &cost = inspection.cost;
  const TileCounts &tiles = inspection.tiles;
  label(os, "pairs") << cost.livePairs << " of " << cost.totalPairs
                     << " live, density " << percent(cost.density) << "\n";
  label(os, "tiles") << tiles.full << " full, " << tiles.partial << " partial, "
                     << tiles.empty << " empty\n";
  printWaste(inspection, os);
  label(os, "compute") << withUnit(double(cost.flops), "FLOP") << " of dense "
                       << withUnit(double(cost.denseFlops), "FLOP") << "\n";
  label(os, "memory") << withUnit(double(cost.bytes), "B")
                      << " for Q, K, V and O once each, as dense: "
                      << llvm::format("%.3g FLOP a byte\n", cost.intensity());
  printSpeedUp(inspection, os);
  os << "          (pairs and tiles of one batch over all "
     << inspection.shape.queryHeads
     << " query heads; compute and memory of the whole op)\n";
}

static void printProof(const Proof &proof, raw_ostream &os) {
  label(os, "proof");
  switch (proof.verdict) {
  case Verdict::Proven:
    os << "proven (" << proof.method << "): " << proof.reason << "\n";
    return;
  case Verdict::Unsupported:
    os << "unsupported: " << proof.reason << "\n";
    return;
  case Verdict::Refuted:
    os << "refuted: " << proof.reason << "\n";
    if (const std::optional<Witness> &w = proof.witness)
      label(os, "") << "witness: head " << w->head << ", query position "
                    << w->i << ", key position " << w->j
                    << " at Sq = " << w->n.nq << ", Sk = " << w->n.nk << "\n";
    return;
  }
  llvm_unreachable("all verdicts handled");
}

static std::string layersText(int64_t layers) {
  return std::to_string(layers) + (layers == 1 ? " layer" : " layers");
}

/// What fractions are parts of.
static StringRef pairsText(const Reach &reach) {
  return reach.looksAhead ? " of the pairs" : " of the pairs with key <= query";
}

/// What any number of layers attains, as a sentence.
static void printLimit(const Reach &reach, raw_ostream &os) {
  if (reach.kind == ReachKind::Never) {
    os << "some positions never reach some others, however many layers: "
       << percent(reach.fractions.back()) << pairsText(reach) << " at most\n";
    return;
  }
  os << "every position reaches "
     << (reach.kind == ReachKind::Causal ? "all before it" : "every other")
     << " after " << (reach.isExact() ? "" : "no fewer than ")
     << layersText(*reach.layers) << "\n";
}

static void printReach(const Inspection &inspection, raw_ostream &os) {
  label(os, "reach");
  if (!inspection.reach) {
    os << "undefined, since the numbers of queries and keys differ\n";
    return;
  }
  const Reach &reach = *inspection.reach;
  printLimit(reach, os);
  int64_t layers = *inspection.layers;
  bool tooFew = reach.kind != ReachKind::Never && *reach.layers > layers;
  label(os, "") << "after " << layersText(layers) << ": "
                << percent(reach.fractionAfter(layers)) << pairsText(reach)
                << (reach.isExact() ? "" : " at most")
                << (tooFew ? ", too few layers\n" : "\n");
  if (!reach.isExact())
    label(os, "") << "(the sequence is long: positions are told apart in "
                     "blocks of "
                  << reach.granularity << ")\n";
}

void inspect_tool::printSummary(const Inspection &inspection, raw_ostream &os) {
  printMask(inspection, os);
  printShape(inspection, os);
  printData(inspection, os);
  os << "\n";
  printPlanLines(inspection, os);
  os << "\n";
  printCost(inspection, os);
}

void inspect_tool::printReport(const Inspection &inspection, raw_ostream &os) {
  label(os, "function") << "@" << inspection.entry;
  if (inspection.line)
    os << ", line " << *inspection.line;
  os << "\n";
  printSummary(inspection, os);
  os << "\n";
  constexpr int64_t maxCells = 64;
  printAscii(inspection.picture(maxCells), os);
  if (inspection.proof || inspection.layers)
    os << "\n";
  if (inspection.proof)
    printProof(*inspection.proof, os);
  if (inspection.layers)
    printReach(inspection, os);
}
