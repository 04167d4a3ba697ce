// Results beside those of the unfused implementation: what it finds, and a baseline that is wrong
// itself blames nobody.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/verify/codec.hpp"
#include "harness/verify/further_checks.hpp"
#include "tests/verify/mirror_proof.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The mirror's, with what y holds as its truth.
reference::Reference truthful_reference() {
  return {[](const reference::Problem& p) {
            mirror_reference().compute(p);
            const reference::Tensor& y = p.tensor("y");
            reference::Truth& truth = *p.truth("y");
            for (std::int64_t row = 0; row < p.symbol("rows"); ++row)
              for (std::int64_t i = 0; i < p.symbol("width"); ++i) {
                std::uint16_t bits = 0;
                std::memcpy(&bits, y.data + (row * y.row_stride + i) * y.element_bytes, 2);
                truth.value.push_back(decode(DType::bf16, bits));
              }
          },
          mirror_reference().describe};
}

/// What a kernel makes of the bits of an element of y.
using Change = std::function<int(std::int64_t index, int bits)>;

int unchanged(std::int64_t, int bits) { return bits; }

MirrorKernel changing(const Change& change) {
  return [change](const MirrorArguments& a) {
    a.run();
    for (std::int64_t i = 0; i < a.rows * a.width; ++i) {
      std::byte* element = a.y + (i / a.width * a.y_stride + i % a.width) * a.element_bytes;
      std::uint16_t bits = 0;
      std::memcpy(&bits, element, sizeof bits);
      bits = static_cast<std::uint16_t>(change(i, bits));
      std::memcpy(element, &bits, sizeof bits);
    }
  };
}

/// Normal numbers in x, of which y may be eight steps off.
ProofReport prove_beside(const MirrorKernel& kernel, const MirrorKernel& baseline_kernel) {
  MirrorProof proof(kernel);
  change_tensor(proof, "x", [](TensorDecl& x) { x.generator.kind = Generator::Kind::normal; });
  change_tensor(proof, "y", [](TensorDecl& y) {
    y.accept.exact = false;
    y.accept.ulp = Expr::constant(8);
  });
  MirrorProof baseline(baseline_kernel);
  ProofOptions options;
  options.baseline = &baseline.variant;
  const reference::Reference reference = truthful_reference();
  return prove(proof.device, proof.variant, proof.which, options, &reference);
}

const OutputMetrics& y_of(const ProofReport& report) {
  return *std::find_if(report.outputs.begin(), report.outputs.end(),
                       [](const OutputMetrics& output) { return output.tensor == "y"; });
}

TEST(BaselineCheck, AcceptsWhatIsEqual) {
  const ProofReport report = prove_beside(changing(unchanged), changing(unchanged));
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(count_of(report, "baseline"), 6 * 5);
  EXPECT_EQ(y_of(report).baseline_elements, 6 * 5);
  EXPECT_EQ(y_of(report).baseline_cosine, 1);
}

TEST(BaselineCheck, FindsAnotherDirection) {
  const ProofReport report =
      prove_beside(changing([](std::int64_t i, int bits) { return bits + (i % 2 == 0 ? 8 : -8); }),
                   changing(unchanged));
  EXPECT_EQ(report.failed_check, "baseline");
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_THAT(report.outcome.message, HasSubstr("beside the unfused implementation a cosine of"));
  EXPECT_LT(y_of(report).baseline_cosine, 0.9999);
}

TEST(BaselineCheck, FindsAnotherLength) {
  const ProofReport report =
      prove_beside(changing([](std::int64_t, int bits) { return bits + 1; }), changing(unchanged));
  EXPECT_EQ(report.failed_check, "baseline");
  EXPECT_GT(y_of(report).baseline_cosine, 0.9999);
  EXPECT_GT(y_of(report).baseline_norm_ratio, 1.001);
}

TEST(BaselineCheck, ABaselineThatIsWrongItselfIsLeftOut) {
  const std::vector<Change> bugs{
      [](std::int64_t i, int bits) { return i % 3 == 0 ? bits ^ 0x8000 : bits; },
      [](std::int64_t, int bits) { return bits + 9; },
      [](std::int64_t i, int bits) { return i == 7 ? 0x7fc0 : bits; },
      [](std::int64_t, int) { return 0; }};
  for (std::size_t i = 0; i < bugs.size(); ++i) {
    const ProofReport report = prove_beside(changing(unchanged), changing(bugs[i]));
    EXPECT_TRUE(report.outcome.ok()) << i << ": " << report.outcome.message;
    EXPECT_EQ(count_of(report, "baseline"), -1) << i;
    EXPECT_EQ(y_of(report).baseline_elements, 0) << i;
    EXPECT_THAT(report.skipped,
                ElementsAre("comparison with the unfused implementation: it failed"))
        << i;
  }
}

TEST(BaselineCheck, SoIsOneThatIsWrongWhereBytesAreCompared) {
  const ProofReport report = prove_beside(changing(unchanged), [](const MirrorArguments& a) {
    for (std::int64_t row = 0; row < a.rows; ++row) a.mirror_row(row);
  });
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(count_of(report, "baseline"), -1);
}

TEST(BaselineCheck, SoIsOneThatWritesBesideItsTensors) {
  const ProofReport report = prove_beside(changing(unchanged), [](const MirrorArguments& a) {
    a.run();
    a.fill(a.y, a.rows * a.y_stride, 0);
  });
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(count_of(report, "baseline"), -1);
  EXPECT_THAT(report.skipped, ElementsAre("comparison with the unfused implementation: it failed"));
}

}  // namespace
}  // namespace fusetune::test
