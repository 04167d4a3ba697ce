// Readers of other tools' files: what they take, and where they say what is wrong.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/base/error.hpp"
#include "harness/import/candidates.hpp"
#include "harness/import/imported_file.hpp"
#include "harness/import/named_variant.hpp"
#include "harness/import/placed_json.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// As its tool leaves a cache that it has not closed: a comma behind the last entry.
constexpr const char* kCache = R"({
"device_name": "GPU 1", "kernel_name": "split", "problem_size": [16],
"tune_params_keys": ["block_size", "mapping"],
"tune_params": {"block_size": [128, 256], "mapping": ["row"]}, "objective": "time",
"cache": {
"128,row": {"block_size": 128, "mapping": "row", "time": 0.02, "times": [0.02]},
"256,row": {"block_size": 256, "mapping": "row", "time": "CompilationFailedConfig"},
"512,row": {"block_size": 512, "mapping": "row", "time": 0.01, "times": [0.01]},
)";

constexpr const char* kWisdom =
    "# a remark\n"
    R"({"version":"1.0","objective":"time","tunable_parameters":["block_size","mapping"],"key":"k"})"
    "\n\n// another\n"
    R"({"config":[128,"row"],"problem_size":[16,1],"time":0.5,"environment":{"device_name":"GPU"}})"
    "\n";

constexpr const char* kCsv =
    "gfx,cu_num,M,N,q_dtype_w,libtype,kernelId,splitK,us,kernelName,tflops,bw,errRatio\r\n"
    "gfx942,304,16,5120,torch.bfloat16,ck,7,0,12.5,\"a kernel, of two words\",1.5,2.5,0.0\n"
    "gfx942,304,32,5120,torch.bfloat16,fusetune,0,0,3,fused:block_size=128;mapping=row,,9,0\n";

constexpr const char* kT4 = R"({"schema_version": "1.0.0",
 "metadata": {"timeunit": "microseconds"}, "results": [
 {"configuration": {"BM": 128, "wide": true}, "times": {"runtimes": [1, 2]},
  "invalidity": "correct", "correctness": 1,
  "measurements": [{"name": "time", "value": 1.5, "unit": "us"}]},
 {"configuration": {"BM": 256}, "times": {}, "invalidity": "correctness", "correctness": 0}]})";

constexpr const char* kVllm =
    R"({"triton_version": "3.4.0", "1": {"BLOCK_SIZE_M": 16}, "64": {"BLOCK_SIZE_M": 64}})";

std::string error_of(const std::string& format, const std::string& text) {
  try {
    import_text(format, text, "file");
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

std::string with(std::string text, const std::string& part, const std::string& instead) {
  const std::size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), instead);
}

TEST(KernelTunerCache, OneThatWasNeverClosedIsReadToItsLastEntry) {
  const ImportedFile file = import_text("kernel-tuner", kCache, "file");
  ASSERT_EQ(file.records.size(), 3u);
  EXPECT_EQ(file.kernel, "split");
  EXPECT_EQ(file.remarks.size(), 1u);
  EXPECT_EQ(file.records[0].line, 6);
  EXPECT_DOUBLE_EQ(*file.records[0].time_us, 20);
  EXPECT_EQ(file.records[0].device, "GPU 1");
  EXPECT_EQ(file.records[1].status, "CompilationFailedConfig");
  EXPECT_FALSE(file.records[1].time_us);
  EXPECT_EQ(by_time(file).front()->configuration["block_size"], 512);
}

TEST(KernelTunerCache, AClosedOneReadsTheSame) {
  std::string closed(kCache);
  closed.resize(closed.rfind(','));
  const ImportedFile file = import_text("kernel-tuner", closed + "}}", "file");
  EXPECT_EQ(file.records.size(), 3u);
  EXPECT_TRUE(file.remarks.empty());
}

TEST(KernelTunerCache, DamageIsSaidWithItsLine) {
  EXPECT_THAT(error_of("kernel-tuner", with(kCache, "\"time\": 0.02", "\"time\": -1")),
              StartsWith("file:6: a time is above 0"));
  EXPECT_THAT(error_of("kernel-tuner", with(kCache, "\"time\": 0.02", "\"time\": NaN")),
              StartsWith("file:6: no JSON"));
  EXPECT_THAT(error_of("kernel-tuner", with(kCache, "\"time\": 0.02", "\"time\": 1e999")),
              StartsWith("file:6: "));
  EXPECT_THAT(error_of("kernel-tuner", with(kCache, "{\"block_size\": 512, ", "{")),
              StartsWith("file:8: 'block_size' is not there"));
  EXPECT_THAT(error_of("kernel-tuner", with(kCache, "512,row", "128,row")),
              StartsWith("file:8: '\"128,row\"' is there twice"));
}

TEST(KernelTunerCache, OneThatEndsWithinAnEntryIsNoRunThatWasStopped) {
  const std::string whole(kCache);
  const std::string cut = whole.substr(0, whole.rfind("\"times\""));
  // Such an end is a comma as well: the entry that it is in would lack its own end.
  EXPECT_THAT(error_of("kernel-tuner", cut), StartsWith("file:8: "));
}

