// Golden cases against the reference and against a kernel, right and wrong.

#include "harness/verify/golden.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/base/error.hpp"
#include "harness/verify/golden_codecs.hpp"
#include "harness/verify/prove.hpp"
#include "tests/verify/fake_device.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kSplit =
    std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/split.safetensors";

/// split_reshape_cat for the interleaved layout, element by element. `swap_v` plants a wrong head.
class SplitKernel {
 public:
  SplitKernel(const Case& which, bool swap_v) {
    const auto statics = which.geometry.statics;
    const auto symbol = [statics](const char* name) {
      return std::get<std::int64_t>(statics.at(name));
    };
    const std::int64_t nk = symbol("nk"), nv = symbol("nv"), hk = symbol("hk"), hv = symbol("hv");
    code_.kernels["split"] = [=](const KernelLaunch& launch, std::uint64_t) {
      const auto pointer = [&](std::size_t i) {
        return reinterpret_cast<std::uint16_t*>(std::get<DevicePointer>(launch.arguments.at(i)));
      };
      const auto number = [&](std::size_t i) {
        return std::get<std::int64_t>(launch.arguments.at(i));
      };
      const std::uint16_t *qkvz = pointer(0), *ba = pointer(2);
      std::uint16_t *qkv = pointer(4), *z = pointer(5), *b = pointer(6), *a = pointer(7);
      const std::int64_t r = nv / nk, group = 2 * hk + 2 * r * hv, width = 2 * nk * hk + nv * hv;
      for (std::int64_t t = 0; t < number(8); ++t)
        for (std::int64_t h = 0; h < nk; ++h) {
          const std::uint16_t* in = qkvz + t * number(1) + h * group;
          for (std::int64_t i = 0; i < hk; ++i) {
            qkv[t * width + h * hk + i] = in[i];
            qkv[t * width + (nk + h) * hk + i] = in[hk + i];
          }
          for (std::int64_t i = 0; i < r * hv; ++i) {
            const std::int64_t from = swap_v && i < hv ? hk : 2 * hk;  // k in place of v
            qkv[t * width + 2 * nk * hk + h * r * hv + i] = in[from + i];
            z[(t * nv + h * r) * hv + i] = in[2 * hk + r * hv + i];
          }
          for (std::int64_t i = 0; i < r; ++i) {
            b[t * nv + h * r + i] = ba[t * number(3) + h * 2 * r + i];
            a[t * nv + h * r + i] = ba[t * number(3) + h * 2 * r + r + i];
          }
        }
      return Outcome{};
    };
    Launch launch;
    launch.entry = "split";
    launch.arguments = arguments_of(which.geometry, {});
    variant_.code = &code_;
    variant_.launches = {launch};
  }
  const RunnableVariant& variant() const { return variant_; }

 private:
  FakeDevice::Code code_;
  RunnableVariant variant_;
};

class Golden : public ::testing::Test {
 protected:
  std::vector<GoldenCase> cases_ = read_golden(kSplit);
  std::shared_ptr<const Family> family_ = find_family("split_reshape_cat");
  const reference::Reference* reference_ = reference::find("split_reshape_cat");
  FakeDevice device_;
};

TEST_F(Golden, ReadsAllCasesOfTheFile) {
  ASSERT_EQ(cases_.size(), 16u);
  EXPECT_EQ(cases_[0].name, "inter0");
  EXPECT_EQ(cases_[0].family, "split_interleaved");
  EXPECT_EQ(cases_[0].params.at("Dk"), 128);
  EXPECT_EQ(cases_[0].tensors.size(), 6u);
  EXPECT_THAT(cases_[0].source, HasSubstr("fix_query_key_value_ordering"));
  for (const GoldenCase& golden : cases_) EXPECT_TRUE(maps_golden(*family_, golden));
}

TEST_F(Golden, TheReferenceAgreesWithEveryCase) {
  ASSERT_NE(reference_, nullptr);
  for (const GoldenCase& golden : cases_) {
    const Case which = case_of_golden(family_, golden);
    const ProofReport report = compare_reference_with_golden(*reference_, which, golden);
    EXPECT_TRUE(report.outcome.ok()) << golden.name << ": " << report.outcome.message;
    std::int64_t outputs = 0;
    for (const char* name : {"mixed_qkv", "z", "b", "a"})
      outputs += static_cast<std::int64_t>(golden.tensors.at(name).bytes.size()) / 2;
    ASSERT_EQ(report.checks.back().name, "exact");
    EXPECT_EQ(report.checks.back().comparisons, outputs);
  }
}

/// What became of the cases of a file: those that a family takes, tables of casts, which codecs
/// give, records of inputs alone, and the rest.
struct Taken {
  std::int64_t families = 0, tables = 0, inputs = 0, nobodys = 0;

  bool operator==(const Taken& other) const = default;
};

std::ostream& operator<<(std::ostream& stream, const Taken& taken) {
  return stream << taken.families << " of families, " << taken.tables << " tables, " << taken.inputs
                << " of inputs alone, " << taken.nobodys << " that nobody takes";
}

