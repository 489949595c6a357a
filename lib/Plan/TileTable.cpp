//===- TileTable.cpp - Tiles of a row class, one by one -------------------===//

#include "SparseAttn/Plan/TileTable.h"
#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using llvm::ArrayRef;

bool TileTable::passesEnd(int64_t keys, int64_t nk) const {
  return llvm::any_of(starts, [&](int64_t start) { return start + keys > nk; });
}

void TileTable::append(int64_t firstRow, int64_t endRow,
                       ArrayRef<int64_t> partial, ArrayRef<int64_t> full) {
  if (empty()) {
    cuts.push_back(firstRow);
    offsets.push_back(0);
  }
  cuts.push_back(endRow);
  for (ArrayRef<int64_t> list : {partial, full}) {
    starts.insert(starts.end(), list.begin(), list.end());
    offsets.push_back(static_cast<int64_t>(starts.size()));
  }
}

//===----------------------------------------------------------------------===//
// Validity
//===----------------------------------------------------------------------===//

/// What is wrong with the first keys of some tiles of one query tile.
static std::string findProblem(ArrayRef<int64_t> starts, int64_t q) {
  for (size_t k = 0; k < starts.size(); ++k) {
    std::string place = "entry " + std::to_string(k) +
                        " of a list of query tile " + std::to_string(q);
    if (starts[k] < 0 || starts[k] > maxSequenceLength)
      return place + " must be from 0 to " + std::to_string(maxSequenceLength) +
             ", got " + std::to_string(starts[k]);
    if (k > 0 && starts[k] <= starts[k - 1])
      return place + ", " + std::to_string(starts[k]) + ", is not behind " +
             std::to_string(starts[k - 1]) + "; key tiles are sorted";
  }
  return {};
}

/// What is wrong with the rows of a query tile.
static std::string findProblem(Range rows, int64_t q, int64_t most) {
  std::string place = "query tile " + std::to_string(q) +
                      " of a table has rows " + std::to_string(rows.begin) +
                      " to " + std::to_string(rows.end);
  if (rows.begin < 0 || rows.end > maxSequenceLength)
    return place + ", which must be from 0 to " +
           std::to_string(maxSequenceLength);
  if (rows.empty())
    return place + ", which are none";
  if (rows.size() > most)
    return place + ", which are " + std::to_string(rows.size()) +
           "; a tile has " + std::to_string(most);
  return {};
}

std::string TileTable::findProblem(const TileShape &tile) const {
  if (empty())
    return {};
  if (numQueryTiles() < 1)
    return "a table needs at least one query tile";
  if (numQueryTiles() + static_cast<int64_t>(starts.size()) > maxEntries)
    return "a table has at most " + std::to_string(maxEntries) +
           " query and key tiles, got " + std::to_string(numQueryTiles()) +
           " and " + std::to_string(starts.size());
  std::vector<int64_t> both;
  for (int64_t q = 0; q < numQueryTiles(); ++q) {
    std::string problem = ::findProblem(rowsOf(q), q, tile.queries);
    for (ArrayRef<int64_t> list : {partialOf(q), fullOf(q)})
      if (problem.empty())
        problem = ::findProblem(list, q);
    if (!problem.empty())
      return problem;
    both.assign(partialOf(q).begin(), partialOf(q).end());
    both.insert(both.end(), fullOf(q).begin(), fullOf(q).end());
    llvm::sort(both);
    for (size_t k = 1; k < both.size(); ++k)
      if (both[k] < both[k - 1] + tile.keys)
        return "key tiles " + std::to_string(both[k - 1]) + " and " +
               std::to_string(both[k]) + " of query tile " + std::to_string(q) +
               " overlap; each has " + std::to_string(tile.keys) + " keys";
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

void TileTable::printQueryTile(llvm::raw_ostream &os, int64_t q) const {
  os << '<' << rowsOf(q).begin << " to " << rowsOf(q).end;
  auto print = [&](llvm::StringRef name, ArrayRef<int64_t> list) {
    if (list.empty())
      return;
    llvm::interleaveComma(list, os << ", " << name << " = [");
    os << ']';
  };
  print("partial", partialOf(q));
  print("full", fullOf(q));
  os << '>';
}

void TileTable::print(llvm::raw_ostream &os) const {
  os << '[';
  for (int64_t q = 0; q < numQueryTiles(); ++q) {
    if (q > 0)
      os << ", ";
    printQueryTile(os, q);
  }
  os << ']';
}

llvm::hash_code plan::hash_value(const TileTable &table) {
  auto hash = [](const std::vector<int64_t> &list) {
    return llvm::hash_combine_range(list.begin(), list.end());
  };
  return llvm::hash_combine(hash(table.cuts), hash(table.offsets),
                            hash(table.starts));
}
