#include <gmock/gmock.h>

#include <sstream>

#include "harness/spec/keys.hpp"
#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

std::string guide() {
  return read_file(std::filesystem::path(FUSETUNE_SOURCE_DIR) / "docs" / "yaml.md");
}

/// The code block of the guide that begins with a text.
std::string block(const std::string& beginning) {
  const std::string text = guide();
  const std::size_t at = text.find("\n" + beginning);
  EXPECT_NE(at, std::string::npos) << beginning;
  return text.substr(at + 1, text.find("```", at) - at - 1);
}

TEST(Guide, NamesEveryKey) {
  const std::string text = guide();
  for (const KeyLists* lists : {&family_keys(), &sweep_keys(), &models_keys()})
    for (const auto& [kind, keys] : *lists)
      for (const std::string& key : keys)
        EXPECT_TRUE(text.find("`" + key + "`") != std::string::npos ||
                    text.find(key + ":") != std::string::npos)
            << key << " of " << kind;
}

TEST(Guide, ItsSweepBecomesAPlan) {
  const Folder folder;
  folder.write("common.yaml",
               "sweep: common\nfamilies: [{family: split_reshape_cat, symbols: [{nk: 1, nv: 1}], "
               "tokens: [1]}]\n");
  const Sweep sweep = load_sweep(folder.write("sweep.yaml", block("sweep: gdn-decode")));
  ASSERT_EQ(sweep.entries.size(), 2u);
  const Plan plan = make_plan(sweep, Models::load_default(), parse_target("host-w64"));
  EXPECT_GT(plan.case_count(), 100);
  for (const PlannedGeometry& one : plan.geometries) {
    double total = 0;
    for (const PlannedCase& each : one.cases) total += each.weight;
    EXPECT_NEAR(total, 1, 1e-12) << one.geometry.key();
  }
}

TEST(Guide, ItsKeysPasteBack) {
  std::istringstream lines(block("split_reshape_cat(act=bf16"));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(parse_case_key(line).key(), line);
  const auto family = find_family("split_reshape_cat");
  int count = 0;
  for (; std::getline(lines, line); ++count)
    EXPECT_EQ(parse_variant_key(*family, line).key(*family), line);
  EXPECT_EQ(count, 2);
}

TEST(Guide, ItsModelIsTheShippedOne) {
  const Folder folder;
  const Models models = Models::load(folder.write("models.yaml", block("models:\n  qwen3.5-27b")));
  const Models all = Models::load_default();
  const Model& shipped = all.find("qwen3.6-27b");
  for (const auto& [name, value] : models.find("qwen3.6-27b").attributes)
    EXPECT_EQ(shipped.attributes.at(name), value) << name;
}

}  // namespace
}  // namespace fusetune::test
