//===- WriteNpy.cpp - NumPy's .npy files ----------------------------------===//

#include "NpyFormat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::oracle::npy;
using llvm::StringRef;

static StringRef describe(NpyArray::Dtype dtype) {
  switch (dtype) {
  case NpyArray::Dtype::F16:
    return "<f2";
  case NpyArray::Dtype::F32:
    return "<f4";
  case NpyArray::Dtype::F64:
    return "<f8";
  case NpyArray::Dtype::I32:
    return "<i4";
  case NpyArray::Dtype::I64:
    return "<i8";
  }
  llvm_unreachable("all types handled");
}

static std::string makePreamble(const NpyArray &array) {
  std::string header;
  llvm::raw_string_ostream os(header);
  os << "{'descr': '" << describe(array.dtype)
     << "', 'fortran_order': False, 'shape': (";
  llvm::interleaveComma(array.shape, os);
  os << (array.shape.size() == 1 ? ",), }" : "), }");
  // Magic, version and length are 10 bytes; elements start at a multiple of 64.
  size_t padded = llvm::alignTo(10 + header.size() + 1, 64) - 10;
  header.resize(padded - 1, ' ');
  header += '\n';

  std::string preamble = magic.str();
  preamble += '\x01';
  preamble += '\0';
  preamble += static_cast<char>(header.size() & 0xff);
  preamble += static_cast<char>(header.size() >> 8);
  return preamble + header;
}

llvm::Error oracle::writeNpy(StringRef path, const NpyArray &array) {
  std::optional<int64_t> bytes = countBytes(array.shape, array.dtype);
  if (!bytes || static_cast<uint64_t>(*bytes) != array.data.size())
    return makeError(path, "is not written: its shape does not hold " +
                               llvm::Twine(array.data.size()) + " bytes");

  auto explain = [&](llvm::Error error) {
    return makeError(path,
                     "cannot be written: " + llvm::toString(std::move(error)) +
                         "; check that its folder exists, is writable "
                         "and has room");
  };
  // A rename would put a file in the place of /dev/null.
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && llvm::sys::fs::is_other(status))
    return makeError(path, "cannot be written: it is a device or a pipe; give "
                           "the path of a file");
  llvm::Expected<llvm::sys::fs::TempFile> file =
      llvm::sys::fs::TempFile::create(path + ".tmp-%%%%%%%%");
  if (!file)
    return explain(file.takeError());

  std::error_code failure;
  {
    llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
    os << makePreamble(array);
    os.write(array.data.data(), array.data.size());
    os.flush();
    failure = os.error();
    os.clear_error();
  }
  if (failure) {
    llvm::consumeError(file->discard());
    return explain(llvm::errorCodeToError(failure));
  }
  // keep() renames, and removes the temporary file where that fails.
  if (llvm::Error error = file->keep(path))
    return explain(std::move(error));
  return llvm::Error::success();
}
