// The generated header, compiled as its users compile it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "tests/table/table_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;

class Header : public ::testing::Test {
 protected:
  /// Exit status of the command; its output goes to a log.
  int shell(const std::string& command) const {
    return std::system((command + " >>" + (folder_ / "log").string() + " 2>&1").c_str());
  }
  std::string log() const { return read_file(folder_ / "log"); }

  void write(const std::string& name, const std::string& text) const {
    write_file_atomic(folder_ / name, text);
  }

  bool compile(const std::string& compiler, const std::string& source) const {
    return shell(compiler + " -std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Werror -o " +
                 (folder_ / "program").string() + " " + (folder_ / source).string()) == 0;
  }
  int run() const { return shell((folder_ / "program").string()); }

  /// Compiles the replay of `asked` against the header of `written` and runs it.
  int replay(const Table& asked, const Table& written, const std::string& compiler = "g++") const {
    write("fusetune_split_reshape_cat.hpp", to_header(written));
    write("replay.cpp", replay_program(asked));
    EXPECT_TRUE(compile(compiler, "replay.cpp")) << log();
    return run();
  }

  const TemporaryFolder folder_{"fusetune-header"};
};

TEST_F(Header, ReplaysEveryRow) {
  EXPECT_EQ(replay(testing::table(), testing::table()), 0) << log();
  EXPECT_THAT(log(), HasSubstr(" 0 failures"));
}

TEST_F(Header, ReplaysWithClangToo) {
  if (shell("clang++ --version") != 0) GTEST_SKIP() << "no clang++ here";
  EXPECT_EQ(replay(testing::table(), testing::table(), "clang++"), 0) << log();
}

TEST_F(Header, OfAGpuReplays) {
  EXPECT_EQ(replay(testing::table("gfx942"), testing::table("gfx942")), 0) << log();
}

TEST_F(Header, APlantedVariantFailsTheReplay) {
  Table wrong = testing::table();
  wrong.rows[1].variant = parse_variant_key(*wrong.family, testing::kRowVariant);
  EXPECT_NE(replay(testing::table(), wrong), 0);
  EXPECT_THAT(log(), HasSubstr("another variant"));
  EXPECT_THAT(log(), HasSubstr("another grid"));
}

TEST_F(Header, AMovedIntervalFailsTheReplay) {
  Table wrong = testing::table();
  wrong.rows[0].rows_high = 2;
  wrong.rows[1].rows_low = 3;
  EXPECT_NE(replay(testing::table(), wrong), 0);
}

TEST_F(Header, AnotherGeometryFailsTheReplay) {
  Table wrong = testing::table();
  for (TableRow& row : wrong.rows) row.geometry.align_bytes.begin()->second = 2;
  EXPECT_NE(replay(testing::table(), wrong), 0);
}

TEST_F(Header, RowsOfAnotherTargetFailTheReplay) {
  EXPECT_NE(replay(testing::table("host-w64"), testing::table("gfx90a")), 0);
}

