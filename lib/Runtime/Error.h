//===- Error.h - Errors inside the runtime ----------------------*- C++ -*-===//
//
// Inside the library errors are thrown, so that whatever is half done is undone
// by destructors; Interface.cpp turns them into codes and messages. None leaves
// the library.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_ERROR_H
#define SPARSEATTN_LIB_RUNTIME_ERROR_H

#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include <string>
#include <utility>

namespace sparse_attn::runtime {

struct Error {
  SparseAttnStatus status;
  std::string message;
};

[[noreturn]] inline void fail(SparseAttnStatus status, std::string message) {
  throw Error{status, std::move(message)};
}

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_ERROR_H
