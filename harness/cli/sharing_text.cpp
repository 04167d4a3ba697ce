#include "harness/cli/sharing_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/cli/terminal.hpp"

namespace fusetune {

std::string sharing_text(const PlannedGeometry& geometry,
                         const std::vector<const CaseRace*>& races) {
  const auto variant_of = [](const CaseRace& race, std::int32_t arm) {
    return race.arms[static_cast<std::size_t>(arm)];
  };
  std::set<std::size_t> kernels, own;
  std::int64_t rows = 0;
  double price = 0;
  bool shared = false;
  for (const CaseRace* race : races) {
    if (!race->result.outcome.ok() || race->choice.is_default) continue;
    const Choice& choice = race->choice;
    ++rows;
    kernels.insert(variant_of(*race, choice.arm));
    own.insert(variant_of(*race, choice.instead_of >= 0 ? choice.instead_of : choice.arm));
    if (choice.instead_of < 0) continue;
    shared = true;
    price = std::max(price, choice.regret);
  }
  if (!shared) return "";
  return wrapped(fmt::format("  {} for {} of {}, where each its own would be {}: at most {:.1f} % "
                             "slower than the fastest",
                             counted(std::ssize(kernels), "kernel"), counted(rows, "count"),
                             geometry.geometry.family->rows, own.size(), 100 * price),
                 4);
}

}  // namespace fusetune
