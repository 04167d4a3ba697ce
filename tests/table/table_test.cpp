#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/table/check_tables.hpp"
#include "harness/table/quote.hpp"
#include "harness/table/seal.hpp"
#include "tests/table/table_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string refusal(Table table) {
  try {
    normalise(table);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "";
}

TEST(Normalise, SortsByGeometryThenRows) {
  Table table = testing::table();
  std::reverse(table.rows.begin(), table.rows.end());
  normalise(table);
  ASSERT_EQ(table.rows.size(), 4U);
  EXPECT_EQ(table.rows[0].geometry.key(), testing::geometry(testing::kInterleaved).key());
  EXPECT_EQ(table.rows[0].rows_low, 0);
  EXPECT_EQ(table.rows[2].rows_low, 65);
  EXPECT_EQ(table.rows[3].geometry.key(), testing::geometry(testing::kMerged).key());
}

TEST(Normalise, RefusesWhatIsNoPartition) {
  Table table = testing::table();
  table.rows.push_back(table.rows[1]);
  EXPECT_THAT(refusal(table), HasSubstr("overlaps"));
  table = testing::table();
  table.rows[1].rows_low = 1;
  EXPECT_THAT(refusal(table), HasSubstr("overlaps"));
  table = testing::table();
  table.rows[1].rows_low = 5;
  EXPECT_THAT(refusal(table), HasSubstr("nothing covers 2"));
  table = testing::table();
  table.rows.erase(table.rows.begin());
  EXPECT_THAT(refusal(table), HasSubstr("nothing covers 0"));
  table = testing::table();
  table.rows[0].rows_high = -1;
  EXPECT_THAT(refusal(table), HasSubstr("empty"));
  table = testing::table();
  table.rows[1].tuned_at = 65;
  EXPECT_THAT(refusal(table), HasSubstr("tuned at 65"));
  table.rows.clear();
  EXPECT_THAT(refusal(table), HasSubstr("no rows"));
}

TEST(Normalise, RefusesWrongVariantsAndFigures) {
  Table table = testing::table();
  table.rows[0].variant.axes.erase("mapping");
  EXPECT_THAT(refusal(table), HasSubstr("mapping"));
  table = testing::table();
  table.rows[2].is_default = false;
  EXPECT_THAT(refusal(table), HasSubstr("baseline"));
  table = testing::table();
  table.rows[0].is_default = true;
  EXPECT_THAT(refusal(table), HasSubstr("baseline"));
  table = testing::table();
  table.rows[0].certificate.high_us = std::numeric_limits<double>::infinity();
  EXPECT_THAT(refusal(table), HasSubstr("finite"));
  table = testing::table();
  table.rows[0].provenance.data = "";
  EXPECT_THAT(refusal(table), HasSubstr("cold nor hot"));
}

TEST(TableYaml, ReadsBackWhatItWrote) {
  const std::string text = to_yaml(testing::table());
  const TemporaryFolder folder("fusetune-table");
  const auto file = folder / "roundtrip.yaml";
  write_file_atomic(file, text);
  const Table read = table_from_yaml(file);
  EXPECT_EQ(to_yaml(read), text);
  EXPECT_EQ(read.rows[0].provenance.compiler, "g++ 12 'quoted' \\");
  EXPECT_EQ(read.rows[0].provenance.sweep, "quick\nstart");
  EXPECT_EQ(read.rows[0].provenance.conditions, testing::table().rows[0].provenance.conditions);
  EXPECT_EQ(read.rows[0].provenance.data, "cold");
  EXPECT_EQ(read.rows[2].provenance.data, "hot");
  EXPECT_EQ(read.rows[0].certificate.spread_percent, 1.0 / 3);
  EXPECT_EQ(read.rows[0].certificate.tie_set, (std::vector<std::string>{"a=1", "z=1"}));
  EXPECT_EQ(to_header(read), to_header(testing::table()));
  EXPECT_EQ(to_json(read), to_json(testing::table()));
}

