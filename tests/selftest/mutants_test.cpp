#include "harness/selftest/mutants.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "harness/base/temporary_folder.hpp"
#include "harness/selftest/mutant_proof.hpp"
#include "harness/selftest/selftest.hpp"
#include "harness/selftest/timed_selftest.hpp"

namespace fusetune::test {
namespace {

using testing::HasSubstr;

constexpr const char* kCase = "split_reshape_cat(nk=2,nv=4,tokens=3)";

/// One mutant with these further lines.
MutantFile load(const std::string& lines) {
  const TemporaryFolder folder("fusetune-mutants");
  const std::filesystem::path file = folder / "mutants.yaml";
  std::ofstream(file) << "family: split_reshape_cat\nmutants:\n  - name: one\n    about: a bug\n"
                      << "    case: " << kCase << "\n    variant: {mapping: row}\n"
                      << lines;
  return load_mutants(file);
}

std::string message_of(const std::string& lines) {
  try {
    load(lines);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Mutants, OneListCountsForBothModes) {
  const Mutant mutant =
      load("    device: skips_last_block\n    killed_by: [poison, {launch: race}]\n")
          .mutants.front();
  for (const ProofMode mode : {ProofMode::exact, ProofMode::fast}) {
    const Expectation& expected = mutant.expected.at(mode);
    ASSERT_EQ(expected.killers.size(), 2u);
    EXPECT_EQ(expected.killers[0].check, "poison");
    EXPECT_EQ(expected.killers[1].status, Status::race);
    EXPECT_EQ(expected.out_of_reach, "");
  }
}

TEST(Mutants, OneModeMayBeOutOfReachWithAReason) {
  const Mutant mutant = load(
                            "    device: skips_last_block\n"
                            "    killed_by: {exact: [writers], fast: {out_of_reach: same bytes}}\n")
                            .mutants.front();
  EXPECT_EQ(mutant.expected.at(ProofMode::fast).out_of_reach, "same bytes");
  EXPECT_EQ(mutant.expected.at(ProofMode::exact).out_of_reach, "");
}

TEST(Mutants, WhatNoModeFindsIsAnError) {
  EXPECT_THAT(message_of("    device: skips_last_block\n"
                         "    killed_by: {exact: {out_of_reach: a}, fast: {out_of_reach: b}}\n"),
              HasSubstr("no mode finds"));
  EXPECT_THAT(message_of("    device: skips_last_block\n    killed_by: {out_of_reach: a}\n"),
              HasSubstr("no mode finds"));
}

TEST(Mutants, AGpuHasFastModeAndExpectationsOfItsOwn) {
  const Target gpu = parse_target("sm_90"), host = parse_target("host-w64");
  EXPECT_EQ(modes_of(gpu), std::vector<ProofMode>{ProofMode::fast});
  EXPECT_EQ(modes_of(host).size(), 2u);
  const std::string device = "    device: skips_last_block\n";
  const Mutant both = load(device + "    killed_by: [poison]\n").mutants.front();
  EXPECT_EQ(both.expectation(ProofMode::fast, gpu).killers.size(), 1u);
  // Nothing is unmapped beside a tensor: what leaves it lands in its guards, or far away.
  const Mutant stray = load(device + "    killed_by: [{launch: out_of_bounds}]\n").mutants.front();
  std::set<std::string> killers;
  for (const Killer& killer : stray.expectation(ProofMode::fast, gpu).killers)
    killers.insert(killer.check + " " + std::string(to_string(killer.status.value_or(Status::ok))));
  EXPECT_EQ(killers,
            (std::set<std::string>{"launch out_of_bounds", "launch kernel_fault", "guards ok"}));
  EXPECT_EQ(stray.expectation(ProofMode::fast, host).killers.size(), 1u);
  const Mutant marked =
      load(device + "    killed_by: [poison]\n    on_gpu: {out_of_reach: luck}\n").mutants.front();
  EXPECT_EQ(marked.expectation(ProofMode::fast, gpu).out_of_reach, "luck");
  EXPECT_EQ(marked.expectation(ProofMode::fast, host).out_of_reach, "");
}

TEST(Mutants, AWaveSizeTakenForGrantedIsABugOfTheOtherOne) {
  const Mutant mutant =
      load("    device: skips_last_block\n    target: host-w32\n    killed_by: [poison]\n")
          .mutants.front();
  EXPECT_TRUE(mutant.is_bug_on(parse_target("sm_90")));
  EXPECT_FALSE(mutant.is_bug_on(parse_target("gfx942")));
  EXPECT_FALSE(mutant.is_bug_on(parse_target("host-w64")));
  EXPECT_THAT(mutant.expectation(ProofMode::fast, parse_target("gfx942")).out_of_reach,
              HasSubstr("waves of 64"));
}

TEST(Mutants, WhateverEndsAProofIsItsReport) {
  JobEnd end;
  end.answer = Json{{"error", "the stream is gone"}, {"retire", true}};
  EXPECT_EQ(mutant_report(end, ProofMode::fast).outcome.status, Status::kernel_fault);
  EXPECT_EQ(mutant_report(end, ProofMode::fast).failed_check, "launch");
  // No device was lost: that found nothing.
  end.answer = Json{{"error", "no such entry"}};
  EXPECT_FALSE(mutant_report(end, ProofMode::fast).outcome.ok());
  EXPECT_EQ(mutant_report(end, ProofMode::fast).failed_check, "");
  end.how = JobEnd::How::timed_out;
  EXPECT_EQ(mutant_report(end, ProofMode::fast).outcome.status, Status::kernel_timeout);
  end.how = JobEnd::How::died;
  EXPECT_EQ(mutant_report(end, ProofMode::fast).outcome.status, Status::worker_lost);
}

TEST(Plants, AreFoundByWhatTheySayAndByNothingElse) {
  const Plant& lost = find_plant("one_in_a_thousand_lost");
  JobEnd end;
  end.answer = Json{{"found_by", kTimedPath}, {"path", "graph"}, {"checked", 2048}};
  EXPECT_TRUE(plant_verdict(lost, end).found);
  end.answer["found_by"] = kSlower;
  EXPECT_FALSE(plant_verdict(lost, end).found);
  end.answer["found_by"] = "";
  EXPECT_FALSE(plant_verdict(lost, end).found);
  EXPECT_EQ(plant_verdict(lost, end).out_of_reach, "");
  end.answer["path"] = "stream";
  EXPECT_THAT(plant_verdict(find_plant("first_arguments_in_graphs"), end).out_of_reach,
              HasSubstr("stream"));
  end.how = JobEnd::How::timed_out;
  EXPECT_TRUE(plant_verdict(find_plant("hangs_while_timed"), end).found);
  EXPECT_FALSE(plant_verdict(lost, end).found);
  EXPECT_THROW(find_plant("one_in_a_thousand_lots"), UserError);
  TimedSummary summary;
  EXPECT_FALSE(summary.passed()) << "nothing was planted";
  summary.plants.push_back({});
  summary.plants.back().found = true;
  EXPECT_TRUE(summary.passed());
  summary.plants.back().false_alarm = "the shipped kernel is blamed";
  EXPECT_FALSE(summary.passed());
}

TEST(Mutants, MistakesAreErrorsWithTheirPlace) {
  EXPECT_THAT(message_of("    killed_by: [exact]\n"), HasSubstr("a mutant changes something"));
  EXPECT_THAT(message_of("    device: skips_last_blok\n    killed_by: [exact]\n"),
              HasSubstr("skips_last_block"));
  EXPECT_THAT(message_of("    device: skips_last_block\n    killed_by: [exakt]\n"),
              AllOf(HasSubstr("exact"), HasSubstr("mutants.yaml:8")));
  EXPECT_THAT(message_of("    device: skips_last_block\n    killed_by: [{launch: raced}]\n"),
              HasSubstr("raced"));
  EXPECT_THAT(message_of("    device: skips_last_block\n    killed_by: {exact: [exact]}\n"),
              HasSubstr("fast"));
  EXPECT_THAT(message_of("    launch: {argument: tokens}\n    killed_by: [exact]\n"),
              HasSubstr("'add' or 'use'"));
}

TEST(Mutants, TwoOfOneNameAreAnError) {
  EXPECT_THAT(message_of("    device: skips_last_block\n    killed_by: [poison]\n"
                         "  - name: one\n    about: again\n    case: " +
                         std::string(kCase) +
                         "\n    variant: {}\n    device: skips_last_block\n"
                         "    killed_by: [poison]\n"),
              HasSubstr("given before"));
}

TEST(Mutants, ACapturedTruthIsNoReference) {
  const TemporaryFolder folder("fusetune-mutants");
  std::filesystem::create_directories(folder / "copied");
  std::ofstream(folder / "copied" / "family.yaml")
      << "family: copied\nrows: tokens\nsymbols: {tokens: {kind: runtime}}\n"
         "dtypes: {act: {values: [bf16]}}\n"
         "tensors: {y: {role: out, dtype: act, shape: [tokens]}}\n"
         "axes: {block_size: {values: [64]}}\n"
         "implementations: {fused: {role: tuned, source: copied.hip, launches: [{entry: copied, "
         "grid: [tokens], block: [block_size]}]}}\n"
         "reference: captured\ngolden: {copied: {symbols: {tokens: T}, tensors: {y: y}}}\n";
  ::setenv("FUSETUNE_KERNEL_PATH", folder.path().c_str(), 1);
  std::ofstream(folder / "mutants.yaml") << "family: copied\nmutants: []\n";
  try {
    load_mutants(folder / "mutants.yaml");
    ADD_FAILURE() << "accepted";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("mutants.yaml:1"), HasSubstr("need a reference")));
  }
}

TEST(Mutants, EveryFileOfTheProjectLoads) {
  const std::string kernels = std::string(FUSETUNE_SOURCE_DIR) + "/tests/mutants/kernels";
  ::setenv("FUSETUNE_KERNEL_PATH", kernels.c_str(), 1);
  const auto files = mutant_files();
  EXPECT_GE(files.size(), 2u);
  for (const auto& [family, path] : files) {
    const MutantFile file = load_mutants(path);
    EXPECT_EQ(file.family, family);
    EXPECT_GE(file.mutants.size(), 10u) << family;
  }
}

std::vector<Launch> three_launches() {
  std::vector<Launch> launches(3);
  for (std::size_t i = 0; i < 3; ++i) {
    launches[i].entry = std::string(1, static_cast<char>('a' + i));
    launches[i].grid = {5, 1, 1};
    launches[i].arguments = {{Argument::Kind::tensor, "x"}, {Argument::Kind::symbol, "tokens"}};
  }
  return launches;
}

std::string entries(const std::vector<Launch>& launches) {
  std::string names;
  for (const Launch& launch : launches) names += launch.entry;
  return names;
}

TEST(LaunchChanges, DropSwapAndResize) {
  auto launches = three_launches();
  apply({.entry = "b", .drop = true}, launches);
  EXPECT_EQ(entries(launches), "ac");
  apply({.entry = "a", .swap_with = "c"}, launches);
  EXPECT_EQ(entries(launches), "ca");
  apply({.entry = "a", .blocks_less = 2}, launches);
  EXPECT_EQ(launches[0].grid[0], 5);
  EXPECT_EQ(launches[1].grid[0], 3);
  apply({.blocks = 9}, launches);
  EXPECT_EQ(launches[0].grid[0], 9);
}

TEST(LaunchChanges, ATensorStandsInForAnother) {
  auto launches = three_launches();
  apply({.entry = "b", .argument = "x", .use = "y"}, launches);
  EXPECT_EQ(launches[0].arguments[0].name, "x");
  EXPECT_EQ(launches[1].arguments[0].name, "y");
}

TEST(LaunchChanges, WhatFitsNoLaunchIsAnError) {
  auto launches = three_launches();
  EXPECT_THROW(apply({.entry = "d", .drop = true}, launches), UserError);
  EXPECT_THROW(apply({.entry = "a", .swap_with = "d"}, launches), UserError);
  EXPECT_THROW(apply({.entry = "a", .argument = "z", .use = "y"}, launches), UserError);
  EXPECT_THROW(apply({.blocks_less = 6}, launches), UserError);
}

TEST(LaunchChanges, SurviveThePipe) {
  const LaunchChange change{"a", 1, 2, true, "b", "x", -3, "y"};
  const Json json = to_json(change);
  EXPECT_EQ(to_json(launch_change_from_json(json)), json);
  const DeviceChange device{DeviceChange::Kind::loses_launches, 4};
  EXPECT_EQ(device_change_from_json(to_json(device)).kind, device.kind);
  EXPECT_EQ(device_change_from_json(to_json(device)).every, 4);
}

SelftestSummary summary_of(std::vector<MutantVerdict> verdicts) {
  SelftestSummary summary;
  summary.family = "split_reshape_cat";
  summary.device = "host-w64";
  summary.mutants = std::move(verdicts);
  summary.true_runs = 1;
  return summary;
}

MutantVerdict killed_by(const std::string& check, ProofMode mode, const std::string& alone) {
  return {.name = "m",
          .about = "does",
          .mode = mode,
          .status = Status::verification_failed,
          .check = check,
          .message = "",
          .killed = true,
          .out_of_reach = "",
          .lives_without = alone};
}

TEST(SelftestSummary, PassesWhenAllAreKilledOrOutOfReach) {
  SelftestSummary summary = summary_of({killed_by("exact", ProofMode::exact, "values")});
  EXPECT_TRUE(summary.passed());
  summary.mutants.push_back(killed_by("", ProofMode::fast, ""));
  summary.mutants.back().killed = false;
  EXPECT_FALSE(summary.passed());
  summary.mutants.back().out_of_reach = "luck";
  EXPECT_TRUE(summary.passed());
  EXPECT_EQ(summary.within_reach(ProofMode::fast), 0);
  EXPECT_EQ(summary.killed(ProofMode::fast), 0);
  summary.false_alarms.push_back("alarm");
  EXPECT_FALSE(summary.passed());
}

TEST(SelftestSummary, NothingTestedIsNoPass) {
  EXPECT_FALSE(summary_of({}).passed());
  SelftestSummary summary = summary_of({killed_by("exact", ProofMode::exact, "")});
  summary.true_runs = 0;
  EXPECT_FALSE(summary.passed());
}

TEST(SelftestSummary, AGroupThatNothingNeedsIsNamed) {
  const std::vector<SelftestSummary> summaries{summary_of(
      {killed_by("exact", ProofMode::exact, "values"), killed_by("guards", ProofMode::exact, "")})};
  std::set<std::string> unproven;
  for (const UnprovenGroup& group : unproven_groups(summaries, {ProofMode::exact}))
    unproven.insert(group.group);
  EXPECT_EQ(unproven.count("values"), 0u);
  EXPECT_EQ(unproven.count("guards"), 1u);
  // No output of the family is judged by norms.
  EXPECT_EQ(unproven.count("norms"), 0u);
}

TEST(SelftestTables, AgreeingDevicesShareACell) {
  SelftestSummary a = summary_of({killed_by("exact", ProofMode::exact, "values")});
  SelftestSummary b = a;
  b.device = "host-w32";
  EXPECT_THAT(mutant_tables({a, b}), HasSubstr("| `m` | does | exact (alone) | - |"));
  b.mutants.front().check = "poison";
  b.mutants.front().lives_without = "";
  EXPECT_THAT(mutant_tables({a, b}), HasSubstr("host-w32: poison; host-w64: exact (alone)"));
}

TEST(SelftestTables, GoBetweenTheMarkers) {
  const std::string text =
      "before\n<!-- begin: fusetune selftest --write-docs -->\nold\n"
      "<!-- end: fusetune selftest --write-docs -->\nbehind\n";
  const std::string once = with_mutant_tables(text, "new\n");
  EXPECT_THAT(once, AllOf(HasSubstr("before\n"), HasSubstr("new\n"), HasSubstr("behind\n"),
                          testing::Not(HasSubstr("old"))));
  EXPECT_EQ(with_mutant_tables(once, "new\n"), once);
  EXPECT_THROW(with_mutant_tables("no markers", "new"), UserError);
}

}  // namespace
}  // namespace fusetune::test
