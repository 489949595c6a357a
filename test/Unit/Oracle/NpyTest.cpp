//===- NpyTest.cpp --------------------------------------------------------===//

#include "SparseAttn/Oracle/Npy.h"
#include "SparseAttn/Oracle/Float16.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using llvm::SmallString;
using llvm::StringRef;

/// A file of format `major` with this header and these elements.
static std::string makeFile(StringRef header, StringRef elements,
                            char major = 1) {
  std::string file = "\x93NUMPY";
  file += major;
  file += '\0';
  for (int byte = 0; byte < (major == 1 ? 2 : 4); ++byte)
    file += static_cast<char>(header.size() >> (8 * byte));
  return file + header.str() + elements.str();
}

static std::string makeHeader(StringRef descr, StringRef order,
                              StringRef shape) {
  return ("{'descr': '" + descr + "', 'fortran_order': " + order +
          ", 'shape': " + shape + ", }          \n")
      .str();
}

template <typename T>
static std::string toBytes(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

static std::string getError(StringRef file) {
  llvm::Expected<NpyArray> array = parseNpy(file, "x.npy");
  return array ? "no error" : llvm::toString(array.takeError());
}

#define EXPECT_ERROR(file, part)                                               \
  EXPECT_NE(getError(file).find(part), std::string::npos) << getError(file)

TEST(Npy, ReadsEachElementTypeAsFloat) {
  struct Case {
    StringRef descr;
    std::string bytes;
  } cases[] = {
      {"<f4", toBytes<float>({1.5f, -2.0f, 3.25f})},
      {"<f8", toBytes<double>({1.5, -2.0, 3.25})},
      {"<f2", toBytes<uint16_t>(
                  {floatToHalf(1.5f), floatToHalf(-2.0f), floatToHalf(3.25f)})},
  };
  for (const Case &c : cases) {
    llvm::Expected<NpyArray> array =
        parseNpy(makeFile(makeHeader(c.descr, "False", "(3,)"), c.bytes), "x");
    ASSERT_TRUE(!!array) << llvm::toString(array.takeError());
    EXPECT_EQ(array->numElements(), 3);
    EXPECT_EQ(array->toFloats(), (std::vector<float>{1.5f, -2.0f, 3.25f}));
    EXPECT_EQ(array->getFloat(2), 3.25f);
  }
  llvm::Expected<NpyArray> ints = parseNpy(
      makeFile(makeHeader("<i4", "False", "(2, 1)"), toBytes<int32_t>({7, -9})),
      "x");
  ASSERT_TRUE(!!ints);
  EXPECT_EQ(ints->shape, (llvm::SmallVector<int64_t>{2, 1}));
  EXPECT_EQ(ints->toFloats(), (std::vector<float>{7.0f, -9.0f}));
}

TEST(Npy, ReadsVersionTwoScalarsAndOtherSpellings) {
  std::string one = toBytes<float>({4.0f});
  EXPECT_EQ(getError(makeFile(makeHeader("<f4", "False", "()"), one, 2)),
            "no error");
  EXPECT_EQ(getError(makeFile("{\"shape\": (1L,1,) ,'fortran_order':False,"
                              "'descr':'<f4'}",
                              one)),
            "no error");
  EXPECT_EQ(getError(makeFile(makeHeader("<f4", "False", "(0, 5)"), "")),
            "no error");
}

TEST(Npy, RejectsWhatItDoesNotReadAndSaysWhatToDo) {
  std::string four = toBytes<float>({1, 2, 3, 4});
  EXPECT_ERROR(makeFile(makeHeader("<f4", "True", "(2, 2)"), four),
               "numpy.ascontiguousarray");
  EXPECT_ERROR(makeFile(makeHeader(">f4", "False", "(4,)"), four),
               "big endian");
  EXPECT_ERROR(makeFile(makeHeader("|O", "False", "(4,)"), four),
               "never unpickled");
  EXPECT_ERROR(makeFile(makeHeader("<c8", "False", "(2,)"), four),
               "'<c8' is not supported; use '<f4'");
  EXPECT_ERROR(makeFile(makeHeader("<f4", "False", "(4,)"), four, 3),
               "format version 3");
  EXPECT_ERROR("PK\x03\x04 an archive", "is not a .npy file");
  EXPECT_ERROR("", "is not a .npy file");
}

TEST(Npy, RejectsWrongSizes) {
  std::string four = toBytes<float>({1, 2, 3, 4});
  std::string five = makeHeader("<f4", "False", "(5,)");
  EXPECT_ERROR(makeFile(five, four),
               "16 bytes of elements where its shape needs 20; the file is "
               "truncated");
  EXPECT_ERROR(makeFile(makeHeader("<f4", "False", "(3,)"), four),
               "longer than its array");
  EXPECT_ERROR(makeFile(makeHeader("<f4", "False",
                                   "(4294967296, 4294967296, 4294967296)"),
                        four),
               "more than 2^63 bytes");
  EXPECT_ERROR(
      makeFile(makeHeader("<f4", "False", "(99999999999999999999,)"), four),
      "header that cannot be read");
}

TEST(Npy, RejectsDamagedHeaders) {
  std::string four = toBytes<float>({1, 2, 3, 4});
  for (StringRef header :
       {"", "{", "garbage", "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} more",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'x': '1'}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (4,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}"})
    EXPECT_ERROR(makeFile(header, four), "header that cannot be read");
}

TEST(Npy, EveryTruncationOfAFileIsAnError) {
  std::string file = makeFile(makeHeader("<f4", "False", "(2,)"),
                              toBytes<float>({1.0f, 2.0f}));
  EXPECT_EQ(getError(file), "no error");
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_NE(getError(StringRef(file).take_front(length)), "no error")
        << length;
}

namespace {
/// A folder of its own for each test, removed at the end.
class NpyFile : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("npy-test", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string getPath(StringRef name) {
    SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  }
  /// The names in the folder.
  std::vector<std::string> list() {
    std::vector<std::string> names;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator it(folder, error), end;
         it != end && !error; it.increment(error))
      names.push_back(llvm::sys::path::filename(it->path()).str());
    return names;
  }

  SmallString<128> folder;
};

NpyArray ofFloats(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
  auto *data = reinterpret_cast<const char *>(values.data());
  return {llvm::SmallVector<int64_t>(shape),
          NpyArray::Dtype::F32,
          {data, data + values.size() * sizeof(float)}};
}
} // namespace

TEST_F(NpyFile, WhatIsWrittenReadsBackTheSame) {
  std::vector<float> values{0.0f, -1.5f, 3e38f, 1e-40f, INFINITY, 6.0f};
  for (llvm::SmallVector<int64_t> shape :
       {llvm::SmallVector<int64_t>{6}, {1, 2, 3}, {6, 1}}) {
    ASSERT_FALSE(!!writeNpy(getPath("a.npy"), ofFloats(shape, values)));
    llvm::Expected<NpyArray> array = readNpy(getPath("a.npy"));
    ASSERT_TRUE(!!array) << llvm::toString(array.takeError());
    EXPECT_EQ(array->shape, shape);
    EXPECT_EQ(array->toFloats(), values);
  }
  // Replaced in place, and no temporary file is left behind.
  EXPECT_EQ(list(), std::vector<std::string>{"a.npy"});
}

TEST_F(NpyFile, EveryTypeOfElementsIsKept) {
  using Dtype = NpyArray::Dtype;
  for (Dtype dtype :
       {Dtype::F16, Dtype::F32, Dtype::F64, Dtype::I32, Dtype::I64}) {
    NpyArray written{{3}, dtype, std::vector<char>(3 * byteSize(dtype), 'x')};
    ASSERT_FALSE(!!writeNpy(getPath("a.npy"), written));
    llvm::Expected<NpyArray> array = readNpy(getPath("a.npy"));
    ASSERT_TRUE(!!array) << llvm::toString(array.takeError());
    EXPECT_EQ(array->dtype, dtype);
    EXPECT_EQ(array->data, written.data);
  }
}

TEST_F(NpyFile, ElementsStartAtAMultipleOf64) {
  ASSERT_FALSE(!!writeNpy(getPath("a.npy"), ofFloats({1}, {2.0f})));
  uint64_t size = 0;
  ASSERT_FALSE(llvm::sys::fs::file_size(getPath("a.npy"), size));
  EXPECT_EQ((size - sizeof(float)) % 64, 0u);
}

TEST_F(NpyFile, AFailedWriteLeavesNothing) {
  llvm::Error missing =
      writeNpy(getPath("no/such/folder.npy"), ofFloats({1}, {2.0f}));
  std::string text = llvm::toString(std::move(missing));
  EXPECT_NE(text.find("cannot be written"), std::string::npos) << text;
  EXPECT_NE(text.find("check that its folder exists"), std::string::npos);

  // The destination is a folder, so that only the last step can fail.
  ASSERT_FALSE(llvm::sys::fs::create_directory(getPath("taken")));
  std::string taken =
      llvm::toString(writeNpy(getPath("taken"), ofFloats({1}, {2.0f})));
  EXPECT_NE(taken.find("cannot be written"), std::string::npos) << taken;
  EXPECT_EQ(list(), std::vector<std::string>{"taken"});

  llvm::Error shape = writeNpy(getPath("b.npy"), ofFloats({3}, {2.0f}));
  EXPECT_NE(llvm::toString(std::move(shape)).find("does not hold 4 bytes"),
            std::string::npos);
  EXPECT_EQ(list(), std::vector<std::string>{"taken"});
}

TEST_F(NpyFile, AMissingFileIsNamed) {
  llvm::Expected<NpyArray> array = readNpy(getPath("missing.npy"));
  ASSERT_FALSE(!!array);
  std::string text = llvm::toString(array.takeError());
  EXPECT_NE(text.find("missing.npy': cannot be read"), std::string::npos)
      << text;
}
