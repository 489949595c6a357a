//===- ScoreProgram.h - A score region, evaluated pair by pair --*- C++ -*-===//
//
// What --check compares with is computed in double, pair by pair, and so are
// score regions: each operation on numbers is a function here. Beside a number
// stands how far the same computed in f32 may be from it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TOOLS_RUN_SCOREPROGRAM_H
#define SPARSEATTN_TOOLS_RUN_SCOREPROGRAM_H

#include "Arrays.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Oracle/Reference.h"
#include <functional>

namespace mlir::sparse_attn::run_tool {

/// A tensor that a region reads.
struct ScoreTensor {
  std::vector<double> elements;
  llvm::SmallVector<int64_t> shape;
};

class ScoreProgram {
public:
  /// Of the score region of `op`. Where it reads a tensor, `append` gives the
  /// place that it will have among what `run` takes. An error names the first
  /// operation that is not known here.
  static llvm::Expected<ScoreProgram>
  compile(AttentionOp op, llvm::function_ref<unsigned(Value)> append);

  /// What the region makes of a score for the pair of positions (i, j).
  /// Tensors are by the places that `append` gave them. May be called from
  /// several threads at a time.
  oracle::JudgedScore run(const oracle::JudgedScore &score, int64_t batch,
                          int64_t head, int64_t i, int64_t j,
                          const std::map<unsigned, ScoreTensor> &tensors) const;

  /// The tensors that it reads.
  llvm::ArrayRef<unsigned> getTensors() const { return tensors; }

  /// A float and the magnitude of its error in units of f32's roundoff, or an
  /// integer, sign-extended from its width.
  struct Number {
    double real = 0, error = 0;
    int64_t integer = 0;
  };
  using Operands = llvm::ArrayRef<Number>;
  using Function = std::function<Number(Operands)>;

private:
  struct Step {
    Function function; ///< null for a read of tensor `tensor`
    llvm::SmallVector<unsigned, 3> operands;
    unsigned tensor = 0;
    bool isInteger = false; ///< what is read
  };
  class Compiler;

  llvm::SmallVector<Step> steps;
  unsigned result = 0;
  llvm::SmallVector<unsigned> tensors;
};

/// What an operation on numbers does, or null where that is not known.
ScoreProgram::Function functionOf(Operation *op);

} // namespace mlir::sparse_attn::run_tool

#endif // SPARSEATTN_TOOLS_RUN_SCOREPROGRAM_H