TEST(Wisdom, RemarksAndEmptyLinesAreNoRecords) {
  const ImportedFile file = import_text("kernel-launcher", kWisdom, "file");
  ASSERT_EQ(file.records.size(), 1u);
  EXPECT_EQ(file.records[0].line, 5);
  EXPECT_EQ(file.records[0].problem, Json::array({16, 1}));
  EXPECT_EQ(file.records[0].configuration["mapping"], "row");
  EXPECT_DOUBLE_EQ(*file.records[0].time_us, 500);
}

TEST(Wisdom, DamageIsSaidWithItsLine) {
  EXPECT_THAT(error_of("kernel-launcher", with(kWisdom, "[128,\"row\"]", "[128]")),
              StartsWith("file:5: 1 values for 2 parameters"));
  EXPECT_THAT(error_of("kernel-launcher", with(kWisdom, "\"1.0\"", "\"2.0\"")),
              StartsWith("file:2: wisdom of version 1.0 is known"));
  EXPECT_THAT(error_of("kernel-launcher", with(kWisdom, "[16,1]", "[]")), StartsWith("file:5: "));
  EXPECT_THAT(error_of("kernel-launcher", with(kWisdom, "\"GPU\"}}", "\"GPU\"")),
              StartsWith("file:5: the text ends within a value"));
}

TEST(AiterCsv, TheKeyIsEverythingBeforeTheResults) {
  const ImportedFile file = import_text("aiter-csv", kCsv, "file");
  ASSERT_EQ(file.records.size(), 2u);
  EXPECT_EQ(file.records[0].problem, (Json{{"gfx", "gfx942"},
                                           {"cu_num", 304},
                                           {"M", 16},
                                           {"N", 5120},
                                           {"q_dtype_w", "torch.bfloat16"}}));
  EXPECT_EQ(file.records[0].configuration["kernelName"], "a kernel, of two words");
  EXPECT_DOUBLE_EQ(*file.records[0].time_us, 12.5);
  EXPECT_EQ(file.records[1].implementation, "fused");
  EXPECT_EQ(file.records[1].configuration, (Json{{"block_size", 128}, {"mapping", "row"}}));
}

TEST(AiterCsv, DamageIsSaidWithItsLine) {
  EXPECT_THAT(error_of("aiter-csv", with(kCsv, ",12.5,", ",fast,")),
              StartsWith("file:2: 'fast' is no time"));
  EXPECT_THAT(error_of("aiter-csv", with(kCsv, ",12.5,", ",nan,")), StartsWith("file:2: "));
  EXPECT_THAT(error_of("aiter-csv", with(kCsv, ",9,0\n", "\n")),
              StartsWith("file:3: 11 cells under 13 columns"));
  EXPECT_THAT(error_of("aiter-csv", with(kCsv, "words\"", "words")),
              StartsWith("file:2: a quote is not closed"));
  EXPECT_THAT(error_of("aiter-csv", with(kCsv, "cu_num", "cus")), StartsWith("file:1: "));
}

TEST(T4, TimesAreOfTheUnitThatTheFileStates) {
  const ImportedFile file = import_text("t4", kT4, "file");
  ASSERT_EQ(file.records.size(), 2u);
  EXPECT_DOUBLE_EQ(*file.records[0].time_us, 1.5);
  EXPECT_EQ(file.records[0].configuration, (Json{{"BM", 128}, {"wide", true}}));
  EXPECT_EQ(file.records[1].status, "correctness");
  EXPECT_THAT(error_of("t4", with(kT4, "microseconds", "fortnights")), StartsWith("file:2: "));
  EXPECT_THAT(error_of("t4", with(kT4, "\"correctness\", \"correctness\"", "\"bad\", \"c\"")),
              HasSubstr("file:"));
}

TEST(VllmJson, NamesAreTokenCounts) {
  const ImportedFile file = import_text("vllm-json", kVllm, "file");
  ASSERT_EQ(file.records.size(), 2u);
  EXPECT_EQ(file.records[1].problem, Json::array({64}));
  EXPECT_FALSE(file.records[1].time_us);
  EXPECT_THAT(error_of("vllm-json", with(kVllm, "\"64\"", "\"M64\"")), StartsWith("file:1: "));
}

TEST(Import, EveryTruncationIsAnErrorWithALineOrWholeRecords) {
  for (const auto& [format, text] :
       {std::pair("kernel-tuner", kCache), std::pair("kernel-launcher", kWisdom),
        std::pair("aiter-csv", kCsv), std::pair("t4", kT4), std::pair("vllm-json", kVllm)}) {
    const std::string whole(text);
    const std::size_t all = import_text(format, whole, "file").records.size();
    for (std::size_t size = 0; size < whole.size(); ++size) try {
        const ImportedFile part = import_text(format, whole.substr(0, size), "file");
        ASSERT_LE(part.records.size(), all) << format << " " << size;
        for (const ImportedRecord& record : part.records) ASSERT_GT(record.line, 0);
      } catch (const UserError& error) {
        ASSERT_THAT(error.what(), StartsWith("file:")) << format << " " << size;
      }
  }
}

