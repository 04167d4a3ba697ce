#include "harness/tune/proof_cases.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/tune/case_plan.hpp"

namespace fusetune::test {
namespace {

class ProofCases : public testing::Test {
 protected:
  std::vector<ProofCase> cases(bool has_exact, std::int64_t rows_max = 128,
                               const std::string& key = "split_reshape_cat(nk=2,nv=4,tokens=200)") {
    const Plan plan = plan_of_cases({parse_case_key(key)}, parse_space("1"), "host-w64");
    EngineOptions options;
    options.exact_rows_max = rows_max;
    const PlannedGeometry& geometry = plan.geometries.at(0);
    return proof_cases(geometry,
                       adversarial_rows(geometry.geometry, geometry.variants.at(0), plan.target),
                       options, has_exact, false);
  }
};

bool is_padded(const Case& which) {
  for (const auto& [name, stride] : which.row_strides)
    if (stride != shape_of(which, *which.geometry.family->find_tensor(name)).row_elements)
      return true;
  return false;
}

TEST_F(ProofCases, FewRowsAreProvedInExactModeAndFirst) {
  const std::vector<ProofCase> list = cases(true);
  ASSERT_GT(list.size(), 5u);
  for (const ProofCase& one : list) EXPECT_EQ(one.exact, one.which.rows() <= 128);
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end(), [](const ProofCase& a, const ProofCase& b) {
    return a.exact && !b.exact;
  }));
  EXPECT_EQ(list.back().which.rows(), 200);
  EXPECT_FALSE(list.back().exact);
}

TEST_F(ProofCases, WithoutInstrumentedCodeNoneIs) {
  for (const ProofCase& one : cases(false)) EXPECT_FALSE(one.exact);
}

TEST_F(ProofCases, AnOwnShapeOfFewRowsIsProvedInBothModes) {
  const std::vector<ProofCase> list = cases(true, 128, "split_reshape_cat(nk=2,nv=4,tokens=100)");
  std::vector<bool> modes;
  for (const ProofCase& one : list)
    if (one.which.rows() == 100) modes.push_back(one.exact);
  EXPECT_THAT(modes, testing::ElementsAre(true, false));
  EXPECT_EQ(
      std::count_if(list.begin(), list.end(), [](const ProofCase& one) { return !one.exact; }), 1);
}

TEST_F(ProofCases, OneOfThemIsThorough) {
  for (const bool has_exact : {true, false}) {
    const std::vector<ProofCase> list = cases(has_exact);
    std::vector<const ProofCase*> thorough;
    for (const ProofCase& one : list)
      if (one.thorough) thorough.push_back(&one);
    ASSERT_EQ(thorough.size(), 1u);
    EXPECT_EQ(thorough[0]->exact, has_exact);
    EXPECT_FALSE(is_padded(thorough[0]->which));
    EXPECT_GT(thorough[0]->which.rows(), 2);
    EXPECT_LT(thorough[0]->which.rows(), 200);
  }
}

TEST_F(ProofCases, TheThoroughOneFitsTheLimitOfExactMode) {
  for (const ProofCase& one : cases(true, 2)) {
    EXPECT_EQ(one.exact, one.which.rows() <= 2);
    EXPECT_EQ(one.thorough, one.exact && one.which.rows() == 2 && !is_padded(one.which));
  }
}

TEST_F(ProofCases, EverySecondRowCountHasPaddedRows) {
  const std::vector<ProofCase> list = cases(true);
  const auto padded = std::count_if(list.begin(), list.end(),
                                    [](const ProofCase& one) { return is_padded(one.which); });
  EXPECT_GE(padded, 2);
  EXPECT_LE(padded, std::ssize(list) - 2);
}

TEST_F(ProofCases, SurviveJson) {
  const ProofCase one = cases(true).front();
  const ProofCase again = proof_case_from_json(Json::parse(to_json(one).dump()));
  EXPECT_EQ(again.which.key(), one.which.key());
  EXPECT_EQ(again.exact, one.exact);
  EXPECT_EQ(again.thorough, one.thorough);
}

}  // namespace
}  // namespace fusetune::test
