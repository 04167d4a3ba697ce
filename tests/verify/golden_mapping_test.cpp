// What does not fit between a golden case and its mapping is an error, never a silent way out.

#include "harness/verify/golden_mapping.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/base/error.hpp"
#include "reference/reference.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Cases of the gemma norm, whose mapping a test changes.
class GoldenMappings : public ::testing::Test {
 protected:
  static GoldenCase case_named(const std::string& name) {
    for (GoldenCase& golden :
         read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/norm.safetensors"))
      if (golden.name == name) return std::move(golden);
    ADD_FAILURE() << "no case " << name;
    return {};
  }

  Json& mapping() { return family_->golden.at("rmsnorm_1pw").at(0); }

  ProofReport compare(const GoldenCase& golden) const {
    return compare_reference_with_golden(*reference::find("rmsnorm_gemma"),
                                         case_of_golden(family_, golden), golden);
  }
  std::string error_of(const GoldenCase& golden) const {
    try {
      compare(golden);
    } catch (const UserError& error) {
      return error.what();
    }
    return "no error";
  }

  std::shared_ptr<Family> family_ = std::make_shared<Family>(*find_family("rmsnorm_gemma"));
  /// With x, weight, y and the truth of y; and with a residual, residual_out and no truth.
  GoldenCase with_truth_ = case_named("gemma_next0"), with_residual_ = case_named("gemma_q353");
};

TEST_F(GoldenMappings, ATruthMustFit) {
  GoldenCase golden = with_truth_;
  golden.tensors.at("y_f32").dtype = "I32";
  EXPECT_THROW(compare(golden), UserError);
  golden = with_truth_;
  golden.tensors.at("y_f32").dims = {2048, 2};
  EXPECT_THROW(compare(golden), UserError);
  golden = with_truth_;
  golden.tensors.erase("y_f32");
  golden.tensors.erase("y");
  EXPECT_THROW(compare(golden), UserError) << "nothing to compare with";
}

TEST_F(GoldenMappings, ATensorWithoutElementsFitsNoOther) {
  for (const char* name : {"x", "y", "y_f32"}) {
    GoldenCase golden = with_truth_;
    StoredTensor& tensor = golden.tensors.at(name);
    ASSERT_EQ(tensor.dims, (std::vector<std::int64_t>{1, 2048}));
    tensor.dims = {1, 2048, 0};
    tensor.bytes.clear();
    EXPECT_THAT(error_of(golden), HasSubstr("is [1, 2048, 0] there and [1, 2048] here")) << name;
  }
}

TEST_F(GoldenMappings, ATruthOfAnotherNameIsNotPassedOver) {
  mapping()["truths"]["y"] = "y_f23";
  EXPECT_THAT(error_of(with_truth_),
              AllOf(HasSubstr("golden case gemma_next0: truths.y of family rmsnorm_gemma"),
                    HasSubstr("unknown tensor 'y_f23'; did you mean 'y_f32'?")));
  mapping()["truths"]["y"] = "exact_y";
  EXPECT_THAT(error_of(with_truth_), HasSubstr("unknown tensor 'exact_y'"));
  // The case has nothing that it could be.
  EXPECT_TRUE(compare(with_residual_).outcome.ok());
}

TEST_F(GoldenMappings, ATensorOfAnotherNameIsNotPassedOver) {
  // Also where the truth is there and the output need not be.
  mapping()["tensors"]["y"] = "yy";
  EXPECT_THAT(error_of(with_truth_),
              AllOf(HasSubstr("golden case gemma_next0: tensors.y of family rmsnorm_gemma"),
                    HasSubstr("unknown tensor 'yy'")));
  mapping()["tensors"]["y"] = "y";
  mapping()["tensors"]["residual_out"] = "residual_uot";
  EXPECT_THAT(error_of(with_residual_), HasSubstr("did you mean 'residual_out'?"));
  // A tensor that the case does not have.
  EXPECT_TRUE(compare(with_truth_).outcome.ok());
}

TEST_F(GoldenMappings, AnOutputIsTheCasesOwn) {
  GoldenCase golden = with_truth_;
  golden.lent = {"x", "weight"};
  EXPECT_TRUE(compare(golden).outcome.ok());
  golden.lent = {"y"};
  EXPECT_THAT(error_of(golden), HasSubstr("tensor 'y' is lent by another case"));
  golden.lent = {"y_f32"};
  EXPECT_THAT(error_of(golden), HasSubstr("tensor 'y_f32' is lent by another case"));
}

TEST(GoldenTables, ATableNeedsFrequencies) {
  for (GoldenCase& golden :
       read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/rope.safetensors")) {
    if (golden.family != "rope_neox_partial") continue;
    StoredTensor& frequencies = golden.tensors.at("inv_freq");
    frequencies.dims = {0};
    frequencies.bytes.clear();
    const auto family = find_family("mrope");
    EXPECT_THROW(compare_reference_with_golden(*reference::find(family->reference),
                                               case_of_golden(family, golden), golden),
                 UserError);
    return;
  }
  FAIL() << "no case with a table";
}

}  // namespace
}  // namespace fusetune::test
