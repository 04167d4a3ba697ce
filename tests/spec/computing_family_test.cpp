// What families that compute declare besides: acceptance, generators, aliases, state, scalars.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

#include "harness/base/json.hpp"
#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::string kComputing = document("computing_family.yaml");

class ComputingFamilyTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Family> read(const std::string& text) const {
    return load_family(folder_.write("computing/family.yaml", text));
  }

  std::string error_with(const std::string& old_text, const std::string& new_text) const {
    return error_of([&] { read(replaced(kComputing, old_text, new_text)); });
  }

  CaseRequest request() const {
    CaseRequest request = request_of(family_, 8, 3);
    return request;
  }

  Folder folder_;
  std::shared_ptr<const Family> family_ = read(kComputing);
};

TEST_F(ComputingFamilyTest, AcceptanceIsData) {
  const Accept& y = family_->find_tensor("y")->accept;
  EXPECT_FALSE(y.exact);
  EXPECT_EQ(y.ulp->eval_int({}), 1);
  EXPECT_EQ(y.norms, Accept::Norms::row);
  EXPECT_EQ(y.norm_factor, 4);
  EXPECT_FALSE(y.bound || y.code || y.cosine);
  const Accept& sum = family_->find_tensor("sum")->accept;
  EXPECT_EQ(sum.bound->terms.text(), "width");
  EXPECT_EQ(sum.bound->growth, AcceptBound::Growth::linear);
  EXPECT_EQ(sum.bound->factor, 2);
  EXPECT_EQ(sum.norms, Accept::Norms::head);
  EXPECT_EQ(sum.norm_factor, 3);
  EXPECT_EQ(sum.cosine, 0.9999);
  EXPECT_EQ(sum.norm_ratio, 0.002);
  const Accept& q = family_->find_tensor("q")->accept;
  EXPECT_EQ(q.code->scale, "q_scale");
  EXPECT_EQ(q.bound->growth, AcceptBound::Growth::sqrt);
  EXPECT_EQ(q.bound->factor, 4);
  EXPECT_EQ(family_->find_tensor("q_scale")->accept.ulp->text(), "bytes(act)");
  EXPECT_TRUE(family_->find_tensor("cache")->accept.exact);
}

TEST_F(ComputingFamilyTest, ACapturedTruthTellsNoMagnitudes) {
  const std::string reference = "reference: computing\n";
  const std::string golden = "golden: {computing: {symbols: {tokens: T, width: D}}}\n";
  const std::string captured = replaced(kComputing, reference, "reference: captured\n" + golden);
  const std::string wanting = "magnitudes that a reference gives";
  const auto error = [&](const std::string& text) { return error_of([&] { read(text); }); };
  EXPECT_THAT(error(captured), AllOf(HasSubstr("family.yaml:25:"), HasSubstr(wanting)));
  const std::string bound = "bound: {terms: width, growth: linear, factor: 2}";
  const std::string with_code = replaced(captured, bound, "ulp: 1");
  EXPECT_THAT(error(with_code), AllOf(HasSubstr("family.yaml:26:"), HasSubstr(wanting)));
  const std::string good =
      replaced(with_code, "accept: {code: {scale: q_scale}, bound: {terms: 2}}", "accept: exact");
  EXPECT_TRUE(read(good)->has_captured_truth());
  EXPECT_THAT(read(good)->captured, IsEmpty());
  EXPECT_THAT(error(replaced(good, golden, "")), HasSubstr("golden maps none of them"));
}

TEST_F(ComputingFamilyTest, CapturedFilesLieBesideTheFamily) {
  const std::string text = replaced(document("family.yaml"), "reference: toy\n",
                                    "reference: captured\ncaptured: [a.safetensors, b/c]\n");
  const auto family = family_of(folder_, text);
  EXPECT_THAT(family->captured, ElementsAre(folder_.path() / "toy" / "a.safetensors",
                                            folder_.path() / "toy" / "b/c"));
  EXPECT_THAT(error_of([&] {
                family_of(folder_, replaced(text, "reference: captured", "reference: toy"));
              }),
              HasSubstr("go with reference: captured, not with 'toy'"));
}

