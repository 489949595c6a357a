//===- Package.cpp - Opening a package ------------------------------------===//

#include "Package.h"
#include "Error.h"
#include "Sha256.h"
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

using namespace sparse_attn::runtime;

static constexpr uint64_t kMaxManifestBytes = uint64_t(64) << 20;

/// Its size is checked before it is read.
template <typename CheckSize>
static std::string readFile(const std::filesystem::path &path,
                            CheckSize checkSize) {
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status))
    fail(SPARSE_ATTN_FILE_ERROR, path.string() + " is not a file");
  uint64_t size = error ? 0 : std::filesystem::file_size(path, error);
  if (error)
    fail(SPARSE_ATTN_FILE_ERROR, path.string() + ": " + error.message());
  checkSize(size);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string contents(size, '\0');
  file.read(contents.data(), static_cast<std::streamsize>(size));
  if (!file || file.gcount() != static_cast<std::streamsize>(size))
    fail(SPARSE_ATTN_FILE_ERROR,
         path.string() + ": " +
             (errno ? std::strerror(errno) : "ended while it was read"));
  return contents;
}

static void readPackageFile(const std::filesystem::path &directory,
                            PackageFile &file) {
  std::filesystem::path path = directory / file.name;
  auto corrupt = [&](const std::string &what) {
    fail(SPARSE_ATTN_CORRUPT_PACKAGE,
         path.string() + " " + what +
             "; copy the package again, or write it anew with "
             "sparse-attn-compile");
  };
  std::string contents = readFile(path, [&](uint64_t size) {
    if (size != file.size)
      corrupt("has " + std::to_string(size) + " bytes, the manifest says " +
              std::to_string(file.size));
  });
  std::string hash = sha256(contents);
  if (hash != file.sha256)
    corrupt("has SHA-256 " + hash + ", the manifest says " + file.sha256);
  if (file.kind == "ptx" || file.kind == "cubin" || file.kind == "host")
    file.contents = std::move(contents);
}

const std::string *Variant::findCode(std::string_view kind) const {
  for (const PackageFile &file : files)
    if (file.kind == kind)
      return &file.contents;
  return nullptr;
}

static bool haveEqualTensors(const std::vector<TensorSpec> &a,
                             const std::vector<TensorSpec> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const TensorSpec &x, const TensorSpec &y) {
                      return x.type == y.type && x.shape == y.shape &&
                             x.buffer.kind == y.buffer.kind &&
                             x.buffer.index == y.buffer.index;
                    });
}

static void addVariant(PackageData &package, std::unique_ptr<Variant> variant) {
  auto corrupt = [&](const std::string &what) {
    fail(SPARSE_ATTN_CORRUPT_PACKAGE,
         "manifest.json: function " + quote(variant->name) + " " + what +
             "; write the package anew with sparse-attn-compile");
  };
  SparseAttnFunction *function = nullptr;
  for (auto &known : package.functions)
    if (known->name == variant->name)
      function = known.get();
  if (!function) {
    package.functions.push_back(std::make_unique<SparseAttnFunction>());
    function = package.functions.back().get();
    function->package = &package;
    function->name = variant->name;
  }
  for (auto &other : function->variants)
    if (other->chip == variant->chip)
      corrupt("is there twice for " + variant->chip);
  if (!function->variants.empty()) {
    const Variant &first = function->interface();
    if (first.sizes != variant->sizes ||
        !haveEqualTensors(first.arguments, variant->arguments) ||
        !haveEqualTensors(first.results, variant->results))
      corrupt("takes or gives other tensors for " + variant->chip +
              " than for " + first.chip);
  }
  function->variants.push_back(std::move(variant));
}

std::shared_ptr<const PackageData>
sparse_attn::runtime::openPackage(const std::string &directory) {
  std::filesystem::path path(directory);
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    fail(SPARSE_ATTN_FILE_ERROR,
         directory + " is not a directory; give one that sparse-attn-compile "
                     "has written");
  std::string text = readFile(path / "manifest.json", [&](uint64_t size) {
    if (size > kMaxManifestBytes)
      fail(SPARSE_ATTN_CORRUPT_PACKAGE,
           directory + ": manifest.json has " + std::to_string(size) +
               " bytes, more than any that sparse-attn-compile writes");
  });
  auto package = std::make_shared<PackageData>();
  package->sha256 = sha256(text);
  for (auto &variant : parseManifest(text)) {
    for (PackageFile &file : variant->files)
      readPackageFile(path, file);
    addVariant(*package, std::move(variant));
  }
  return package;
}
