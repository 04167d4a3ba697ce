// Sweeps: errors have their place, and what parses can be planned or says why not.

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune::fuzz {

namespace {

/// Planning is meant to be large for a large sweep; such inputs only cost time here.
bool is_small(const Sweep& sweep) {
  std::size_t values = 0;
  for (const SweepEntry& entry : sweep.entries) {
    values += entry.models.size() + entry.symbols.size() + entry.tokens.size();
    for (const auto* lists : {&entry.runtime, &entry.row_strides})
      for (const auto& [name, list] : *lists) values += list.size();
    for (const auto& [name, list] : entry.axes) values += list.size();
  }
  return values <= 16;
}

}  // namespace

void run(std::string_view input) {
  // Files that it names are looked for in a folder that there is not.
  const std::string file = "/nowhere/sweep.yaml";
  static const Models models = Models::load_default();
  static const Target target = parse_target("host-w64");
  Sweep sweep;
  try {
    sweep = parse_sweep(input, file);
  } catch (const UserError& error) {
    const std::string message = error.what();
    // Of the family that it names by path.
    if (!message.starts_with("cannot read")) require_place(message, file);
    return;
  }
  if (!is_small(sweep)) return;
  try {
    make_plan(sweep, models, target);
  } catch (const UserError&) {
    // Nothing is left, or a rule of the family.
  }
}

}  // namespace fusetune::fuzz
