// Large cases judged by blocks of rows: as the whole case says, and never blind to what is wrong.

#include "harness/verify/row_blocks.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/base/parallel.hpp"
#include "harness/spec/plan.hpp"
#include "harness/verify/inputs.hpp"
#include "harness/verify/ladder.hpp"
#include "harness/verify/problem.hpp"

namespace fusetune::test {
namespace {

/// A case whose results are the reference's own.
class RowBlocksTest : public ::testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  void SetUp() override {
    const Sweep sweep = parse_sweep(GetParam().second, "test.yaml");
    which_ = make_plan(sweep, Models(), target_of("host-w64")).geometries.at(0).cases.at(0).which;
    reference_ = reference::find(which_.geometry.family->reference);
    const Inputs inputs(which_, 1);
    for (int number = 0; number < 2; ++number) {
      Pass& pass = passes_.emplace_back();
      pass.poison = number == 0 ? Poison::a : Poison::b;
      pass.initial = inputs.images(number, pass.poison);
      pass.actual =
          expected_results(which_, *reference_, pass.initial, pass.poison, &pass.truths.own());
      pass.expected = pass.actual;
    }
    set_parallel_threads(3);
  }
  void TearDown() override { set_parallel_threads(1); }

  static Target target_of(const char* name) { return parse_target(name); }

  /// Pages that no row touches are seen to stay, and not judged by the rules of the output.
  std::int64_t written(const OutputMetrics& output) const {
    std::int64_t elements = output.elements;
    for (const Pass& pass : passes_) {
      const auto truth = pass.truths.find(output.tensor);
      if (truth == pass.truths.end()) continue;
      const std::vector<bool>& kept = truth->second.kept;
      elements -= std::count(kept.begin(), kept.end(), true);
    }
    return elements;
  }

  Case which_;
  const reference::Reference* reference_ = nullptr;
  std::vector<Pass> passes_;
};

constexpr const char* kRowsSweep = R"(
sweep: rows
device: host-w64
families:
  - family: rmsnorm_gemma
    symbols: [{width: 256}]
    options: {residual: [on]}
    tokens: [700]
measure: {data: cold, budget_s: 1}
)";
constexpr const char* kCacheSweep = R"(
sweep: cache
device: host-w64
families:
  - family: qk_norm_rope_cache
    symbols: [{hq: 2, hk: 1, head_dim: 64, rotary_dim: 16, page_size: 16}]
    options: {cache: nhd, quant: [none]}
    runtime: {max_position: 512}
    tokens: [200]
measure: {data: cold, budget_s: 1}
)";
constexpr const char* kSlotRowsSweep = R"(
sweep: slot-rows
device: host-w64
families:
  - family: qk_norm_rope_cache
    symbols: [{hq: 2, hk: 1, head_dim: 64, rotary_dim: 16, page_size: 16}]
    options: {cache: flat, quant: [per_token], scale_layout: by_head}
    dtypes: {index: i32}
    runtime: {max_position: 512}
    tokens: [200]
measure: {data: cold, budget_s: 1}
)";
constexpr const char* kPairSweep = R"(
sweep: pair
device: host-w64
families:
  - family: qk_norm_rope_cache
    symbols: [{hq: 2, hk: 1, head_dim: 64, rotary_dim: 16, page_size: 16}]
    options: {cache: kv_pair, quant: [none]}
    runtime: {max_position: 512}
    tokens: [200]
measure: {data: cold, budget_s: 1}
)";
constexpr std::int64_t kFewElements = 4096;  // seven blocks and more

INSTANTIATE_TEST_SUITE_P(Of, RowBlocksTest,
                         ::testing::Values(std::pair("Rows", kRowsSweep),
                                           std::pair("Cache", kCacheSweep),
                                           std::pair("SlotRows", kSlotRowsSweep),
                                           std::pair("CacheInWhole", kPairSweep)),
                         [](const auto& test) { return std::string(test.param.first); });

TEST_P(RowBlocksTest, SayWhatTheWholeCaseSays) {
  ASSERT_TRUE(is_judged_by_rows(which_));
  Findings found, whole;
  const auto metrics = check_by_rows(which_, *reference_, passes_, &found, -1, kFewElements);
  ASSERT_TRUE(metrics.has_value());
  const Explainer explainer(which_, reference_, nullptr, passes_);
  const ResultMetrics all = check_results(which_, passes_, explainer, &whole);
  ASSERT_FALSE(whole.any());
  EXPECT_FALSE(found.any());
  ASSERT_EQ(metrics->outputs.size(), all.outputs.size());
  for (std::size_t i = 0; i < all.outputs.size(); ++i) {
    EXPECT_EQ(metrics->outputs[i].tensor, all.outputs[i].tensor);
    EXPECT_EQ(metrics->outputs[i].abs_error_max, all.outputs[i].abs_error_max);
    EXPECT_EQ(metrics->outputs[i].share_of_limit_max, all.outputs[i].share_of_limit_max);
    EXPECT_GE(metrics->outputs[i].elements, written(all.outputs[i]));
  }
}

/// What nothing writes keeps its bits, of a zero's sign as well: no distance tells it.
TEST(KeptElements, AreComparedByTheirBytes) {
  TensorShape shape;
  shape.dtype = DType::bf16;
  shape.dims = {1, 2};
  shape.row_elements = shape.row_stride = 2;
  const TensorImage expected(shape);
  TensorImage actual = expected;
  actual.bytes[3] = std::byte{0x80};  // -0
  reference::Truth truth{.value = {0, 0}, .magnitude = {}, .copied = {}, .kept = {}};
  Limits limits;
  limits.exact = false;
  limits.ulp = 1;
  EXPECT_TRUE(climb(limits, actual, expected, truth).passed());
  truth.kept = {true, false};
  EXPECT_TRUE(climb(limits, actual, expected, truth).passed());
  truth.kept = {false, true};
  EXPECT_FALSE(climb(limits, actual, expected, truth).passed());
}

TEST_P(RowBlocksTest, AreBlindToNothing) {
  for (std::size_t number = 0; number < passes_.size(); ++number)
    for (const auto& [name, image] : TensorImages(passes_[number].actual)) {
      const std::int64_t elements = image.filled_rows() * image.shape.row_elements;
      // Of a cache, places that are written and others.
      for (std::int64_t at = 1; at < elements; at += elements / 13 + 1) {
        TensorImage& actual = passes_[number].actual.at(name);
        actual.bytes[actual.offset_of(at) + static_cast<std::size_t>(image.element_bytes()) - 1] ^=
            std::byte{0x41};
        Findings found;
        EXPECT_FALSE(
            check_by_rows(which_, *reference_, passes_, &found, -1, kFewElements).has_value())
            << name << ", element " << at << " of pass " << number;
        EXPECT_FALSE(found.any()) << "the whole case is to tell";
        actual = image;
      }
    }
}

}  // namespace
}  // namespace fusetune::test
