//===- WritePackageTest.cpp - All files or none; names --------------------===//

#include "SparseAttn/Package/Files/Package.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"
#include <set>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
namespace fs = llvm::sys::fs;

namespace {

class WritePackageTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(fs::createUniqueDirectory("sparse-attn-package", root));
  }
  void TearDown() override { fs::remove_directories(root); }

  std::string path(llvm::StringRef name) {
    llvm::SmallString<128> result(root);
    llvm::sys::path::append(result, name);
    return result.str().str();
  }

  /// All paths below the root, relative to it.
  std::set<std::string> list() {
    std::set<std::string> names;
    std::error_code code;
    for (fs::recursive_directory_iterator it(root, code), end; it != end;
         it.increment(code))
      names.insert(it->path().substr(root.size() + 1));
    return names;
  }

  std::string read(llvm::StringRef name) {
    auto buffer = llvm::MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "(missing)";
  }

  llvm::SmallString<128> root;
};

TEST_F(WritePackageTest, WritesIntoNewDirectoriesAndReplacesFiles) {
  llvm::Error first = writePackage(path("a/b"), {{"ptx", "x", "1"}});
  ASSERT_FALSE(bool(first)) << llvm::toString(std::move(first));
  llvm::Error second =
      writePackage(path("a/b"), {{"ptx", "x", "2"}, {"manifest", "m", "3"}});
  ASSERT_FALSE(bool(second)) << llvm::toString(std::move(second));
  EXPECT_EQ(list(), (std::set<std::string>{"a", "a/b", "a/b/x", "a/b/m"}));
  EXPECT_EQ(read("a/b/x"), "2");
  EXPECT_EQ(read("a/b/m"), "3");
}

TEST_F(WritePackageTest, AFailureLeavesNothingBehind) {
  // No file can be renamed to a directory.
  ASSERT_FALSE(fs::create_directories(path("d/m")));
  llvm::Error error =
      writePackage(path("d"), {{"ptx", "x", "1"}, {"manifest", "m", "2"}});
  std::string message = llvm::toString(std::move(error));
  EXPECT_NE(message.find("cannot write '" + path("d/m") + "'"),
            std::string::npos)
      << message;
  EXPECT_EQ(list(), (std::set<std::string>{"d", "d/m"}));

  // A name with a directory in it that does not exist.
  error = writePackage(path("new/dir"),
                       {{"ptx", "x", "1"}, {"ptx", "none/y", "2"}});
  EXPECT_TRUE(bool(error));
  llvm::consumeError(std::move(error));
  EXPECT_EQ(list(), (std::set<std::string>{"d", "d/m"}));
}

TEST(PackageNamesTest, NoSymbolBecomesAPath) {
  for (llvm::StringRef symbol : {"../../etc/passwd", "/a", "..", ".", "", "a b",
                                 "1a", "\xff\n\"", "int", "con"}) {
    std::string name = makeFileName(symbol, "sm_80", "ptx");
    EXPECT_EQ(llvm::sys::path::filename(name), name) << symbol.str();
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO"
                                     "PQRSTUVWXYZ0123456789_-."),
              std::string::npos)
        << name;
    EXPECT_NE(name.front(), '.');
    std::string identifier = makeIdentifier(symbol);
    EXPECT_FALSE(llvm::isDigit(identifier.front())) << identifier;
  }
}

TEST(PackageNamesTest, DistinctSymbolsStayDistinct) {
  std::string longName(300, 'x');
  std::set<std::string> names, identifiers;
  const std::string symbols[] = {"a_b",    "a.b",          "a b", "a/b", "A_b",
                                 longName, longName + "y", "",    "_"};
  for (const std::string &symbol : symbols) {
    names.insert(makeFileName(symbol, "sm_80", "ptx"));
    identifiers.insert(makeIdentifier(symbol));
    EXPECT_LT(makeFileName(symbol, "sm_100a", "cubin").size(), 128u);
  }
  EXPECT_EQ(names.size(), std::size(symbols));
  EXPECT_EQ(identifiers.size(), std::size(symbols));
  EXPECT_EQ(makeIdentifier("longformer"), "longformer");
}

TEST(PackageNamesTest, ComputeCapabilityIsThatOfTheChip) {
  EXPECT_EQ(getComputeCapability("sm_80"), "8.0");
  EXPECT_EQ(getComputeCapability("sm_90a"), "9.0");
  EXPECT_EQ(getComputeCapability("sm_120"), "12.0");
  EXPECT_FALSE(isArchitectureSpecific("sm_90"));
  EXPECT_TRUE(isArchitectureSpecific("sm_90a"));
}

} // namespace
