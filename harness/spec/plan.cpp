#include "harness/spec/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "harness/spec/plan_sources.hpp"

namespace fusetune {

namespace {

/// A geometry while the entries of the sweep add to it.
struct Growing {
  PlannedGeometry planned;
  std::map<std::string, PlannedCase> cases;  ///< by key
  std::set<std::string> models;
  std::map<std::string, Pruned> pruned;     ///< by variant key
  std::map<std::string, Variant> variants;  ///< by variant key
};

class Planner {
 public:
  Planner(const Sweep& sweep, const Models& models, const Target& target) : models_(models) {
    plan_.sweep = sweep;
    plan_.target = target;
    for (const std::string& name : sweep.also_compile) {
      const Target other = parse_target(name);
      const auto& known = plan_.compile_only;
      if (other != target && std::find(known.begin(), known.end(), other) == known.end())
        plan_.compile_only.push_back(other);
    }
  }

  Plan make() {
    for (const SweepEntry& entry : plan_.sweep.entries) add_entry(entry);
    if (growing_.empty())
      throw UserError(
          plan_.sweep.entries.empty() ? Mark{} : plan_.sweep.entries.front().mark,
          fmt::format("sweep {} has nothing to do{}{}", plan_.sweep.name,
                      plan_.skipped.empty() ? "" : "; skipped: ", fmt::join(plan_.skipped, "; ")));
    for (auto& [key, one] : growing_) plan_.geometries.push_back(finish(one));
    return std::move(plan_);
  }

 private:
  void add_entry(const SweepEntry& entry) {
    entry_cases_.clear();
    entry_geometries_.clear();
    total_weight_ = 0;
    for (const auto& [rows, weight] : entry.tokens) total_weight_ += weight;
    if (entry.tokens.empty()) total_weight_ = 1;
    for (const Source& source : sources_of(entry, models_)) add_source(entry, source);
  }

  void add_source(const SweepEntry& entry, const Source& source) {
    const std::string what = fmt::format("{}: {}", source.name, entry.family->name);
    if (!source.unfit.empty()) {
      if (source.named) throw UserError(source.mark, what + ": " + source.unfit);
      plan_.skipped.push_back(what + ": " + source.unfit);
      return;
    }
    const SourceCases made = cases_of(entry, source);
    if (made.cases.empty() && source.named) {
      const std::string why =
          made.refused.empty() ? "no combination of options has a meaning" : made.refused.front();
      throw UserError(source.mark, source.name + ": " + why);
    }
    for (const std::string& reason : made.refused)
      plan_.skipped.push_back(source.name + ": " + reason);
    for (const PlannedCase& one : made.cases) add_case(entry, source, one);
  }

  void add_case(const SweepEntry& entry, const Source& source, const PlannedCase& one) {
    const std::string key = one.which.geometry.key();
    const auto [place, added] = growing_.try_emplace(key);
    Growing& growing = place->second;
    if (added) {
      growing.planned.geometry = one.which.geometry;
      growing.planned.verified = false;
    }
    growing.planned.verified = growing.planned.verified || source.verified;
    if (source.is_model) growing.models.insert(source.name);
    if (entry_geometries_.insert(key).second) add_variants(entry, growing);
    // Models of one entry that share a geometry do not make its cases weigh more.
    const std::string case_key = one.which.key();
    if (!entry_cases_.insert(case_key).second) return;
    const auto [slot, is_new] = growing.cases.try_emplace(case_key, PlannedCase{one.which, 0});
    slot->second.weight += one.weight / total_weight_;
  }

  void add_variants(const SweepEntry& entry, Growing& growing) {
    const Geometry& geometry = growing.planned.geometry;
    const Family& family = *geometry.family;
    const SpaceChoice space = entry.space.value_or(plan_.sweep.space);
    const Bindings scope = scope_of(geometry);
    add_requirements(entry, growing.planned);
    growing.planned.cosine_min = std::max(growing.planned.cosine_min, entry.cosine_min);
    if (entry.batch_invariant) {
      require_independent_rows(geometry, entry.mark);
      growing.planned.batch_invariant = true;
    }
    bool served = false;
    for (const ImplementationDecl& implementation : family.implementations) {
      const auto& chosen = entry.implementations;
      const bool named =
          std::find(chosen.begin(), chosen.end(), implementation.name) != chosen.end();
      // The tuned implementation's rows are told against the baseline: it comes along uncalled.
      const bool wanted = chosen.empty() || named ||
                          (implementation.name == family.baseline &&
                           std::find(chosen.begin(), chosen.end(), family.tuned) != chosen.end());
      if (!wanted) continue;
      if (implementation.when && !implementation.when->eval_bool(scope)) {
        if (named)
          plan_.skipped.push_back(fmt::format("{}: {} needs {}", geometry.key(),
                                              implementation.name, implementation.when->text()));
        continue;
      }
      served = true;
      std::vector<Pruned> pruned;
      for (const Variant& variant :
           enumerate_variants(geometry, implementation, plan_.target, entry, space, &pruned))
        if (growing.variants.emplace(variant.key(family), variant).second)
          growing.planned.variants.push_back(variant);
      for (Pruned& one : pruned) growing.pruned.emplace(one.variant.key(family), std::move(one));
    }
    if (!served)
      throw UserError(entry.mark, fmt::format("no implementation serves {}", geometry.key()));
  }

