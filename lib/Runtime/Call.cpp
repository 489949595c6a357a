//===- Call.cpp - A call whose sizes are known ----------------------------===//

#include "Call.h"
#include "Error.h"

using namespace sparse_attn::runtime;

CallTensor Call::getTensor(BufferRef buffer) const {
  if (buffer.kind == BufferRef::Kind::Result)
    buffer = variant.results[buffer.index].buffer;
  bool isResult = buffer.kind == BufferRef::Kind::Result;
  return {(isResult ? variant.results : variant.arguments)[buffer.index],
          (isResult ? request.results : request.arguments)[buffer.index]};
}

uint64_t Call::getAddress(BufferRef buffer, uint64_t workspace) const {
  if (buffer.kind != BufferRef::Kind::Workspace)
    return getTensor(buffer).getData();
  return workspace + launches->workspaceOffsets[buffer.index].evaluate(values);
}

std::string Call::describe(BufferRef buffer) const {
  if (buffer.kind == BufferRef::Kind::Workspace)
    return "the workspace of " + quote(variant.name);
  bool isResult = buffer.kind == BufferRef::Kind::Result;
  return TensorLabel{isResult, buffer.index}.describe(variant);
}

std::string Call::describe(const Launch &launch) const {
  return "kernel '" + launch.kernel + "' of " + quote(variant.name);
}
