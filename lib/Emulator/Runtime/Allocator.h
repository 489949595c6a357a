//===- Allocator.h - Global memory with gaps around it ----------*- C++ -*-===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_ALLOCATOR_H
#define SPARSEATTN_EMULATOR_RUNTIME_ALLOCATOR_H

#include <cstddef>
#include <map>

namespace mlir::sparse_attn::emulator {

/// Each allocation is a mapping of its own with gaps before and after it that
/// are only reserved: whole tiles beyond an end are still in nobody's memory.
class Allocator {
public:
  Allocator() = default;
  ~Allocator() { clear(); }
  Allocator(const Allocator &) = delete;
  Allocator &operator=(const Allocator &) = delete;

  void *allocate(size_t bytes, size_t alignment);
  /// False if `memory` is not from here.
  bool deallocate(void *memory);
  void clear();

private:
  struct Mapping {
    void *begin;
    size_t bytes;
  };
  std::map<void *, Mapping> mappings;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_ALLOCATOR_H
