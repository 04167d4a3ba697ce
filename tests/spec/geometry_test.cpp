#include "harness/spec/geometry.hpp"

#include <gmock/gmock.h>

#include "harness/base/json.hpp"
#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GeometryTest : public ::testing::Test {
 protected:
  CaseRequest request(std::int64_t width = 64, std::int64_t tokens = 5) const {
    return request_of(family_, width, tokens);
  }

  Folder folder_;
  std::shared_ptr<const Family> family_ = family_of(folder_, kFamily);
  Target wave64_ = parse_target("host-w64");
  DeviceFacts device_;
};

CaseRequest gdn(std::int64_t nk, std::int64_t nv, const std::string& layout, std::int64_t tokens) {
  CaseRequest request;
  request.family = find_family("split_reshape_cat");
  request.statics = {{"nk", nk}, {"nv", nv}, {"layout", Enum{layout}}};
  request.runtime["tokens"] = tokens;
  return request;
}

std::string value_of(const std::vector<std::pair<std::string, std::string>>& macros,
                     const std::string& name) {
  for (const auto& [macro, value] : macros)
    if (macro == name) return value;
  return "none";
}

std::string arguments_text(const Launch& launch) {
  std::string text;
  for (const Argument& argument : launch.arguments) {
    if (argument.kind == Argument::Kind::row_stride) text += "stride:";
    text += argument.name + " ";
  }
  return text;
}

TEST_F(GeometryTest, DefaultsFillWhatIsNotGiven) {
  const Case which = make_case(request());
  EXPECT_EQ(which.key(),
            "toy(act=bf16,form=plain,heads=2,out=bf16,rounding=before,tail=off,tokens=5,width=64)");
  EXPECT_EQ(which.geometry.key(),
            "toy(act=bf16,form=plain,heads=2,out=bf16,rounding=before,tail=off,width=64)");
  EXPECT_EQ(which.rows(), 5);
  EXPECT_FALSE(which.geometry.has("wide"));
  EXPECT_EQ(which.runtime.count("valid"), 0u);
}

TEST_F(GeometryTest, DtypesFollowSameAs) {
  CaseRequest fp32 = request();
  fp32.dtypes["act"] = DType::fp32;
  EXPECT_EQ(make_case(fp32).geometry.dtypes.at("out"), DType::fp32);
  fp32.dtypes["act"] = DType::fp16;
  EXPECT_THAT(error_of([&] { make_case(fp32); }), HasSubstr("out cannot be fp16"));
}

TEST_F(GeometryTest, UnsupportedGeometriesSayWhy) {
  EXPECT_THAT(error_of([&] { make_case(request(63)); }),
              HasSubstr("not supported: heads share the width evenly (width % heads == 0)"));
  CaseRequest tail = request();
  tail.statics["tail"] = Enum{"on"};
  tail.runtime["valid"] = std::int64_t{6};
  EXPECT_THAT(error_of([&] { make_case(tail); }), HasSubstr("valid lies in 0..tokens"));
  EXPECT_THAT(error_of([&] { make_case(request(64, -1)); }), HasSubstr("tokens=-1 is negative"));
}

TEST_F(GeometryTest, AHeadRatioThatIsNotWholeIsRefused) {
  EXPECT_THAT(error_of([] { make_case(gdn(4, 6, "contiguous", 1)); }),
              HasSubstr("every k head serves the same whole number of v heads"));
  EXPECT_THAT(error_of([] { make_case(gdn(0, 6, "contiguous", 1)); }), HasSubstr("at least one"));
}

