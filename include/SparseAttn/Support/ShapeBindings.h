//===- ShapeBindings.h - Sizes given on the command line --------*- C++ -*-===//

#ifndef SPARSEATTN_SUPPORT_SHAPEBINDINGS_H
#define SPARSEATTN_SUPPORT_SHAPEBINDINGS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>

namespace mlir::sparse_attn::support {

/// A size of attention and what --shape calls it.
struct SizeName {
  /// Messages call the size by these words.
  llvm::StringLiteral what;
  /// The name of this size alone.
  llvm::StringLiteral name;
  /// The name of a query's and a key's size together; empty where there is one
  /// size anyhow.
  llvm::StringLiteral both;

  bool operator==(const SizeName &other) const { return name == other.name; }
};

inline constexpr SizeName kBatchSize{"batch size", "B", ""};
inline constexpr SizeName kQueryHeads{"number of query heads", "Hq", "H"};
inline constexpr SizeName kKeyHeads{"number of key heads", "Hkv", "H"};
inline constexpr SizeName kNumQueries{"number of queries", "Sq", "S"};
inline constexpr SizeName kNumKeys{"number of keys", "Sk", "S"};

/// What the user says of dynamic sizes by --shape, the same in every tool: B,
/// Hq, Hkv, Sq, Sk; H and S for two of them, which the former win over; and
/// argI_dimD for dimension D of argument I where no attention gives it a name.
class ShapeBindings {
public:
  /// --help says this of the option.
  static constexpr llvm::StringLiteral help =
      "Sizes that are dynamic ('?' in a type): B, Hq, Hkv, Sq, Sk, H (query "
      "and key heads), S (queries and keys), or argI_dimD; separated by commas "
      "or by a flag each";

  /// From texts like `S=4096` or `B=1,Sq=16`. Fails for what is no size, and
  /// for a name that is given twice.
  static llvm::Expected<ShapeBindings> parse(llvm::ArrayRef<std::string> texts);

  struct Binding {
    std::string name;
    int64_t size;
    bool isUsed = false;
  };
  llvm::ArrayRef<Binding> getAll() const { return bindings; }

  /// Binds one dynamic size, which is all of `sizes` at a time, such as the
  /// length of a tensor that holds queries and keys; nullopt where it was not
  /// given. Fails where the names of `sizes` were given different values. For
  /// messages, `where` says of which size, and `owner` whose size it is, such
  /// as "@f".
  llvm::Expected<std::optional<int64_t>> bind(llvm::ArrayRef<SizeName> sizes,
                                              llvm::StringRef where,
                                              llvm::StringRef owner);

  /// The same for a size with a name of its own.
  std::optional<int64_t> bind(llvm::StringRef name);

  /// Remembers, for checkAllBound's message, that --shape does not bind this
  /// size of `owner`, since it is `value` by `source`, which is a flag.
  void noteFixed(const SizeName &size, llvm::StringRef owner, int64_t value,
                 llvm::StringRef source);
  /// The same where the type says so.
  void noteStatic(const SizeName &size, llvm::StringRef owner, int64_t value);

  /// Fails for a size that has bound nothing: it is a mistake of the user's.
  /// `where` names what was looked at.
  llvm::Error checkAllBound(llvm::StringRef where) const;

  /// How to give a size, such as `--shape=Sq=SIZE`.
  static std::string getFlag(const SizeName &size);

private:
  llvm::Error add(llvm::StringRef text);
  Binding *find(llvm::StringRef name);
  std::optional<int64_t> use(llvm::StringRef name);
  void noteDynamic(llvm::StringRef name);

  /// Why a name binds nothing, and what to do.
  struct Fixed {
    std::string name, fact, remedy;
  };
  void addFixed(const SizeName &size, const std::string &fact,
                const std::string &remedy);

  llvm::SmallVector<Binding> bindings;
  llvm::SmallVector<Fixed> fixed;
  /// The names of sizes that were to be bound, for checkAllBound's message.
  llvm::SmallVector<std::string> dynamic;
};

} // namespace mlir::sparse_attn::support

#endif // SPARSEATTN_SUPPORT_SHAPEBINDINGS_H
