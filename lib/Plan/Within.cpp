//===- Within.cpp - Which tiles of a segment data leaves ------------------===//
//
// Segments claim tiles one after another, so that what claims a tile first must
// visit it wherever one that comes later would. Listed rows and listed keys are
// told apart by no segment of a class that has both; and where documents and
// listed tokens stand side by side, segments of documents visit what is listed,
// too. That leaves, from the first to the last: everything, documents or listed
// tokens, one of these, and both.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Plan/Within.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

Within Within::of(unsigned facts) {
  return {(facts & mask::OneDocument) != 0, (facts & mask::ListedRow) != 0,
          (facts & mask::ListedKey) != 0, /*isEither=*/false};
}

bool Within::holds(unsigned facts) const {
  bool isOne = facts & mask::OneDocument;
  bool isOfListed = (listedRows && (facts & mask::ListedRow)) ||
                    (listedKeys && (facts & mask::ListedKey));
  if (documents && isListed())
    return isEither ? isOne || isOfListed : isOne && isOfListed;
  return documents ? isOne : !isListed() || isOfListed;
}

bool Within::covers(const Within &inner) const {
  for (unsigned facts = 0; facts <= mask::allDataFacts; ++facts)
    if (inner.holds(facts) && !holds(facts))
      return false;
  return true;
}

unsigned Within::rank() const {
  if (isEverything())
    return 0;
  if (documents && isListed())
    return isEither ? 1 : 3;
  return 2;
}

Within Within::join(const Within &other) const {
  if (covers(other))
    return *this;
  if (other.covers(*this))
    return other;
  Within both = {documents || other.documents, listedRows || other.listedRows,
                 listedKeys || other.listedKeys, /*isEither=*/true};
  both.isEither = both.documents && both.isListed();
  return both;
}

llvm::hash_code plan::hash_value(const Within &within) {
  return llvm::hash_combine(within.documents, within.listedRows,
                            within.listedKeys, within.isEither);
}

llvm::raw_ostream &plan::operator<<(llvm::raw_ostream &os,
                                    const Within &within) {
  if (within.documents)
    os << "documents";
  if (within.documents && within.isListed())
    os << (within.isEither ? " or " : " and ");
  if (within.isListed())
    os << "listed";
  if (within.listedRows != within.listedKeys)
    os << (within.listedRows ? " rows" : " columns");
  return os;
}

void plan::align(llvm::ArrayRef<Within *> all) {
  bool rows = false, keys = false, listedAlone = false, documentsAlone = false;
  for (const Within *within : all) {
    rows |= within->listedRows;
    keys |= within->listedKeys;
    listedAlone |= within->isListed() && !within->documents;
    documentsAlone |= within->documents && !within->isListed();
  }
  for (Within *within : all) {
    bool isWidened = listedAlone && documentsAlone && within->documents &&
                     !within->isListed();
    if (!within->isListed() && !isWidened)
      continue;
    within->listedRows = rows;
    within->listedKeys = keys;
    within->isEither |= isWidened;
  }
}
