#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "harness/base/mix.hpp"
#include "harness/verify/further_checks.hpp"

namespace fusetune {

namespace {

/// In the same memory, element lies on element.
bool fits(const TensorShape& out, const TensorShape& in) {
  return out.dims == in.dims && out.row_stride == in.row_stride &&
         size_bytes(out.dtype) == size_bytes(in.dtype);
}

/// The pairs that the geometry has, each alone; then as many of them as go together.
std::vector<Aliases> alias_modes(Bench& bench) {
  std::vector<Aliases> modes;
  Aliases together;
  std::vector<std::string> taken;
  for (const TensorDecl* out : tensors_of(bench.which().geometry))
    for (const std::string& name : out->may_alias) {
      if (!bench.which().geometry.has(name)) continue;
      const TensorShape shape = shape_of(bench.which(), *out);
      const TensorDecl* in = bench.which().geometry.family->find_tensor(name);
      if (shape.elements() == 0) continue;
      if (!fits(shape, shape_of(bench.which(), *in))) {
        bench.skip(fmt::format("{} in the memory of {}: their rows lie differently in this case",
                               out->name, name));
        continue;
      }
      modes.push_back({{out->name, name}});
      const bool free = std::find(taken.begin(), taken.end(), name) == taken.end();
      if (free && together.emplace(out->name, name).second) taken.push_back(name);
    }
  if (together.size() > 1) modes.push_back(std::move(together));
  return modes;
}

std::string words(const Aliases& aliases) {
  std::vector<std::string> pairs;
  for (const auto& [out, in] : aliases)
    pairs.push_back(fmt::format("{} in the memory of {}", out, in));
  return fmt::format("with {}", fmt::join(pairs, " and "));
}

}  // namespace

void check_aliases(Bench& bench, const Pass& base) {
  for (const Aliases& aliases : alias_modes(bench)) {
    Findings found(bench.options().off);
    const std::shared_ptr<Arena> arena =
        bench.exchange().arena(bench.which(), Place::low, mix64(bench.options().seed), aliases);
    const Run run{arena.get(), &base.initial};
    std::vector<TensorImages> actual = bench.run({&run, 1}, 0, &found);
    if (!actual.empty()) {
      Pass pass = base;
      pass.actual = std::move(actual.front());
      bench.judge({&pass, 1}, nullptr, &found);
    }
    bench.findings().fold(found, Check::alias, words(aliases));
    if (actual.empty()) return;
  }
}

}  // namespace fusetune
