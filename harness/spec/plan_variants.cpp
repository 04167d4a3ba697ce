#include <fmt/format.h>

#include <algorithm>

#include "harness/spec/family_vocabulary.hpp"
#include "harness/spec/geometry_parts.hpp"
#include "harness/spec/plan_select.hpp"

namespace fusetune {

namespace {

/// Above this a list of variants is a mistake, and would not fit into memory.
constexpr std::int64_t kCombinationsMax = 1000000;

struct AxisChoice {
  std::string name;
  std::vector<Value> values;
};

std::vector<AxisChoice> choices_of(const Family& family, const ImplementationDecl& implementation,
                                   const SweepEntry& entry) {
  std::vector<AxisChoice> choices;
  std::int64_t combinations = 1;
  for (const AxisDecl& axis : family.axes) {
    const auto& varying = implementation.axes;
    if (std::find(varying.begin(), varying.end(), axis.name) == varying.end()) continue;
    const auto chosen = entry.axes.find(axis.name);
    choices.push_back({axis.name, chosen == entry.axes.end() ? axis.values : chosen->second});
    const auto count = static_cast<std::int64_t>(choices.back().values.size());
    if (__builtin_mul_overflow(combinations, count, &combinations) ||
        combinations > kCombinationsMax)
      throw UserError(entry.mark, fmt::format("{} of {}: the axes have more than {} combinations",
                                              implementation.name, family.name, kCombinationsMax));
  }
  return choices;
}

/// Which rule removed the last variants: the one after which none is left.
struct Emptied {
  std::size_t rule = 0;  ///< position + 1 in the order of evaluation
  const RuleDecl* decl = nullptr;
  std::string why;
};

class Enumeration {
 public:
  Enumeration(const Geometry& geometry, const ImplementationDecl& implementation,
              const Target& target, const SweepEntry& entry)
      : family_(*geometry.family),
        implementation_(implementation),
        choices_(choices_of(family_, implementation, entry)) {
    Variant fixed{implementation.name, implementation.fixed};
    base_ = scope_parts(geometry, &target, &fixed, nullptr, nullptr);
    for (const RuleDecl& rule : family_.constraints) rules_.push_back(&rule);
    for (const RuleDecl& rule : entry.filters) rules_.push_back(&rule);
  }

  void run() {
    Variant variant{implementation_.name, implementation_.fixed};
    extend(variant, 0);
  }

  std::vector<Variant> valid;
  std::vector<Pruned> pruned;
  Emptied emptied;

 private:
  void extend(Variant& variant, std::size_t depth) {
    if (depth == choices_.size()) {
      decide(variant);
      return;
    }
    for (const Value& value : choices_[depth].values) {
      variant.axes[choices_[depth].name] = value;
      extend(variant, depth + 1);
    }
  }

  void decide(const Variant& variant) {
    Scope scope = base_;
    for (const AxisChoice& choice : choices_)
      scope.values[choice.name] = variant.axes.at(choice.name);
    add_derived(family_, scope);
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      const RuleResult result = check_rule(*rules_[i], scope);
      if (result.holds) continue;
      prune(variant, result.why, i + 1, rules_[i]);
      return;
    }
    if (scope.failed.empty())
      valid.push_back(variant);
    else
      prune(variant, scope.failed.begin()->second, rules_.size() + 1, nullptr);
  }

  void prune(const Variant& variant, const std::string& why, std::size_t rule,
             const RuleDecl* decl) {
    if (rule > emptied.rule) emptied = {rule, decl, why};
    pruned.push_back({variant, why});
  }

  const Family& family_;
  const ImplementationDecl& implementation_;
  std::vector<AxisChoice> choices_;
  std::vector<const RuleDecl*> rules_;
  Scope base_;
};

}  // namespace

std::vector<Variant> enumerate_variants(const Geometry& geometry,
                                        const ImplementationDecl& implementation,
                                        const Target& target, const SweepEntry& entry,
                                        const SpaceChoice& space, std::vector<Pruned>* pruned) {
  Enumeration all(geometry, implementation, target, entry);
  all.run();
  if (all.valid.empty()) {
    const Mark mark = all.emptied.decl != nullptr ? all.emptied.decl->mark : entry.mark;
    throw UserError(mark,
                    fmt::format("no variant of {} is left for {} on {}; the last ones were "
                                "removed by: {}",
                                implementation.name, geometry.key(), target.name, all.emptied.why));
  }
  const std::vector<std::size_t> taken = select_variants(all.valid, space);
  std::vector<Variant> chosen;
  std::size_t next = 0;
  for (std::size_t i = 0; i < all.valid.size(); ++i) {
    if (next < taken.size() && taken[next] == i) {
      chosen.push_back(all.valid[i]);
      ++next;
    } else {
      all.pruned.push_back({all.valid[i], "not in the space " + space.text()});
    }
  }
  if (pruned != nullptr) pruned->insert(pruned->end(), all.pruned.begin(), all.pruned.end());
  return chosen;
}

std::vector<std::size_t> simplicity_rank(const Family& family, const Variant& variant) {
  std::vector<std::size_t> rank;
  for (const AxisDecl& axis : family.axes) {
    const auto value = variant.axes.find(axis.name);
    if (value == variant.axes.end()) {
      rank.push_back(0);
      continue;
    }
    // A value that only a sweep uses comes after all listed ones.
    const auto listed = std::find(axis.values.begin(), axis.values.end(), value->second);
    rank.push_back(static_cast<std::size_t>(listed - axis.values.begin()));
  }
  return rank;
}

}  // namespace fusetune
