// What is exported of records: each variant once, with what became of it.

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>

#include "harness/base/error.hpp"
#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"
#include "harness/export/t4.hpp"
#include "harness/import/imported_file.hpp"
#include "tests/export/records_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;
using testing::kBaseline;
using testing::kCase;
using testing::variant_of;

std::vector<ObservedCase> observed(const ExportSelection& selection = {}) {
  std::vector<std::string> left_out;
  std::vector<ObservedCase> cases = observed_cases(testing::records(), selection, left_out);
  EXPECT_TRUE(left_out.empty());
  return cases;
}

const ObservedVariant& find(const ObservedCase& of, const std::string& key) {
  for (const ObservedVariant& variant : of.variants)
    if (variant.key == key) return variant;
  throw std::out_of_range(key);
}

Json file_json(const Export& made, const std::string& part) {
  for (const ExportFile& file : made.files)
    if (file.name.find(part) != std::string::npos) return Json::parse(file.text);
  throw std::out_of_range(part);
}

TEST(Observations, HotAndColdTimesAreNeverInOneCase) {
  const auto cases = observed();
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0].data, "cold");
  EXPECT_EQ(cases[1].data, "hot");
  EXPECT_EQ(cases[0].target.name, "gfx942");
  EXPECT_EQ(cases[0].device, "GPU \"1\"");
}

TEST(Observations, TheNewestRaceOfACaseCounts) {
  const auto cases = observed();
  const ObservedVariant& fastest = find(cases.front(), variant_of(256));
  ASSERT_EQ(fastest.samples_us.size(), 3u);
  EXPECT_DOUBLE_EQ(fastest.samples_us[0], 2);
  ASSERT_TRUE(fastest.times);
  EXPECT_DOUBLE_EQ(fastest.times->median_us, 2.25);
}

TEST(Observations, EveryVariantHasItsEnd) {
  const ObservedCase one = observed().front();
  EXPECT_EQ(one.variants.size(), 7u);
  EXPECT_EQ(find(one, variant_of(128)).probe_us, 18);
  EXPECT_FALSE(find(one, variant_of(128)).times);
  EXPECT_EQ(find(one, variant_of(512)).status, Status::nondeterministic);
  EXPECT_TRUE(find(one, variant_of(512)).samples_us.empty());
  EXPECT_EQ(find(one, variant_of(512, 2)).status, Status::compile_error);
  EXPECT_EQ(find(one, variant_of(128, 2)).status, Status::verification_failed);
  EXPECT_TRUE(find(one, kBaseline).is_baseline);
  EXPECT_EQ(one.untimed, 1);
}

TEST(Observations, EpochsOfTheSearchAreNoPartOfAConfirmedTime) {
  RecordSet set = testing::records();
  RaceResult result = testing::result(3, "cold");
  result.confirmed = true;
  result.confirmed_from = 1;
  result.eliminated = {{1, 3}};
  set.steps.back().data["result"] = to_json(result);
  std::vector<std::string> left_out;
  const ObservedCase one = observed_cases(set, {}, left_out).front();
  EXPECT_EQ(find(one, variant_of(256)).samples_us.size(), 2u);
  EXPECT_EQ(find(one, kBaseline).samples_us.size(), 3u);  // it was dropped before
}

TEST(Observations, AFailedRaceIsLeftOutInWords) {
  RecordSet set = testing::records();
  for (StepRecord& step : set.steps)
    if (step.kind == StepRecord::Kind::race) step.status = Status::launch_error;
  std::vector<std::string> left_out;
  EXPECT_TRUE(observed_cases(set, {}, left_out).empty());
  EXPECT_EQ(left_out.size(), 3u);
  EXPECT_THAT(left_out.front(), HasSubstr("launch_error"));
}

TEST(Observations, ASelectionOfNothingIsAnErrorWithTheNearestName) {
  std::vector<std::string> left_out;
  const auto error = [&](const ExportSelection& selection, const RecordSet& set) {
    try {
      observed_cases(set, selection, left_out);
    } catch (const UserError& refused) {
      return std::string(refused.what());
    }
    return std::string();
  };
  EXPECT_THAT(error({"split_reshape_ca", "", ""}, testing::records()),
              HasSubstr("did you mean 'split_reshape_cat'"));
  EXPECT_THAT(error({"", "GPU 2", ""}, testing::records()), HasSubstr("GPU \"1\""));
  EXPECT_THAT(error({}, {}), HasSubstr("no race"));
  EXPECT_EQ(observed({"", "", kCase}).size(), 2u);
}

TEST(T4Export, EveryStatusHasAnInvalidityOfTheSchema) {
  const std::set<std::string_view> known{"timeout",     "compile",     "runtime",
                                         "correctness", "constraints", "correct"};
  for (int i = 0; i <= static_cast<int>(Status::skipped); ++i) {
    const auto status = static_cast<Status>(i);
    EXPECT_EQ(known.count(t4_invalidity(status)), 1u) << to_string(status);
    EXPECT_EQ(t4_invalidity(status) == "correct", status == Status::ok) << to_string(status);
  }
  EXPECT_EQ(t4_invalidity(Status::pruned), "constraints");
  EXPECT_EQ(t4_invalidity(Status::compiler_crash), "compile");
  EXPECT_EQ(t4_invalidity(Status::compile_timeout), "timeout");
  EXPECT_EQ(t4_invalidity(Status::kernel_fault), "runtime");
  EXPECT_EQ(t4_invalidity(Status::out_of_bounds), "correctness");
}

