//===- ProgramInterface.cpp - The C interface of loaded programs ----------===//

#include "Binding.h"
#include "Guard.h"
#include "LaunchVariant.h"
#include <chrono>

using namespace sparse_attn::runtime;

SparseAttnStatus sparseAttnProgramLoad(SparseAttnDriver *driver,
                                       const SparseAttnFunction *function,
                                       int32_t device,
                                       SparseAttnProgram **program) {
  return guard([&] {
    need(function, "function");
    need(program, "program");
    auto loaded = std::make_unique<SparseAttnProgram>();
    if (device == SPARSE_ATTN_HOST)
      loaded->host = loadHostModule(*function);
    else
      loaded->module =
          loadModule(need(driver, "driver").driver, *function, device);
    *program = loaded.release();
  });
}

void sparseAttnProgramUnload(SparseAttnProgram *program) { delete program; }

int32_t sparseAttnProgramGetVariant(const SparseAttnProgram *program) {
  if (!program)
    return -1;
  return program->module ? program->module->variantIndex
                         : program->host->variantIndex;
}

int32_t sparseAttnProgramIsCubin(const SparseAttnProgram *program) {
  return program && program->module && program->module->isCubin;
}

SparseAttnStatus
sparseAttnProgramGetWorkspaceBytes(const SparseAttnProgram *program,
                                   const SparseAttnTensor *arguments,
                                   int32_t numArguments, uint64_t *bytes) {
  return guard([&] {
    const Variant &variant = need(program, "program").getVariant();
    need(bytes, "bytes");
    std::vector<int64_t> values = bindSizes(variant, arguments, numArguments);
    if (program->module)
      values.push_back(program->module->numMultiprocessors);
    *bytes = variant.isHost
                 ? 0
                 : getWorkspaceBytes(chooseLaunches(variant, values), values);
  });
}

static LaunchRequest makeRequest(const SparseAttnTensor *arguments,
                                 int32_t numArguments,
                                 const SparseAttnTensor *results,
                                 int32_t numResults, uint64_t workspace,
                                 uint64_t workspaceBytes, void *stream) {
  LaunchRequest request = {};
  request.arguments = arguments;
  request.numArguments = numArguments;
  request.results = results;
  request.numResults = numResults;
  request.workspace = workspace;
  request.workspaceBytes = workspaceBytes;
  request.stream = static_cast<CUstream>(stream);
  return request;
}

SparseAttnStatus sparseAttnProgramLaunch(
    const SparseAttnProgram *program, const SparseAttnTensor *arguments,
    int32_t numArguments, const SparseAttnTensor *results, int32_t numResults,
    uint64_t workspace, uint64_t workspaceBytes, void *stream) {
  return guard([&] {
    LaunchRequest request =
        makeRequest(arguments, numArguments, results, numResults, workspace,
                    workspaceBytes, stream);
    if (need(program, "program").module)
      launch(*program->module, request);
    else
      run(*program->host, request);
  });
}

SparseAttnStatus sparseAttnProgramTime(const SparseAttnProgram *program,
                                       const SparseAttnTensor *arguments,
                                       int32_t numArguments,
                                       const SparseAttnTensor *results,
                                       int32_t numResults, uint64_t workspace,
                                       uint64_t workspaceBytes, void *stream,
                                       double *seconds) {
  return guard([&] {
    need(program, "program");
    need(seconds, "seconds");
    LaunchRequest request =
        makeRequest(arguments, numArguments, results, numResults, workspace,
                    workspaceBytes, stream);
    if (program->module) {
      *seconds = time(*program->module, request);
      return;
    }
    auto start = std::chrono::steady_clock::now();
    run(*program->host, request);
    std::chrono::duration<double> elapsed =
        std::chrono::steady_clock::now() - start;
    *seconds = elapsed.count();
  });
}