  /// What one entry asks of a geometry holds for the variants of all of them.
  static void add_requirements(const SweepEntry& entry, PlannedGeometry& planned) {
    for (const RuleDecl& rule : entry.require)
      if (std::none_of(planned.require.begin(), planned.require.end(),
                       [&rule](const RuleDecl& known) { return known.rule == rule.rule; }))
        planned.require.push_back(rule);
  }

  static PlannedGeometry finish(Growing& growing) {
    PlannedGeometry& planned = growing.planned;
    planned.models = {growing.models.begin(), growing.models.end()};
    for (auto& [key, one] : growing.pruned)
      if (growing.variants.count(key) == 0) planned.pruned.push_back(std::move(one));
    sort_variants(planned);
    double total = 0;
    for (const auto& [key, one] : growing.cases) total += one.weight;
    for (auto& [key, one] : growing.cases) {
      // All weights of the row counts that are left may be 0; then they count alike.
      one.weight = total > 0 ? one.weight / total : 1.0 / static_cast<double>(growing.cases.size());
      planned.cases.push_back(std::move(one));
    }
    std::stable_sort(
        planned.cases.begin(), planned.cases.end(),
        [](const PlannedCase& a, const PlannedCase& b) { return a.which.rows() < b.which.rows(); });
    return std::move(planned);
  }

  /// The tuned implementation first, the others as declared.
  static void sort_variants(PlannedGeometry& planned) {
    const Family& family = *planned.geometry.family;
    const auto place = [&](const Variant& variant) {
      if (variant.implementation == family.tuned) return std::ptrdiff_t{-1};
      return family.find_implementation(variant.implementation) - family.implementations.data();
    };
    std::stable_sort(planned.variants.begin(), planned.variants.end(),
                     [&](const Variant& a, const Variant& b) { return place(a) < place(b); });
  }

  const Models& models_;
  Plan plan_;
  std::map<std::string, Growing> growing_;  ///< by geometry key
  std::set<std::string> entry_geometries_;  ///< those that the current entry has touched
  std::set<std::string> entry_cases_;
  double total_weight_ = 1;
};

}  // namespace

bool has_independent_rows(const Geometry& geometry) {
  const std::optional<RuleDecl>& rule = geometry.family->independent_rows;
  return !rule || rule->rule.eval_bool(scope_of(geometry));
}

void require_independent_rows(const Geometry& geometry, const Mark& mark) {
  const std::optional<RuleDecl>& rule = geometry.family->independent_rows;
  if (!has_independent_rows(geometry))
    throw UserError(mark, fmt::format("{} cannot be batch-invariant: {} ({})", geometry.key(),
                                      rule->reason, rule->rule.text()));
}

std::vector<std::string> Plan::geometry_keys() const {
  std::vector<std::string> keys;
  for (const PlannedGeometry& geometry : geometries) keys.push_back(geometry.geometry.key());
  return keys;
}

std::int64_t Plan::case_count() const {
  std::int64_t count = 0;
  for (const PlannedGeometry& one : geometries)
    count += static_cast<std::int64_t>(one.cases.size());
  return count;
}

std::int64_t Plan::variant_count() const {
  std::int64_t count = 0;
  for (const PlannedGeometry& one : geometries)
    count += static_cast<std::int64_t>(one.variants.size());
  return count;
}

std::int64_t Plan::pruned_count() const {
  std::int64_t count = 0;
  for (const PlannedGeometry& one : geometries)
    count += static_cast<std::int64_t>(one.pruned.size());
  return count;
}

std::vector<std::size_t> searched_variants(const Plan& plan, const PlannedGeometry& geometry) {
  std::vector<std::size_t> variants;
  if (plan.sweep.search.is_exhaustive()) return variants;
  for (std::size_t v = 0; v < geometry.variants.size(); ++v)
    if (geometry.variants[v].implementation == geometry.geometry.family->tuned)
      variants.push_back(v);
  if (std::ssize(variants) <= plan.sweep.search.evaluations) variants.clear();
  return variants;
}

Plan make_plan(const Sweep& sweep, const Models& models, const Target& target) {
  return Planner(sweep, models, target).make();
}

}  // namespace fusetune
