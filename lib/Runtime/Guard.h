//===- Guard.h - What all functions of the C interface share ----*- C++ -*-===//
//
// Errors become codes and messages here, and nothing that is thrown leaves the
// library.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_GUARD_H
#define SPARSEATTN_LIB_RUNTIME_GUARD_H

#include "Error.h"
#include "Host.h"
#include "Package.h"
#include "Program.h"
#include <exception>
#include <new>

struct SparseAttnPackage {
  std::shared_ptr<const sparse_attn::runtime::PackageData> data;
};
struct SparseAttnDriver {
  std::shared_ptr<sparse_attn::runtime::Driver> driver;
};
/// A program on a device, or for the host.
struct SparseAttnProgram {
  std::shared_ptr<const sparse_attn::runtime::Module> module;
  std::shared_ptr<const sparse_attn::runtime::HostModule> host;

  const sparse_attn::runtime::Variant &getVariant() const {
    return module ? module->variant : host->variant;
  }
};

namespace sparse_attn::runtime {

/// Keeps the message for the calling thread and returns the status.
SparseAttnStatus setError(SparseAttnStatus status, const char *message);

template <typename Body> SparseAttnStatus guard(Body body) noexcept {
  try {
    body();
    return SPARSE_ATTN_SUCCESS;
  } catch (const Error &error) {
    return setError(error.status, error.message.c_str());
  } catch (const std::bad_alloc &) {
    return setError(SPARSE_ATTN_OUT_OF_MEMORY,
                    "the host has no memory left; free some");
  } catch (const std::exception &error) {
    return setError(SPARSE_ATTN_DRIVER_ERROR, error.what());
  } catch (...) {
    return setError(SPARSE_ATTN_DRIVER_ERROR, "an unknown error");
  }
}

template <typename T> T &need(T *pointer, const char *name) {
  if (!pointer)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         std::string(name) + " is null; give a valid pointer");
  return *pointer;
}

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_GUARD_H
