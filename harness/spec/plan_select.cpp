#include "harness/spec/plan_select.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace fusetune {

namespace {

/// The variants with their values as small numbers, one column per axis that varies.
struct Columns {
  std::vector<std::vector<std::size_t>> rows;
  std::vector<std::size_t> sizes;  ///< number of values of each column
};

Columns columns_of(const std::vector<Variant>& variants) {
  Columns columns;
  columns.rows.resize(variants.size());
  for (const auto& [name, first] : variants.front().axes) {
    std::map<Value, std::size_t> codes;
    for (const Variant& variant : variants) codes.emplace(variant.axes.at(name), codes.size());
    if (codes.size() < 2) continue;
    for (std::size_t i = 0; i < variants.size(); ++i)
      columns.rows[i].push_back(codes.at(variants[i].axes.at(name)));
    columns.sizes.push_back(codes.size());
  }
  return columns;
}

/// The pairs of values that each variant covers, as indices into one flat set. A column is paired
/// with itself too, so that a lone axis has each of its values covered.
std::vector<std::vector<std::size_t>> pairs_of(const Columns& columns, std::size_t* count) {
  std::vector<std::vector<std::size_t>> pairs(columns.rows.size());
  *count = 0;
  for (std::size_t a = 0; a < columns.sizes.size(); ++a) {
    for (std::size_t b = a; b < columns.sizes.size(); ++b) {
      for (std::size_t i = 0; i < columns.rows.size(); ++i)
        pairs[i].push_back(*count + columns.rows[i][a] * columns.sizes[b] + columns.rows[i][b]);
      *count += columns.sizes[a] * columns.sizes[b];
    }
  }
  return pairs;
}

/// Greedy: the first variant, then always the one that covers the most pairs that are still open,
/// the earlier of equals.
std::vector<std::size_t> cover_pairs(const std::vector<Variant>& variants) {
  std::size_t count = 0;
  const auto pairs = pairs_of(columns_of(variants), &count);
  std::vector<bool> covered(count, false);
  std::vector<std::size_t> taken;
  std::size_t next = 0;
  do {
    taken.push_back(next);
    for (const std::size_t pair : pairs[next]) covered[pair] = true;
    std::ptrdiff_t most = 0;
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const std::ptrdiff_t open = std::count_if(pairs[i].begin(), pairs[i].end(),
                                                [&](std::size_t pair) { return !covered[pair]; });
      if (open > most) {
        most = open;
        next = i;
      }
    }
    if (most == 0) break;
  } while (true);
  std::sort(taken.begin(), taken.end());
  return taken;
}

}  // namespace

std::vector<std::size_t> select_variants(const std::vector<Variant>& variants,
                                         const SpaceChoice& space) {
  if (variants.empty()) return {};
  if (space.kind == SpaceChoice::Kind::pairwise) return cover_pairs(variants);
  std::vector<std::size_t> taken;
  const std::size_t wanted = static_cast<std::size_t>(space.count);
  if (space.kind == SpaceChoice::Kind::full || wanted >= variants.size()) {
    taken.resize(variants.size());
    std::iota(taken.begin(), taken.end(), std::size_t{0});
    return taken;
  }
  for (std::size_t i = 0; i < wanted; ++i) taken.push_back(i * variants.size() / wanted);
  return taken;
}

}  // namespace fusetune
