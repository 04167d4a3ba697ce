#include "harness/spec/models.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kModels = document("models.yaml");

class ModelsTest : public ::testing::Test {
 protected:
  Models load(const std::string& text) { return Models::load(folder_.write("models.yaml", text)); }
  std::string error_with(const std::string& old_text, const std::string& new_text) {
    return error_of([&] { load(replaced(kModels, old_text, new_text)); });
  }
  static std::vector<std::string> names(const std::vector<ModelSplit>& splits) {
    std::vector<std::string> list;
    for (const ModelSplit& split : splits) list.push_back(split.name());
    return list;
  }

  Folder folder_;
};

TEST_F(ModelsTest, ReadsModels) {
  const Models models = load(kModels);
  ASSERT_EQ(models.all().size(), 2u);
  const Model& big = models.find("big");
  EXPECT_EQ(big.attributes.at("hidden"), Value(std::int64_t{4096}));
  EXPECT_EQ(big.attributes.at("form"), Value(Enum{"wide"}));
  EXPECT_TRUE(big.verified);
  EXPECT_FALSE(models.find("small-1b").verified);
  EXPECT_EQ(&models.find("grande"), &big);
}

TEST_F(ModelsTest, SelectorsNameSplits) {
  const Models models = load(kModels);
  EXPECT_THAT(names(models.select("big@tp8")), ElementsAre("big@tp8"));
  EXPECT_THAT(names(models.select("large@tp2")), ElementsAre("big@tp2"));
  EXPECT_THAT(names(models.select("big")), ElementsAre("big@tp1", "big@tp2", "big@tp8"));
  EXPECT_THAT(names(models.select("all")),
              ElementsAre("big@tp1", "big@tp2", "big@tp8", "small-1b@tp1"));
}

TEST_F(ModelsTest, UnknownSelectorsSayWhatThereIs) {
  const Models models = load(kModels);
  const Mark mark{"sweep.yaml", 3, 7};
  EXPECT_THAT(error_of([&] { models.select("lagre@tp1", mark); }),
              AllOf(HasSubstr("sweep.yaml:3:7"), HasSubstr("did you mean 'large'")));
  EXPECT_THAT(
      error_of([&] { models.select("big@tp4", mark); }),
      AllOf(HasSubstr("sweep.yaml:3:7"), HasSubstr("no split tp4 (one of: tp1, tp2, tp8)")));
  for (const char* bad : {"big@8", "big@tp", "big@tp08", "big@tp8x", "big@", "big@tp-1"})
    EXPECT_THAT(error_of([&] { models.select(bad); }), HasSubstr("is no TP split")) << bad;
}

TEST_F(ModelsTest, BadFilesAreRefused) {
  EXPECT_THAT(error_with("verified:", "verifed:"), HasSubstr("'verified'"));
  EXPECT_THAT(error_with("    source: a config\n", ""), HasSubstr("source"));
  EXPECT_THAT(error_with("tp: [1]", "tp: []"), HasSubstr("at least one TP split"));
  EXPECT_THAT(error_with("tp: [1]", "tp: [0]"), HasSubstr("1 or more"));
  EXPECT_THAT(error_with("tp: [1]", "tp: [1, 1]"), HasSubstr("listed twice"));
  EXPECT_THAT(error_with("hidden: 1024", "hidden: 010"), HasSubstr(":11:"));
  EXPECT_THAT(error_with("hidden: 1024", "hidden: 1.5"), HasSubstr(":11:"));
  EXPECT_THAT(error_with("hidden: 1024", "tp: 1"), HasSubstr("not an attribute"));
  EXPECT_THAT(error_with("grande", "small-1b"), HasSubstr("already names"));
  EXPECT_THAT(error_with("small-1b", "all"), HasSubstr("no name for a model"));
  EXPECT_THAT(error_with("small-1b", "a@b"), HasSubstr("no name for a model"));
}

/// The shapes per rank as published, written down apart from the attributes they come from.
struct RankShape {
  const char* models;
  std::int64_t tp, nk, nv, ratio, qkvz, qkv, z, ba;
};