TEST_F(GeometryTest, BadRequestsNameTheNearest) {
  const auto error_when = [&](auto change) {
    CaseRequest bad = request();
    change(bad);
    return error_of([&] { make_case(bad); });
  };
  EXPECT_THAT(error_when([](CaseRequest& r) { r.statics["widht"] = std::int64_t{1}; }),
              HasSubstr("did you mean 'width'"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.statics["tokens"] = std::int64_t{1}; }),
              HasSubstr("is a runtime symbol"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.statics["form"] = Enum{"wid"}; }),
              HasSubstr("did you mean 'wide'"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.statics["width"] = Enum{"wide"}; }),
              HasSubstr("width is a number"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.runtime["tokenz"] = std::int64_t{1}; }),
              HasSubstr("did you mean 'tokens'"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.runtime["valid"] = std::int64_t{1}; }),
              HasSubstr("it needs tail == on"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.row_strides["y"] = 64; }),
              HasSubstr("unknown tensor with a runtime row stride 'y'"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.base_align_bytes["wide"] = 16; }),
              HasSubstr("there is no tensor 'wide'"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.dtypes["akt"] = DType::bf16; }),
              HasSubstr("did you mean 'act'"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.statics.erase("width"); }),
              HasSubstr("'width' needs a value"));
  EXPECT_THAT(error_when([](CaseRequest& r) { r.statics["rounding"] = Enum{"after"}; }),
              HasSubstr("rounding=after has no meaning here: it needs tail == on"));
}

TEST_F(GeometryTest, AlignmentComesFromBaseAndRows) {
  CaseRequest one = request(64);
  EXPECT_EQ(make_case(one).geometry.align_bytes.at("x"), 16);
  one.base_align_bytes["x"] = 4;
  EXPECT_EQ(make_case(one).geometry.align_bytes.at("x"), 4);
  EXPECT_THAT(make_case(one).geometry.key(), HasSubstr("(act=bf16,align_x=4,form"));
  // Rows of 12 bytes: only every third starts on a multiple of 4 times 3.
  EXPECT_EQ(make_case(request(6)).geometry.align_bytes.at("x"), 4);
  EXPECT_EQ(make_case(request(6)).geometry.key().find("align_"), std::string::npos);
  // 8 fits, but the family lists 16 and 4.
  EXPECT_EQ(make_case(request(12)).geometry.align_bytes.at("y"), 4);
  // A lone dimension has no rows: the base alone decides.
  EXPECT_EQ(make_case(request(6)).geometry.align_bytes.at("weight"), 16);
}

TEST_F(GeometryTest, StridesDecideTheClassToo) {
  CaseRequest padded = request(60);
  EXPECT_EQ(make_case(padded).geometry.align_bytes.at("x"), 8);
  padded.row_strides["x"] = 64;
  const Case which = make_case(padded);
  EXPECT_EQ(which.geometry.align_bytes.at("x"), 16);
  // Another code object than the dense one, so another key.
  EXPECT_NE(which.geometry.key(), make_case(request(60)).geometry.key());
  EXPECT_THAT(which.key(), HasSubstr("stride_x=64"));
  EXPECT_EQ(shape_of(which, *family_->find_tensor("x")).span_bytes(), (4 * 64 + 60) * 2);
  padded.row_strides["x"] = 59;
  EXPECT_THAT(error_of([&] { make_case(padded); }),
              HasSubstr("x: a row stride of 59 elements is below the row's 60"));
}

TEST_F(GeometryTest, AClassThatTheFamilyDoesNotListIsRefused) {
  // y: rows of 2 bytes, classes 16 and 4.
  CaseRequest thin = request(1);
  thin.statics["heads"] = std::int64_t{1};
  EXPECT_THAT(error_of([&] { make_case(thin); }), HasSubstr("y: a base of 16 bytes and rows of 2"));
  CaseRequest odd = request(64);
  odd.base_align_bytes["x"] = 1;
  EXPECT_THAT(error_of([&] { make_case(odd); }), HasSubstr("multiple of its elements' 2 bytes"));
  odd.base_align_bytes["x"] = 6;
  EXPECT_THAT(error_of([&] { make_case(odd); }), HasSubstr("no power of two"));
}

