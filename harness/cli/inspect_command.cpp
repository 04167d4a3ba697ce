#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/traffic_text.hpp"
#include "harness/cli/variant_legend.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/traffic_stage.hpp"

namespace fusetune {

namespace {

std::string known(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "-";
}

/// "16:4 2:1": four instructions of 16 bytes per lane, one of 2.
std::string widths(const std::vector<std::pair<std::int64_t, std::int64_t>>& counts) {
  std::vector<std::string> parts;
  for (auto it = counts.rbegin(); it != counts.rend(); ++it)
    parts.push_back(fmt::format("{}:{}", it->first, it->second));
  return parts.empty() ? "-" : fmt::format("{}", fmt::join(parts, " "));
}

std::string spills(const KernelFacts& kernel) {
  if (!kernel.vgpr_spills && !kernel.sgpr_spills) return "-";
  return fmt::format("{}", kernel.vgpr_spills.value_or(0) + kernel.sgpr_spills.value_or(0));
}

Plan plan_for(const InspectOptions& options, const Target& target) {
  // Planning needs a device; the variants are then compiled for the asked target alone.
  const std::string device = target.wave_size == 32 ? "host-w32" : "host-w64";
  Plan plan;
  if (!options.case_key.empty()) {
    if (!options.family.empty()) throw UserError("--case says its family itself: give one of them");
    require_no_shapes(options.selection, options.case_key);
    plan = plan_of_case(parse_case_key(options.case_key), options.selection, device);
  } else {
    if (options.family.empty()) throw UserError("say what to inspect: --family NAME or --case KEY");
    SelectionOptions selection = options.selection;
    if (selection.models.empty() && selection.options.empty()) selection.models = {"all"};
    plan = make_plan(sweep_of_selection(options.family, selection, device), Models::load_default(),
                     target);
    if (!selection.variant.empty()) keep_variant(plan, selection.variant);
  }
  plan.target = target;
  return plan;
}

void add_rows(const Plan& plan, const CompiledUnit& unit, TextTable& table, VariantLegend& legend,
              VariantLegend& entries) {
  const PlannedGeometry& geometry = plan.geometries[unit.geometry];
  const std::string key =
      legend.number(geometry.variants[unit.variant].key(*geometry.geometry.family));
  if (!unit.code.outcome.ok()) {
    table.add({key, std::string(to_string(unit.code.outcome.status))});
    return;
  }
  for (const KernelFacts& kernel : unit.code.facts.kernels)
    table.add({key, entries.number(kernel.entry), known(kernel.vgpr), known(kernel.agpr),
               known(kernel.sgpr), spills(kernel), known(kernel.scratch_bytes),
               known(kernel.lds_bytes), known(kernel.kernarg_bytes), known(kernel.code_bytes),
               known(kernel.occupancy_waves), widths(kernel.global_loads),
               widths(kernel.global_stores)});
}

struct Totals {
  std::int64_t kernels = 0;
  std::int64_t with_spills = 0;
  std::int64_t with_scratch = 0;
};

Totals totals_of(const CompileSummary& compiled) {
  Totals totals;
  for (const CompiledUnit& unit : compiled.units)
    for (const KernelFacts& kernel : unit.code.facts.kernels) {
      ++totals.kernels;
      if (kernel.vgpr_spills.value_or(0) + kernel.sgpr_spills.value_or(0) > 0) ++totals.with_spills;
      if (kernel.scratch_bytes.value_or(0) > 0) ++totals.with_scratch;
    }
  return totals;
}

Json inspect_json(const Plan& plan, const CompileSummary& compiled, const TrafficSummary& traffic) {
  Json units = Json::array();
  for (const CompiledUnit& unit : compiled.units) {
    const PlannedGeometry& geometry = plan.geometries[unit.geometry];
    units.push_back({{"geometry", geometry.geometry.key()},
                     {"variant", geometry.variants[unit.variant].key(*geometry.geometry.family)},
                     {"status", std::string(to_string(unit.code.outcome.status))},
                     {"message", unit.code.outcome.message},
                     {"code_identity", unit.code.code_identity},
                     {"compile_ms", unit.code.compile_ms},
                     {"facts", to_json(unit.code.facts)}});
    if (Json traced = traffic_json(traffic, unit.geometry, unit.variant); !traced.is_null())
      units.back()["traffic"] = std::move(traced);
  }
  return Json{{"target", plan.target.name},
              {"unavailable", compiled.unavailable},
              {"units", std::move(units)}};
}

/// Where a trace tells more than the code object does. One variant is shown line by line.
void print_traffic(const Plan& plan, const TrafficSummary& traffic) {
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    VariantLegend legend;
    VariantLegend entries("k");
    const std::string table = traffic_table(plan, traffic, g, legend, entries);
    const auto of_geometry = [g](const TracedVariant& one) { return one.geometry == g; };
    const auto first = std::find_if(traffic.variants.begin(), traffic.variants.end(), of_geometry);
    if (first == traffic.variants.end()) continue;
    fmt::print("{}\ntraced on {} with {} {}\n{}{}{}", short_key(plan.geometries[g].geometry),
               plan.target.name, traffic.cases[g].rows(), traffic.cases[g].geometry.family->rows,
               table, entries.text(), legend.text());
    if (std::count_if(traffic.variants.begin(), traffic.variants.end(), of_geometry) == 1)
      fmt::print("\n{}", lines_table(traffic, g, first->variant));
    fmt::print("\n");
  }
  for (const TracedVariant& one : traffic.variants)
    if (!one.outcome.ok()) {
      fmt::print("{}", wrapped(fmt::format("not traced: {}: {}", to_string(one.outcome.status),
                                           one.outcome.message),
                               2));
      break;
    }
}

void print_code(const Plan& plan, const CompileSummary& compiled) {
  using Align = TextTable::Align;
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    TextTable table(
        {"variant", "entry", "VGPR", "AGPR", "SGPR", "spill", "scratch", "LDS", "kernarg", "code",
         "waves", "loads", "stores"},
        {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right,
         Align::right, Align::right, Align::right, Align::right, Align::right});
    VariantLegend legend;
    VariantLegend entries("k");
    for (const CompiledUnit& unit : compiled.units)
      if (unit.geometry == g) add_rows(plan, unit, table, legend, entries);
    fmt::print("{}\nfor {}\n{}{}{}\n", short_key(plan.geometries[g].geometry), plan.target.name,
               table.text(kLineWidth), entries.text(), legend.text());
  }
}

