//===- PlanAttributes.cpp - Plans as attributes ---------------------------===//

#include "MaskParameters.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Mask/PieceText.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

using ErrorEmitter = llvm::function_ref<InFlightDiagnostic()>;

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// The expression at the beginning of the string `text` that stands at `quote`;
/// an error points into it. No escape is in the grammar, so that none stands
/// before the error.
static ParseResult parseExpr(AsmParser &parser, SMLoc quote, StringRef what,
                             StringRef text, TileExpr &result) {
  std::string error;
  size_t offset = 0;
  std::optional<TileExpr> expr = TileExpr::parse(text, error, &offset);
  if (!expr) {
    SMLoc at = SMLoc::getFromPointer(quote.getPointer() + 1 + offset);
    return parser.emitError(at)
           << "invalid " << what << " \"" << text << "\": " << error;
  }
  result = *expr;
  return success();
}

ParseResult sparse_attn::parseBound(AsmParser &parser, TileExpr &bound) {
  SMLoc quote = parser.getCurrentLocation();
  std::string text;
  return failure(parser.parseString(&text) ||
                 parseExpr(parser, quote, "bound", text, bound));
}

ParseResult sparse_attn::parseCondition(AsmParser &parser, TileExpr &when) {
  SMLoc quote = parser.getCurrentLocation();
  std::string text;
  if (parser.parseString(&text))
    return failure();
  auto [expr, zero] = StringRef(text).split('>');
  if (zero.trim() != "0")
    return parser.emitError(quote)
           << "invalid condition \"" << text << "\": expected 'x > 0'";
  return parseExpr(parser, quote, "condition", expr.rtrim(), when);
}

void sparse_attn::printBound(AsmPrinter &printer, const TileExpr &bound) {
  printer.printString(bound.str());
}

ParseResult sparse_attn::parsePairs(AsmParser &parser,
                                    std::optional<mask::Pieces> &where) {
  SMLoc quote = parser.getCurrentLocation();
  std::string text, error;
  if (parser.parseString(&text))
    return failure();
  size_t offset = 0;
  where = mask::parsePieces(text, error, &offset);
  if (where)
    return success();
  SMLoc at = SMLoc::getFromPointer(quote.getPointer() + 1 + offset);
  return parser.emitError(at) << "invalid pairs \"" << text << "\": " << error;
}

void sparse_attn::printPairs(AsmPrinter &printer,
                             const std::optional<mask::Pieces> &where) {
  printer.printString(textOf(*where));
}

void sparse_attn::printCondition(AsmPrinter &printer, const TileExpr &when) {
  printer.printString(when.str() + " > 0");
}

ParseResult sparse_attn::parseWithin(AsmParser &parser, Within &within) {
  within.documents = succeeded(parser.parseOptionalKeyword("documents"));
  if (within.documents) {
    within.isEither = succeeded(parser.parseOptionalKeyword("or"));
    if (!within.isEither && failed(parser.parseOptionalKeyword("and")))
      return success();
  }
  if (failed(parser.parseOptionalKeyword("listed")))
    return parser.emitError(parser.getCurrentLocation(),
                            within.documents ? "expected 'listed'"
                                             : "expected 'documents' or "
                                               "'listed'");
  within.listedKeys = failed(parser.parseOptionalKeyword("rows"));
  within.listedRows =
      !within.listedKeys || failed(parser.parseOptionalKeyword("columns"));
  return success();
}