TEST_F(GeometryTest, TheMergedRowOf27BAtTp8Gives8) {
  const Geometry geometry = make_case(gdn(2, 6, "merged", 3)).geometry;
  EXPECT_EQ(geometry.align_bytes.at("qkvzba"), 8);  // 4120 bytes
  EXPECT_EQ(geometry.align_bytes.at("b"), 4);       // 12 bytes
  EXPECT_FALSE(geometry.has("qkvz"));
  const Bindings scope = scope_of(geometry);
  EXPECT_EQ(scope.at("vector_bytes_max"), Value(std::int64_t{8}));
  EXPECT_EQ(scope.at("align_bytes(qkvz)"), Value(std::int64_t{16}));  // absent
  EXPECT_EQ(scope.at("has(qkvz)"), Value(false));
  EXPECT_EQ(scope.count("row_stride(qkvzba)"), 0u);
}

TEST_F(GeometryTest, ShapesThatWrapAreErrors) {
  // 2^33 rows of 2^31 elements are 2^64 elements: 0, if it wrapped.
  EXPECT_THAT(error_of([&] { make_case(request(std::int64_t{1} << 31, std::int64_t{1} << 33)); }),
              HasSubstr("overflow"));
  const Case large = make_case(request(2048, 2048LL * 2048));
  EXPECT_EQ(shape_of(large, *family_->find_tensor("x")).elements(), 8589934592LL);
  EXPECT_EQ(shape_of(large, *family_->find_tensor("x")).span_bytes(), 17179869184LL);
}

TEST_F(GeometryTest, TrafficIsPerTensor) {
  EXPECT_EQ(traffic_of(make_case(request(64, 5))).read_bytes, 5 * 64 * 2 + 64 * 2);
  EXPECT_EQ(traffic_of(make_case(request(64, 5))).write_bytes, 5 * 64 * 2);
  CaseRequest tail = request(64, 5);
  tail.statics["tail"] = Enum{"on"};
  tail.runtime["valid"] = std::int64_t{2};
  EXPECT_EQ(traffic_of(make_case(tail)).read_bytes, 5 * 64 * 2 + 64 * 2);
  EXPECT_EQ(traffic_of(make_case(tail)).write_bytes, 5 * 64 * 2 + 3 * 64 * 2);
  // qkvz and ba once in, once out; a zero-filled tail is written only.
  CaseRequest split = gdn(2, 4, "interleaved", 7);
  split.statics["zero_fill"] = Enum{"on"};
  split.runtime["num_actual_tokens"] = std::int64_t{3};
  EXPECT_EQ(traffic_of(make_case(split)).read_bytes, 7 * (1536 + 8) * 2);
  EXPECT_EQ(traffic_of(make_case(split)).write_bytes, 7 * (1536 + 8) * 2 + 4 * 512 * 2);
}

TEST_F(GeometryTest, LaunchesAreEvaluatedInOrder) {
  const Variant variant = parse_variant_key(*family_, "block_size=128,path=direct,vector_bytes=8");
  CaseRequest tail = request(64, 9);
  tail.statics["tail"] = Enum{"on"};
  tail.statics["form"] = Enum{"wide"};
  tail.runtime["valid"] = std::int64_t{2};
  device_.cu_count = 4;
  const auto launches = launches_of(make_case(tail), variant, wave64_, device_);
  ASSERT_EQ(launches.size(), 2u);
  EXPECT_EQ(launches[0].entry, "toy");
  EXPECT_THAT(launches[0].grid, ElementsAre(4, 1, 1));  // CU_COUNT below ceil_div(9, 2)
  EXPECT_THAT(launches[0].block, ElementsAre(128, 1, 1));
  EXPECT_EQ(launches[0].lds_bytes, 512);
  EXPECT_EQ(arguments_text(launches[0]), "x stride:x wide weight y cache tokens valid eps ");
  EXPECT_THAT(launches[1].grid, ElementsAre(7, 2, 1));
  EXPECT_EQ(arguments_text(launches[1]), "cache wide x stride:x valid eps ");
}