TEST_F(ComputingFamilyTest, GeneratorsAreData) {
  const Generator& x = family_->find_tensor("x")->generator;
  EXPECT_EQ(x.kind, Generator::Kind::normal);
  EXPECT_TRUE(x.scale_rows);
  EXPECT_THAT(x.edges, ElementsAre(Edge::zeros, Edge::equal, Edge::wide, Edge::denormals,
                                   Edge::outlier, Edge::cancel));
  const Generator& weight = family_->find_tensor("weight")->generator;
  EXPECT_EQ(weight.mean, 1);
  EXPECT_EQ(weight.stddev, 0.5);
  EXPECT_FALSE(weight.scale_rows);
  EXPECT_THAT(weight.edges, ElementsAre(Edge::zeros, Edge::offset));
  const Generator& gate = family_->find_tensor("gate")->generator;
  EXPECT_EQ(gate.kind, Generator::Kind::uniform);
  EXPECT_EQ(gate.low, -1);
  EXPECT_EQ(gate.high, 2);
  EXPECT_THAT(gate.edges, IsEmpty());
  const Generator& position = family_->find_tensor("position")->generator;
  EXPECT_EQ(position.kind, Generator::Kind::named);
  EXPECT_EQ(position.name, "positions");
  EXPECT_EQ(position.below->text(), "max_position");
  EXPECT_EQ(family_->find_tensor("raw")->generator.kind, Generator::Kind::bits);
}

TEST_F(ComputingFamilyTest, AListOfEdgesReplacesTheDefault) {
  const auto with = [&](const std::string& edges) {
    return read(replaced(kComputing, "generator: normal}",
                         "generator: {normal: {}, " + edges + "}}"))
        ->find_tensor("x")
        ->generator.edges;
  };
  EXPECT_THAT(with("edges: []"), IsEmpty());
  EXPECT_THAT(with("edges: nan"), ElementsAre(Edge::nan));
  std::string all;
  for (const Edge edge : all_edges())
    all += (all.empty() ? "" : ", ") + std::string(to_string(edge));
  EXPECT_THAT(with("edges: [" + all + "]"), ElementsAreArray(all_edges()));
}

TEST_F(ComputingFamilyTest, StateIsProvedOverTwoCallsUnlessMoreAreAsked) {
  EXPECT_EQ(family_->proof_calls, 3);
  EXPECT_EQ(read(replaced(kComputing, "proof_calls: 3\n", ""))->proof_calls, 2);
  EXPECT_THAT(error_with("proof_calls: 3", "proof_calls: 1"), HasSubstr("at least 2 calls"));
  const Folder folder;
  EXPECT_EQ(family_of(folder, kFamily)->proof_calls, 1);
  EXPECT_EQ(family_->find_tensor("cache")->role, Role::state);
  EXPECT_EQ(family_->find_tensor("partial")->role, Role::workspace);
}

TEST_F(ComputingFamilyTest, AliasesFitTheirOutput) {
  EXPECT_THAT(family_->find_tensor("y")->may_alias, ElementsAre("x", "gate"));
  EXPECT_THAT(error_with("may_alias: [x, gate]", "may_alias: [weight]"),
              AllOf(HasSubstr("family.yaml:20:"), HasSubstr("'weight' has another shape")));
  EXPECT_THAT(error_with("may_alias: [x, gate]", "may_alias: [cache]"),
              HasSubstr("has the role state; only an input"));
  EXPECT_THAT(error_with("may_alias: [x, gate]", "may_alias: [q]"), HasSubstr("role out"));
  EXPECT_THAT(error_with("may_alias: [x, gate]", "may_alias: [position]"),
              HasSubstr("has the dtype index, not act"));
  EXPECT_THAT(error_with("may_alias: [x, gate]", "may_alias: gat"),
              HasSubstr("did you mean 'gate'"));
}

TEST_F(ComputingFamilyTest, ErrorsNamePlaceAndNearestName) {
  EXPECT_THAT(error_with("{ulp: 1, norms: row}", "{norms: row}"),
              AllOf(HasSubstr("family.yaml:20:"), HasSubstr("let one bad element pass")));
  EXPECT_THAT(error_with("{ulp: 1, norms: row}", "{upl: 1}"), HasSubstr("did you mean 'ulp'"));
  EXPECT_THAT(error_with("accept: exact", "accept: exakt"), HasSubstr("did you mean 'exact'"));
  EXPECT_THAT(error_with("terms: width", "terms: tokens"),
              HasSubstr("'tokens' is known at run time only; a number of terms cannot use it"));
  EXPECT_THAT(error_with("{scale: q_scale}", "{scale: q_scal}"), HasSubstr("mean 'q_scale'"));
  EXPECT_THAT(error_with("[zeros, offset]", "[zeros, ofset]"), HasSubstr("did you mean 'offset'"));
  EXPECT_THAT(error_with("named: positions,", "named: position,"),
              HasSubstr("did you mean 'positions'"));
  EXPECT_THAT(error_with("below: max_position", "below: max_positions"),
              HasSubstr("did you mean 'max_position'"));
  EXPECT_THAT(error_with("generator: bits}", "generator: {named: permutation}}"),
              HasSubstr("named generators make i32 or i64"));
}

