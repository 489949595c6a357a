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
/// tensors have been read, with so many buffers in its workspace; none where
/// there is no such key.
std::optional<BufferRef>
readBuffer(const JsonNode &node, const Variant &variant, size_t numWorkspaces);

/// The launch variants of a variant of which all else has been read.
void readLaunchVariants(const JsonNode &node, Variant &variant);

/// The one of a manifest of schema 2, which has its launches and its workspace
/// beside all else.
void readOnlyLaunches(const JsonNode &node, Variant &variant);

/// Refuses data, such as the lengths of the sequences of a batch, of another
/// type or rank than its role's. `node` has the roles of `tensor`, of which all
/// else has been read.
void checkDataRoles(const JsonNode &node, const TensorSpec &tensor);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_MANIFEST_H
