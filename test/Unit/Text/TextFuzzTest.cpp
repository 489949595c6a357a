//===- TextFuzzTest.cpp - Any text ends in a result or a diagnostic -------===//
//
// Mutated examples and masks from the grammar are read, verified, simplified,
// planned and, where they are small, proven. Whatever the text, nothing may
// crash, hang or eat the memory, and what is accepted must survive printing and
// carry a plan that covers its mask.
//
//   SPARSE_ATTN_FUZZ_CASES=10000000 SPARSE_ATTN_FUZZ_SEED=7
//     SparseAttnTextTests --gtest_filter='TextFuzz*'
//
// A crash or a hang prints the number of its case and its text; from
// SPARSE_ATTN_FUZZ_FIRST on, rounded down to whole sessions, it comes again.
//
//===----------------------------------------------------------------------===//

#include "FuzzOptions.h"
#include "MaskText.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Proof/Certificate.h"
#include "SparseAttn/Support/Source.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"
#include "gtest/gtest.h"
#include <csignal>
#include <cstdlib>
#include <sys/resource.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::support;
using namespace mlir::sparse_attn::test;

namespace {

/// The case that runs, for the handler of signals.
struct Current {
  uint64_t number = 0;
  std::string text;
} current;

void printCurrent(void *) {
  llvm::errs() << "in case " << current.number << ":\n" << current.text << "\n";
}

void onAlarm(int) {
  constexpr char message[] = "a case takes more than a minute\n";
  (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
  std::abort();
}

/// A context for some hundreds of cases, as starting one takes longer than a
/// case, and what it interns is never freed.
class Session {
public:
  Session() : context(registry(), MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
    context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return;
      refused = true;
      lastError = diagnostic.str();
    });
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createSparseAttnPlan());
  }

  /// How far a text gets.
  enum Outcome { Deep, Invalid, Planned, Proven };
  Outcome run(StringRef text) {
    refused = false;
    if (std::optional<TextProblem> problem = findDeepNesting(text)) {
      EXPECT_TRUE(text.begin() <= problem->where &&
                  problem->where < text.end());
      return Deep;
    }
    ParserConfig config(&context);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, config);
    // Nothing is refused in silence.
    EXPECT_EQ(!module, refused) << text.str();
    if (!module)
      return Invalid;
    checkRoundtrip(*module);
    llvm::SmallPtrSet<Operation *, 4> planned;
    module->walk([&](AttentionOp op) {
      if (op.getPlan())
        planned.insert(op);
    });
    if (failed(passes.run(*module))) {
      EXPECT_TRUE(refused) << text.str();
      return Invalid;
    }
    printed = checkRoundtrip(*module);
    Outcome outcome = Planned;
    module->walk([&](AttentionOp op) {
      if (!isSmall(op))
        return;
      outcome = Proven;
      Proof proof = prove(op);
      // A plan that the text brings may be wrong, which ends in a verdict.
      if (!planned.contains(op))
        EXPECT_EQ(proof.verdict, Verdict::Proven) << proof.reason;
    });
    return outcome;
  }

  /// The text of what was planned last.
  std::string printed;

private:
  static DialectRegistry registry() {
    DialectRegistry registry;
    registerDialects(registry);
    return registry;
  }

  /// What is printed is read again, and prints the same.
  std::string checkRoundtrip(ModuleOp module) {
    std::string once, twice;
    llvm::raw_string_ostream(once) << module;
    auto again =
        parseSourceString<ModuleOp>(once, ParserConfig(module.getContext()));
    EXPECT_TRUE(again) << once << "\n" << lastError;
    if (again)
      llvm::raw_string_ostream(twice) << *again;
    EXPECT_EQ(once, twice);
    return once;
  }

  static bool isSmall(AttentionOp op) {
    constexpr int64_t limit = 256;
    return op.getQueryType().getDimSize(1) <= 4 && op.getOrigin().empty() &&
           op.getStaticNumQueries().value_or(limit + 1) <= limit &&
           op.getStaticNumKeys().value_or(limit + 1) <= limit;
  }

  static Proof prove(AttentionOp op) {
    LengthFacts facts;
    facts.nq = op.getStaticNumQueries();
    facts.nk = op.getStaticNumKeys();
    int64_t heads = std::max<int64_t>(op.getQueryType().getDimSize(1), 1);
    return provePlan(op.getMaskValue(), op.getPlan()->getPlan(), facts, heads);
  }

  MLIRContext context;
  PassManager passes{&context};
  bool refused = false;
  std::string lastError;
};

std::vector<std::string> readExamples() {
  std::vector<std::string> examples;
  std::error_code error;
  std::string folder = std::string(SPARSE_ATTN_SOURCE_DIR) + "/examples";
  for (llvm::sys::fs::directory_iterator file(folder, error), end;
       file != end && !error; file.increment(error))
    if (StringRef(file->path()).ends_with(".mlir"))
      if (auto buffer = llvm::MemoryBuffer::getFile(file->path()))
        examples.push_back((*buffer)->getBuffer().str());
  return examples;
}

TEST(TextFuzz, NoTextCrashesAndWhatIsAcceptedIsPlannedAndProven) {
  uint64_t cases = fuzzCases(10000);
  uint64_t seed = fuzzOption("SPARSE_ATTN_FUZZ_SEED", 1);
  uint64_t first = fuzzOption("SPARSE_ATTN_FUZZ_FIRST", 0);
  std::vector<std::string> examples = readExamples();
  ASSERT_GE(examples.size(), 13u);
  std::vector<std::string> corpus;
  for (const std::string &example : examples)
    llvm::append_range(corpus, splitTokens(example));
  llvm::append_range(corpus, splitTokens("q nq nk min( max( floordiv - + * "
                                         "full partial \"0\" \"q\" \"nk\""));

  llvm::sys::AddSignalHandler(printCurrent, nullptr);
  std::signal(SIGALRM, onAlarm);
  constexpr unsigned kCasesOfSession = 500;
  std::unique_ptr<Session> session;
  uint64_t outcomes[4] = {};
  first -= first % kCasesOfSession;
  for (uint64_t number = first; number < first + cases; ++number) {
    if (!session || number % kCasesOfSession == 0)
      session = std::make_unique<Session>();
    TextGenerator generator(seed * 0x9E3779B97F4A7C15 + number);
    std::string text = generator.below(3)
                           ? generator.generate()
                           : examples[generator.below(examples.size())];
    // Now and then the plan of the case before, by way of its text.
    if (generator.below(6) == 0 && !session->printed.empty())
      text = session->printed;
    if (generator.below(3) == 0)
      text = generator.mutate(text, corpus);
    current = {number, text};
    alarm(60);
    ++outcomes[session->run(text)];
    alarm(0);
    ASSERT_FALSE(HasFailure()) << "case " << number << ":\n" << text;
  }
  // Else the test would look at errors of the parser only.
  EXPECT_GE(outcomes[Session::Planned] + outcomes[Session::Proven], cases / 4);
  EXPECT_GE(outcomes[Session::Proven], cases / 20);
  EXPECT_GE(outcomes[Session::Invalid], cases / 20);
  RecordProperty("proven", std::to_string(outcomes[Session::Proven]));

  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 2 << 20) << "kilobytes";
}

} // namespace