TEST_F(ComputingFamilyTest, ScalarsBelongToTheCase) {
  const Case plain = make_case(request());
  EXPECT_THAT(plain.scalars, ElementsAre(Pair("eps", 1e-6), Pair("window", 3)));
  EXPECT_THAT(plain.key(), ::testing::Not(HasSubstr("eps")));
  CaseRequest asked = request();
  asked.scalars = {{"eps", 1e-5}, {"window", -4}};
  const Case other = make_case(asked);
  EXPECT_THAT(other.key(), AllOf(HasSubstr("eps=1e-05"), HasSubstr("window=-4")));
  EXPECT_EQ(other.geometry.key(), plain.geometry.key());
  // As the kernel gets it.
  EXPECT_EQ(other.scalar("eps"), static_cast<double>(1e-5F));
  EXPECT_EQ(other.scalar("window"), -4);
  EXPECT_THROW(other.scalar("epsilon"), std::logic_error);
  const Case back = case_from_json(to_json(other));
  EXPECT_EQ(back.scalars, other.scalars);
  EXPECT_EQ(back.key(), other.key());
  EXPECT_NE(to_json(other), to_json(plain));
}

TEST_F(ComputingFamilyTest, ScalarsOfARequestAreChecked) {
  const auto error = [&](const std::string& name, double value) {
    CaseRequest asked = request();
    asked.scalars[name] = value;
    return error_of([&] { make_case(asked); });
  };
  EXPECT_THAT(error("epz", 1), HasSubstr("did you mean 'eps'"));
  EXPECT_THAT(error("eps", 1e39), HasSubstr("out of the range of f32"));
  EXPECT_THAT(error("window", 0.5), HasSubstr("is no integer"));
  EXPECT_THAT(error("window", 2147483648.0), HasSubstr("out of the range of i32"));
  EXPECT_EQ(error("window", -2147483648.0), "no error");
}

TEST_F(ComputingFamilyTest, KeysWithScalarsPasteBack) {
  setenv("FUSETUNE_KERNEL_PATH", folder_.path().c_str(), 1);
  CaseRequest asked = request();
  asked.scalars["eps"] = 0.1;
  const std::string key = make_case(asked).key();
  const Case back = parse_case_key(key);
  EXPECT_EQ(back.key(), key);
  EXPECT_EQ(back.scalars.at("eps"), 0.1);
  EXPECT_THAT(error_of([&] { parse_case_key(replaced(key, "eps=0.1", "eps=small")); }),
              HasSubstr("'small' is no number"));
  EXPECT_THAT(error_of([&] { parse_case_key(replaced(key, "eps=0.1", "eps=inf")); }),
              HasSubstr("'inf' is no number"));
  EXPECT_THAT(error_of([&] { parse_geometry_key("computing(eps=0.1,width=8)"); }),
              HasSubstr("unknown name"));
  unsetenv("FUSETUNE_KERNEL_PATH");
}

TEST_F(ComputingFamilyTest, SweepsCombineScalarsAndDemandACosine) {
  const auto plan_of = [&](const std::string& entries) {
    const auto file =
        folder_.write("sweep.yaml", "sweep: trial\ndevice: host-w64\nfamilies:\n" + entries);
    return make_plan(load_sweep(file), Models::load_default(), parse_target("host-w64"));
  };
  const std::string entry =
      "  - {family: computing/family.yaml, symbols: [{width: 8}], tokens: [2]";
  const Plan plan = plan_of(entry + ", scalars: {eps: [1.0e-6, 1.0e-5]}, cosine: 0.999}\n" + entry +
                            ", cosine: 0.9999}\n" + entry + "}\n");
  ASSERT_EQ(plan.geometries.size(), 1u);
  EXPECT_EQ(plan.geometries[0].cosine_min, 0.9999);
  ASSERT_EQ(plan.geometries[0].cases.size(), 2u);
  double total = 0;
  int with_eps = 0;
  for (const PlannedCase& one : plan.geometries[0].cases) {
    total += one.weight;
    with_eps += one.which.key().find("eps=1e-05") != std::string::npos;
  }
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_EQ(with_eps, 1);
  EXPECT_EQ(plan_of(entry + "}\n").geometries[0].cosine_min, -1);
  EXPECT_EQ(cases_at_rows(plan.geometries[0].cases[0].which, 5)[0].scalars,
            plan.geometries[0].cases[0].which.scalars);
}

}  // namespace
}  // namespace fusetune::test