TEST(Import, WhatIsReadIsMarkedAsForeign) {
  const Json json = to_json(import_text("vllm-json", kVllm, "file"));
  EXPECT_EQ(json["origin"], "foreign");
  EXPECT_EQ(json["times"], "absolute");
}

TEST(Import, AnUnknownFormatIsSaidWithTheNearest) {
  EXPECT_THAT(error_of("kernel-tunr", kCache), HasSubstr("kernel-tuner"));
}

TEST(Import, AFileWithoutRecordsIsAnError) {
  EXPECT_THAT(error_of("vllm-json", "{}"), StartsWith("file:1: there is no record"));
  EXPECT_THAT(error_of("aiter-csv", ""), StartsWith("file:1: there is no record"));
}

TEST(PlacedJson, DepthIsLimited) {
  const std::string deep(100000, '[');
  EXPECT_THROW(parse_placed_json(deep, "file"), UserError);
}

constexpr const char* kCase = "split_reshape_cat(layout=contiguous,nk=2,nv=6,tokens=16)";
constexpr const char* kVariantEntry =
    R"("{0}": {{"block_size": {0}, "mapping": "row", "nontemporal": "off", "persistent": "off",
     "rows_per_iter": 1, "vector_bytes": 16, "time": {1}}},)";

ImportedFile cache_of_variants() {
  std::string text = R"({"device_name": "d", "kernel_name": "k", "problem_size": 16,
 "tune_params_keys": ["block_size", "mapping", "nontemporal", "persistent", "rows_per_iter",
 "vector_bytes"], "tune_params": {}, "objective": "time", "cache": {)";
  for (const auto& [block, time] : {std::pair(256, 3.0), std::pair(128, 2.0), std::pair(7777, 1.0)})
    text += fmt::format(fmt::runtime(kVariantEntry), block, time);
  return import_text("kernel-tuner", text, "file");
}

TEST(Candidates, AreTheFastestThatAreVariantsOfTheFamily) {
  const auto family = find_family("split_reshape_cat");
  const Candidates two = candidates_of(cache_of_variants(), *family, 16);
  ASSERT_EQ(two.variants.size(), 2u);
  EXPECT_EQ(std::get<std::int64_t>(two.variants[0].axes.at("block_size")), 128);
  EXPECT_EQ(two.strangers, 1);
  EXPECT_EQ(candidates_of(cache_of_variants(), *family, 1).variants.size(), 1u);
}

TEST(Candidates, TheFastestOfEachProblemComesBeforeTheSecondOfAny) {
  ImportedFile file = cache_of_variants();
  const auto first = [&] {
    const Candidates found = candidates_of(file, *find_family("split_reshape_cat"), 2);
    return std::get<std::int64_t>(found.variants.at(0).axes.at("block_size"));
  };
  EXPECT_EQ(first(), 128);
  file.records[0].problem = Json::array({4096});  // the slowest, and the only one of its problem
  EXPECT_EQ(first(), 256);
}

TEST(Candidates, TheirSweepHasThemAloneAndNoTime) {
  const ImportedFile file = cache_of_variants();
  const Case which = parse_case_key(kCase);
  const std::string sweep =
      candidate_sweep(candidates_of(file, *which.geometry.family, 16), which, "host-w64", file);
  EXPECT_THAT(sweep, HasSubstr("block_size == 128 && mapping == row"));
  EXPECT_THAT(sweep, HasSubstr("block_size: [128, 256]"));
  EXPECT_THAT(sweep, testing::Not(HasSubstr("2.0")));
}

TEST(Candidates, RowsHaveTheNameThatTheirFamilyGivesThem) {
  const Case which = parse_case_key("gdn_weight_pack(nk=2,ratio=3)");
  const Family& family = *which.geometry.family;
  SweepEntry entry;
  entry.family = which.geometry.family;
  Candidates candidates;
  candidates.variants = {enumerate_variants(which.geometry,
                                            *family.find_implementation(family.tuned),
                                            parse_target("host-w64"), entry, SpaceChoice{}, nullptr)
                             .front()};
  EXPECT_THAT(candidate_sweep(candidates, which, "host-w64", {}), HasSubstr("    nk: {2: 1}\n"));
}

TEST(Candidates, NoneIsAnErrorThatNamesTheAxes) {
  const ImportedFile file = import_text("vllm-json", kVllm, "file");
  const Case which = parse_case_key(kCase);
  try {
    candidate_sweep(candidates_of(file, *which.geometry.family, 16), which, "host-w64", file);
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("block_size"));
  }
}

TEST(KernelName, ReadsBack) {
  const auto family = find_family("split_reshape_cat");
  const Variant variant =
      parse_variant_key(*family,
                        "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,"
                        "vector_bytes=16");
  const auto named = parse_kernel_name(kernel_name(variant));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->implementation, "fused");
  EXPECT_EQ(named->key, to_string(variant.axes));
  EXPECT_FALSE(parse_kernel_name("gemm_a8w8"));
  EXPECT_FALSE(parse_kernel_name(":x"));
  EXPECT_FALSE(parse_kernel_name("a:b,c"));
}

}  // namespace
}  // namespace fusetune