TEST_F(GeometryTest, ArgumentsThatAreNotThereAreDropped) {
  const auto& launches = family_->find_implementation("fused")->launches;
  Launch launch;
  launch.arguments = arguments_of(make_case(request()).geometry, launches[0]);
  EXPECT_EQ(arguments_text(launch), "x stride:x weight y tokens eps ");
  launch.arguments = arguments_of(make_case(request()).geometry, launches[1]);
  EXPECT_EQ(arguments_text(launch), "x stride:x eps ");
}

TEST_F(GeometryTest, EmptyGridsAreLeftOut) {
  const Variant variant = parse_variant_key(*family_, "block_size=128,path=direct,vector_bytes=8");
  CaseRequest tail = request(64, 9);
  tail.statics["tail"] = Enum{"on"};  // valid = tokens: nothing behind the valid rows
  EXPECT_EQ(launches_of(make_case(tail), variant, wave64_, device_).size(), 1u);
  tail.runtime["tokens"] = std::int64_t{0};
  EXPECT_TRUE(launches_of(make_case(tail), variant, wave64_, device_).empty());
  EXPECT_TRUE(launches_of(make_case(request()), parse_variant_key(*family_, "implementation=view"),
                          wave64_, device_)
                  .empty());
}

TEST_F(GeometryTest, LaunchesThatNoDeviceTakesAreErrors) {
  const Variant variant = parse_variant_key(*family_, "implementation=simple,path=direct");
  EXPECT_THROW(launches_of(make_case(request(2, 2147483648LL)), variant, wave64_, device_),
               EvalError);
  EXPECT_EQ(launches_of(make_case(request(2, 2147483647LL)), variant, wave64_, device_).size(), 1u);
  device_.block_threads_max = 64;
  EXPECT_THROW(launches_of(make_case(request()), variant, wave64_, device_), EvalError);
  device_ = DeviceFacts{};
  device_.lds_bytes_max = 100;
  const Variant fused = parse_variant_key(*family_, "block_size=128,path=direct,vector_bytes=8");
  EXPECT_THROW(launches_of(make_case(request()), fused, wave64_, device_), EvalError);
}

TEST_F(GeometryTest, LaunchPlanKeysTellLaunchesApart) {
  Launch launch;
  launch.entry = "toy";
  launch.arguments = {{Argument::Kind::tensor, "x"}, {Argument::Kind::row_stride, "x"}};
  const std::string base = launch_plan_key({launch});
  const auto differs = [&](auto change) {
    Launch other = launch;
    change(other);
    return launch_plan_key({other}) != base;
  };
  EXPECT_TRUE(differs([](Launch& one) { one.entry = "to"; }));
  EXPECT_TRUE(differs([](Launch& one) { one.grid[2] = 2; }));
  EXPECT_TRUE(differs([](Launch& one) { one.block[1] = 2; }));
  EXPECT_TRUE(differs([](Launch& one) { one.lds_bytes = 2; }));
  EXPECT_TRUE(differs([](Launch& one) { one.arguments.pop_back(); }));
  EXPECT_NE(launch_plan_key({launch, launch}), base);
  EXPECT_EQ(launch_plan_key({launch}), base);
}

