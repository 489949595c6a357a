//===- WritePackage.cpp - All files of a package, or none -----------------===//

#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;
using llvm::StringRef;
using llvm::sys::fs::TempFile;

static llvm::Error explain(StringRef path, std::error_code code) {
  return makeError("cannot write '{0}': {1}; check that the directory can be "
                   "created or written to and has room",
                   path, code.message());
}

static std::string join(StringRef directory, StringRef name) {
  llvm::SmallString<128> path(directory);
  llvm::sys::path::append(path, name);
  return path.str().str();
}

/// The error that is being reported says more than another one would.
static void removeIfPossible(StringRef path) {
  std::error_code error = llvm::sys::fs::remove(path);
  (void)error;
}

namespace {
/// Undoes everything unless committed.
class Transaction {
public:
  ~Transaction() {
    for (Pending &file : pending)
      llvm::consumeError(file.temporary.discard());
    for (const std::string &path : renamed)
      removeIfPossible(path);
    // Only if empty, and the innermost first.
    for (auto path = created.rbegin(); path != created.rend(); ++path)
      removeIfPossible(*path);
  }

  llvm::Error createDirectory(StringRef path) {
    if (path.empty() || llvm::sys::fs::is_directory(path))
      return llvm::Error::success();
    if (llvm::Error error = createDirectory(llvm::sys::path::parent_path(path)))
      return error;
    if (std::error_code code = llvm::sys::fs::create_directory(
            path, /*IgnoreExisting=*/false, llvm::sys::fs::perms::all_all)) {
      // Another program may have been faster.
      if (llvm::sys::fs::is_directory(path))
        return llvm::Error::success();
      if (code == std::errc::file_exists)
        code = std::make_error_code(std::errc::not_a_directory);
      return explain(path, code);
    }
    created.push_back(path.str());
    return llvm::Error::success();
  }

  llvm::Error write(const std::string &path, StringRef contents) {
    llvm::Expected<TempFile> file = TempFile::create(path + ".tmp-%%%%%%%%");
    if (!file)
      return explain(path, llvm::errorToErrorCode(file.takeError()));
    pending.push_back({std::move(*file), path});
    llvm::raw_fd_ostream os(pending.back().temporary.FD, /*shouldClose=*/false);
    os << contents;
    os.flush();
    std::error_code code = os.error();
    os.clear_error();
    return code ? explain(path, code) : llvm::Error::success();
  }

  llvm::Error commit() {
    for (Pending &file : pending) {
      // A rename would put a file in the place of a device.
      llvm::sys::fs::file_status status;
      if (!llvm::sys::fs::status(file.path, status) &&
          !llvm::sys::fs::is_regular_file(status))
        return explain(file.path, std::make_error_code(std::errc::file_exists));
    }
    for (Pending &file : pending) {
      if (llvm::Error error = file.temporary.keep(file.path))
        return explain(file.path, llvm::errorToErrorCode(std::move(error)));
      renamed.push_back(file.path);
    }
    pending.clear();
    renamed.clear();
    created.clear();
    return llvm::Error::success();
  }

private:
  struct Pending {
    TempFile temporary;
    std::string path;
  };
  std::vector<Pending> pending;
  std::vector<std::string> renamed, created;
};
} // namespace

llvm::Error package::writePackage(StringRef directory,
                                  llvm::ArrayRef<OutputFile> files) {
  Transaction transaction;
  if (llvm::Error error = transaction.createDirectory(directory))
    return error;
  for (const OutputFile &file : files)
    if (llvm::Error error =
            transaction.write(join(directory, file.name), file.contents))
      return error;
  return transaction.commit();
}