Taken taken_cases(const std::string& file) {
  Taken taken;
  for (const GoldenCase& golden :
       read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden" / file)) {
    const bool casts = is_cast_table(golden);
    if (casts) {
      const ProofReport report = compare_codecs_with_golden(golden);
      EXPECT_TRUE(report.outcome.ok()) << golden.name << ": " << report.outcome.message;
      ++taken.tables;
    }
    bool mapped = false;
    for (const std::string& name : family_names()) {
      const std::shared_ptr<const Family> family = find_family(name);
      if (!maps_golden(*family, golden)) continue;
      const ProofReport report = compare_reference_with_golden(
          *reference::find(family->reference), case_of_golden(family, golden), golden);
      EXPECT_TRUE(report.outcome.ok()) << golden.name << ": " << report.outcome.message;
      mapped = true;
      ++taken.families;
    }
    if (!mapped && !casts) ++(golden.lends ? taken.inputs : taken.nobodys);
  }
  return taken;
}

TEST(GoldenFiles, EveryCaseIsOneOfOursAndTheReferencesAgree) {
  EXPECT_EQ(taken_cases("split.safetensors"), (Taken{.families = 16}));
  EXPECT_EQ(taken_cases("norm.safetensors"), (Taken{.families = 15}));
  EXPECT_EQ(taken_cases("rope.safetensors"), (Taken{.families = 9}));
  EXPECT_EQ(taken_cases("kv.safetensors"), (Taken{.families = 41, .inputs = 5}));
  // Two of the tables are cases of a kernel besides.
  EXPECT_EQ(taken_cases("casts.safetensors"), (Taken{.families = 2, .tables = 8}));
}

/// One case of the caches, with a number of its bytes changed.
ProofReport of_changed_cache(const char* name, const char* tensor, std::size_t at) {
  for (GoldenCase& golden :
       read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/kv.safetensors")) {
    if (golden.name != name) continue;
    std::vector<std::byte>& bytes = golden.tensors.at(tensor).bytes;
    bytes.at(at) ^= std::byte{2};
    const auto family = find_family("qk_norm_rope_cache");
    return compare_reference_with_golden(*reference::find(family->reference),
                                         case_of_golden(family, golden), golden);
  }
  return {};
}

TEST(GoldenFiles, AChangedCodeOrScaleOfACacheIsFound) {
  // One that no token writes.
  EXPECT_EQ(of_changed_cache("kv2", "v_cache", 4001).failed_check, "poison");
  EXPECT_EQ(of_changed_cache("kv16", "k_scales", 6).outcome.status, Status::verification_failed);
  EXPECT_EQ(of_changed_cache("kv16", "v_cache", 77).outcome.status, Status::verification_failed);
}

TEST_F(Golden, ARightKernelPassesOnEveryCase) {
  for (const GoldenCase& golden : cases_) {
    const Case which = case_of_golden(family_, golden);
    const SplitKernel kernel(which, false);
    const ProofReport report = prove_golden(device_, kernel.variant(), which, golden, {});
    EXPECT_TRUE(report.outcome.ok()) << golden.name << ": " << report.outcome.message;
    EXPECT_EQ(report.passes, 2);
  }
}

TEST_F(Golden, OneChangedGoldenBitIsFoundAndNamed) {
  GoldenCase golden = cases_[1];
  const Case which = case_of_golden(family_, golden);
  std::vector<std::byte>& z = golden.tensors.at("z").bytes;
  z[(3 * 256 + 128 + 17) * 2] ^= std::byte{1};  // token 3, head 1, element 17
  const ProofReport of_reference = compare_reference_with_golden(*reference_, which, golden);
  EXPECT_EQ(of_reference.outcome.status, Status::verification_failed);
  EXPECT_EQ(of_reference.mismatch_count, 1);
  EXPECT_THAT(of_reference.outcome.message, HasSubstr("z of head 1, element 17, token 3 holds 0x"));
  const SplitKernel kernel(which, false);
  const ProofReport report = prove_golden(device_, kernel.variant(), which, golden, {});
  EXPECT_EQ(report.failed_check, "exact");
  EXPECT_EQ(report.mismatch_count, 1);
  EXPECT_THAT(report.outcome.message, HasSubstr("z of head 1, element 17, token 3 holds 0x"));
}

TEST_F(Golden, AWrongKernelFailsAgainstGoldenAndIsExplainedByTheProof) {
  const Case which = case_of_golden(family_, cases_[2]);
  const SplitKernel kernel(which, true);
  EXPECT_EQ(prove_golden(device_, kernel.variant(), which, cases_[2], {}).failed_check, "exact");
  const ProofReport report = prove(device_, kernel.variant(), which, {});
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_THAT(report.outcome.message,
              HasSubstr("v of head 0, element 0, token 0 holds k of head 0, element 0, token 0"));
}

