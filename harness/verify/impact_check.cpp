#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "harness/verify/compare.hpp"
#include "harness/verify/further_checks.hpp"

namespace fusetune {

namespace {

bool has_results(const Pass& pass) {
  return std::any_of(pass.expected.begin(), pass.expected.end(),
                     [](const auto& image) { return !image.second.bytes.empty(); });
}

bool differ(const TensorImage& a, const TensorImage& b) {
  bool found = false;
  for_each_difference(a, b, [&found](std::int64_t) { found = true; });
  return found;
}

/// Other content for one input, from another call or pass. Nothing when all have the same.
std::optional<TensorImage> other_content(const PassSource& source, const std::string& input,
                                         const Pass& before) {
  const TensorImage& now = before.initial.at(input);
  for (const auto& [number, call] : {std::pair{0, 1}, {1, 0}}) {
    TensorImages images = source.initial(number, before.poison, call);
    if (differ(images.at(input), now)) return std::move(images.at(input));
  }
  return std::nullopt;
}

/// Changes one input of a pass; false when the results do not depend on it.
bool change(Bench& bench, const std::string& input, TensorImage content, Pass& pass) {
  const TensorImages before = std::move(pass.expected);
  pass.initial[input] = std::move(content);
  pass.expected.clear();
  pass.truths.clear();
  bench.source().expect(pass);
  return std::any_of(pass.expected.begin(), pass.expected.end(), [&before](const auto& image) {
    return differ(image.second, before.at(image.first));
  });
}

/// `pass` is that of the launches before. False when the device failed.
bool check_input(Bench& bench, const std::string& input, Pass& pass) {
  if (pass.initial.at(input).bytes.empty()) {
    bench.skip(fmt::format("input impact of {}: it has no elements in this case", input));
    return true;
  }
  std::optional<TensorImage> content = other_content(bench.source(), input, pass);
  if (!content) {
    bench.skip(fmt::format("input impact of {}: it holds the same in every pass", input));
    return true;
  }
  Findings found(bench.options().off);
  if (!change(bench, input, *std::move(content), pass)) {
    bench.findings().add(
        Check::input_impact, Status::verification_failed,
        {.tensor = input,
         .index = 0,
         .text = fmt::format("no result depends on input {}: the reference of {} gives the same "
                             "when all of it changes",
                             input, bench.which().geometry.family->name)});
    return true;
  }
  const Run run{&bench.arenas().at(Place::low), &pass.initial};
  std::vector<TensorImages> actual = bench.run({&run, 1}, 0, &found);
  const bool ran = !actual.empty();
  if (ran) {
    pass.actual = std::move(actual.front());
    bench.judge({&pass, 1}, nullptr, &found);
  }
  bench.findings().fold(found, Check::input_impact, "with other content of " + input + " alone");
  return ran;
}

}  // namespace

void check_input_impact(Bench& bench, const Pass& base) {
  if (!bench.source().varies) return bench.skip("input impact: the inputs are given");
  if (!has_results(base)) return;
  Pass pass = base;
  for (const TensorDecl* tensor : tensors_of(bench.which().geometry))
    if (tensor->role == Role::in && !check_input(bench, tensor->name, pass)) return;
}

}  // namespace fusetune
