//===- ManifestFormula.cpp - Formulas of a manifest -----------------------===//

#include "ManifestFormula.h"
#include "Error.h"

using namespace sparse_attn::runtime;
using sparse_attn::formula::ParseError;
using sparse_attn::formula::Postfix;
using sparse_attn::formula::Value;

Formula Formula::constant(int64_t value) {
  Formula formula;
  formula.postfix = Postfix(value);
  formula.text = std::to_string(value);
  return formula;
}

Formula Formula::parse(std::string_view text,
                       const std::vector<std::string> &sizes) {
  ParseError error;
  std::optional<Postfix> parsed = Postfix::parse(text, sizes, error);
  if (!parsed)
    fail(SPARSE_ATTN_CORRUPT_PACKAGE,
         "the formula '" + std::string(text.substr(0, 200)) + "' has at byte " +
             std::to_string(error.offset) + ": " + error.message);
  Formula formula;
  formula.postfix = std::move(*parsed);
  formula.text = text;
  return formula;
}

bool Formula::holds(const std::vector<int64_t> &values) const {
  Value result = postfix.evaluate(values.data());
  if (result.fault == Value::Fault::Divisor)
    return false;
  return (result ? result.value : evaluate(values)) != 0;
}

int64_t Formula::evaluate(const std::vector<int64_t> &values) const {
  Value result = postfix.evaluate(values.data());
  if (result)
    return result.value;
  if (result.fault == Value::Fault::Divisor)
    fail(SPARSE_ATTN_WRONG_SHAPE, "'" + text + "' divides by " +
                                      std::to_string(result.value) +
                                      " for these sizes; give sizes above 0");
  fail(SPARSE_ATTN_TOO_LARGE, "'" + text +
                                  "' does not fit 64 bits for these sizes; "
                                  "give smaller tensors");
}
