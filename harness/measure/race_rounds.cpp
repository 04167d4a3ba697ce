#include "harness/measure/race_rounds.hpp"

#include <algorithm>
#include <cmath>

#include "harness/stats/stats.hpp"

namespace fusetune {

namespace {

std::vector<std::int32_t> without(std::vector<std::int32_t> arms,
                                  const std::set<std::int32_t>& left_out) {
  std::erase_if(arms, [&left_out](std::int32_t arm) { return left_out.count(arm) != 0; });
  return arms;
}

}  // namespace

std::vector<std::int32_t> RaceRounds::shuffled(std::vector<std::int32_t> arms) {
  for (std::size_t i = arms.size(); i > 1; --i) std::swap(arms[i - 1], arms[random_() % i]);
  return arms;
}

bool RaceRounds::is_spent(double share) {
  return bench_.elapsed_us() + epoch_us_ > share * 1e6 * options_.budget_s;
}

/// Fresh memory and its rounds; again, after a rest, where the memory was slower or faster than
/// it usually is.
void RaceRounds::run_epoch(int epoch, int rounds, const std::vector<std::int32_t>& alive,
                           const std::set<std::int32_t>& far,
                           const std::vector<SpanLength>& lengths) {
  const double from_us = bench_.elapsed_us();
  if (epoch > 0) bench_.fresh_memory(epoch);
  bench_.record(alive);
  const bool two_lengths = bench_.two_lengths();
  touch_memory({alive, lengths, two_lengths});
  for (int retry = 0;; ++retry) {
    const std::size_t before = result_.samples.size();
    double drift = bench_.reference_drift();
    std::vector<Placed> visits;
    for (int round = 0; round < rounds; ++round) {
      const std::vector<std::int32_t> arms = without(alive, with_samples(far, visits));
      run_round({arms, lengths, two_lengths}, {epoch, round, round == rounds - 1}, visits);
    }
    add_samples(visits);
    drift = std::max(drift, bench_.reference_drift());
    if (drift <= options_.reference_drift) break;
    if (retry == options_.retries_max || is_spent(1)) {
      bench_.flag("throttled");
      break;
    }
    ++result_.repeated_epochs;
    result_.samples.resize(before);
    bench_.forget_reference();
    bench_.rest(retry);
  }
  bench_.keep_reference();
  epoch_us_ = bench_.elapsed_us() - from_us;
}

void RaceRounds::screen(int epoch, int round, const std::vector<std::int32_t>& alive,
                        const std::vector<SpanLength>& lengths) {
  const Field field{alive, lengths, false};
  if (round == 0) {
    bench_.record(alive);
    touch_memory(field);
  }
  std::vector<Placed> visits;
  run_round(field, {epoch, round}, visits);
  add_samples(visits);
}

/// The first sweep after an allocation maps pages and fills translation tables.
void RaceRounds::touch_memory(const Field& field) {
  const std::int32_t first = field.alive.front();
  bench_.launch_us(
      first, std::min(bench_.sets(), field.lengths[static_cast<std::size_t>(first)].launches));
}

/// An arm with a bad visit misses the round: no pair of arms keeps half of it. When most are
/// bad, it is the machine, and the round is run again.
void RaceRounds::run_round(const Field& field, Place place, std::vector<Placed>& placed) {
  for (int retry = 0;; ++retry) {
    const std::vector<Visit> visits =
        bench_.there_and_back(shuffled(field.alive), field.lengths, field.two_lengths);
    const std::set<std::int32_t> bad = bad_arms(visits);
    const bool most = 2 * bad.size() > field.alive.size();
    if (most && retry < options_.retries_max && !is_spent(1)) {
      bench_.rest(retry);
      continue;
    }
    add_round(field, visits, bad, most, place, placed);
    return;
  }
}

std::set<std::int32_t> RaceRounds::bad_arms(const std::vector<Visit>& visits) {
  std::set<std::int32_t> bad;
  for (const Visit& visit : visits) {
    if (visit.verdict == Visit::Verdict::good) continue;
    bad.insert(visit.arm);
    ++(visit.verdict == Visit::Verdict::clocks ? result_.rejected_clocks
                                               : result_.rejected_throttle);
  }
  return bad;
}

void RaceRounds::add_round(const Field& field, const std::vector<Visit>& visits,
                           const std::set<std::int32_t>& bad, bool most, Place place,
                           std::vector<Placed>& placed) {
  std::set<std::int32_t> untimed;  // of a visit whose clock cannot be believed
  for (const Visit& visit : visits)
    if (visit.verdict == Visit::Verdict::clocks) untimed.insert(visit.arm);
  std::set<std::int32_t> hopeless = untimed;  // a machine that is late is not late each time
  for (const Visit& visit : visits)
    if (visit.believed) hopeless.erase(visit.arm);
  if (hopeless.size() == field.alive.size())
    throw ArmFailure{field.alive.size() == 1 ? field.alive.front() : -1, clocks_disagree()};
  if (most) bench_.flag("most of a round was disturbed, again and again");
  std::set<std::int32_t> out = most ? untimed : bad;
  // A load that slows the core all the time slows it in every epoch: without such an epoch there is
  // no figure at all.
  if (place.last) {
    const std::set<std::int32_t> have_one = with_samples(bad, placed);
    for (const std::int32_t arm : bad)
      if (have_one.count(arm) == 0 && untimed.count(arm) == 0 && out.erase(arm) > 0)
        bench_.flag("throttled");
  }
  for (const std::int32_t arm : field.alive) {
    int& rejections = rejections_[static_cast<std::size_t>(arm)];
    rejections = hopeless.count(arm) != 0 ? rejections + 1 : 0;
    if (rejections > options_.retries_max) throw ArmFailure{arm, clocks_disagree()};
  }
  for (const Visit& visit : visits) {
    if (out.count(visit.arm) == 0) placed.push_back({visit, place});
  }
}

std::set<std::int32_t> RaceRounds::with_samples(const std::set<std::int32_t>& arms,
                                                const std::vector<Placed>& placed) {
  std::set<std::int32_t> with;
  for (const Placed& one : placed)
    if (arms.count(one.visit.arm) != 0) with.insert(one.visit.arm);
  return with;
}

/// What does not grow with a span is the same for all arms of an epoch: the median of what the
/// two lengths say of it. From each arm alone it would double the noise.
void RaceRounds::add_samples(const std::vector<Placed>& placed) {
  double constant_us = 0;
  std::vector<double> constants, spans;
  for (const Placed& one : placed) {
    if (one.visit.long_us > 0) {
      constants.push_back(2 * one.visit.short_us - one.visit.long_us);
      spans.push_back(one.visit.short_us);
    }
  }
  if (!spans.empty()) {
    constant_us = std::max(0.0, median(constants));
    if (constant_us > options_.span_overhead * median(spans)) bench_.flag("span_overhead");
  }
  for (const Placed& one : placed) {
    const Visit& visit = one.visit;
    const auto launches = static_cast<double>(visit.launches);
    Sample sample{visit.arm, one.at.epoch, one.at.round, visit.launches, visit.short_us / launches};
    sample.core_mhz = visit.core_mhz;
    if (visit.long_us > 0) {
      const double both_us = visit.short_us + visit.long_us;
      const double grown_us = both_us - 2 * constant_us;
      sample.launches = 3 * visit.launches;
      sample.us = (grown_us > 0 ? grown_us : both_us) / (3 * launches);
      sample.short_us = visit.short_us;
      sample.long_us = visit.long_us;
    }
    result_.samples.push_back(sample);
  }
}

}  // namespace fusetune