void sparse_attn::printWithin(AsmPrinter &printer, const Within &within) {
  printer.getStream() << within;
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

static ParseResult parseParameter(AsmParser &parser, StringRef name,
                                  int64_t &value) {
  return failure(parser.parseKeyword(name) || parser.parseEqual() ||
                 parser.parseInteger(value));
}

ParseResult sparse_attn::parseLayout(AsmParser &parser, Layout &layout) {
  SMLoc at = parser.getCurrentLocation();
  StringRef kind;
  if (parser.parseKeyword(&kind))
    return failure();
  bool isList = kind == "list";
  if (!isList && kind != "lattice")
    return parser.emitError(at)
           << "unknown layout '" << kind << "'; use lattice or list";
  layout.kind = isList ? Layout::Kind::List : Layout::Kind::Lattice;
  if (parser.parseLess())
    return failure();
  SmallVector<int64_t> starts;
  if (isList ? parseIntegerList(parser, starts)
             : parseParameter(parser, "step", layout.step))
    return failure();
  layout.starts.assign(starts.begin(), starts.end());
  if (parser.parseComma() || parseParameter(parser, "width", layout.width) ||
      parser.parseComma())
    return failure();
  if (!isList &&
      (parseParameter(parser, "shift", layout.shift) || parser.parseComma()))
    return failure();
  if (parseParameter(parser, "tile", layout.tile) || parser.parseGreater())
    return failure();
  if (std::string problem = layout.findProblem(); !problem.empty())
    return parser.emitError(at) << problem;
  return success();
}

void sparse_attn::printLayout(AsmPrinter &printer, const Layout &layout) {
  layout.print(printer.getStream());
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// `, partial = [192]`, `, full = [0, 64, 128]`: each at most once, in this
/// order.
static ParseResult parseStarts(AsmParser &parser, SmallVector<int64_t> &partial,
                               SmallVector<int64_t> &full) {
  bool mayBePartial = true;
  while (succeeded(parser.parseOptionalComma())) {
    bool isPartial =
        mayBePartial && succeeded(parser.parseOptionalKeyword("partial"));
    if ((!isPartial && parser.parseKeyword("full")) || parser.parseEqual())
      return failure();
    if (!isPartial)
      return parseIntegerList(parser, full);
    if (parseIntegerList(parser, partial))
      return failure();
    mayBePartial = false;
  }
  return success();
}

ParseResult sparse_attn::parseTable(AsmParser &parser, TileTable &table) {
  auto parseTile = [&]() -> ParseResult {
    SMLoc at = parser.getCurrentLocation();
    int64_t begin = 0, end = 0;
    SmallVector<int64_t> partial, full;
    if (parser.parseLess() || parser.parseInteger(begin) ||
        parser.parseKeyword("to") || parser.parseInteger(end) ||
        parseStarts(parser, partial, full) || parser.parseGreater())
      return failure();
    if (!table.empty() && begin != table.cuts.back())
      return parser.emitError(at)
             << "query tile " << table.numQueryTiles()
             << " of a table begins at row " << begin
             << ", and the one before ends at row " << table.cuts.back()
             << "; query tiles follow each other";
    table.append(begin, end, partial, full);
    return success();
  };
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseTile))
    return failure();
  if (table.empty())
    return parser.emitError(at) << "a table needs at least one query tile";
  return success();
}