const RankShape kRankShapes[] = {
    {"qwen3.5-0.8b qwen3.5-2b", 1, 16, 16, 1, 8192, 6144, 2048, 32},
    {"qwen3.5-0.8b qwen3.5-2b", 2, 8, 8, 1, 4096, 3072, 1024, 16},
    {"qwen3.5-0.8b qwen3.5-2b", 4, 4, 4, 1, 2048, 1536, 512, 8},
    {"qwen3.5-0.8b qwen3.5-2b", 8, 2, 2, 1, 1024, 768, 256, 4},
    {"qwen3-next-80b qwen3.5-35b qwen3.6-35b-a3b qwen3.5-4b qwen3.5-9b", 1, 16, 32, 2, 12288, 8192,
     4096, 64},
    {"qwen3-next-80b qwen3.5-35b qwen3.6-35b-a3b qwen3.5-4b qwen3.5-9b", 2, 8, 16, 2, 6144, 4096,
     2048, 32},
    {"qwen3-next-80b qwen3.5-35b qwen3.6-35b-a3b qwen3.5-4b qwen3.5-9b", 4, 4, 8, 2, 3072, 2048,
     1024, 16},
    {"qwen3-next-80b qwen3.5-35b qwen3.6-35b-a3b qwen3.5-4b qwen3.5-9b", 8, 2, 4, 2, 1536, 1024,
     512, 8},
    {"qwen3.5-27b qwen3.6-27b qwen3.8-27b qwen3.8-flash-next", 1, 16, 48, 3, 16384, 10240, 6144,
     96},
    {"qwen3.5-27b qwen3.6-27b qwen3.8-27b qwen3.8-flash-next", 2, 8, 24, 3, 8192, 5120, 3072, 48},
    {"qwen3.5-27b qwen3.6-27b qwen3.8-27b qwen3.8-flash-next", 4, 4, 12, 3, 4096, 2560, 1536, 24},
    {"qwen3.5-27b qwen3.6-27b qwen3.8-27b qwen3.8-flash-next", 8, 2, 6, 3, 2048, 1280, 768, 12},
    {"qwen3.5-122b qwen3.5-397b", 1, 16, 64, 4, 20480, 12288, 8192, 128},
    {"qwen3.5-122b qwen3.5-397b", 2, 8, 32, 4, 10240, 6144, 4096, 64},
    {"qwen3.5-122b qwen3.5-397b", 4, 4, 16, 4, 5120, 3072, 2048, 32},
    {"qwen3.5-122b qwen3.5-397b", 8, 2, 8, 4, 2560, 1536, 1024, 16},
};

std::int64_t number(const Bindings& scope, const std::string& name) {
  return std::get<std::int64_t>(scope.at(name));
}

TEST(ShippedModels, GiveThePublishedShapesPerRank) {
  const Models models = Models::load_default();
  for (const RankShape& shape : kRankShapes) {
    std::istringstream names(shape.models);
    for (std::string name; names >> name;) {
      SCOPED_TRACE(name + " tp" + std::to_string(shape.tp));
      const ModelSplit split = models.select(name + "@tp" + std::to_string(shape.tp)).at(0);
      CaseRequest request;
      request.family = find_family("split_reshape_cat");
      Bindings attributes = split.model->attributes;
      attributes["tp"] = split.tp;
      for (const SymbolDecl& symbol : request.family->symbols)
        if (symbol.from_model)
          request.statics[symbol.name] = symbol.from_model->eval_int(attributes);
      request.statics["layout"] = attributes.at("checkpoint_layout");
      request.runtime["tokens"] = std::int64_t{1};
      const Bindings scope = scope_of(make_case(request).geometry);
      EXPECT_EQ(number(scope, "nk"), shape.nk);
      EXPECT_EQ(number(scope, "nv"), shape.nv);
      EXPECT_EQ(number(scope, "ratio"), shape.ratio);
      EXPECT_EQ(number(scope, "qkvz_width"), shape.qkvz);
      EXPECT_EQ(number(scope, "qkv_width"), shape.qkv);
      EXPECT_EQ(number(scope, "z_width"), shape.z);
      EXPECT_EQ(2 * number(scope, "nv"), shape.ba);
    }
  }
}

TEST(ShippedModels, GiveTheWidthOfGatedAttentionRows) {
  // [gate | q | k | v] at TP 1, kv heads replicated above their number of ranks.
  const std::map<std::string, std::vector<std::int64_t>> rows = {
      {"qwen3.5-0.8b", {5120, 2560, 1536, 1024}},
      {"qwen3-next-80b", {9216, 4608, 2560, 1536}},
      {"qwen3.5-9b", {10240, 5120, 2560, 1536}},
      {"qwen3.5-27b", {14336, 7168, 3584, 2048}},
      {"qwen3.5-397b", {17408, 8704, 4608, 2560}},
      {"qwen3.8-flash-next", {13312, 6656, 3584, 2048}},
  };
  const Models models = Models::load_default();
  for (const auto& [name, widths] : rows) {
    const Bindings& attributes = models.find(name).attributes;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::int64_t tp = std::int64_t{1} << i;
      const std::int64_t kv = std::max<std::int64_t>(1, number(attributes, "kv_heads") / tp);
      EXPECT_EQ((2 * number(attributes, "q_heads") / tp + 2 * kv) * number(attributes, "head_dim"),
                widths[i])
          << name << " tp" << tp;
    }
  }
}

TEST(ShippedModels, SayWhatIsInDoubt) {
  const Models models = Models::load_default();
  for (const char* name : {"qwen3.5-2b", "qwen3.8-flash-next", "glm-4-moe", "minimax-m2"})
    EXPECT_FALSE(models.find(name).verified) << name;
  for (const Model& model : models.all()) {
    EXPECT_FALSE(model.source.empty()) << model.name;
    // Every figure that is there divides over every split that is listed.
    for (const char* heads : {"q_heads", "linear_key_heads", "linear_value_heads"})
      if (const auto found = model.attributes.find(heads); found != model.attributes.end()) {
        for (const std::int64_t tp : model.tp)
          EXPECT_EQ(std::get<std::int64_t>(found->second) % tp, 0) << model.name << " " << heads;
      }
  }
}

}  // namespace
}  // namespace fusetune::test