TEST_F(Golden, ARightKernelPassesTheProofOnTheSameCases) {
  for (std::size_t i : {0u, 4u, 9u, 13u}) {
    const Case which = case_of_golden(family_, cases_[i]);
    const SplitKernel kernel(which, false);
    const ProofReport report = prove(device_, kernel.variant(), which, {.seed = i});
    EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  }
}

TEST_F(Golden, WhatDoesNotFitIsTheUsersError) {
  const Case which = case_of_golden(family_, cases_[1]);
  const SplitKernel kernel(which, false);
  const auto message = [&](const GoldenCase& golden) -> std::string {
    try {
      prove_golden(device_, kernel.variant(), which, golden, {});
    } catch (const UserError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(cases_[0]), HasSubstr("tensor 'qkvz' is [1, 1024] there and [7, 1024] here"));
  GoldenCase golden = cases_[1];
  golden.tensors.erase("ba");
  EXPECT_THAT(message(golden), HasSubstr("unknown tensor 'ba'"));
  golden = cases_[1];
  golden.tensors.at("z").dtype = "F16";
  EXPECT_THAT(message(golden), HasSubstr("tensor 'z' is F16 there and bf16 here"));
  golden = cases_[1];
  golden.family = "rope";
  EXPECT_THAT(message(golden), HasSubstr("does not map golden cases of 'rope'"));
  golden = cases_[1];
  golden.params.erase("T");
  EXPECT_THROW(case_of_golden(family_, golden), UserError);
}

const std::filesystem::path kNorm =
    std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/norm.safetensors";

/// Cases of the norms: parameters that are options and scalars, and truths before the last
/// rounding.
class GoldenNorms : public ::testing::Test {
 protected:
  std::vector<GoldenCase> cases_of(const std::string& family) const {
    std::vector<GoldenCase> cases;
    for (GoldenCase& golden : read_golden(kNorm))
      if (golden.family == family) cases.push_back(std::move(golden));
    return cases;
  }
  ProofReport compare(const GoldenCase& golden) const {
    return compare_reference_with_golden(*reference::find("rmsnorm_gemma"),
                                         case_of_golden(family_, golden), golden);
  }
  /// Of the gemma norm: without a residual, with the truth of y in the file; and the reverse.
  const GoldenCase& with_truth() const { return cases_.at(0); }
  const GoldenCase& with_residual() const { return cases_.at(5); }

  std::vector<GoldenCase> cases_ = cases_of("rmsnorm_1pw");
  std::shared_ptr<const Family> family_ = find_family("rmsnorm_gemma");
};

TEST_F(GoldenNorms, ParametersBecomeOptionsAndScalars) {
  const Case plain = case_of_golden(family_, with_truth());
  EXPECT_EQ(std::get<Enum>(plain.geometry.statics.at("residual")).name, "off");
  GoldenCase golden = with_residual();
  golden.params["eps"] = 0.25;
  const Case adds = case_of_golden(family_, golden);
  EXPECT_EQ(std::get<Enum>(adds.geometry.statics.at("residual")).name, "on");
  EXPECT_EQ(adds.scalars.at("eps"), 0.25);
  golden.params["residual"] = "perhaps";
  EXPECT_THROW(case_of_golden(family_, golden), UserError);
  golden.params.erase("residual");
  EXPECT_THROW(case_of_golden(family_, golden), UserError);
  golden = with_residual();
  golden.params["eps"] = "tiny";
  EXPECT_THROW(case_of_golden(family_, golden), UserError);
}

TEST_F(GoldenNorms, TheReferenceAgreesWithEveryCase) {
  ASSERT_EQ(cases_.size(), 7u);
  for (const GoldenCase& golden : cases_) {
    const ProofReport report = compare(golden);
    EXPECT_TRUE(report.outcome.ok()) << golden.name << ": " << report.outcome.message;
  }
}

TEST_F(GoldenNorms, WhatTheFileSaysIsWhatCounts) {
  GoldenCase golden = with_truth();
  std::vector<std::byte>& truth = golden.tensors.at("y_f32").bytes;
  truth[17 * 4 + 2] ^= std::byte{0x08};  // the twentieth bit
  EXPECT_EQ(compare(golden).mismatch_count, 1);
  EXPECT_THAT(compare(golden).outcome.message, HasSubstr("y of token 0, column 17"));

  golden = with_residual();  // no truth in the file: its own outputs are judged
  ASSERT_EQ(golden.tensors.count("y_f32"), 0u);
  golden.tensors.at("y").bytes[17 * 2] ^= std::byte{2};
  EXPECT_THAT(compare(golden).outcome.message, HasSubstr("y of token 0, column 17"));
  golden = with_residual();
  golden.tensors.at("residual_out").bytes[18 * 2] ^= std::byte{1};
  EXPECT_THAT(compare(golden).outcome.message, HasSubstr("residual_out of token 0, column 18"));

  golden = with_residual();
  golden.params["eps"] = 0.5;
  EXPECT_FALSE(compare(golden).outcome.ok());
}

}  // namespace
}  // namespace fusetune::test