TEST(TableYaml, EqualRowsGiveEqualBytes) {
  const Table table = testing::table();
  Table shuffled = table;
  std::swap(shuffled.rows[0], shuffled.rows[3]);
  std::swap(shuffled.rows[1], shuffled.rows[2]);
  std::reverse(shuffled.rows[0].certificate.tie_set.begin(),
               shuffled.rows[0].certificate.tie_set.end());
  EXPECT_EQ(to_yaml(shuffled), to_yaml(table));
  EXPECT_EQ(to_header(shuffled), to_header(table));
  EXPECT_EQ(to_json(shuffled).dump(), to_json(table).dump());
}

void expect_refused(const std::string& from, const std::string& to, const std::string& message) {
  std::string text = to_yaml(testing::table());
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const TemporaryFolder folder("fusetune-table");
  const auto file = folder / "refused.yaml";
  write_file_atomic(file, text);
  try {
    table_from_yaml(file);
    ADD_FAILURE() << "accepted " << to;
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_THAT(error.what(), HasSubstr("refused.yaml"));
  }
}

TEST(TableYaml, RefusesDamagedFiles) {
  expect_refused("table: 1", "table: 2", "format 1");
  expect_refused("rows: [2, 64]", "rows: [2, 63]", "tuned at 64");
  expect_refused("rows: [2, 64]", "rows: [3, 64]", "nothing covers 2");
  expect_refused("samples:", "sampels:", "samples");
  expect_refused("tuned_at: 1", "tuned_at: 01", "01");
  expect_refused("rows: [65, 4096]", "rows: [65, 9223372036854775807]", "leaves no row count");
}

TEST(TableYaml, SaysWhereANameIsUnknown) {
  expect_refused("family: 'split_reshape_cat'", "family: 'split_reshape_cut'",
                 "refused.yaml:4:10: unknown family");
  expect_refused("target: 'host-w64'", "target: 'host-w65'", "refused.yaml:6:10: unknown target");
  expect_refused("layout=merged", "layout=marged", ": unknown");
  expect_refused("mapping=flat", "mapping=flut", "mapping");
}

TEST(TableYaml, RefusesVariantsThatCannotBeCompiled) {
  std::string text = read_file(std::filesystem::path(FUSETUNE_SOURCE_DIR) /
                               "fuzz/corpus/table/uneven_variant.yaml");
  EXPECT_THROW(parse_table(text, "t.yaml"), UserError);
  text.replace(text.find("rows_per_iter=6"), 15, "rows_per_iter=8");
  EXPECT_EQ(parse_table(text, "t.yaml").family->name, "rmsnorm_gemma");
}

TEST(WriteTable, WritesTheFilesOfADevice) {
  const TemporaryFolder folder("fusetune-table");
  const auto root = folder / "results";
  const auto paths = write_table(testing::table(), root);
  ASSERT_EQ(paths.size(), 4U);
  EXPECT_EQ(paths[0], root / "host-w64" / "split_reshape_cat.yaml");
  EXPECT_EQ(paths[1], root / "host-w64" / "fusetune_split_reshape_cat.hpp");
  EXPECT_THAT(read_file(paths[0]), StartsWith(to_yaml(testing::table())));
  EXPECT_THAT(read_file(paths[1]), StartsWith(to_header(testing::table())));
  Json json = Json::parse(read_file(paths[2]));
  json.erase("checksum");
  EXPECT_EQ(json, to_json(testing::table()));
  EXPECT_EQ(paths[3], root / "host-w64" / "fusetune_split_reshape_cat_test.cpp");
  EXPECT_THAT(read_file(paths[3]), StartsWith(replay_program(testing::table())));
  for (const auto& path : paths) EXPECT_EQ(seal_problem(read_file(path)), "") << path;
  const auto checks = check_tables(root);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_TRUE(checks[0].whole());
  EXPECT_EQ(checks[0].rows, 4);
}