void print_inspect(const Plan& plan, const CompileSummary& compiled, const TrafficSummary& traffic,
                   bool whole_log) {
  // A code object for the host tells nothing of registers; its trace tells more.
  const bool traced = !traffic.variants.empty();
  if (traced)
    print_traffic(plan, traffic);
  else
    print_code(plan, compiled);
  for (const CompiledUnit& unit : compiled.units)
    if (!unit.code.outcome.ok()) {
      fmt::print("{}", wrapped(fmt::format("{}: {}", to_string(unit.code.outcome.status),
                                           unit.code.outcome.message),
                               2));
      if (whole_log) fmt::print("{}\n", unit.code.log);
      break;
    }
  const Totals totals = totals_of(compiled);
  fmt::print("{}", wrapped(fmt::format("{} with {}: {} with spills, {} with scratch",
                                       counted(totals.kernels, "kernel"),
                                       compiled.compilers.at(plan.target.name), totals.with_spills,
                                       totals.with_scratch),
                           2));
  if (traced)
    fmt::print("{}", traffic_notes());
  else
    fmt::print(
        "loads and stores: bytes per lane and how many such instructions; waves: per SIMD\n");
}

ExitCode exit_code_of(const CompileSummary& compiled, const TrafficSummary& traffic) {
  ExitCode worst = compiled.unavailable.empty() ? ExitCode::pass : ExitCode::unusable;
  for (const CompiledUnit& unit : compiled.units)
    worst = worst_of(worst, fusetune::exit_code_of(unit.code.outcome.status));
  for (const TracedVariant& one : traffic.variants)
    worst = worst_of(worst, fusetune::exit_code_of(one.outcome.status));
  return worst;
}

}  // namespace

ExitCode inspect_command(const GlobalOptions& global, const InspectOptions& options) {
  const Target target = parse_target(options.target);
  const Plan plan = plan_for(options, target);
  RunSession run(global, "inspect");
  const CompileSummary compiled = compile_plan(plan, run.session());
  TrafficSummary traffic;
  if (target.platform == Platform::host && !interrupted())
    traffic = trace_plan(plan, compiled, device_properties(plan.sweep.device), run.session());
  if (global.json) fmt::print("{}\n", inspect_json(plan, compiled, traffic).dump(2));
  for (const auto& [name, why] : compiled.unavailable)
    fmt::print(stderr, "{}",
               wrapped(fmt::format("error: nothing compiled for {}: {}", name, why), 2));
  if (!global.json && compiled.unavailable.empty())
    print_inspect(plan, compiled, traffic, options.log);
  return interrupted() ? ExitCode::interrupted : exit_code_of(compiled, traffic);
}

}  // namespace fusetune