TEST_F(Header, AnswersAsDocumented) {
  write("fusetune_split_reshape_cat.hpp", to_header(testing::table()));
  write("use.cpp", R"(
#include "fusetune_split_reshape_cat.hpp"
namespace ft = fusetune::split_reshape_cat;
constexpr ft::Query query(std::string_view architecture, std::int64_t tokens) {
  ft::Query query;
  query.architecture = architecture;
  query.layout = ft::layout::interleaved;
  query.nk = 2;
  query.nv = 4;
  query.tokens = tokens;
  return query;
}
constexpr ft::Query host = query("host-w64", 33);
constexpr ft::Match match = ft::lookup(host);
static_assert(match.quality == ft::Quality::architecture);
static_assert(match.row->axes.mapping == ft::mapping::flat);
static_assert(match.row->axes.block_size == 128);
static_assert(ft::launch_count(*match.row) == 1);
static_assert(ft::entry(*match.row) == "split_reshape_cat");
static_assert(ft::grid(host, *match.row, 2).x == 16);
static_assert(ft::block(host, *match.row).x == 128);
static_assert(ft::lds_bytes(host, *match.row) == 0);
static_assert(match.row->certificate.candidates == 12);
static_assert(match.row->defines[0].name.substr(0, 3) == "FT_");
// Rows timed on a CPU answer no GPU, nor another wave size, nor an unknown word.
static_assert(ft::lookup(query("gfx90a", 33)).row == &ft::default_row);
static_assert(ft::lookup(query("gfx942:sramecc+:xnack-", 33)).row == &ft::default_row);
static_assert(ft::lookup(query("sm_90", 33)).quality == ft::Quality::default_row);
static_assert(ft::lookup(query("host-w32", 33)).quality == ft::Quality::default_row);
static_assert(ft::lookup(query("", 33)).quality == ft::Quality::default_row);
// Outside the intervals, and what the family refuses.
static_assert(ft::lookup(query("host-w64", 4096)).row->is_default);
static_assert(ft::lookup(query("host-w64", 4096)).row != &ft::default_row);
static_assert(ft::lookup(query("host-w64", 4097)).row == &ft::default_row);
constexpr ft::Query broken() {
  ft::Query odd = query("host-w64", 1);
  odd.nk = 3;
  return odd;
}
static_assert(!ft::supports(broken()));
static_assert(ft::lookup(broken()).quality == ft::Quality::unsupported);
static_assert(ft::lookup(broken()).row == nullptr);
static_assert(!ft::supports(ft::Query{}));
// Alignment is part of the question: of the base, and of the rows.
constexpr ft::Query aligned(std::int64_t base, std::int64_t stride) {
  ft::Query odd = query("host-w64", 33);
  odd.align_bytes_qkvz = base;
  odd.row_stride_qkvz = stride;
  return odd;
}
static_assert(ft::lookup(aligned(256, 2048)).row == match.row);
static_assert(ft::lookup(aligned(4, 2048)).row == &ft::default_row);
static_assert(ft::lookup(aligned(16, 2050)).row == &ft::default_row);
static_assert(ft::lookup(aligned(16, 1024)).quality == ft::Quality::unsupported);
// The default row launches the baseline on anything that is supported.
constexpr ft::Query elsewhere = query("gfx90a", 7);
static_assert(ft::launch_count(ft::default_row) == 5);
static_assert(ft::launch(elsewhere, ft::default_row, {104}, 0).active);
static_assert(ft::launch(elsewhere, ft::default_row, {104}, 0).entry == "copy_qkv");
static_assert(!ft::launch(elsewhere, ft::default_row, {104}, 4).active);
int main() { return 0; }
)");
  EXPECT_TRUE(compile("g++", "use.cpp")) << log();
}

TEST_F(Header, SaysWhereItsFiguresComeFrom) {
  const std::string host = to_header(testing::table());
  EXPECT_THAT(host, HasSubstr("DO NOT EDIT"));
  EXPECT_THAT(host, HasSubstr("say nothing about a GPU"));
  EXPECT_THAT(host, HasSubstr("generated by fusetune 0.1.0"));
  EXPECT_THAT(to_header(testing::table("gfx942")),
              ::testing::Not(HasSubstr("say nothing about a GPU")));
}

TEST_F(Header, BrokenRowsDoNotCompile) {
  std::string text = to_header(testing::table());
  const std::string row = "{2, 64, 64, false";
  const std::size_t at = text.find(row);
  ASSERT_NE(at, std::string::npos);
  write("whole.cpp", text + "int main() {}\n");
  EXPECT_TRUE(shell("g++ -std=c++17 -w -fsyntax-only " + (folder_ / "whole.cpp").string()) == 0)
      << log();
  text.replace(at, row.size(), "{3, 64, 64, false");
  write("broken.cpp", text + "int main() {}\n");
  EXPECT_NE(shell("g++ -std=c++17 -w -fsyntax-only " + (folder_ / "broken.cpp").string()), 0);
  EXPECT_THAT(log(), HasSubstr("without gap"));
}

}  // namespace
}  // namespace fusetune
