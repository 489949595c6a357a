//===- Specializations.cpp - Launches for some of the sizes ---------------===//

#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;
using ::sparse_attn::formula::kSmCount;

std::vector<ProgramVariant>
package::listVariants(const PackagedProgram &packaged) {
  std::vector<ProgramVariant> variants;
  for (const SpecializedProgram &special : packaged.specializations)
    variants.push_back({special.when, &special.program});
  variants.push_back({SizeExpr::constant(1), &packaged.program});
  return variants;
}

static bool areEqual(const BufferSpec &a, const BufferSpec &b) {
  return a.elementType == b.elementType && a.shape == b.shape &&
         a.isStrided == b.isStrided;
}

/// Whether a caller passes the same to both.
static bool haveOneInterface(const Program &a, const Program &b) {
  auto sameSize = [](const SizeSpec &x, const SizeSpec &y) {
    return x.name == y.name;
  };
  auto samePlace = [](BufferRef x, BufferRef y) {
    return x.kind == y.kind && x.index == y.index;
  };
  return llvm::equal(a.sizes, b.sizes, sameSize) &&
         llvm::equal(a.arguments, b.arguments, areEqual) &&
         llvm::equal(a.results, b.results, areEqual) &&
         llvm::equal(a.resultBuffers, b.resultBuffers, samePlace);
}

namespace {
class Checker {
public:
  explicit Checker(const PackagedProgram &packaged) : packaged(packaged) {
    for (const SizeSpec &size : packaged.program.sizes)
      known.push_back(size.name);
    known.emplace_back(kSmCount);
  }

  llvm::Error check(size_t index) const {
    const SpecializedProgram &special = packaged.specializations[index];
    std::set<std::string> names;
    special.when.collectSizes(names);
    for (const std::string &name : names)
      if (!llvm::is_contained(known, name))
        return fail(index, "has the condition '" + special.when.str() +
                               "' on '" + name +
                               "', which is no size; it can be on " +
                               llvm::join(known, ", "));
    if (std::optional<int64_t> constant = special.when.asConstant())
      return fail(index, *constant
                             ? "takes all sizes, so that nothing behind it is "
                               "ever launched; give it a condition on sizes"
                             : "takes no sizes and is never launched; leave it "
                               "out");
    for (size_t other = 0; other < index; ++other)
      if (packaged.specializations[other].when == special.when)
        return fail(index, "has the condition of variant " +
                               std::to_string(other) +
                               " and is never launched; leave it out");
    if (!haveOneInterface(special.program, packaged.program))
      return fail(index, "takes or gives other tensors than the others do; "
                         "compile it as a function of its own");
    return llvm::Error::success();
  }

private:
  llvm::Error fail(size_t index, const std::string &what) const {
    return makeError("variant {0} of '{1}' for {2} {3}", index,
                     packaged.program.name, packaged.chip, what);
  }

  const PackagedProgram &packaged;
  std::vector<std::string> known;
};
} // namespace

llvm::Error package::checkSpecializations(const PackagedProgram &packaged) {
  for (const SizeSpec &size : packaged.program.sizes)
    if (size.name == kSmCount)
      return makeError("'{0}' has a size of the name {1}, which is that of the "
                       "device's multiprocessors; choose another",
                       packaged.program.name, kSmCount);
  Checker checker(packaged);
  for (size_t i = 0; i < packaged.specializations.size(); ++i)
    if (llvm::Error error = checker.check(i))
      return error;
  return llvm::Error::success();
}
