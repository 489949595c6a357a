//===- ShapeBindings.cpp - Sizes given on the command line ----------------===//

#include "SparseAttn/Support/ShapeBindings.h"
#include "SparseAttn/Mask/Mask.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::support;
using llvm::StringRef;

static constexpr llvm::StringLiteral kNames[] = {"B",  "Hq", "Hkv", "Sq",
                                                 "Sk", "H",  "S"};

static std::string listNames() {
  return llvm::join(llvm::ArrayRef(kNames), ", ") + " or argI_dimD";
}

/// `arg0_dim1` and the like, the names that packages give such sizes.
static bool isArgumentDim(StringRef name) {
  unsigned index, dim;
  return name.consume_front("arg") && !name.consumeInteger(10, index) &&
         name.consume_front("_dim") && !name.getAsInteger(10, dim);
}

llvm::Expected<ShapeBindings>
ShapeBindings::parse(llvm::ArrayRef<std::string> texts) {
  ShapeBindings result;
  for (StringRef text : texts)
    for (StringRef part : llvm::split(text, ','))
      if (llvm::Error error = result.add(part))
        return std::move(error);
  return result;
}

llvm::Error ShapeBindings::add(StringRef text) {
  auto [name, number] = text.split('=');
  if (!llvm::is_contained(kNames, name) && !isArgumentDim(name))
    return makeError("unknown size '{0}' in --shape={1}; expected NAME=SIZE "
                     "with a name of {2}",
                     name, text, listNames());
  int64_t size, least = name.starts_with("H") ? 1 : 0;
  bool isNumber = !number.empty() && llvm::all_of(number, llvm::isDigit);
  if (isNumber && number.getAsInteger(10, size))
    return makeError("--shape={0}: the size is too large; sizes are below 2^63",
                     text);
  if (!isNumber || size < least)
    return makeError("--shape={0}: the size must be an integer of at least "
                     "{1}, as in --shape={2}={3}",
                     text, least, name, name.starts_with("S") ? 4096 : 8);
  if (name.starts_with("S") && size >= maxSequenceLength)
    return makeError("--shape={0}: sequences must be shorter than {1}", text,
                     maxSequenceLength);
  if (find(name))
    return makeError("--shape gives '{0}' twice; give each of {1} once at most",
                     name, listNames());
  bindings.push_back({name.str(), size});
  return llvm::Error::success();
}

ShapeBindings::Binding *ShapeBindings::find(StringRef name) {
  for (Binding &binding : bindings)
    if (binding.name == name)
      return &binding;
  return nullptr;
}

std::optional<int64_t> ShapeBindings::use(StringRef name) {
  Binding *binding = find(name);
  if (!binding)
    return std::nullopt;
  binding->isUsed = true;
  return binding->size;
}

void ShapeBindings::noteDynamic(StringRef name) {
  if (!llvm::is_contained(dynamic, name))
    dynamic.push_back(name.str());
}

std::optional<int64_t> ShapeBindings::bind(StringRef name) {
  noteDynamic(name);
  return use(name);
}

llvm::Expected<std::optional<int64_t>>
ShapeBindings::bind(llvm::ArrayRef<SizeName> sizes, StringRef where,
                    StringRef owner) {
  for (const SizeName &size : sizes)
    noteDynamic(size.name);
  // The names of one size win over those of two.
  for (auto spelling : {&SizeName::name, &SizeName::both}) {
    std::optional<int64_t> bound;
    StringRef boundBy;
    for (const SizeName &size : sizes) {
      StringRef name = size.*spelling;
      std::optional<int64_t> given = use(name);
      if (bound && given && *bound != *given)
        return makeError("--shape={0}={1} and --shape={2}={3} contradict each "
                         "other: {4} is both",
                         boundBy, *bound, name, *given, where);
      if (given)
        std::tie(bound, boundBy) = std::pair(given, name);
    }
    if (!bound)
      continue;
    std::string winner = llvm::formatv("--shape={0}={1}", boundBy, *bound);
    for (const SizeName &size : sizes)
      if (size.both != boundBy)
        noteFixed(size, owner, *bound, winner);
    return bound;
  }
  return std::nullopt;
}

void ShapeBindings::addFixed(const SizeName &size, const std::string &fact,
                             const std::string &remedy) {
  for (StringRef name : {size.name, size.both})
    if (!name.empty())
      fixed.push_back({name.str(), fact, remedy});
}

void ShapeBindings::noteFixed(const SizeName &size, StringRef owner,
                              int64_t value, StringRef source) {
  addFixed(size,
           llvm::formatv("the {0} of {1} is {2} by {3}", size.what, owner,
                         value, source),
           "leave it out");
}

void ShapeBindings::noteStatic(const SizeName &size, StringRef owner,
                               int64_t value) {
  addFixed(size,
           llvm::formatv("the {0} of {1} is {2} by its type", size.what, owner,
                         value),
           llvm::formatv("leave it out, or write '?' instead of {0} there to "
                         "make it dynamic",
                         value));
}

llvm::Error ShapeBindings::checkAllBound(StringRef where) const {
  for (const Binding &binding : bindings) {
    if (binding.isUsed)
      continue;
    const auto *reason = llvm::find_if(
        fixed, [&](const Fixed &size) { return size.name == binding.name; });
    if (reason != fixed.end())
      return makeError("--shape={0}={1} binds nothing in {2}: {3}; {4}",
                       binding.name, binding.size, where, reason->fact,
                       reason->remedy);
    return makeError("--shape={0}={1} binds nothing in {2}: no dynamic size "
                     "has that name there{3}; leave it out",
                     binding.name, binding.size, where,
                     dynamic.empty() ? std::string()
                                     : " (" + llvm::join(dynamic, ", ") + ")");
  }
  return llvm::Error::success();
}

std::string ShapeBindings::getFlag(const SizeName &size) {
  std::string flag = ("--shape=" + size.name + "=SIZE").str();
  if (!size.both.empty())
    flag += (" or --shape=" + size.both + "=SIZE").str();
  return flag;
}
