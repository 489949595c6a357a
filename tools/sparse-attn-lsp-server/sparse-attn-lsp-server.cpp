//===- sparse-attn-lsp-server.cpp - Masks and plans in editors ------------===//
//
// MLIR's language server with our dialects, whose hover has plans and counts,
// and whose completion has masks.
//
//===----------------------------------------------------------------------===//

#include "Planning.h"
#include "Proxy.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Support/BugReport.h"
#include "SparseAttn/Support/Version.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include <csignal>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::lsp_server;

/// For --help, and so that upstream's parser knows it.
static llvm::cl::opt<std::string>
    target("target", llvm::cl::value_desc("cpu|gpu|x86-64-v3|sm_80|..."),
           llvm::cl::desc("Plan, where a plan is shown, as the pipeline for "
                          "this level of processors or chip does"));

static int fail(const llvm::Twine &message) {
  llvm::errs() << "sparse-attn-lsp-server: error: " << message << "\n";
  return EXIT_FAILURE;
}

static int runUpstream(llvm::SmallVectorImpl<char *> &arguments) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registerDialects(registry);
  return failed(mlir::MlirLspServerMain(static_cast<int>(arguments.size()),
                                        arguments.data(), registry));
}

/// Where this is among the options, there is nothing to serve.
static bool isQuestion(llvm::StringRef option) {
  return llvm::is_contained(
      {"h", "help", "help-hidden", "help-list", "help-list-hidden", "version"},
      option);
}

/// Takes out of the arguments how messages are written, and reads the target,
/// which upstream's parser is left to check. Nothing where an option asks for
/// help.
static std::optional<ProxyOptions>
takeOptions(llvm::SmallVectorImpl<char *> &arguments) {
  ProxyOptions options;
  bool isAsked = false, isTarget = false;
  llvm::erase_if(arguments, [&](char *argument) {
    llvm::StringRef text = argument;
    if (std::exchange(isTarget, text == "--target" || text == "-target"))
      options.target = text.str();
    if (!text.consume_front("--"))
      text.consume_front("-");
    isAsked |= isQuestion(text);
    bool isTest = text == "lit-test";
    if (isTest || text == "input-style=delimited")
      options.style = llvm::lsp::JSONStreamStyle::Delimited;
    if (isTest || text == "pretty")
      options.pretty = true;
    if (text.consume_front("target="))
      options.target = text.str();
    return isTest || text == "pretty" || text.starts_with("input-style=");
  });
  if (isAsked)
    return std::nullopt;
  return options;
}

/// A server that reads from the first and writes to the second descriptor.
static int serve(int input, int output,
                 llvm::SmallVectorImpl<char *> &arguments) {
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  return runUpstream(arguments);
}

/// Returns when the server has ended, with its exit code.
static int proxy(Proxy &proxy, pid_t server, int toServer, int fromServer) {
  std::FILE *requests = fdopen(toServer, "w");
  std::FILE *answers = fdopen(fromServer, "r");
  // A server that has ended is noticed where its answers are read.
  std::signal(SIGPIPE, SIG_IGN);
  std::thread([&proxy, requests] {
    proxy.passRequests(stdin, requests);
    std::fclose(requests);
  }).detach();
  proxy.passAnswers(answers, stdout);
  int status = 0;
  waitpid(server, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(int argc, char **argv) {
  support::setBugReport();
  llvm::InitLLVM init(argc, argv);
  support::setVersion("sparse-attn-lsp-server");
  llvm::SmallVector<char *> arguments(argv, argv + argc);
  std::optional<ProxyOptions> options = takeOptions(arguments);
  if (!options)
    return runUpstream(arguments);
  if (!options->target.empty())
    if (llvm::Error unknown = inspect_tool::checkTarget(options->target))
      return fail(llvm::toString(std::move(unknown)));

  int requests[2], answers[2];
  if (pipe(requests) != 0 || pipe(answers) != 0)
    return fail("no pipe to the server");
  pid_t server = fork();
  if (server < 0)
    return fail("no process for the server");
  if (server == 0) {
    close(requests[1]);
    close(answers[0]);
    return serve(requests[0], answers[1], arguments);
  }
  close(requests[0]);
  close(answers[1]);
  static Proxy between(std::move(*options));
  int code = proxy(between, server, requests[1], answers[0]);
  // The other thread may still be reading from an editor that has not closed.
  _exit(code);
}
