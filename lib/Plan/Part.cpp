//===- Part.cpp - Parts of a plan -----------------------------------------===//
//
// Rows row, row + s, ... stand at positions of one residue p modulo s, keys p,
// p + s, ... do, too. As the last query and the last key of a sequence stand at
// one position, those of a residue do, and row r of the residue stands at
// number r + nk' - nq' of it.
//
//===----------------------------------------------------------------------===//

#include "LinearForm.h"
#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

static int64_t ceilDivide(int64_t a, int64_t b) { return -floorDivide(-a, b); }

Lengths plan::foldLengths(const Lengths &n, int64_t step, int64_t row) {
  int64_t position = row + n.firstQuery();
  int64_t residue = position - floorDivide(position, step) * step;
  return {std::max<int64_t>(0, ceilDivide(n.nq - row, step)),
          std::max<int64_t>(0, ceilDivide(n.nk - residue, step))};
}

LengthFacts plan::foldFacts(const LengthFacts &facts, int64_t step) {
  if (step == 1)
    return facts;
  LengthFacts folded;
  auto quotient = [&](std::optional<int64_t> length) -> std::optional<int64_t> {
    if (!length || *length % step != 0)
      return std::nullopt;
    return *length / step;
  };
  folded.nq = quotient(facts.nq);
  folded.nk = quotient(facts.nk);
  int64_t offset = facts.assumed.offsetMultiple;
  bool areEqual = offset == 0 || (facts.nq && facts.nq == facts.nk);
  if (areEqual)
    folded.assumed.offsetMultiple = 0;
  else if (offset % step == 0)
    folded.assumed.offsetMultiple = offset / step;
  if (facts.assumed.keysMultiple % step == 0)
    folded.assumed.keysMultiple = facts.assumed.keysMultiple / step;
  return folded.assuming(folded.assumed);
}

Plan plan::planOf(const Part &part, const LengthFacts &facts) {
  return {part.tile, part.classes, foldFacts(facts, part.step).assumed};
}

/// Whether all rows are planned alike, and none along the keys.
static bool isSimple(const Part &part) {
  return part.classes.size() == 1 && !part.classes.front().heavy;
}

static std::string findProblem(const Part &part, bool isLast) {
  if (part.step < 1 || part.step > maxSequenceLength)
    return "the step of a part must be from 1 to " +
           std::to_string(maxSequenceLength) + ", got " +
           std::to_string(part.step);
  if (part.classes.empty())
    return "a part needs at least one class of rows";
  if ((part.step > 1 || !isLast) && !isSimple(part))
    return std::string(part.step > 1 ? "a folded part"
                                     : "a part before the "
                                       "last") +
           " must have one class, of all rows, that is not heavy; give other "
           "classes to a last part without a step";
  if (part.classes.front().rowBegin.asConstant() != 0)
    return "the first class of a part must have all rows, from 0 on; begin "
           "others behind it";
  for (const RowClass &cls : part.classes) {
    if (!cls.layout.isContiguous())
      return "the rows of a part stand one after the other; give rows in "
             "layouts a plan without parts";
    if (cls.hasTable())
      return "tables have no place in a part; give the plan one class for all "
             "of its pairs";
    if (!cls.draws.empty())
      return "draws have no place in a part: their pairs have no closed form; "
             "give the plan one class for all of its pairs";
    if (part.step > 1 && cls.hasLayouts())
      return "the keys of a folded part stand one after the other, step by "
             "step; leave out the layouts of its segments";
  }
  return {};
}

std::string plan::findProblem(llvm::ArrayRef<Part> parts) {
  for (const Part &part : parts)
    if (std::string problem = ::findProblem(part, &part == &parts.back());
        !problem.empty())
      return problem;
  return {};
}
