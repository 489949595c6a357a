//===- Sha256.h - SHA-256 ---------------------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_SHA256_H
#define SPARSEATTN_LIB_RUNTIME_SHA256_H

#include <string>
#include <string_view>

namespace sparse_attn::runtime {

/// The digest of `bytes` (FIPS 180-4), in 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_SHA256_H
