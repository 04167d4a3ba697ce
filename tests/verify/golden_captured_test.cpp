// Golden cases of families without a reference: the captured vectors are the truth.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/verify/golden.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

template <typename Number>
StoredTensor stored(const char* dtype, const std::vector<Number>& numbers,
                    std::vector<std::int64_t> dims) {
  StoredTensor tensor{dtype, std::move(dims), {}};
  tensor.bytes.resize(numbers.size() * sizeof(Number));
  std::memcpy(tensor.bytes.data(), numbers.data(), tensor.bytes.size());
  return tensor;
}

/// The mirror without a reference, with one captured case: y is what the captured code made of x,
/// in bf16 and before its last rounding.
class CapturedMirror : public ::testing::Test {
 protected:
  static constexpr std::int64_t kRows = 6, kWidth = 5;

  CapturedMirror() {
    family_->reference = "captured";
    std::vector<std::uint16_t> x, y;
    std::vector<float> exact;
    for (std::int64_t i = 0; i < kRows * kWidth; ++i) {
      const auto mirrored = i / kWidth * kWidth + kWidth - 1 - i % kWidth;
      x.push_back(static_cast<std::uint16_t>(0x3f80 + i));  // from 1 in steps of 2^-7
      y.push_back(static_cast<std::uint16_t>(0x3f80 + mirrored));
      exact.push_back(1 + static_cast<float>(mirrored) / 128);
    }
    golden_.name = "one";
    golden_.family = "mirror";
    golden_.params = {{"R", kRows}, {"W", kWidth}};
    golden_.tensors["x"] = stored("BF16", x, {kRows, kWidth});
    golden_.tensors["y"] = stored("BF16", y, {kRows, kWidth});
    golden_.tensors["y_f32"] = stored("F32", exact, {kRows, kWidth});
    std::vector<std::uint16_t> acc(x.size(), 0x3f80);
    std::fill(acc.begin() + kRows / 2 * kWidth, acc.end(), 0);
    golden_.tensors["acc"] = stored("BF16", acc, {kRows, kWidth});
    family_->golden["mirror"] = {{{"symbols", {{"rows", "R"}, {"width", "W"}}},
                                  {"tensors", {{"x", "x"}, {"y", "y"}, {"acc", "acc"}}},
                                  {"filled", {{"acc", 1}}}}};
  }

  /// Judges y by this rule instead of its bytes.
  Accept& judge_by_ulp(int ulp) {
    Accept& accept = std::find_if(family_->tensors.begin(), family_->tensors.end(),
                                  [](const TensorDecl& tensor) { return tensor.name == "y"; })
                         ->accept;
    accept.exact = false;
    accept.ulp = Expr::parse(std::to_string(ulp), {});
    return accept;
  }

  /// Of a kernel whose y is `steps` too large, in the last place: in one element, or in all.
  ProofReport proof(int steps, bool everywhere = false) const {
    MirrorProof mirror(
        [=](const MirrorArguments& it) {
          it.run();
          for (std::int64_t i = 0; i < (everywhere ? kRows * kWidth : 1); ++i) {
            std::byte* element = it.y + (i / kWidth * it.y_stride + i % kWidth) * 2;
            std::uint16_t bits;
            std::memcpy(&bits, element, 2);
            bits = static_cast<std::uint16_t>(bits + steps);
            std::memcpy(element, &bits, 2);
          }
        },
        {.rows = kRows, .width = kWidth});
    mirror.which.geometry.family = family_;
    return prove_golden(mirror.device, mirror.variant, mirror.which, golden_, {});
  }

  std::shared_ptr<Family> family_ = mirror_family();
  GoldenCase golden_;
};

TEST_F(CapturedMirror, TheCapturedOutputIsTheTruth) {
  judge_by_ulp(1);
  const ProofReport right = proof(0);
  EXPECT_TRUE(right.outcome.ok()) << right.outcome.message;
  EXPECT_THAT(right.checks, Contains(::testing::AllOf(
                                ::testing::Field(&CheckCount::name, "values"),
                                ::testing::Field(&CheckCount::comparisons, 2 * kRows * kWidth))));
  EXPECT_TRUE(proof(1).outcome.ok());
  EXPECT_EQ(proof(2).failed_check, "values");
  EXPECT_EQ(proof(2).mismatch_count, 1);
  EXPECT_EQ(proof(-2).failed_check, "values");
}

TEST_F(CapturedMirror, WhatIsLeftOutIsSaid) {
  EXPECT_THAT(proof(0).skipped, Contains(HasSubstr("there is no reference")));
}

TEST_F(CapturedMirror, NormsAndCosineAreJudgedAgainstIt) {
  Accept& accept = judge_by_ulp(1);
  EXPECT_TRUE(proof(1, true).outcome.ok());
  accept.norms = Accept::Norms::row;
  accept.norm_factor = 2;
  EXPECT_EQ(proof(1, true).failed_check, "norms");
  EXPECT_TRUE(proof(0).outcome.ok());
  accept.norms = Accept::Norms::none;
  accept.cosine = 0.9999;
  EXPECT_EQ(proof(1, true).failed_check, "norms") << "the ratio of the norms";
  EXPECT_TRUE(proof(0).outcome.ok());
}

TEST_F(CapturedMirror, ATruthBeforeItsLastRoundingIsWhatCounts) {
  judge_by_ulp(1);
  family_->golden.at("mirror").at(0)["truths"] = {{"y", "y_f32"}};
  EXPECT_TRUE(proof(0).outcome.ok());
  EXPECT_EQ(proof(2).failed_check, "values");
  const std::vector<float> other(kRows * kWidth, 8);
  golden_.tensors["y_f32"] = stored("F32", other, {kRows, kWidth});
  EXPECT_EQ(proof(0).mismatch_count, kRows * kWidth);
}

TEST_F(CapturedMirror, ExactOutputsAreComparedByteForByte) {
  EXPECT_TRUE(proof(0).outcome.ok());
  EXPECT_EQ(proof(1).failed_check, "exact");
}

TEST_F(CapturedMirror, WhatDoesNotFitIsSaidWithoutAKernel) {
  judge_by_ulp(1);
  const Case which = [&] {
    Case mirror = mirror_case({.rows = kRows, .width = kWidth});
    mirror.geometry.family = family_;
    return mirror;
  }();
  require_golden_fits(which, golden_);
  golden_.tensors.erase("y");
  EXPECT_THROW(require_golden_fits(which, golden_), UserError);
}

}  // namespace
}  // namespace fusetune::test
