//===- Json.h - Reading JSON with places ------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_JSON_H
#define SPARSEATTN_LIB_RUNTIME_JSON_H

#include "Error.h"
#include "ManifestFormula.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sparse_attn::runtime {

/// A value and where it stands in the manifest, such as
/// "programs[0].launches". What it is not, is a CORRUPT_PACKAGE.
class JsonNode {
public:
  JsonNode(const nlohmann::json &value, std::string path)
      : value(value), path(std::move(path)) {}

  JsonNode operator[](const char *key) const {
    std::string inner = path.empty() ? key : path + "." + key;
    if (!value.is_object() || !value.contains(key))
      error(inner, "is missing");
    return JsonNode(value[key], std::move(inner));
  }
  bool has(const char *key) const {
    return value.is_object() && value.contains(key);
  }

  std::vector<JsonNode> elements() const {
    if (!value.is_array())
      error(path, "is not a list");
    std::vector<JsonNode> nodes;
    for (size_t i = 0; i < value.size(); ++i)
      nodes.emplace_back(value[i], path + "[" + std::to_string(i) + "]");
    return nodes;
  }

  /// Without NUL, which would end it early for C.
  std::string text() const {
    if (!value.is_string())
      error(path, "is not a string");
    auto text = value.get<std::string>();
    if (text.find('\0') != std::string::npos)
      error(path, "has a character 0");
    return text;
  }

  bool boolean() const {
    if (!value.is_boolean())
      error(path, "is neither true nor false");
    return value.get<bool>();
  }

  int64_t integer(int64_t min, int64_t max) const {
    bool fits = value.is_number_integer() &&
                (!value.is_number_unsigned() ||
                 value.get<uint64_t>() <= uint64_t(INT64_MAX));
    if (!fits || value.get<int64_t>() < min || value.get<int64_t>() > max)
      error(path, "is not an integer from " + std::to_string(min) + " to " +
                      std::to_string(max));
    return value.get<int64_t>();
  }

  /// A number, or a formula's text.
  Formula formula(const std::vector<std::string> &sizes) const {
    if (!value.is_string())
      return Formula::constant(integer(INT64_MIN, INT64_MAX));
    try {
      return Formula::parse(text(), sizes);
    } catch (const Error &inner) {
      error(path, inner.message);
    }
  }

  std::vector<Formula> formulas(const std::vector<std::string> &sizes) const {
    std::vector<Formula> all;
    for (const JsonNode &node : elements())
      all.push_back(node.formula(sizes));
    return all;
  }

  [[noreturn]] void error(const std::string &what) const { error(path, what); }

private:
  [[noreturn]] static void error(const std::string &path,
                                 const std::string &what) {
    fail(SPARSE_ATTN_CORRUPT_PACKAGE,
         "manifest.json: " + path + " " + what +
             "; write the package anew with sparse-attn-compile");
  }

  const nlohmann::json &value;
  std::string path;
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_JSON_H