TEST_F(GeometryTest, MacrosAreTheStaticHalf) {
  CaseRequest wide = request(64, 5);
  wide.statics["form"] = Enum{"wide"};
  const Variant variant = parse_variant_key(*family_, "block_size=128,path=staged,vector_bytes=8");
  const auto macros = macros_of(make_case(wide).geometry, variant, wave64_);
  EXPECT_TRUE(std::is_sorted(macros.begin(), macros.end()));
  EXPECT_EQ(value_of(macros, "FT_WIDTH"), "64");
  EXPECT_EQ(value_of(macros, "FT_FORM"), "FT_FORM_WIDE");
  EXPECT_EQ(value_of(macros, "FT_FORM_PLAIN"), "0");
  EXPECT_EQ(value_of(macros, "FT_FORM_WIDE"), "1");
  EXPECT_EQ(value_of(macros, "FT_PATH"), "FT_PATH_STAGED");
  EXPECT_EQ(value_of(macros, "FT_PATH_STAGED"), "1");
  EXPECT_EQ(value_of(macros, "FT_TAIL"), "FT_TAIL_OFF");
  EXPECT_EQ(value_of(macros, "FT_BYTES_ACT"), "2");
  EXPECT_EQ(value_of(macros, "FT_HAS_WIDE"), "1");
  EXPECT_EQ(value_of(macros, "FT_HAS_CACHE"), "0");
  EXPECT_EQ(value_of(macros, "FT_ALIGN_X"), "16");
  EXPECT_EQ(value_of(macros, "FT_ALIGN_CACHE"), "none");
  EXPECT_EQ(value_of(macros, "FT_IS_WIDE"), "1");
  EXPECT_EQ(value_of(macros, "FT_SAME_FORM"), "FT_SAME_FORM_WIDE");
  EXPECT_EQ(value_of(macros, "FT_SAME_FORM_WIDE"), "1");
  EXPECT_EQ(value_of(macros, "FT_LANES"), "2");
  EXPECT_EQ(value_of(macros, "FT_WAVE_SIZE"), "64");
  EXPECT_EQ(value_of(macros, "FT_TOKENS"), "none");
  EXPECT_EQ(value_of(macros, "FT_ALL_BYTES"), "none");
}

TEST_F(GeometryTest, TheCodeIsTheSameForAllRowCounts) {
  const auto family = find_family("split_reshape_cat");
  const Variant variant = parse_variant_key(
      *family,
      "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16");
  const auto first = macros_of(make_case(gdn(2, 4, "contiguous", 1)).geometry, variant, wave64_);
  for (std::int64_t tokens : {0, 2, 3, 17, 4096})
    EXPECT_EQ(macros_of(make_case(gdn(2, 4, "contiguous", tokens)).geometry, variant, wave64_),
              first)
        << tokens;
}

TEST_F(GeometryTest, AxesThatAnImplementationLacksHaveNoMacro) {
  const Variant variant = parse_variant_key(*family_, "implementation=simple,path=direct");
  const auto macros = macros_of(make_case(request()).geometry, variant, wave64_);
  EXPECT_EQ(value_of(macros, "FT_BLOCK_SIZE"), "128");
  EXPECT_EQ(value_of(macros, "FT_VECTOR_BYTES"), "none");
}

TEST_F(GeometryTest, ScopeHasWhatIsKnown) {
  const Case which = make_case(request(64, 5));
  const Bindings small = scope_of(which.geometry);
  EXPECT_EQ(small.count("all_bytes"), 0u);
  EXPECT_EQ(small.count("lanes"), 0u);
  EXPECT_EQ(small.count("WAVE_SIZE"), 0u);
  const Variant variant = parse_variant_key(*family_, "block_size=128,path=staged,vector_bytes=8");
  const Bindings full = scope_of(which.geometry, &wave64_, &variant, &which, &device_);
  EXPECT_EQ(full.at("all_bytes"), Value(std::int64_t{5 * 128}));
  EXPECT_EQ(full.at("lanes"), Value(std::int64_t{2}));
  EXPECT_EQ(full.at("row_stride(x)"), Value(std::int64_t{64}));
  EXPECT_EQ(full.at("CU_COUNT"), Value(std::int64_t{1}));
  // 96 threads are no whole number of waves: the derived symbol fails and says so.
  const Variant odd = parse_variant_key(*family_, "block_size=96,path=staged,vector_bytes=8");
  EXPECT_THROW(scope_of(which.geometry, &wave64_, &odd), EvalError);
}

}  // namespace
}  // namespace fusetune::test
