//===- ReadNpy.cpp - NumPy's .npy files -----------------------------------===//
//
// A file is: "\x93NUMPY", major, minor, the length of the header (2 bytes in
// version 1, 4 in version 2, little endian), the header, the elements. The
// header is a Python dictionary literal with exactly the keys 'descr',
// 'fortran_order' and 'shape', padded with spaces up to a newline.
//
//===----------------------------------------------------------------------===//

#include "NpyFormat.h"
#include "SparseAttn/Oracle/Float16.h"
#include "SparseAttn/Oracle/Npy.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>
#include <optional>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::oracle::npy;
using llvm::StringRef;

int64_t oracle::byteSize(NpyArray::Dtype dtype) {
  switch (dtype) {
  case NpyArray::Dtype::F16:
    return 2;
  case NpyArray::Dtype::F32:
  case NpyArray::Dtype::I32:
    return 4;
  case NpyArray::Dtype::F64:
  case NpyArray::Dtype::I64:
    return 8;
  }
  llvm_unreachable("all types handled");
}

int64_t NpyArray::numElements() const {
  return static_cast<int64_t>(data.size()) / byteSize(dtype);
}

template <typename T>
static T load(const std::vector<char> &data, int64_t index) {
  T value;
  std::memcpy(&value, data.data() + index * sizeof(T), sizeof(T));
  return value;
}

float NpyArray::getFloat(int64_t index) const {
  switch (dtype) {
  case Dtype::F16:
    return halfToFloat(load<uint16_t>(data, index));
  case Dtype::F32:
    return load<float>(data, index);
  case Dtype::F64:
    return static_cast<float>(load<double>(data, index));
  case Dtype::I32:
    return static_cast<float>(load<int32_t>(data, index));
  case Dtype::I64:
    return static_cast<float>(load<int64_t>(data, index));
  }
  llvm_unreachable("all types handled");
}

std::vector<float> NpyArray::toFloats() const {
  std::vector<float> result(numElements());
  if (dtype == Dtype::F32) {
    if (!result.empty())
      std::memcpy(result.data(), data.data(), data.size());
    return result;
  }
  for (int64_t i = 0, e = numElements(); i < e; ++i)
    result[i] = getFloat(i);
  return result;
}

namespace {
/// What a header says; a key that is absent stays nullopt.
struct Header {
  std::optional<StringRef> descr;
  std::optional<bool> fortranOrder;
  std::optional<llvm::SmallVector<int64_t>> shape;

  bool isComplete() const { return descr && fortranOrder && shape; }
};

/// Parser of the one Python dictionary that numpy writes. Anything else, a
/// second literal or an unknown key included, is refused: a header that is
/// read in part is a header that is misread.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : text(text) {}

  std::optional<Header> parse() {
    Header header;
    if (!eat("{"))
      return std::nullopt;
    while (!eat("}")) {
      std::optional<StringRef> key = parseString();
      if (!key || !eat(":") || !parseValue(*key, header))
        return std::nullopt;
      if (!eat(",") && !text.ltrim().starts_with("}"))
        return std::nullopt;
    }
    if (!text.trim().empty() || !header.isComplete())
      return std::nullopt;
    return header;
  }

private:
  bool eat(StringRef token) {
    text = text.ltrim();
    return text.consume_front(token);
  }

  std::optional<StringRef> parseString() {
    text = text.ltrim();
    if (!text.starts_with("'") && !text.starts_with("\""))
      return std::nullopt;
    size_t end = text.find(text.front(), 1);
    if (end == StringRef::npos)
      return std::nullopt;
    StringRef result = text.slice(1, end);
    text = text.drop_front(end + 1);
    return result;
  }

  /// `()`, `(3,)`, `(2, 3)`, `(2, 3,)`.
  std::optional<llvm::SmallVector<int64_t>> parseShape() {
    if (!eat("("))
      return std::nullopt;
    llvm::SmallVector<int64_t> shape;
    while (!eat(")")) {
      text = text.ltrim();
      int64_t extent;
      if (text.consumeInteger(10, extent) || extent < 0)
        return std::nullopt;
      text.consume_front("L"); // Python 2
      shape.push_back(extent);
      if (!eat(",") && !text.ltrim().starts_with(")"))
        return std::nullopt;
    }
    return shape;
  }

