// What is exported of tables: each row once, and read back by our own readers.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/export/export_format.hpp"
#include "harness/import/imported_file.hpp"
#include "harness/spec/plan.hpp"
#include "tests/table/table_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;

std::vector<Table> tables() { return {testing::table("gfx942"), testing::table("gfx90a")}; }

TEST(WisdomExport, RowsOfTheTunedKernelReadBackAndOthersAreNamed) {
  const Export made = to_wisdom(tables());
  ASSERT_EQ(made.files.size(), 2u);  // a geometry each; devices share them
  EXPECT_EQ(made.entries, 6);
  EXPECT_EQ(made.left_out.size(), 2u);
  EXPECT_THAT(made.left_out.front(), HasSubstr("unfused"));
  const ImportedFile back = import_text("kernel-launcher", made.files[0].text, "file");
  ASSERT_EQ(back.records.size(), 4u);
  EXPECT_EQ(back.kernel, testing::kInterleaved);
  EXPECT_EQ(back.records[0].problem, Json::array({1}));
  EXPECT_DOUBLE_EQ(*back.records[0].time_us, 0.1);
  EXPECT_EQ(back.records[0].device, "Device \"of\" gfx942");
  EXPECT_EQ(back.records[0].configuration["mapping"], "row");
}

TEST(AiterExport, EveryRowHasItsKeyAndReadsBack) {
  const Export made = to_aiter_csv(tables());
  ASSERT_EQ(made.files.size(), 1u);
  EXPECT_EQ(made.files[0].name, "split_reshape_cat_tuned.csv");
  const ImportedFile back = import_text("aiter-csv", made.files[0].text, "file");
  ASSERT_EQ(back.records.size(), 8u);
  std::set<std::string> keys;
  for (const ImportedRecord& record : back.records) {
    keys.insert(record.problem.dump());
    EXPECT_EQ(record.problem["cu_num"], 3);
    EXPECT_FALSE(record.implementation.empty());
  }
  EXPECT_EQ(keys.size(), 8u);
}

TEST(AiterExport, AKeyThatIsThereTwiceIsLeftOutInWords) {
  Table other = testing::table("gfx942");
  other.device = "another device";
  const Export made = to_aiter_csv({testing::table("gfx942"), other});
  EXPECT_EQ(made.entries, 4);
  EXPECT_EQ(made.left_out.size(), 4u);
  EXPECT_THAT(made.left_out.front(), HasSubstr("another device"));
}

TEST(VllmExport, TokenCountsAreKeysAndTheBaselineIsNamed) {
  const Export made = to_vllm_json({testing::table("gfx942")});
  ASSERT_EQ(made.files.size(), 2u);
  EXPECT_THAT(made.files[0].name, HasSubstr("device_name=Device_\"of\"_gfx942,dtype=bf16"));
  const Json json = Json::parse(made.files[0].text);
  EXPECT_EQ(json.size(), 3u);
  EXPECT_EQ(json["64"]["mapping"], "flat");
  EXPECT_EQ(json["4096"], (Json{{"block_size", 256}, {"implementation", "unfused"}}));
  EXPECT_EQ(import_text("vllm-json", made.files[0].text, "f").records.size(), 3u);
}

/// A row of a geometry whose key no file system takes as a name.
Table long_table() {
  Table table;
  table.family = find_family("qk_norm_rope_cache");
  table.target = parse_target("gfx942");
  table.device = "GPU";
  const Geometry geometry = parse_geometry_key("qk_norm_rope_cache(hk=1,hq=3,hv=1)");
  SweepEntry entry;
  entry.family = table.family;
  const auto variants =
      enumerate_variants(geometry, *table.family->find_implementation(table.family->tuned),
                         table.target, entry, SpaceChoice{}, nullptr);
  table.rows = {
      testing::row(table.family, geometry.key(), 0, 4, variants.front().key(*table.family))};
  return table;
}

TEST(LongKeys, NamesFitIntoFileSystemsAndSayTheirGeometry) {
  const std::string key = long_table().rows.front().geometry.key();
  ASSERT_GT(key.size(), 255u);
  for (const ExportFormat& format : export_formats()) {
    if (format.source != ExportFormat::Source::tables) continue;
    for (const ExportFile& file : format.of_tables({long_table()}).files)
      EXPECT_LT(file.name.substr(file.name.rfind('/') + 1).size(), 230u) << file.name;
  }
  EXPECT_THAT(to_wisdom({long_table()}).files.front().text, HasSubstr(key));
  const Export configs = to_vllm_json({long_table()});
  ASSERT_EQ(configs.files.size(), 2u);
  EXPECT_THAT(configs.files[1].name, HasSubstr(",device_name=GPU,dtype=bf16"));
  EXPECT_THAT(configs.files[0].name, HasSubstr("geometries.json"));
  EXPECT_THAT(configs.files[0].text, HasSubstr(key));
}

TEST(SglangExport, FoldersAreOfTheCompiler) {
  const Export made = to_sglang_json({testing::table("gfx942")});
  EXPECT_THAT(made.files[0].name, HasSubstr("split_reshape_cat/configs/g___12"));
}

TEST(ConfigHeader, ItsCommentsAreTheTable) {
  const Export made = to_config_header(tables());
  ASSERT_EQ(made.files.size(), 1u);
  const ImportedFile back = import_text("rocprim-header", made.files[0].text, "file.hpp");
  ASSERT_EQ(back.records.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    const Table table = tables()[i / 4];
    const TableRow& row = table.rows[i % 4];
    const ImportedRecord& record = back.records[i];
    EXPECT_EQ(record.geometry, row.geometry.key());
    EXPECT_EQ(record.device, table.device);
    EXPECT_EQ(record.implementation, row.variant.implementation);
    EXPECT_EQ(record.configuration.size(), row.variant.axes.size());
    EXPECT_DOUBLE_EQ(*record.time_us, row.certificate.median_us);
  }
  EXPECT_THAT(made.files[0].text, HasSubstr(R"("gen":"cdna3")"));
}

TEST(T1Export, ConditionsAreOverTheParametersAlone) {
  const Export made = to_t1({testing::table("gfx942")});
  ASSERT_EQ(made.files.size(), 4u);
  for (const ExportFile& file : made.files) {
    const Json json = Json::parse(file.text);
    std::set<std::string> names;
    for (const Json& parameter : json["ConfigurationSpace"]["TuningParameters"])
      names.insert(parameter["Name"]);
    EXPECT_EQ(names.size(), 6u);
    ASSERT_FALSE(json["ConfigurationSpace"]["Conditions"].empty());
    for (const Json& condition : json["ConfigurationSpace"]["Conditions"])
      for (const Json& name : condition["Parameters"]) EXPECT_EQ(names.count(name), 1u);
    EXPECT_EQ(json["KernelSpecification"]["KernelName"], "split_reshape_cat");
    // The interval's measured count is in the launch, and no symbol is left.
    EXPECT_THAT(json["KernelSpecification"]["GlobalSize"]["X"].get<std::string>(),
                Not(HasSubstr("tokens")));
  }
}

}  // namespace
}  // namespace fusetune
