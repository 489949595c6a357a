//===- PrintFormula.cpp - Formulas as ops on indices ----------------------===//

#include "PrintFormula.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::Twine;
using ::sparse_attn::formula::Op;

void FormulaPrinter::define(llvm::StringRef size, std::string value) {
  values[SizeExpr::size(std::string_view(size.data(), size.size())).str()] =
      std::move(value);
}

std::string FormulaPrinter::printOp(const Twine &op) {
  std::string name = "%v" + std::to_string(count++);
  os << indent << name << " = " << op << "\n";
  return name;
}

std::string FormulaPrinter::print(const SizeExpr &formula) {
  std::string text = formula.str();
  if (auto known = values.find(text); known != values.end())
    return known->second;
  std::string value = printOperation(formula);
  values[text] = value;
  return value;
}

std::string FormulaPrinter::printInteger(const SizeExpr &formula) {
  if (std::optional<int64_t> constant = formula.asConstant())
    return printOp("arith.constant " + Twine(*constant) + " : i32");
  return printOp("arith.index_cast " + print(formula) + " : index to i32");
}

std::string FormulaPrinter::printFlag(const SizeExpr &formula) {
  std::string value = print(formula), zero = print(SizeExpr());
  return printOp("arith.cmpi ne, " + value + ", " + zero + " : index");
}

std::string FormulaPrinter::printEqual(const std::string &a,
                                       const std::string &b) {
  return printOp("arith.cmpi eq, " + a + ", " + b + " : index");
}

std::string FormulaPrinter::printComparison(llvm::StringRef predicate,
                                            const SizeExpr &formula) {
  std::string a = print(formula.getOperands()[0]);
  std::string b = print(formula.getOperands()[1]);
  std::string one = print(SizeExpr::constant(1)), zero = print(SizeExpr());
  std::string flag =
      printOp("arith.cmpi " + predicate + ", " + a + ", " + b + " : index");
  return printOp("arith.select " + flag + ", " + one + ", " + zero +
                 " : index");
}

std::string FormulaPrinter::printOperation(const SizeExpr &formula) {
  auto binary = [&](llvm::StringRef op) {
    std::string a = print(formula.getOperands()[0]);
    std::string b = print(formula.getOperands()[1]);
    return printOp("arith." + op + " " + a + ", " + b + " : index");
  };
  using ::sparse_attn::formula::Op;
  switch (formula.getOp()) {
  case Op::Constant:
    return printOp("arith.constant " + Twine(*formula.asConstant()) +
                   " : index");
  case Op::Size:
    llvm_unreachable("a size of the program has been defined");
  case Op::Add:
    return binary("addi");
  case Op::Sub:
    return binary("subi");
  case Op::Mul:
    return binary("muli");
  case Op::FloorDiv:
    return binary("floordivsi");
  case Op::Min:
    return binary("minsi");
  case Op::Max:
    return binary("maxsi");
  case Op::Less:
    return printComparison("slt", formula);
  case Op::Equal:
    return printComparison("eq", formula);
  case Op::Select: {
    std::string flag = printFlag(formula.getOperands()[0]);
    std::string a = print(formula.getOperands()[1]);
    std::string b = print(formula.getOperands()[2]);
    return printOp("arith.select " + flag + ", " + a + ", " + b + " : index");
  }
  }
  llvm_unreachable("all operations");
}
