// The search of one geometry, with races as results made up here.

#include "harness/tune/geometry_search.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "harness/tune/case_plan.hpp"

namespace fusetune::test {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

PlannedGeometry planned_geometry(std::size_t cases) {
  std::vector<Case> all;
  for (std::size_t c = 0; c < cases; ++c)
    all.push_back(
        parse_case_key("split_reshape_cat(nk=2,nv=4,tokens=" + std::to_string(8 << c) + ")"));
  return plan_of_cases(all, parse_space("full"), "host-w64").geometries.front();
}

std::vector<std::size_t> tuned(const PlannedGeometry& geometry) {
  std::vector<std::size_t> list;
  for (std::size_t v = 0; v < geometry.variants.size(); ++v)
    if (geometry.variants[v].implementation == "fused") list.push_back(v);
  return list;
}

std::size_t baseline_of(const PlannedGeometry& geometry) {
  for (std::size_t v = 0; v < geometry.variants.size(); ++v)
    if (geometry.variants[v].implementation == geometry.geometry.family->baseline) return v;
  return 0;
}

/// As a search would find it: short for wide accesses, and for few rows or many, by the case.
double time_of(const PlannedGeometry& geometry, std::size_t variant, std::size_t which) {
  const Bindings& axes = geometry.variants[variant].axes;
  const auto number = [&axes](const char* axis) {
    return static_cast<double>(std::get<std::int64_t>(axes.at(axis)));
  };
  if (geometry.variants[variant].implementation != "fused") return 50;
  const double rows = number("rows_per_iter");
  return 10 + 16 / number("vector_bytes") + 3 * (which == 0 ? rows : 4 / rows) +
         number("block_size") / 512;
}

/// The race of one batch at a case, its arms in the order of the batch.
CaseRace race_of(const PlannedGeometry& geometry, const std::vector<std::size_t>& asked,
                 std::size_t which) {
  CaseRace race;
  race.planned_case = which;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    race.arms.push_back(i);
    race.result.samples.push_back(
        {static_cast<std::int32_t>(i), 0, 0, 1, time_of(geometry, asked[i], which), 0, 0, 0});
  }
  return race;
}

/// A whole search; what it asked for, batch by batch.
std::vector<std::vector<std::size_t>> search_all(const PlannedGeometry& geometry,
                                                 GeometrySearch& search, std::size_t cases) {
  std::vector<std::vector<std::size_t>> batches;
  while (!search.is_done()) {
    std::vector<std::size_t> asked = search.propose();
    batches.push_back(asked);
    asked.push_back(baseline_of(geometry));
    std::vector<CaseRace> races;
    for (std::size_t c = 0; c < cases; ++c) races.push_back(race_of(geometry, asked, c));
    std::vector<const CaseRace*> its;
    for (const CaseRace& race : races) its.push_back(&race);
    search.take(asked, its);
  }
  return batches;
}

TEST(SearchSpaceOfGeometry, OrdersNumbersAndLeavesOutWhatDoesNotVary) {
  const PlannedGeometry geometry = planned_geometry(1);
  std::vector<std::size_t> variants = tuned(geometry);
  std::erase_if(variants, [&geometry](std::size_t v) {
    return geometry.variants[v].axes.at("nontemporal") != Value(Enum{"off"});
  });
  const SearchSpace space = search_space(geometry, variants);
  EXPECT_EQ(space.size(), variants.size());
  std::set<std::string> names;
  for (const SearchAxis& axis : space.axes()) {
    names.insert(axis.name);
    EXPECT_EQ(axis.ordered, axis.name != "mapping" && axis.name != "persistent") << axis.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"block_size", "mapping", "persistent", "rows_per_iter",
                                          "vector_bytes"}));
  // The family lists 256 first: here it lies between its neighbours.
  const auto place = [&](const std::string& key) {
    for (std::size_t i = 0; i < variants.size(); ++i)
      if (geometry.variants[variants[i]].key(*geometry.geometry.family) == key) return i;
    return space.size();
  };
  const std::string rest =
      ",mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16";
  const auto neighbours = space.neighbours(place("block_size=128" + rest));
  EXPECT_THAT(neighbours, Contains(place("block_size=256" + rest)));
  EXPECT_THAT(neighbours, Not(Contains(place("block_size=512" + rest))));
}

TEST(GeometrySearch, EachCaseHasItsSayAndLearnsFromAll) {
  const PlannedGeometry geometry = planned_geometry(2);
  GeometrySearch search(geometry, tuned(geometry), {StrategyKind::model, 48, 1});
  const auto batches = search_all(geometry, search, 2);
  std::set<std::size_t> all;
  std::size_t count = 0;
  for (const auto& batch : batches) {
    EXPECT_TRUE(std::is_sorted(batch.begin(), batch.end()));
    all.insert(batch.begin(), batch.end());
    count += batch.size();
  }
  EXPECT_EQ(count, 48);
  EXPECT_EQ(all.size(), 48) << "tried twice";
  EXPECT_EQ(search.tried(), std::vector<std::size_t>(all.begin(), all.end()));
  // The best of either case is found: few rows there, many here.
  for (std::size_t c = 0; c < 2; ++c) {
    double best = 100, found = 100;
    for (const std::size_t v : tuned(geometry)) best = std::min(best, time_of(geometry, v, c));
    for (const std::size_t v : all)
      if (search.result().slow.count(v) == 0) found = std::min(found, time_of(geometry, v, c));
    EXPECT_EQ(found, best) << "case " << c;
  }
}

