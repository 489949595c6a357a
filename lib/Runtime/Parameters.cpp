//===- Parameters.cpp - What kernels take ---------------------------------===//

#include "Parameters.h"
#include "Error.h"

using namespace sparse_attn::runtime;

void Parameters::add(const Launch &launch) {
  for (const KernelArgument &argument : launch.arguments)
    std::visit([&](const auto &kind) { add(launch, kind); }, argument);
}

void Parameters::add(const Launch &, const PointerArgument &argument) {
  pointers.emplace_back(values.size(), argument.buffer);
  values.push_back(0);
}

void Parameters::add(const Launch &, const StrideArgument &argument) {
  values.push_back(call.getTensor(argument.buffer).getStride(argument.dim));
}

/// The low bytes are those of the 32-bit integer: both ends of a launch are
/// little-endian.
void Parameters::add(const Launch &launch, const IntegerArgument &argument) {
  int64_t value = argument.value.evaluate(call.values);
  if (!argument.is64Bits && value != static_cast<int32_t>(value))
    fail(SPARSE_ATTN_TOO_LARGE,
         call.describe(launch) + " takes " + argument.value.str() +
             " as 32 bits, and it is " + std::to_string(value) +
             "; give sizes below 2147483648");
  values.push_back(static_cast<uint64_t>(value));
}

void Parameters::add(const Launch &, const TensorMapArgument &argument) {
  maps.emplace_back(values.size(), TensorMap(argument, call));
  values.push_back(0);
}

std::vector<void *> Parameters::locate(const Driver &driver,
                                       uint64_t workspace) {
  for (auto [index, buffer] : pointers)
    values[index] = call.getAddress(buffer, workspace);
  std::vector<void *> places;
  places.reserve(values.size());
  for (uint64_t &value : values)
    places.push_back(&value);
  for (auto &[index, map] : maps)
    places[index] = map.encode(driver, workspace);
  return places;
}
