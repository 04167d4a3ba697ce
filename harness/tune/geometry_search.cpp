#include "harness/tune/geometry_search.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "harness/search/budget.hpp"

namespace fusetune {

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

bool is_baseline(const PlannedGeometry& geometry, std::size_t variant) {
  return geometry.variants[variant].implementation == geometry.geometry.family->baseline;
}

}  // namespace

SearchSpace search_space(const PlannedGeometry& geometry,
                         const std::vector<std::size_t>& variants) {
  std::vector<SearchAxis> axes;
  std::vector<SearchPoint> points(variants.size());
  for (const auto& [name, first] : geometry.variants[variants.front()].axes) {
    std::map<Value, std::uint16_t> places;  // numbers in their order
    for (const std::size_t v : variants) places.emplace(geometry.variants[v].axes.at(name), 0);
    if (places.size() < 2) continue;
    std::uint16_t next = 0;
    for (auto& [value, place] : places) place = next++;
    axes.push_back({name, places.size(), std::holds_alternative<std::int64_t>(first)});
    for (std::size_t i = 0; i < variants.size(); ++i)
      points[i].push_back(places.at(geometry.variants[variants[i]].axes.at(name)));
  }
  return {std::move(axes), std::move(points)};
}

GeometrySearch::GeometrySearch(const PlannedGeometry& geometry, std::vector<std::size_t> variants,
                               const SearchChoice& choice)
    : geometry_(geometry),
      variants_(std::move(variants)),
      choice_(choice),
      space_(search_space(geometry, variants_)) {
  for (std::size_t c = 0; c < geometry.cases.size(); ++c)
    // Other seeds: cases that begin alike would waste each other's proposals.
    cases_.push_back({Trials(space_.size()),
                      make_strategy(choice.strategy, space_,
                                    static_cast<std::uint64_t>(choice.seed) + 1000003 * c)});
}

bool GeometrySearch::is_done() const {
  return std::ssize(cases_.front().trials.tried()) >= choice_.evaluations ||
         cases_.front().trials.untried_count() == 0;
}

void GeometrySearch::begin(std::size_t point) {
  for (CaseSearch& one : cases_) one.trials.begin(point);
}

std::vector<std::size_t> GeometrySearch::propose() {
  // A case that launches nothing has no times to go by, once the others have.
  std::vector<std::size_t> asking;
  for (std::size_t i = 0; i < cases_.size(); ++i)
    if (const std::size_t c = (turn_ + i) % cases_.size(); cases_[c].trials.best())
      asking.push_back(c);
  if (asking.empty()) asking.push_back(turn_ % cases_.size());
  ++turn_;
  const std::size_t count =
      next_batch(static_cast<std::size_t>(choice_.evaluations), tried_count(), asking.size());
  std::vector<std::size_t> list;
  for (std::size_t i = 0; i < asking.size(); ++i) {
    const std::size_t share = (i + 1) * count / asking.size() - i * count / asking.size();
    if (share == 0) continue;
    CaseSearch& one = cases_[asking[i]];
    for (const std::size_t point : one.strategy->propose(one.trials, share)) {
      begin(point);
      list.push_back(variants_[point]);
    }
  }
  std::sort(list.begin(), list.end());
  return list;
}

void GeometrySearch::take(const std::vector<std::size_t>& asked,
                          const std::vector<const CaseRace*>& races) {
  const auto point_of = [this](std::size_t variant) {
    return static_cast<std::size_t>(std::lower_bound(variants_.begin(), variants_.end(), variant) -
                                    variants_.begin());
  };
  for (const CaseRace* race : races) {
    Trials& trials = cases_[race->planned_case].trials;
    std::map<std::size_t, double> times;  // by number in `asked`
    const auto baseline = std::find_if(race->arms.begin(), race->arms.end(), [&](std::size_t arm) {
      return is_baseline(geometry_, asked[arm]);
    });
    if (race->result.outcome.ok() && baseline != race->arms.end()) {
      const auto over = times_over(race->result, race->arms.size(),
                                   static_cast<std::size_t>(baseline - race->arms.begin()));
      for (std::size_t a = 0; a < over.size(); ++a)
        if (over[a]) times.emplace(race->arms[a], *over[a]);
    }
    for (std::size_t v = 0; v < asked.size(); ++v) {
      if (!std::binary_search(variants_.begin(), variants_.end(), asked[v])) continue;
      std::size_t arm = v;
      for (auto twin = race->same_code_as.find(arm); twin != race->same_code_as.end();
           twin = race->same_code_as.find(arm))
        arm = twin->second;
      if (const auto time = times.find(arm); time != times.end())
        trials.give_time(point_of(asked[v]), time->second);
      else
        trials.give_up(point_of(asked[v]));
    }
  }
}

std::vector<std::size_t> GeometrySearch::tried() const {
  std::vector<std::size_t> list;
  for (const std::size_t point : cases_.front().trials.tried()) list.push_back(variants_[point]);
  std::sort(list.begin(), list.end());
  return list;
}

Searched GeometrySearch::result() const {
  Searched searched{choice_, std::ssize(cases_.front().trials.tried()), std::ssize(variants_), {}};
  // The classes of equal bits are known after the proofs: which will be chosen is not.
  if (geometry_.batch_invariant) return searched;
  std::set<std::size_t> slow(cases_.front().trials.tried().begin(),
                             cases_.front().trials.tried().end());
  bool any_times = false;
  for (const CaseSearch& one : cases_) {
    any_times = any_times || one.trials.best();
    for (const std::size_t point : worth_racing(one.trials, kRaceCut, kRaceLeast))
      slow.erase(point);
    // What failed here while it was timed is raced, so that the campaign tells of it.
    if (one.trials.best())
      std::erase_if(slow, [&one](std::size_t point) { return !one.trials.time(point); });
  }
  // Without any time nothing is known to be slow.
  if (any_times)
    for (const std::size_t point : slow) searched.slow.insert(variants_[point]);
  return searched;
}

std::vector<std::optional<double>> times_over(const RaceResult& result, std::size_t arms,
                                              std::size_t baseline) {
  std::vector<std::vector<double>> samples(arms);
  for (const Sample& sample : result.samples)
    samples[static_cast<std::size_t>(sample.arm)].push_back(sample.us);
  std::vector<std::optional<double>> times(arms);
  for (std::size_t a = 0; a < arms; ++a)
    if (!samples[a].empty()) times[a] = median(samples[a]);
  // Dropped by the probe: far too slow, which is all that has to be known.
  for (const std::int32_t arm : result.dropped)
    if (const auto a = static_cast<std::size_t>(arm); result.probe_us[a] > 0 && !times[a])
      times[a] = result.probe_us[a];
  if (!times[baseline]) return std::vector<std::optional<double>>(arms);
  const double unit = *times[baseline];
  for (std::optional<double>& time : times)
    if (time) *time /= unit;
  return times;
}

}  // namespace fusetune
