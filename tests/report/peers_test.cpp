#include "harness/report/peers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.hpp"
#include "harness/report/gather.hpp"
#include "tests/report/report_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string error_of(const std::string& text) {
  try {
    parse_peers(text, "peers.csv");
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Peers, ColumnsAreFoundByName) {
  const auto lines = parse_peers(
      "us_cold,peer,more,case\n"
      "3.5,\"one, \"\"two\"\"\",x,\"split_reshape_cat(nk=2,nv=4,tokens=16)\"\r\n"
      "None,slow,,\"split_reshape_cat(nk=2,nv=4,tokens=16)\"\n",
      "peers.csv");
  ASSERT_THAT(lines, SizeIs(1)) << "what has no time is passed over";
  EXPECT_EQ(lines[0].peer, "one, \"two\"");
  EXPECT_EQ(lines[0].us, 3.5);
  EXPECT_EQ(lines[0].case_key, testing::case_key(16)) << "with its defaults";
}

TEST(Peers, MistakesNameTheirLine) {
  EXPECT_THAT(error_of("case,us\n"), HasSubstr("peers.csv:1:1: there is no column 'peer'"));
  EXPECT_THAT(error_of("case,peer\n"), HasSubstr("no column 'us'"));
  EXPECT_THAT(error_of("case,peer,us\na,b\n"), HasSubstr("peers.csv:2:1: 2 fields"));
  EXPECT_THAT(error_of("case,peer,us\nno_family(tokens=1),p,1\n"), HasSubstr("is no case key"));
  for (const char* time : {"fast", "-1", "0", "1e999", "nan", "1x"})
    EXPECT_THAT(error_of(std::string("case,peer,us\n\"") + testing::case_key(1) + "\",p," + time),
                HasSubstr("is no time"))
        << time;
  EXPECT_THAT(error_of("case,peer,us\n\"open,p,1\n"), HasSubstr("does not end on its line"));
  EXPECT_THAT(error_of(""), HasSubstr("empty"));
}

TEST(Peers, GoToTheirGeometryAndTheRestIsCounted) {
  Report report = gather_report(testing::source());
  add_peers({{testing::case_key(16), "late", 12, 2},
             {testing::case_key(1), "early", 3, 3},
             {"split_reshape_cat(nk=16,nv=32,tokens=1)", "elsewhere", 1, 4}},
            report);
  const auto& peers = report.devices[0].geometries[0].peers;
  ASSERT_THAT(peers, SizeIs(2));
  EXPECT_EQ(peers[0].peer, "early");
  EXPECT_EQ(peers[1].rows, 16);
  EXPECT_THAT(report.left_out, ::testing::ElementsAre(HasSubstr("1 of 3 peer times")));
}

}  // namespace
}  // namespace fusetune
