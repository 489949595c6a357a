//===- SparseAttnGPU.h - The sparse_attn_gpu dialect ------------*- C++ -*-===//

#ifndef SPARSEATTN_GPU_IR_SPARSEATTNGPU_H
#define SPARSEATTN_GPU_IR_SPARSEATTNGPU_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "SparseAttn/GPU/IR/SparseAttnGPUDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "SparseAttn/GPU/IR/SparseAttnGPUTypes.h.inc"

#define GET_OP_CLASSES
#include "SparseAttn/GPU/IR/SparseAttnGPUOps.h.inc"

#endif // SPARSEATTN_GPU_IR_SPARSEATTNGPU_H
