#include "harness/measure/portfolio.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace fusetune {

namespace {

using Names = std::set<std::string>;

std::vector<std::string> chosen_by_themselves(const std::vector<KernelsOfRow>& rows) {
  std::vector<std::string> names;
  for (const KernelsOfRow& row : rows) names.push_back(row.chosen);
  return names;
}

bool covers(const Names& kernels, const KernelsOfRow& row) {
  return std::any_of(row.costs.begin(), row.costs.end(),
                     [&](const auto& cost) { return kernels.count(cost.first) != 0; });
}

/// What a kernel would do for rows that none serves yet; the largest is best.
struct Merit {
  std::int64_t rows = 0;
  std::int64_t chosen = 0;
  double saved = 0;  ///< costs, negated
  bool operator<(const Merit& other) const {
    return std::tie(rows, chosen, saved) < std::tie(other.rows, other.chosen, other.saved);
  }
};

Names cover(const std::vector<KernelsOfRow>& rows) {
  Names kernels;
  for (;;) {
    std::map<std::string, Merit> merits;
    for (const KernelsOfRow& row : rows) {
      if (covers(kernels, row)) continue;
      for (const auto& [name, cost] : row.costs) {
        Merit& merit = merits[name];
        ++merit.rows;
        merit.chosen += name == row.chosen ? 1 : 0;
        merit.saved -= cost;
      }
    }
    if (merits.empty()) break;
    // Of equals the first by name.
    kernels.insert(std::max_element(merits.begin(), merits.end(), [](const auto& a, const auto& b) {
                     return a.second < b.second;
                   })->first);
  }
  // A later kernel may serve all that an earlier one was taken for.
  for (const std::string& name : Names(kernels)) {
    kernels.erase(name);
    if (!std::all_of(rows.begin(), rows.end(),
                     [&](const KernelsOfRow& row) { return covers(kernels, row); }))
      kernels.insert(name);
  }
  return kernels;
}

/// The best way to serve all rows so far and the last one with a certain kernel.
struct Way {
  std::int64_t changes = 0;
  double cost = 0;
  std::vector<std::string> kernels;
  bool operator<(const Way& other) const {
    return std::tie(changes, cost, kernels) < std::tie(other.changes, other.cost, other.kernels);
  }
};

Way assign(const std::vector<KernelsOfRow>& rows, const Names& kernels) {
  std::map<std::string, Way> ways;
  for (const KernelsOfRow& row : rows) {
    std::map<std::string, Way> longer;
    for (const auto& [name, cost] : row.costs) {
      if (kernels.count(name) == 0) continue;
      Way best;
      bool first = true;
      for (const auto& [last, way] : ways) {
        Way one = way;
        one.changes += last == name ? 0 : 1;
        if (first || one < best) best = std::move(one);
        first = false;
      }
      best.cost += cost;
      best.kernels.push_back(name);
      longer.emplace(name, std::move(best));
    }
    ways = std::move(longer);
  }
  return std::min_element(ways.begin(), ways.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->second;
}

}  // namespace

std::vector<std::string> share_kernels(const std::vector<KernelsOfRow>& rows) {
  std::vector<std::string> chosen = chosen_by_themselves(rows);
  if (rows.empty()) return chosen;
  const Names distinct(chosen.begin(), chosen.end());
  const Names kernels = cover(rows);
  // As few by themselves: nothing is to be gained by others.
  return assign(rows, kernels.size() < distinct.size() ? kernels : distinct).kernels;
}

}  // namespace fusetune