TEST(WriteTable, EveryFlippedBitIsNoticed) {
  const TemporaryFolder folder("fusetune-table");
  const auto root = folder / "results";
  const auto paths = write_table(testing::table(), root);
  for (const auto& path : paths) {
    const std::string text = read_file(path);
    for (std::size_t bit = 3; bit < 8 * text.size(); bit += 997) {
      std::string damaged = text;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_NE(seal_problem(damaged), "") << path << " bit " << bit;
    }
  }
  std::string yaml = read_file(paths[0]);
  yaml.replace(yaml.find("samples: "), 10, "samples: 9");
  write_file_atomic(paths[0], yaml);
  EXPECT_THROW(table_from_yaml(paths[0]), UserError);
  EXPECT_THAT(check_tables(root)[0].files[0].problem, HasSubstr("damaged or edited"));
  std::filesystem::remove(paths[2]);
  EXPECT_THAT(check_tables(root)[0].files[2].problem, HasSubstr("missing"));
}

TEST(WriteTable, AnyOfItsFilesIsMissedByTheOthers) {
  const TemporaryFolder folder("fusetune-table");
  const auto root = folder / "results";
  for (std::size_t lost = 0; lost < 4; ++lost) {
    const auto paths = write_table(testing::table(), root);
    write_file_atomic(root / "host-w64" / "notes.yaml", "fusetune: none of its tables\n");
    std::filesystem::remove(paths[lost]);
    const auto checks = check_tables(root);
    ASSERT_EQ(checks.size(), 1U) << lost;
    EXPECT_EQ(checks[0].family, "split_reshape_cat");
    EXPECT_THAT(checks[0].files[lost].problem, HasSubstr("missing"));
  }
  // Without header and replay program, too.
  const auto paths = write_table(testing::table(), root);
  std::filesystem::remove(paths[1]);
  std::filesystem::remove(paths[3]);
  EXPECT_EQ(check_tables(root).size(), 1U);
}

TEST(WriteTable, ARefusedTableLeavesTheOldFiles) {
  const TemporaryFolder folder("fusetune-table");
  const auto root = folder / "refused_results";
  const auto paths = write_table(testing::table(), root);
  Table broken = testing::table();
  broken.rows[1].rows_low = 5;
  EXPECT_THROW(write_table(broken, root), std::logic_error);
  EXPECT_THAT(read_file(paths[0]), StartsWith(to_yaml(testing::table())));
}

TEST(TableJson, CarriesRowsAndLaunchExpressions) {
  const Json json = to_json(testing::table());
  EXPECT_EQ(json.at("timed_on_host"), true);
  EXPECT_EQ(json.at("rows").size(), 4U);
  EXPECT_EQ(json.at("rows")[1].at("axes").at("mapping"), "flat");
  EXPECT_EQ(json.at("rows")[1].at("defines").at("FT_BLOCK_SIZE"), "128");
  EXPECT_EQ(json.at("rows")[2].at("is_default"), true);
  const Json& launch = json.at("implementations").at("fused").at("launches").at(0);
  EXPECT_EQ(launch.at("entry"), "split_reshape_cat");
  EXPECT_THAT(launch.at("grid").at(1).at("python").get<std::string>(), HasSubstr("nk"));
  EXPECT_EQ(json.at("implementations").at("unfused").at("launches").size(), 5U);
}

TEST(Quote, KeepsAwkwardTextInItsPlace) {
  EXPECT_EQ(cpp_string("a\"b\\c\nd?\?/"), "\"a\\\"b\\\\c\\012d\\?\\?/\"");
  EXPECT_EQ(comment_text("end\\"), "end/");
  EXPECT_THAT(comment_text("a\nb?\?/c"), Not(HasSubstr("\n")));
  EXPECT_THAT(comment_text("a\nb?\?/c"), Not(HasSubstr("?\?")));
  EXPECT_EQ(yaml_string("it's"), "'it''s'");
  EXPECT_EQ(double_text(2), "2.0");
  EXPECT_EQ(double_text(0.1), "0.1");
  EXPECT_THROW(double_text(std::nan("")), std::logic_error);
}

}  // namespace
}  // namespace fusetune
