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
#include <string_view>
#include <utility>

namespace sparse_attn::runtime {

struct Error {
  SparseAttnStatus status;
  std::string message;
};

[[noreturn]] inline void fail(SparseAttnStatus status, std::string message) {
  throw Error{status, std::move(message)};
}

/// A function's name as messages have it, which are of one line: in quotes,
/// with escapes for control characters.
inline std::string quote(std::string_view name) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "'";
  for (char c : name) {
    unsigned char code = c;
    if (c == '\n')
      text += "\\n";
    else if (c == '\\')
      text += "\\\\";
    else if (code < 0x20 || code == 0x7f)
      text += {'\\', 'x', digits[code / 16], digits[code % 16]};
    else
      text += c;
  }
  return text + "'";
}

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_ERROR_H