  bool parseValue(StringRef key, Header &header) {
    if (key == "descr")
      return (header.descr = parseString()).has_value();
    if (key == "shape")
      return (header.shape = parseShape()).has_value();
    if (key != "fortran_order")
      return false;
    header.fortranOrder = eat("True");
    return *header.fortranOrder || eat("False");
  }

  StringRef text;
};
} // namespace

static std::optional<NpyArray::Dtype> parseDtype(StringRef descr) {
  if (descr == "<f2")
    return NpyArray::Dtype::F16;
  if (descr == "<f4")
    return NpyArray::Dtype::F32;
  if (descr == "<f8")
    return NpyArray::Dtype::F64;
  if (descr == "<i4")
    return NpyArray::Dtype::I32;
  if (descr == "<i8")
    return NpyArray::Dtype::I64;
  return std::nullopt;
}

static llvm::Error rejectDtype(StringRef name, StringRef descr) {
  if (descr.starts_with(">"))
    return makeError(name, "elements of type '" + descr +
                               "' are big endian; save "
                               "array.astype(array.dtype.newbyteorder('<'))");
  if (descr.contains('O'))
    return makeError(name, "holds Python objects (type '" + descr +
                               "'), which are never unpickled; save an array "
                               "of numbers such as array.astype('float32')");
  return makeError(name, "element type '" + descr +
                             "' is not supported; use '<f4', '<f2', '<f8', "
                             "'<i4' or '<i8', such as "
                             "array.astype('float32')");
}

/// Strips magic, version and length off `bytes`; returns the header's text.
static llvm::Expected<StringRef> takeHeader(StringRef &bytes, StringRef name) {
  if (!bytes.consume_front(magic))
    return makeError(name, "is not a .npy file (it does not begin with "
                           "\\x93NUMPY); write it with numpy.save");
  if (bytes.size() < 2)
    return makeError(name, "ends inside its header; write it again with "
                           "numpy.save");
  unsigned major = static_cast<unsigned char>(bytes[0]);
  if (major != 1 && major != 2)
    return makeError(name, "has .npy format version " + llvm::Twine(major) +
                               "; versions 1 and 2 are supported, which "
                               "numpy.save writes for plain arrays");
  size_t lengthBytes = major == 1 ? 2 : 4;
  size_t start = 2 + lengthBytes;
  size_t length = 0;
  if (bytes.size() >= start)
    length = major == 1 ? llvm::support::endian::read16le(bytes.data() + 2)
                        : llvm::support::endian::read32le(bytes.data() + 2);
  if (bytes.size() < start || bytes.size() - start < length)
    return makeError(name, "ends inside its header; write it again with "
                           "numpy.save");
  StringRef header = bytes.substr(start, length);
  bytes = bytes.drop_front(start + length);
  return header;
}

llvm::Expected<NpyArray> oracle::parseNpy(StringRef bytes, StringRef name) {
  llvm::Expected<StringRef> text = takeHeader(bytes, name);
  if (!text)
    return text.takeError();
  std::optional<Header> header = HeaderParser(*text).parse();
  if (!header)
    return makeError(name, "has a header that cannot be read; expected a "
                           "dictionary of exactly 'descr', 'fortran_order' and "
                           "'shape', as numpy.save writes for a plain array");
  std::optional<NpyArray::Dtype> dtype = parseDtype(*header->descr);
  if (!dtype)
    return rejectDtype(name, *header->descr);
  if (*header->fortranOrder)
    return makeError(name, "is in Fortran (column-major) order; save "
                           "numpy.ascontiguousarray(array)");

  std::optional<int64_t> expected = countBytes(*header->shape, *dtype);
  if (!expected)
    return makeError(name, "has a shape of more than 2^63 bytes; the header "
                           "is damaged, write the file again");
  if (static_cast<uint64_t>(*expected) != bytes.size())
    return makeError(name, "has " + llvm::Twine(bytes.size()) +
                               " bytes of elements where its shape needs " +
                               llvm::Twine(*expected) + "; the file is " +
                               (bytes.size() < static_cast<uint64_t>(*expected)
                                    ? "truncated"
                                    : "longer than its array") +
                               ", write it again");

  NpyArray array;
  array.shape = std::move(*header->shape);
  array.dtype = *dtype;
  array.data.assign(bytes.begin(), bytes.end());
  return array;
}

llvm::Expected<NpyArray> oracle::readNpy(StringRef path) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError(path, "cannot be read: " + buffer.getError().message() +
                               "; check the path and its permissions");
  return parseNpy((*buffer)->getBuffer(), path);
}
