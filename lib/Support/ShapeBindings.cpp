//===- ShapeBindings.cpp - Sizes given on the command line ----------------===//

#include "SparseAttn/Support/ShapeBindings.h"
#include "SparseAttn/Mask/Mask.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using llvm::StringRef;

llvm::Expected<ShapeBindings>
ShapeBindings::parse(llvm::ArrayRef<std::string> texts) {
  ShapeBindings result;
  for (StringRef text : texts) {
    auto [key, number] = text.split('=');
    if (!llvm::is_contained(keys, key))
      return makeError("unknown size '{0}' in --shape={1}; expected KEY=SIZE "
                       "with a key of {2}",
                       key, text, llvm::join(llvm::ArrayRef(keys), ", "));
    int64_t size, least = key == "H" ? 1 : 0;
    if (number.getAsInteger(10, size) || size < least)
      return makeError("--shape={0}: the size must be an integer of at least "
                       "{1}, as in --shape={2}=4096",
                       text, least, key);
    if (key.starts_with("S") && size >= maxSequenceLength)
      return makeError("--shape={0}: sequences must be shorter than {1}", text,
                       maxSequenceLength);
    if (result.get(key))
      return makeError("--shape gives '{0}' twice", key);
    result.bindings.push_back({key.str(), size});
  }
  return result;
}

std::optional<int64_t> ShapeBindings::get(StringRef key) const {
  for (const Binding &binding : bindings)
    if (binding.key == key)
      return binding.size;
  return std::nullopt;
}

std::optional<int64_t> ShapeBindings::bind(llvm::ArrayRef<StringRef> keys) {
  for (StringRef key : keys)
    for (Binding &binding : bindings)
      if (binding.key == key) {
        binding.isUsed = true;
        return binding.size;
      }
  return std::nullopt;
}

llvm::Error ShapeBindings::checkAllBound(StringRef where) const {
  for (const Binding &binding : bindings)
    if (!binding.isUsed)
      return makeError("--shape={0}={1} binds nothing in {2}: no size that it "
                       "speaks of is dynamic there and without a value; leave "
                       "it out",
                       binding.key, binding.size, where);
  return llvm::Error::success();
}
