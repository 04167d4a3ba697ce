#include "harness/report/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <regex>
#include <set>

#include "harness/report/changes.hpp"
#include "harness/report/gather.hpp"
#include "harness/report/html.hpp"
#include "harness/report/peers.hpp"
#include "harness/report/pictures.hpp"
#include "tests/report/report_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// With a hostile name wherever one can come from outside.
Report hostile_report() {
  Report report = gather_report(testing::source());
  add_peers({{testing::case_key(16), testing::kHostile, 12, 2}}, report);
  compare_reports(gather_report(testing::source()), testing::kHostile, report);
  report.left_out.push_back(testing::kHostile);
  report.sweeps.push_back(testing::kHostile);
  report.devices[0].name = testing::kHostile;
  report.facts[0].compiler = testing::kHostile;
  report.facts[0].rows[0].kernel.entry = testing::kHostile;
  return report;
}

TEST(Page, NoNameBecomesMarkup) {
  const std::string page = report_page(hostile_report());
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(page, HasSubstr("\\u003cscript\\u003ealert(1)")) << "in the data of a heat map";
  for (const auto& [name, picture] : all_pictures(hostile_report())) {
    EXPECT_THAT(picture.file(), Not(HasSubstr("<script"))) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-."), std::string::npos);
  }
}

TEST(Page, NothingIsFetched) {
  const std::string page = report_page(hostile_report());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  const std::regex fetching(R"((src|href|url)\s*[=(]\s*["']?(?!["'#]))");
  std::smatch match;
  EXPECT_FALSE(std::regex_search(page, match, fetching))
      << match.str() << match.suffix().str().substr(0, 80);
  // The script names the namespace of SVG, and nothing else is an address.
  std::string rest = page;
  const std::string name = "http://www.w3.org/2000/svg";
  while (rest.find(name) != std::string::npos) rest.erase(rest.find(name), name.size());
  EXPECT_THAT(rest, Not(HasSubstr("://")));
}

TEST(Page, EqualReportsGiveEqualBytes) {
  EXPECT_EQ(report_page(gather_report(testing::source())),
            report_page(gather_report(testing::source())));
}

TEST(Page, ShowsWhatIsThere) {
  Report report = gather_report(testing::source());
  const std::string page = report_page(report);
  EXPECT_THAT(page, HasSubstr("id=\"d0-winners\""));
  EXPECT_THAT(page, HasSubstr("say nothing of a GPU"));
  EXPECT_THAT(page, HasSubstr("verification_failed"));
  EXPECT_THAT(page, HasSubstr("16 B \xC3\x97 2, 4 B \xC3\x97 1"));
  EXPECT_THAT(page, Not(HasSubstr("d0-changes"))) << "there was nothing to compare with";
  EXPECT_THAT(page, HasSubstr("Run fusetune doctor"))
      << "without limits it says where they come from";
}

TEST(Page, FailuresAloneAreShown) {
  ReportSource source;
  source.steps = {
      testing::compile_record(testing::kRow, "host-w64", Status::compiler_crash, "it died")};
  const std::string page = report_page(gather_report(source));
  EXPECT_THAT(page, HasSubstr("compiler_crash"));
  EXPECT_THAT(page, HasSubstr("it died"));
}

TEST(Page, ATableWithAMissingCellIsAMistake) {
  HtmlTable table("t", {{"a", HtmlTable::Kind::text}, {"b", HtmlTable::Kind::text}});
  EXPECT_THROW(table.add({"1"}), std::logic_error);
}

TEST(Pictures, LimitsAndPeersAreDrawnWhereTheyAreKnown) {
  Report report = gather_report(testing::source());
  ReportDevice& device = report.devices[0];
  const auto plain = time_picture(device, device.geometries[0]);
  ASSERT_TRUE(plain);
  EXPECT_THAT(plain->element(), Not(HasSubstr("class=\"limit\"")));
  Calibration calibration;
  calibration.floors = {{"call", 0.5}};
  calibration.bandwidth = {{"1:1", 0.5, 1 << 20, 10}};
  device.limits = DeviceLimits{calibration, true};
  device.geometries[0].peers = {{"other", 1, 9}, {"other", 16, 90}};
  const std::string picture = time_picture(device, device.geometries[0])->element();
  EXPECT_THAT(picture, HasSubstr("class=\"limit\""));
  EXPECT_THAT(picture, HasSubstr(">other</text>"));
  EXPECT_THAT(bandwidth_picture(device, "split_reshape_cat")->element(), HasSubstr("limit-tick"));
}

TEST(Pictures, TheLeastTimeIsThatOfBytesOrOfALaunch) {
  DeviceLimits limits;
  limits.calibration.floors = {{"stream", 2}, {"graph", 0.5}};
  limits.calibration.bandwidth = {{"1:1", 0.5, 1 << 20, 10}};
  ReportRow row;
  row.read_bytes = row.write_bytes = 50'000;
  EXPECT_DOUBLE_EQ(limits.least_us(row), 10) << "100 kB at 10 GB/s";
  row.read_bytes = row.write_bytes = 50;
  EXPECT_DOUBLE_EQ(limits.least_us(row), 0.5) << "the shortest launch";
}

TEST(Pictures, ALimitIsThatOfTheSize) {
  DeviceLimits limits;
  limits.calibration.bandwidth = {
      {"1:1", 0.5, 1 << 24, 4}, {"1:1", 0.5, 1 << 20, 12}, {"1:1 strided", 0.5, 1 << 20, 99}};
  EXPECT_DOUBLE_EQ(limits.gb_s(0.5, 1 << 10), 12) << "below the smallest";
  EXPECT_DOUBLE_EQ(limits.gb_s(0.5, 1 << 22), 8) << "half way, by the logarithm";
  EXPECT_DOUBLE_EQ(limits.gb_s(0.5, 1 << 30), 4) << "beyond the largest, not the best of all";
}

TEST(Pictures, OneRowCountIsNoCurve) {
  ReportSource source;
  source.steps = {testing::race_record(1, {testing::kRow, testing::kUnfused}, {2, 3})};
  const Report report = gather_report(source);
  EXPECT_FALSE(time_picture(report.devices[0], report.devices[0].geometries[0]));
  EXPECT_THAT(report_page(report), HasSubstr("1 geometries have a single row count"));
}

TEST(Pictures, NamesOfFilesDiffer) {
  Report report = gather_report(testing::source());
  report.devices[0].geometries.push_back(report.devices[0].geometries[0]);
  std::set<std::string> names;
  for (const auto& [name, picture] : all_pictures(report)) EXPECT_TRUE(names.insert(name).second);
  EXPECT_EQ(names.count("host-w64-time-split-reshape-cat-nk-2-nv-4-2.svg"), 1U);
}

/// Relative luminance of "#rrggbb".
double luminance(const std::string& colour) {
  double sum = 0;
  const double weights[] = {0.2126, 0.7152, 0.0722};
  for (std::size_t i = 0; i < 3; ++i) {
    const double c = std::stoi(colour.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
    sum += weights[i] * (c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}

double contrast(const std::string& one, const std::string& two) {
  const double a = luminance(one), b = luminance(two);
  return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

TEST(Pictures, TextStandsOutFromWhatIsBehindItInLightAndDark) {
  const std::string style = picture_style(":root");
  const std::size_t dark = style.find("@media");
  ASSERT_NE(dark, std::string::npos);
  EXPECT_LT(contrast("#777777", "#ffffff"), 4.5) << "the check itself: a grey that is too light";
  for (const bool is_dark : {false, true}) {
    const std::string part =
        is_dark ? style.substr(dark, style.find("}}", dark) - dark) : style.substr(0, dark);
    std::map<std::string, std::string> colours;
    const std::regex entry(R"(--([a-z0-9]+):(#[0-9a-f]{6});)");
    for (std::sregex_iterator it(part.begin(), part.end(), entry), end; it != end; ++it)
      colours[(*it)[1]] = (*it)[2];
    std::vector<std::pair<std::string, std::string>> pairs{
        {"ink", "paper"}, {"soft", "paper"},   {"ink", "raised"}, {"soft", "raised"},
        {"bad", "paper"}, {"bad", "badpaper"}, {"ours", "paper"}, {"ink", "badpaper"}};
    for (const char* colour : {"0", "1", "2", "3", "4", "5"})
      pairs.emplace_back(std::string("t") + colour, std::string("h") + colour);
    for (const auto& [text, behind] : pairs) {
      ASSERT_EQ(colours.count(text) + colours.count(behind), 2U) << text << " " << behind;
      EXPECT_GE(contrast(colours[text], colours[behind]), 4.5)
          << text << " on " << behind << (is_dark ? ", dark" : ", light");
    }
    for (const char* line : {"ours", "base", "limit", "p1", "p2", "p3", "p4"})
      EXPECT_GE(contrast(colours[line], colours["paper"]), 3) << line;
  }
}

}  // namespace
}  // namespace fusetune