TEST(T4Export, OnlyWhatWasTimedHasATime) {
  const Json json = file_json(to_t4(observed()), "-cold.t4-results");
  std::map<std::string, Json> items;
  for (const Json& item : json["results"]) items[item["x_fusetune"]["variant"]] = item;
  ASSERT_EQ(items.size(), 7u);
  const Json& timed = items[variant_of(256)];
  EXPECT_EQ(timed["measurements"][0]["name"], "time");
  EXPECT_DOUBLE_EQ(timed["measurements"][0]["value"].get<double>(), 0.00225);
  EXPECT_EQ(timed["times"]["runtimes"].size(), 3u);
  EXPECT_EQ(timed["times"]["compilation"], timed["times"]["compilation_time"]);
  EXPECT_EQ(timed["correctness"], 1);
  EXPECT_EQ(timed["timestamp"], "2026-01-31T12:00:00Z");
  EXPECT_THAT(timed.dump(), HasSubstr(R"({"name":"vgpr","unit":"","value":96.0})"));
  EXPECT_EQ(items[variant_of(128)]["measurements"][0]["name"], "probe_time");
  const Json& wrong = items[variant_of(128, 2)];
  EXPECT_EQ(wrong["invalidity"], "correctness");
  EXPECT_EQ(wrong["correctness"], 0);
  EXPECT_EQ(wrong["x_fusetune"]["status"], "verification_failed");
  EXPECT_THAT(wrong["measurements"].dump(), Not(HasSubstr("time")));
  EXPECT_EQ(items[variant_of(512, 4)]["invalidity"], "timeout");
}

TEST(T4Export, ReadsBack) {
  for (const ExportFile& file : to_t4(observed()).files) {
    if (file.name.find("results") == std::string::npos) continue;
    const ImportedFile back = import_text("t4", file.text, file.name);
    EXPECT_EQ(back.records.size(), 7u);
    EXPECT_EQ(by_time(back).size(), 2u);
  }
}

TEST(KernelTunerExport, FailuresHaveTheNamesOfItsClasses) {
  const Export made = to_kernel_tuner(observed());
  const Json json = file_json(made, "-cold.cache");
  EXPECT_EQ(json["tune_params_keys"], (Json{"block_size", "rows_per_iter", "vector_bytes",
                                            "mapping", "persistent", "nontemporal"}));
  EXPECT_EQ(json["tune_params"]["block_size"], (Json{128, 256, 512}));
  const Json& cache = json["cache"];
  EXPECT_DOUBLE_EQ(cache["256,1,16,row,off,off"]["time"].get<double>(), 0.00225);
  EXPECT_EQ(cache["512,2,16,row,off,off"]["time"], "CompilationFailedConfig");
  EXPECT_EQ(cache["512,1,16,row,off,off"]["__error__"], "RuntimeFailedConfig");
  EXPECT_EQ(cache["128,1,16,row,off,off"]["x_fusetune"]["probe_alone"], true);
  // The baseline is another kernel: said, and not among the configurations of this one.
  EXPECT_EQ(cache.size(), 6u);
  EXPECT_EQ(made.left_out.size(), 2u);
  EXPECT_EQ(import_text("kernel-tuner", made.files[0].text, "file").records.size(), 6u);
}

TEST(GoogleBenchmarkExport, SamplesAreRepetitionsAndFailuresAreErrors) {
  const Json json = file_json(to_google_benchmark(observed()), "-cold.gbench");
  int samples = 0, aggregates = 0, errors = 0;
  for (const Json& run : json["benchmarks"]) {
    const bool error = run.value("error_occurred", false);
    errors += error;
    samples += !error && run["run_type"] == "iteration";
    aggregates += run["run_type"] == "aggregate";
  }
  EXPECT_EQ(samples, 6);
  EXPECT_EQ(aggregates, 8);
  EXPECT_EQ(errors, 4);
}

TEST(ExportText, WhatIsNoFiniteNumberIsNeverWritten) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(json_text({{"a", {{"b", {1.0, bad}}}}}), std::logic_error);
    EXPECT_THROW(json_line(bad), std::logic_error);
  }
}

TEST(ExportText, FileNamesAreShortAndTellKeysApart) {
  const std::string a = file_stem(std::string(400, 'a') + "1");
  const std::string b = file_stem(std::string(400, 'a') + "2");
  EXPECT_LE(a.size(), kFileStemMax);
  EXPECT_NE(a, b);
  EXPECT_EQ(file_word("a/b (c)"), "a_b__c_");
}

TEST(ExportFormats, EachHasOneWriter) {
  for (const ExportFormat& format : export_formats()) {
    EXPECT_EQ(&find_export_format(format.name), &format);
    EXPECT_EQ(format.of_cases != nullptr, format.source == ExportFormat::Source::records);
    EXPECT_EQ(format.of_tables != nullptr, format.source == ExportFormat::Source::tables);
  }
  EXPECT_THROW(find_export_format("t5"), UserError);
}

}  // namespace
}  // namespace fusetune