TEST(GeometrySearch, CasesThatWantTheSameAskForItOnce) {
  const PlannedGeometry geometry = planned_geometry(3);
  // In order: each case would begin with the same variants.
  GeometrySearch search(geometry, tuned(geometry), {StrategyKind::exhaustive, 48, 1});
  for (const auto& batch : search_all(geometry, search, 3))
    EXPECT_EQ(std::set<std::size_t>(batch.begin(), batch.end()).size(), batch.size());
  EXPECT_EQ(search.tried().size(), 48);
}

TEST(GeometrySearch, WhatIsFarBehindAtEveryCaseIsSlow) {
  const PlannedGeometry geometry = planned_geometry(2);
  GeometrySearch search(geometry, tuned(geometry), {StrategyKind::random, 60, 1});
  search_all(geometry, search, 2);
  const Searched searched = search.result();
  EXPECT_EQ(searched.tried, 60);
  EXPECT_EQ(searched.variants, std::ssize(tuned(geometry)));
  double best[2] = {100, 100};
  for (const std::size_t v : search.tried())
    for (std::size_t c = 0; c < 2; ++c) best[c] = std::min(best[c], time_of(geometry, v, c));
  for (const std::size_t v : search.tried()) {
    const bool is_close =
        time_of(geometry, v, 0) <= 1.3 * best[0] || time_of(geometry, v, 1) <= 1.3 * best[1];
    EXPECT_EQ(searched.slow.count(v) == 0, is_close) << v;
  }
  EXPECT_FALSE(searched.slow.empty());
  // Which class of equal bits will win is not known before the race: nobody is left out.
  PlannedGeometry invariant = geometry;
  invariant.batch_invariant = true;
  GeometrySearch same(invariant, tuned(geometry), {StrategyKind::random, 60, 1});
  search_all(invariant, same, 2);
  EXPECT_THAT(same.result().slow, IsEmpty());
}

TEST(GeometrySearch, TwinsHaveOneTimeAndWhatHasNoneIsRaced) {
  const PlannedGeometry geometry = planned_geometry(1);
  GeometrySearch search(geometry, tuned(geometry), {StrategyKind::random, 64, 1});
  std::vector<std::size_t> asked = search.propose();
  ASSERT_GE(asked.size(), 8);
  const std::size_t own = asked.size();
  asked.push_back(baseline_of(geometry));
  CaseRace race = race_of(geometry, asked, 0);
  // The second has the code of the first, the third was not right, the fourth is 20 times slower.
  race.same_code_as[1] = 0;
  for (const std::int32_t gone : {1, 2})
    std::erase_if(race.result.samples, [gone](const Sample& s) { return s.arm == gone; });
  for (Sample& sample : race.result.samples)
    if (sample.arm == 3) sample.us *= 20;
  search.take(asked, {&race});
  // Twelve more, so that the slow one is not among the least that are raced.
  for (int round = 0; round < 2; ++round) {
    std::vector<std::size_t> more = search.propose();
    more.push_back(baseline_of(geometry));
    const CaseRace next = race_of(geometry, more, 0);
    search.take(more, {&next});
  }
  const Searched searched = search.result();
  EXPECT_EQ(searched.slow.count(asked[0]), searched.slow.count(asked[1]));
  EXPECT_EQ(searched.slow.count(asked[2]), 0) << "the race is to tell what is wrong with it";
  EXPECT_EQ(searched.slow.count(asked[3]), 1);
  EXPECT_EQ(own, 8);
}

TEST(GeometrySearch, ARaceThatFailedTeachesNothingAndEndsNothing) {
  const PlannedGeometry geometry = planned_geometry(1);
  GeometrySearch search(geometry, tuned(geometry), {StrategyKind::model, 32, 1});
  std::size_t count = 0;
  while (!search.is_done()) {
    const std::vector<std::size_t> asked = search.propose();
    ASSERT_FALSE(asked.empty());
    count += asked.size();
    CaseRace race;
    race.result.outcome = {Status::launch_error, "nothing runs"};
    search.take(asked, {&race});
  }
  EXPECT_EQ(count, 32);
  EXPECT_THAT(search.result().slow, IsEmpty()) << "nothing is known of them: all are raced";
}

TEST(TimesOver, AreOverTheBaselineOfTheSameBatch) {
  RaceResult result;
  for (const double us : {4.0, 100.0, 4.4}) result.samples.push_back({0, 0, 0, 1, us, 0, 0, 0});
  result.samples.push_back({1, 0, 0, 1, 8.0, 0, 0, 0});
  result.dropped = {2};
  result.probe_us = {4, 8, 40, 9};
  const auto times = times_over(result, 4, 1);
  EXPECT_DOUBLE_EQ(*times[0], 4.4 / 8) << "the median of its visits";
  EXPECT_DOUBLE_EQ(*times[1], 1);
  EXPECT_DOUBLE_EQ(*times[2], 5) << "dropped by the probe, whose time is all there is";
  EXPECT_FALSE(times[3]) << "neither dropped nor timed";
  for (const auto& time : times_over(result, 4, 3)) EXPECT_FALSE(time) << "no baseline, no unit";
}

}  // namespace
}  // namespace fusetune::test
