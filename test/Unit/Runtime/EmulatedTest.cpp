//===- EmulatedTest.cpp - From package to result, without a GPU -----------===//
//
// The driver double hands launches to the emulator; what comes out is compared
// with attention in double precision, pair by pair.
//
//===----------------------------------------------------------------------===//

#include "LaunchTest.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace runtime_test;

static float decode(SparseAttnType type, const char *at) {
  uint32_t bits = 0;
  std::memcpy(&bits, at, type == SPARSE_ATTN_F32 ? 4 : 2);
  if (type == SPARSE_ATTN_F16) {
    auto half = static_cast<uint16_t>(bits);
    _Float16 value;
    std::memcpy(&value, &half, 2);
    return static_cast<float>(value);
  }
  if (type == SPARSE_ATTN_BF16)
    bits <<= 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

static size_t sizeOf(SparseAttnType type) {
  return type == SPARSE_ATTN_F32 ? 4 : 2;
}

static size_t countElements(const Tensor &tensor) {
  size_t count = 1;
  for (int64_t size : tensor.shape)
    count *= size;
  return count;
}

/// The double's memory is the host's.
static char *getBytes(const Tensor &tensor) {
  return reinterpret_cast<char *>(tensor.data);
}

/// Element number `index` of the tensor's shape, wherever it lies.
static char *getElement(const Tensor &tensor, size_t index) {
  size_t offset = tensor.strides.empty() ? index : 0;
  for (size_t dim = tensor.strides.size(); dim-- > 0;) {
    offset += index % tensor.shape[dim] * tensor.strides[dim];
    index /= tensor.shape[dim];
  }
  return getBytes(tensor) + offset * sizeOf(tensor.type);
}

/// Of a dense one.
static std::string copyBytes(const Tensor &tensor) {
  return {getBytes(tensor), countElements(tensor) * sizeOf(tensor.type)};
}

static std::vector<float> read(const Tensor &tensor) {
  std::vector<float> values;
  for (size_t i = 0, e = countElements(tensor); i < e; ++i)
    values.push_back(decode(tensor.type, getElement(tensor, i)));
  return values;
}

static void fill(const Tensor &tensor, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (size_t i = 0, e = countElements(tensor); i < e; ++i) {
    float value = normal(random);
    char *at = getElement(tensor, i);
    if (tensor.type == SPARSE_ATTN_F16) {
      auto half = static_cast<_Float16>(value);
      std::memcpy(at, &half, 2);
    } else {
      // bf16 is the upper half.
      std::memcpy(at, reinterpret_cast<const char *>(&value) + 2, 2);
    }
  }
}

using Mask = bool (*)(int64_t query, int64_t key);
static bool isLongformer(int64_t i, int64_t j) {
  return std::abs(i - j) <= 64 || i == 0 || j == 0;
}
static bool isCausal(int64_t i, int64_t j) { return j <= i; }

/// O and LSE of one row, in double precision.
static double attendRow(const float *q, const float *k, const float *v,
                        int64_t row, int64_t keys, int64_t d, Mask mask,
                        std::vector<double> &o) {
  o.assign(d, 0);
  double sum = 0;
  for (int64_t j = 0; j < keys; ++j) {
    if (!mask(row, j))
      continue;
    double score = 0;
    for (int64_t x = 0; x < d; ++x)
      score += double(q[x]) * k[j * d + x];
    double weight = std::exp(score / std::sqrt(double(d)));
    sum += weight;
    for (int64_t x = 0; x < d; ++x)
      o[x] += weight * v[j * d + x];
  }
  for (double &value : o)
    value /= sum;
  return std::log(sum);
}

/// As many keys as queries.
static void expectAttention(const Call &call, Mask mask) {
  const auto &qShape = call.arguments[0].shape;
  int64_t group = qShape[1] / call.arguments[1].shape[1], s = qShape[2],
          d = qShape[3];
  std::vector<float> q = read(call.arguments[0]), k = read(call.arguments[1]),
                     v = read(call.arguments[2]), o = read(call.results[0]),
                     lse;
  if (call.results.size() > 1)
    lse = read(call.results[1]);
  double worst = 0, worstLse = 0;
  std::vector<double> expected;
  for (int64_t row = 0; row < qShape[0] * qShape[1] * s; ++row) {
    int64_t head = row / s / group;
    double expectedLse =
        attendRow(&q[row * d], &k[head * s * d], &v[head * s * d], row % s, s,
                  d, mask, expected);
    for (int64_t x = 0; x < d; ++x)
      worst = std::fmax(worst, std::isnan(o[row * d + x])
                                   ? INFINITY
                                   : std::fabs(o[row * d + x] - expected[x]));
    if (!lse.empty())
      worstLse = std::fmax(worstLse, std::isnan(lse[row])
                                         ? INFINITY
                                         : std::fabs(lse[row] - expectedLse));
  }
  // A unit in the last place of a result of up to 4.
  bool isBfloat = call.results[0].type == SPARSE_ATTN_BF16;
  EXPECT_LT(worst, isBfloat ? 0.016 : 0.002);
  EXPECT_LT(worstLse, 1e-5);
}

namespace {
class EmulatedTest : public RuntimeTest {
protected:
  void start(const char *name, uint64_t seed = 0, int capability = 90) {
    program.reset();
    cuda_double::reset({{capability}});
    cuda_double::emulate(getKernels(), seed);
    Package package = open(getPackage());
    Driver driver = openDriver();
    program = load(driver, getFunction(package, name));
  }
  static void fillArguments(const Call &call) {
    for (unsigned i = 0; i < 3; ++i)
      fill(call.arguments[i], i);
  }
  void TearDown() override {
    EXPECT_EQ(cuda_double::getReport(), "");
    program.reset();
    RuntimeTest::TearDown();
  }

  Program program;
};
} // namespace

// Dynamic sizes, grouped heads, a heavy row that is split and merged, and a
// workspace from the driver.
TEST_F(EmulatedTest, ComputesAttention) {
  start("longformer");
  Call call = makeLongformer(1, 2, 1, 201, 201);
  fillArguments(call);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_EQ(cuda_double::getLaunches().size(), 2u);
  expectAttention(call, isLongformer);
}

TEST_F(EmulatedTest, ComputesTheSameUnderEverySchedule) {
  std::string first;
  for (uint64_t seed : {1, 2, 3}) {
    // The older chip, and a workspace of the caller's.
    start("longformer", seed, 80);
    Call call = makeLongformer(1, 1, 1, 150, 150);
    fillArguments(call);
    uint64_t bytes = getWorkspaceBytes(program, call);
    ASSERT_EQ(launch(program, call, cuda_double::allocate(0, bytes), bytes),
              SPARSE_ATTN_SUCCESS)
        << sparseAttnGetLastError();
    std::string now = copyBytes(call.results[0]) + copyBytes(call.results[1]);
    if (first.empty()) {
      first = now;
      expectAttention(call, isLongformer);
    }
    EXPECT_EQ(now, first) << "under seed " << seed;
  }
}

// Queries and results are [B, S, H, D]; keys and values lie side by side in one
// [S, 2, H, D], which both batches read.
TEST_F(EmulatedTest, TakesRowsWhereverTheyLie) {
  constexpr int64_t kB = 2, kH = 2, kS = 150, kD = 64;
  start("longformer");
  Call call = makeLongformer(kB, kH, kH, kS, kS);
  call.arguments[0].strides =
      call.results[0].strides = {kS * kH * kD, kD, kH * kD, 1};
  for (int i : {1, 2})
    call.arguments[i].strides = {0, kD, 2 * kH * kD, 1};
  call.arguments[2].data = call.arguments[1].data + kH * kD * 2;
  // Rows of LSE have a gap between them, and start at any element.
  call.results[1].data =
      cuda_double::allocate(0, (kB * kH * (kS + 3) + 1) * 4) + 4;
  call.results[1].strides = {kH * (kS + 3), kS + 3, 1};
  fillArguments(call);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  expectAttention(call, isLongformer);
  // Not a byte of what is between the rows was written.
  for (int64_t i = 0; i < kB * kH; ++i)
    for (int64_t j = kS; j < kS + 3; ++j)
      EXPECT_TRUE(
          std::isnan(decode(SPARSE_ATTN_F32, getBytes(call.results[1]) +
                                                 (i * (kS + 3) + j) * 4)));
}

// The same tensors as their [B, S, H, D], and as views of that.
TEST_F(EmulatedTest, TakesTheSequenceBeforeTheHeads) {
  constexpr int64_t kB = 2, kH = 2, kS = 40, kD = 64;
  start("longformer");
  Call views = makeLongformer(kB, kH, kH, kS, kS), call;
  for (int i = 0; i < 3; ++i)
    views.arguments[i].strides = {kS * kH * kD, kD, kH * kD, 1};
  views.results[0].strides = views.arguments[0].strides;
  fillArguments(views);
  call = views;
  for (Tensor *tensor : {&call.arguments[0], &call.arguments[1],
                         &call.arguments[2], &call.results[0]}) {
    tensor->shape = {kB, kS, kH, kD};
    tensor->strides = {};
    tensor->type |= SPARSE_ATTN_BSHD;
  }
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  expectAttention(views, isLongformer);
}

TEST_F(EmulatedTest, WritesResultsIntoArguments) {
  start("causal");
  Call call = makeCausal(1, 100);
  fillArguments(call);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  expectAttention(call, isCausal);
}

TEST_F(EmulatedTest, DoesNotRunWhatIsCaptured) {
  start("causal");
  Call call = makeCausal(1, 100);
  fillArguments(call);
  std::string before = copyBytes(call.results[0]);
  void *stream = cuda_double::makeStream(0, /*isCapturing=*/true);
  ASSERT_EQ(launch(program, call, 0, 0, stream), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_EQ(copyBytes(call.results[0]), before);
}

TEST_F(EmulatedTest, SeesAccessesOutsideOfMemory) {
  start("causal");
  Call call = makeCausal(1, 100);
  fillArguments(call);
  // Half of what the shape says.
  call.arguments[1].data = cuda_double::allocate(0, 4 * 50 * 128 * 2);
  ASSERT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_NE(cuda_double::getReport().find("outside of global memory"),
            std::string::npos)
      << cuda_double::getReport();
  expectError(SPARSE_ATTN_DRIVER_ERROR, launch(program, call), {"error 719"});
  program.reset();
  cuda_double::reset();
}

TEST_F(EmulatedTest, RefusesWhatItHasNoKernelsOf) {
  cuda_double::reset({{90}});
  TemporaryDirectory empty;
  cuda_double::emulate(empty.path);
  Package package = open(getPackage());
  Driver driver = openDriver();
  SparseAttnProgram *loaded = nullptr;
  expectError(SPARSE_ATTN_INVALID_CODE,
              sparseAttnProgramLoad(driver.get(),
                                    getFunction(package, "causal"), 0, &loaded),
              {"no emulated kernels", "--emulator-objects="});
}
