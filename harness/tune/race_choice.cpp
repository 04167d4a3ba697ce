#include "harness/tune/race_choice.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "harness/measure/portfolio.hpp"

namespace fusetune {

namespace {

class WinnerChoice {
 public:
  WinnerChoice(const PlannedGeometry& geometry, const TrafficSummary& traffic,
               const Incumbents& incumbents)
      : geometry_(geometry), traffic_(traffic), incumbents_(incumbents) {}

  void choose_in(const std::vector<CaseRace*>& races) const {
    const std::string batch_class = geometry_.batch_invariant ? fastest_class(races) : "";
    for (CaseRace* race : races) {
      race->batch_class = batch_class;
      try {
        race->choice = choice(*race, batch_class);
      } catch (const std::invalid_argument& error) {
        race->result.outcome = {Status::skipped, error.what()};
      }
    }
    share(races, batch_class);
  }

 private:
  /// Among classes that do not serve all cases, one that serves most.
  std::string fastest_class(const std::vector<CaseRace*>& races) const {
    std::map<std::string, std::pair<std::size_t, double>> totals;  // cases not served, time
    for (const CaseRace* race : races)
      for (const std::string& batch_class : race->classes)
        if (!batch_class.empty()) totals.try_emplace(batch_class, 0, 0.0);
    for (auto& [batch_class, total] : totals)
      for (const CaseRace* race : races) add_time(*race, batch_class, total);
    const auto best = std::min_element(
        totals.begin(), totals.end(),
        [](const auto& one, const auto& other) { return one.second < other.second; });
    return best == totals.end() ? "" : best->first;
  }

  void add_time(const CaseRace& race, const std::string& batch_class,
                std::pair<std::size_t, double>& total) const {
    try {
      const Choice chosen = choice(race, batch_class);
      total.second +=
          geometry_.cases[race.planned_case].weight * chosen.verdict(chosen.arm).summary.median_us;
    } catch (const std::invalid_argument&) {
      ++total.first;
    }
  }

  /// Row counts of the geometry take each other's kernels where that costs next to nothing.
  void share(const std::vector<CaseRace*>& races, const std::string& batch_class) const {
    std::vector<CaseRace*> decided;
    for (CaseRace* race : races)
      if (race->result.outcome.ok() && !race->choice.is_default) decided.push_back(race);
    std::stable_sort(decided.begin(), decided.end(), [this](const CaseRace* a, const CaseRace* b) {
      return rows_of(*a) < rows_of(*b);
    });
    std::vector<KernelsOfRow> rows;
    for (const CaseRace* race : decided) {
      KernelsOfRow& row = rows.emplace_back();
      row.chosen = key_of(*race, race->choice.arm);
      for (const auto& [arm, cost] : sharable_arms(race->choice, rules_of(*race, batch_class)))
        row.costs.emplace(key_of(*race, arm), cost);
    }
    const std::vector<std::string> kernels = share_kernels(rows);
    for (std::size_t i = 0; i < decided.size(); ++i) {
      CaseRace& race = *decided[i];
      if (kernels[i] == rows[i].chosen) continue;
      ChoiceRules rules = rules_of(race, batch_class);
      while (key_of(race, ++rules.shared) != kernels[i]) continue;
      race.own_choice = std::exchange(race.choice, choose(race.result, rules));
    }
  }

  std::int64_t rows_of(const CaseRace& race) const {
    return geometry_.cases[race.planned_case].which.rows();
  }
  std::string key_of(const CaseRace& race, std::int32_t arm) const {
    return geometry_.variants[race.arms.at(static_cast<std::size_t>(arm))].key(
        *geometry_.geometry.family);
  }

  /// Throws std::invalid_argument where nothing can be chosen.
  Choice choice(const CaseRace& race, const std::string& batch_class) const {
    return choose(race.result, rules_of(race, batch_class));
  }

  /// Throws std::invalid_argument where nothing can be chosen.
  ChoiceRules rules_of(const CaseRace& race, const std::string& batch_class) const {
    const Family& family = *geometry_.geometry.family;
    const auto incumbent = incumbents_.find(
        {geometry_.geometry.key(), geometry_.cases[race.planned_case].which.rows()});
    ChoiceRules rules;
    for (std::size_t a = 0; a < race.arms.size(); ++a) {
      const Variant& variant = geometry_.variants[race.arms[a]];
      rules.simplicity.push_back(simplicity_rank(family, variant));
      rules.memory.push_back(traffic_.cost(race.geometry, race.arms[a]));
      if (geometry_.batch_invariant)
        rules.eligible.push_back(!batch_class.empty() && race.classes[a] == batch_class);
      if (incumbent != incumbents_.end() && variant.key(family) == incumbent->second)
        rules.incumbent = static_cast<std::int32_t>(a);
      if (variant.implementation == family.baseline) rules.baseline = static_cast<std::int32_t>(a);
    }
    const auto epochs = [&race](std::int32_t arm) {
      std::set<std::int32_t> its;
      for (const Sample& sample : race.result.samples)
        if (sample.arm == arm) its.insert(sample.epoch);
      return its.size();
    };
    if (rules.baseline < 0 || epochs(rules.baseline) == 0)
      throw std::invalid_argument("the baseline was not proved or not timed: no row without it");
    if (epochs(rules.baseline) < 2)
      throw std::invalid_argument("the baseline has times of one epoch alone: no row without two");
    if (rules.incumbent >= 0 && epochs(rules.incumbent) == 0) rules.incumbent = -1;
    return rules;
  }

  const PlannedGeometry& geometry_;
  const TrafficSummary& traffic_;
  const Incumbents& incumbents_;
};

}  // namespace

void choose_winners(const Plan& plan, const TrafficSummary& traffic, const Incumbents& incumbents,
                    std::vector<CaseRace>& races) {
  std::map<std::size_t, std::vector<CaseRace*>> decided;  // by geometry
  for (CaseRace& race : races)
    if (race.result.outcome.ok()) decided[race.geometry].push_back(&race);
  for (const auto& [geometry, its_races] : decided)
    WinnerChoice(plan.geometries[geometry], traffic, incumbents).choose_in(its_races);
}

}  // namespace fusetune