void sparse_attn::printTable(AsmPrinter &printer, const TileTable &table) {
  table.print(printer.getStream());
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static SegmentKind kindOf(bool full) {
  return full ? SegmentKind::full : SegmentKind::partial;
}

static LogicalResult verifyLayout(ErrorEmitter emitError,
                                  const Layout &layout) {
  if (std::string problem = layout.findProblem(); !problem.empty())
    return emitError() << problem;
  if (!layout.isContiguous() && (layout.tile < 1 || layout.tile > kMaxTileSize))
    return emitError() << "the tile of a layout must be from 1 to "
                       << kMaxTileSize << ", got " << layout.tile;
  return success();
}

// TableGen declares it so.
// NOLINTBEGIN(performance-unnecessary-value-param)
LogicalResult SegmentAttr::verify(ErrorEmitter emitError, SegmentKind kind,
                                  TileExpr, TileExpr, TileExpr,
                                  std::optional<mask::Pieces> where,
                                  Layout layout, Within within) {
  // NOLINTEND(performance-unnecessary-value-param)
  bool isFull = kind == SegmentKind::full;
  if (isFull && where)
    return emitError() << "a full segment has no masked pair, so that "
                          "'where' says nothing";
  Segment segment;
  segment.full = isFull;
  segment.where = std::move(where);
  segment.layout = layout;
  segment.within = within;
  if (std::string problem = segment.findProblem(); !problem.empty())
    return emitError() << problem;
  return verifyLayout(emitError, layout);
}

// TableGen declares it so.
// NOLINTBEGIN(performance-unnecessary-value-param)
LogicalResult RowsAttr::verify(ErrorEmitter emitError, TileExpr begin,
                               TileExpr end, Layout layout, bool heavy,
                               ArrayRef<SegmentAttr> segments,
                               ArrayRef<DrawAttr> draws, TileTable table) {
  // NOLINTEND(performance-unnecessary-value-param)
  for (const TileExpr &bound : {begin, end})
    if (bound.dependsOnQueryTile())
      return emitError() << "bound \"" << bound.str()
                         << "\" of rows depends on q, the tile of rows that "
                            "it is to bound";
  if (!layout.isContiguous() && !draws.empty())
    return emitError()
           << "rows that stand in a layout draw no blocks, as these "
              "are drawn for neighbouring rows";
  if (table.empty())
    return verifyLayout(emitError, layout);
  if (heavy || !layout.isContiguous() || !segments.empty() || !draws.empty())
    return emitError() << "rows with a table have all their tiles from it, and "
                          "no layout, 'heavy', 'segments' or 'draws'";
  if (begin != TileExpr::constant(table.cuts.front()) ||
      end != TileExpr::constant(table.cuts.back()))
    return emitError() << "rows \"" << begin.str() << "\" to \"" << end.str()
                       << "\" have a table of the rows " << table.cuts.front()
                       << " to " << table.cuts.back()
                       << "; they are to be the same";
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static SmallVector<RowClass, 2> classesOf(ArrayRef<RowsAttr> attributes) {
  SmallVector<RowClass, 2> classes;
  for (RowsAttr rows : attributes) {
    RowClass cls;
    cls.rowBegin = rows.getBegin();
    cls.rowEnd = rows.getEnd();
    cls.layout = rows.getLayout();
    cls.heavy = rows.getHeavy();
    for (SegmentAttr segment : rows.getSegments())
      cls.segments.push_back({segment.getBegin(), segment.getEnd(),
                              segment.getKind() == SegmentKind::full,
                              segment.getWhen(), segment.getWhere(),
                              segment.getLayout(), segment.getWithin()});
    for (DrawAttr draw : rows.getDraws())
      cls.draws.push_back({draw.getRandom().getRandomOptions(), draw.getBegin(),
                           draw.getEnd(), draw.getKind() == SegmentKind::full,
                           draw.getWhen()});
    cls.table = rows.getTable();
    classes.push_back(std::move(cls));
  }
  return classes;
}

static std::vector<Part> partsOf(ArrayRef<PartAttr> attributes) {
  std::vector<Part> parts;
  for (PartAttr part : attributes)
    parts.push_back({part.getStep(),
                     part.getPairs().value_or(mask::Pieces()),
                     {part.getTileQueries(), part.getTileKeys()},
                     classesOf(part.getClasses())});
  return parts;
}

/// A plan and a part of one have tiles of such sizes.
static LogicalResult verifyTile(ErrorEmitter emitError, int64_t queries,
                                int64_t keys) {
  for (int64_t size : {queries, keys})
    if (size < 1 || size > kMaxTileSize)
      return emitError() << "tile sizes must be from 1 to " << kMaxTileSize
                         << ", got [" << queries << ", " << keys << "]";
  return success();
}

static LogicalResult verifyParts(ErrorEmitter emitError,
                                 ArrayRef<PartAttr> parts) {
  for (PartAttr part : parts)
    if (failed(
            verifyTile(emitError, part.getTileQueries(), part.getTileKeys())))
      return failure();
  if (std::string problem = findProblem(partsOf(parts)); !problem.empty())
    return emitError() << problem;
  return success();
}

LogicalResult PlanAttr::verify(ErrorEmitter emitError, int64_t queries,
                               int64_t keys, int64_t offsetMultiple,
                               int64_t keysMultiple, int64_t heads,
                               bool fewBlocks, ArrayRef<RowsAttr> classes,
                               ArrayRef<PartAttr> parts) {
  if (failed(parts.empty() ? verifyTile(emitError, queries, keys)
                           : verifyParts(emitError, parts)))
    return failure();
  if (offsetMultiple < 0 || offsetMultiple > mask::maxSequenceLength)
    return emitError() << "offset_multiple must be from 0 to "
                       << mask::maxSequenceLength << ", got " << offsetMultiple;
  if (keysMultiple < 1 || keysMultiple > mask::maxSequenceLength)
    return emitError() << "keys_multiple must be from 1 to "
                       << mask::maxSequenceLength << ", got " << keysMultiple;
  if (classes.empty() && parts.empty())
    return emitError() << "a plan needs at least one class of rows";
  if (heads < 1 || heads > kMaxTileSize)
    return emitError() << "heads of a tile must be from 1 to " << kMaxTileSize
                       << ", got " << heads;
  auto isOfOneHead = [](RowsAttr rows) {
    return !rows.getDraws().empty() || !rows.getLayout().isContiguous() ||
           !rows.getTable().empty();
  };
  if (heads > 1 && (queries != 1 || llvm::any_of(classes, isOfOneHead)))
    return emitError()
           << "a tile of several heads has one row of each, these are "
              "neighbours, and it visits neither drawn tiles nor "
              "those of a table";
  if (!parts.empty() && (heads > 1 || fewBlocks))
    return emitError() << "a plan of parts has tiles of one head, and is not "
                          "for few blocks";
  auto isHeavy = [](RowsAttr rows) { return rows.getHeavy(); };
  if (fewBlocks && !llvm::all_of(classes, isHeavy))
    return emitError() << "a plan with few_blocks splits all rows along the "
                          "keys, so that each class must be heavy";
  for (RowsAttr rows : classes)
    if (std::string problem = rows.getTable().findProblem({queries, keys});
        !problem.empty())
      return emitError() << problem;
  return success();
}

static SmallVector<RowsAttr> attributesOf(MLIRContext *context,
                                          ArrayRef<RowClass> rows) {
  SmallVector<RowsAttr> classes;
  for (const RowClass &cls : rows) {
    SmallVector<SegmentAttr> segments;
    for (const Segment &segment : cls.segments)
      segments.push_back(SegmentAttr::get(
          context, kindOf(segment.full), segment.begin, segment.end,
          segment.when, segment.where, segment.layout, segment.within));
    SmallVector<DrawAttr> draws;
    for (const Draw &draw : cls.draws) {
      const Mask::RandomOptions &r = draw.random;
      auto random = RandomAttr::get(context, r.block, r.blocksPerRow, r.seed,
                                    r.perHead, r.bigBirdWindowRadius);
      draws.push_back(DrawAttr::get(context, kindOf(draw.full), random,
                                    draw.begin, draw.end, draw.when));
    }
    classes.push_back(RowsAttr::get(context, cls.rowBegin, cls.rowEnd,
                                    cls.layout, cls.heavy, segments, draws,
                                    cls.table));
  }
  return classes;
}

PlanAttr PlanAttr::get(MLIRContext *context, const Plan &plan) {
  SmallVector<PartAttr> parts;
  for (const Part &part : plan.parts)
    parts.push_back(PartAttr::get(context, part.step, part.pairs,
                                  part.tile.queries, part.tile.keys,
                                  attributesOf(context, part.classes)));
  return PlanAttr::get(context, plan.tile.queries, plan.tile.keys,
                       plan.assumed.offsetMultiple, plan.assumed.keysMultiple,
                       plan.heads, plan.fewBlocks,
                       attributesOf(context, plan.classes), parts);
}

Plan PlanAttr::getPlan() const {
  Plan plan;
  plan.tile = {getTileQueries(), getTileKeys()};
  plan.assumed = {getOffsetMultiple(), getKeysMultiple()};
  plan.heads = getHeads();
  plan.fewBlocks = getFewBlocks();
  plan.classes = classesOf(getClasses());
  plan.parts = partsOf(getParts());
  return plan;
}

//===----------------------------------------------------------------------===//
// Spelling of plans
//===----------------------------------------------------------------------===//

/// `offset_multiple = 0, ` where the parser stands at that word.
static ParseResult parseMultiple(AsmParser &parser, StringRef name,
                                 int64_t &value) {
  if (failed(parser.parseOptionalKeyword(name)))
    return success();
  return failure(parser.parseEqual() || parser.parseInteger(value) ||
                 parser.parseComma());
}

/// `few_blocks = true, ` likewise.
static ParseResult parseFewBlocks(AsmParser &parser, bool &value) {
  if (failed(parser.parseOptionalKeyword("few_blocks")))
    return success();
  SMLoc at;
  StringRef word;
  if (parser.parseEqual())
    return failure();
  at = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  if (word != "true" && word != "false")
    return parser.emitError(at) << "expected true or false";
  value = word == "true";
  return parser.parseComma();
}

/// `tile = [16, 32], rows = [...]`, with assumptions in between, or, behind
/// them, `parts = [...]`.
Attribute PlanAttr::parse(AsmParser &parser, Type) {
  SMLoc at = parser.getCurrentLocation();
  int64_t queries = 0, keys = 0, offsetMultiple = 1, keysMultiple = 1;
  int64_t heads = 1;
  bool fewBlocks = false;
  if (parser.parseLess())
    return {};
  bool hasTile = succeeded(parser.parseOptionalKeyword("tile"));
  if (hasTile && (parser.parseEqual() || parser.parseLSquare() ||
                  parser.parseInteger(queries) || parser.parseComma() ||
                  parser.parseInteger(keys) || parser.parseRSquare() ||
                  parser.parseComma()))
    return {};
  SmallVector<RowsAttr> classes;
  SmallVector<PartAttr> parts;
  if (parseMultiple(parser, "offset_multiple", offsetMultiple) ||
      parseMultiple(parser, "keys_multiple", keysMultiple) ||
      parseMultiple(parser, "heads", heads) ||
      parseFewBlocks(parser, fewBlocks) ||
      parser.parseKeyword(hasTile ? "rows" : "parts") || parser.parseEqual() ||
      (hasTile ? parsePlanParts(parser, classes)
               : parsePlanParts(parser, parts)) ||
      parser.parseGreater())
    return {};
  if (!parts.empty()) {
    queries = parts.back().getTileQueries();
    keys = parts.back().getTileKeys();
  }
  return parser.getChecked<PlanAttr>(
      at, parser.getContext(), queries, keys, offsetMultiple, keysMultiple,
      heads, fewBlocks, ArrayRef<RowsAttr>(classes), ArrayRef<PartAttr>(parts));
}

void PlanAttr::print(AsmPrinter &printer) const {
  bool hasParts = !getParts().empty();
  printer << "<";
  if (!hasParts)
    printer << "tile = [" << getTileQueries() << ", " << getTileKeys() << "], ";
  if (getOffsetMultiple() != 1)
    printer << "offset_multiple = " << getOffsetMultiple() << ", ";
  if (getKeysMultiple() != 1)
    printer << "keys_multiple = " << getKeysMultiple() << ", ";
  if (getHeads() != 1)
    printer << "heads = " << getHeads() << ", ";
  if (getFewBlocks())
    printer << "few_blocks = true, ";
  if (hasParts)
    printPlanParts(printer << "parts = ", getParts());
  else
    printPlanParts(printer << "rows = ", getClasses());
  printer << ">";
}
