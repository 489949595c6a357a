//===- ScoreProgram.cpp - A score region, evaluated pair by pair ----------===//

#include "ScoreProgram.h"
#include "SparseAttn/Support/Error.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::run_tool;
using namespace mlir::sparse_attn::support;

/// Makes steps of the operations that a value depends on, inside of the region
/// or around it. The first values are the arguments of the region.
class ScoreProgram::Compiler {
public:
  Compiler(ScoreProgram &program, Block &region,
           llvm::function_ref<unsigned(Value)> append)
      : program(program), append(append) {
    for (BlockArgument argument : region.getArguments())
      places[argument] = places.size();
  }

  llvm::Expected<unsigned> place(Value value) {
    auto *known = places.find(value);
    if (known != places.end())
      return known->second;
    // Functions that run take tensors, and no numbers.
    Operation *op = value.getDefiningOp();
    assert(op && "a number has to be computed somewhere");
    Step step;
    OperandRange operands = op->getOperands();
    if (auto read = dyn_cast<tensor::ExtractOp>(op)) {
      step.tensor = append(read.getTensor());
      step.isInteger = !isa<FloatType>(value.getType());
      program.tensors.push_back(step.tensor);
      operands = read.getIndices();
    } else if (step.function = functionOf(op); !step.function) {
      return makeError("--check does not know '{0}', of which a score region "
                       "has one; compare with what "
                       "--sparse-attn-to-dense-linalg makes of it",
                       op->getName().getStringRef());
    }
    for (Value operand : operands) {
      llvm::Expected<unsigned> from = place(operand);
      if (!from)
        return from.takeError();
      step.operands.push_back(*from);
    }
    program.steps.push_back(std::move(step));
    unsigned made = places.size();
    return places[value] = made;
  }

private:
  ScoreProgram &program;
  llvm::function_ref<unsigned(Value)> append;
  llvm::MapVector<Value, unsigned> places;
};

llvm::Expected<ScoreProgram>
ScoreProgram::compile(AttentionOp op,
                      llvm::function_ref<unsigned(Value)> append) {
  ScoreProgram program;
  Block &region = op.getScore().front();
  Compiler compiler(program, region, append);
  llvm::Expected<unsigned> result =
      compiler.place(cast<YieldOp>(region.getTerminator()).getValue());
  if (!result)
    return result.takeError();
  program.result = *result;
  return program;
}

/// The element at some indices; NaN where there is none.
static ScoreProgram::Number readElement(const ScoreTensor &tensor,
                                        ScoreProgram::Operands indices,
                                        bool isInteger) {
  int64_t place = 0;
  for (auto [index, size] : llvm::zip(indices, tensor.shape)) {
    if (index.integer < 0 || index.integer >= size)
      return {std::numeric_limits<double>::quiet_NaN()};
    place = place * size + index.integer;
  }
  double element = tensor.elements[place];
  if (isInteger)
    return {0, 0, static_cast<int64_t>(element)};
  return {element};
}

oracle::JudgedScore
ScoreProgram::run(const oracle::JudgedScore &score, int64_t batch, int64_t head,
                  int64_t i, int64_t j,
                  const std::map<unsigned, ScoreTensor> &all) const {
  llvm::SmallVector<Number, 32> numbers = {{score.value, score.magnitude},
                                           {0, 0, batch},
                                           {0, 0, head},
                                           {0, 0, i},
                                           {0, 0, j}};
  llvm::SmallVector<Number, 4> operands;
  for (const Step &step : steps) {
    operands.clear();
    for (unsigned operand : step.operands)
      operands.push_back(numbers[operand]);
    numbers.push_back(step.function ? step.function(operands)
                                    : readElement(all.at(step.tensor), operands,
                                                  step.isInteger));
  }
  return {numbers[result].real, numbers[result].error};
}
