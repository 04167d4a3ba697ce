// The bound on the error of a sum: what accumulation may do, and no more.

#include <gmock/gmock.h>

#include "tests/verify/ladder_fixture.hpp"

namespace fusetune::test {
namespace {

/// Dot products of K terms, accumulated as `add` does it.
template <typename Add>
Judged dot_products(DType out, int terms, const Add& add) {
  Judged judged(out, 4, 16);
  std::mt19937_64 random(3);
  std::normal_distribution<double> values;
  std::vector<double> sums;
  judged.truth.magnitude.assign(static_cast<std::size_t>(judged.elements()), 0);
  judged.make([&](std::int64_t i) {
    if (static_cast<std::size_t>(i) < sums.size()) return judged.value_at(i);
    double truth = 0, sum = 0;
    for (int k = 0; k < terms; ++k) {
      const double a = decode(DType::bf16, encode(DType::bf16, values(random)));
      const double b = decode(DType::bf16, encode(DType::bf16, values(random)));
      truth += a * b;
      judged.truth.magnitude[static_cast<std::size_t>(i)] += std::fabs(a * b);
      sum = add(sum, a * b);
    }
    sums.push_back(sum);
    return truth;
  });
  for (std::int64_t i = 0; i < judged.elements(); ++i)
    set(judged.actual, i, sums[static_cast<std::size_t>(i)]);
  return judged;
}

TEST(Ladder, AccumulationInBf16BreaksTheBoundAndInFp32DoesNot) {
  const auto in_fp32 = [](double sum, double term) {
    return static_cast<double>(static_cast<float>(sum) + static_cast<float>(term));
  };
  const auto in_bf16 = [](double sum, double term) {
    return decode(DType::bf16, encode(DType::bf16, sum + term));
  };
  for (const DType out : {DType::bf16, DType::fp32}) {
    const Limits limits = only("bound", out, 16, 5120);
    const LadderResult right = dot_products(out, 5120, in_fp32).climb(limits);
    EXPECT_TRUE(right.passed()) << right.metrics.share_of_limit_max;
    EXPECT_GT(right.metrics.share_of_limit_max, out == DType::bf16 ? 0.5 : 0.001);
    const LadderResult wrong = dot_products(out, 5120, in_bf16).climb(limits);
    EXPECT_GT(wrong.mismatch_count, 50);
  }
}

TEST(Ladder, TheBoundKnowsCancellation) {
  // 1e4 - 1e4 + 1e-3: the result is small, its error is that of its terms.
  Judged judged(DType::fp32, 1, 1);
  judged.make([](std::int64_t) { return 1e-3; });
  judged.truth.magnitude = {2e4};
  set(judged.actual, 0, 1e-3 + 1e-3);
  EXPECT_TRUE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
  set(judged.actual, 0, 1e-3 + 1e-2);
  EXPECT_FALSE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
  judged.truth.magnitude = {1e-3};
  set(judged.actual, 0, 1e-3 + 1e-5);
  EXPECT_FALSE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
  // No limit at all is none that anything meets.
  judged.truth.magnitude = {kInfinity};
  set(judged.actual, 0, 1e-3);
  EXPECT_FALSE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
}

}  // namespace
}  // namespace fusetune::test
