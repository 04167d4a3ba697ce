#include "harness/gate/accepted_facts.hpp"

#include <gmock/gmock.h>

#include "harness/base/error.hpp"

namespace fusetune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

FactsEntry entry(const std::string& variant, std::int64_t vgpr) {
  return {"copy(width=1)", variant, "ab12", {{"k", {{"vgpr", vgpr}, {"lds_bytes", 0}}}}};
}

AcceptedFacts accepted() {
  return {"small", "gfx90a", "a compiler: 'quoted' # 1", {entry("b=2", 8), entry("a=1", 16)}};
}

TEST(AcceptedFacts, AreReadBackAsTheyWere) {
  const AcceptedFacts read = parse_accepted(accepted_text(accepted()), "f.yaml");
  EXPECT_EQ(read.sweep, "small");
  EXPECT_EQ(read.target, "gfx90a");
  EXPECT_EQ(read.compiler, "a compiler: 'quoted' # 1");
  EXPECT_THAT(read.entries, ElementsAre(entry("a=1", 16), entry("b=2", 8)));
}

TEST(AcceptedFacts, AreWrittenAlikeWhateverTheirOrder) {
  AcceptedFacts other = accepted();
  std::swap(other.entries[0], other.entries[1]);
  EXPECT_EQ(accepted_text(other), accepted_text(accepted()));
}

TEST(AcceptedFacts, TracesHaveNoCompiler) {
  AcceptedFacts traces = accepted();
  traces.compiler.clear();
  for (FactsEntry& one : traces.entries) one.code_identity.clear();
  const std::string text = accepted_text(traces);
  EXPECT_THAT(text, testing::Not(HasSubstr("code_identity")));
  EXPECT_EQ(parse_accepted(text, "f.yaml").entries.size(), 2u);
}

TEST(AcceptedFacts, WhatIsWrongIsToldWithItsPlace) {
  const std::string good = accepted_text(accepted());
  const auto refuse = [&](const std::string& from, const std::string& to) -> std::string {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    try {
      parse_accepted(text, "f.yaml");
    } catch (const UserError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refuse("vgpr: 16", "vgrp: 16"), HasSubstr("did you mean 'vgpr'"));
  EXPECT_THAT(refuse("vgpr: 16", "vgpr: 016"), HasSubstr("f.yaml:11:33:"));
  EXPECT_THAT(refuse("vgpr: 16", "vgpr: -1"), HasSubstr("from 0 up"));
  EXPECT_THAT(refuse("vgpr: 16", "vgpr: 9223372036854775807"), HasSubstr("from 0 up"));
  EXPECT_THAT(refuse("variant: 'b=2'", "variant: 'a=1'"), HasSubstr("there twice"));
  EXPECT_THAT(refuse("accepted_facts: 1", "accepted_facts: 2"), HasSubstr("reads format 1"));
}

TEST(AcceptedFacts, ChangesSayWhatIsAccepted) {
  AcceptedFacts after = accepted();
  after.entries = {entry("b=2", 12), entry("c=3", 8)};
  EXPECT_THAT(changes_of(accepted(), after),
              ElementsAre("~ copy(width=1) b=2: vgpr of k 8 -> 12", "+ copy(width=1) c=3",
                          "- copy(width=1) a=1"));
  after = accepted();
  after.entries[0].code_identity = "cd34";
  EXPECT_THAT(changes_of(accepted(), after),
              ElementsAre("~ copy(width=1) b=2: other code, the same facts"));
  EXPECT_TRUE(changes_of(accepted(), accepted()).empty());
}

}  // namespace
}  // namespace fusetune
