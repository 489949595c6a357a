//===- Manifest.h - Parts of a manifest -------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_MANIFEST_H
#define SPARSEATTN_LIB_RUNTIME_MANIFEST_H

#include "Json.h"
#include "Package.h"
#include <optional>

namespace sparse_attn::runtime {

/// The type of a tensor's elements by its name.
SparseAttnType readType(const JsonNode &node);

/// {"argument": 0}, {"result": 0} or {"workspace": 0} of a variant whose
/// buffers have been read; none where there is no such key.
std::optional<BufferRef> readBuffer(const JsonNode &node,
                                    const Variant &variant);

/// A launch of a variant of which all else has been read.
Launch readLaunch(const JsonNode &node, Variant &variant);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_MANIFEST_H
