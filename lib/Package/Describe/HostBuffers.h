//===- HostBuffers.h - Buffers of a host function ---------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_DESCRIBE_HOSTBUFFERS_H
#define SPARSEATTN_LIB_PACKAGE_DESCRIBE_HOSTBUFFERS_H

#include "HostScalars.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::sparse_attn::package {

/// Which argument, result or workspace of a program each buffer of its host
/// function is, with the sizes of each.
class HostBuffers {
public:
  /// `program` is the interface of `host`, and gets its workspaces and results.
  HostBuffers(func::FuncOp host, Program &program, HostScalars &scalars);

  /// Behind the function's own arguments come buffers for its results, which
  /// `end` returns. Comes first.
  LogicalResult readArguments(func::ReturnOp end);
  LogicalResult readAlloc(memref::AllocOp op);
  /// The size of a known buffer is a formula.
  void readDim(memref::DimOp op);
  void readStrides(memref::ExtractStridedMetadataOp op);
  /// Results in the order of the function; those that are one buffer share it.
  /// Comes last, when the program has its launches.
  LogicalResult readResults(func::ReturnOp end);

  /// The buffer that `value` is, under whatever type.
  std::optional<BufferRef> find(Value value) const;
  /// The buffer whose address `pointer` is.
  std::optional<BufferRef> findPointer(Value pointer) const;
  /// The stride that `value` is.
  std::optional<StrideArgument> findStride(Value value) const;
  const BufferSpec &getSpec(BufferRef buffer) const;

private:
  LogicalResult readArgument(BlockArgument argument, func::ReturnOp end);
  FailureOr<BufferSpec> makeBuffer(MemRefType type, ValueRange dynamicSizes);

  func::FuncOp host;
  Program &program;
  HostScalars &scalars;
  llvm::DenseMap<Value, BufferRef> buffers;
  llvm::DenseSet<Value> returned;
  /// Strides of buffers, as kernels take them.
  llvm::DenseMap<Value, StrideArgument> strides;
  /// Results as the interface has them.
  std::vector<BufferSpec> expected;
  /// The buffers are in the order of their allocation.
  std::vector<BufferSpec> resultAllocs;
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_DESCRIBE_HOSTBUFFERS_H
