#include "harness/tune/table_stage.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

std::filesystem::path table_file(const std::filesystem::path& results, const std::string& device,
                                 const Family& family) {
  return results / device / (family.name + ".yaml");
}

std::optional<Table> present_table(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    return table_from_yaml(file);
  } catch (const UserError&) {
    return std::nullopt;
  }
}

std::set<std::shared_ptr<const Family>> families_of(const Plan& plan) {
  std::set<std::shared_ptr<const Family>> families;
  for (const PlannedGeometry& geometry : plan.geometries) families.insert(geometry.geometry.family);
  return families;
}

/// Content of everything that a variant is compiled from.
std::string source_hash_of(const Geometry& geometry, const Variant& variant, const Target& target) {
  const CompileRequest request = make_compile_request(geometry, variant, target);
  std::string text = request.source.text;
  for (const SourceText& header : request.headers) text += "\n" + header.name + "\n" + header.text;
  return hash_hex(text);
}

std::int64_t launch_count(const Plan& plan, const Campaign& campaign, const Case& which,
                          const Variant& variant) {
  return static_cast<std::int64_t>(
      launches_of(which, variant, plan.target, campaign.device.facts).size());
}

std::int64_t workspace_bytes(const Plan& plan, const Campaign& campaign, const Case& which,
                             const Variant& variant) {
  const ImplementationDecl* implementation =
      which.geometry.family->find_implementation(variant.implementation);
  return implementation->workspace_bytes.eval_int(
      scope_of(which.geometry, &plan.target, &variant, &which, &campaign.device.facts));
}

class RowMaker {
 public:
  RowMaker(const Plan& plan, const Campaign& campaign) : plan_(plan), campaign_(campaign) {}

  TableRow row(const CaseRace& race) const {
    const PlannedGeometry& geometry = plan_.geometries[race.geometry];
    const Case& which = geometry.cases[race.planned_case].which;
    const std::size_t index = race.arms[static_cast<std::size_t>(race.choice.arm)];
    TableRow row;
    row.geometry = geometry.geometry;
    row.tuned_at = which.rows();
    row.variant = geometry.variants[index];
    row.is_default = race.choice.is_default;
    const CompiledUnit* unit = campaign_.compiled.find(race.geometry, index, plan_.target);
    row.code_identity = unit->code.code_identity;
    row.source_hash = source_hash_of(row.geometry, row.variant, plan_.target);
    row.certificate = certificate(race, which, index);
    row.provenance = provenance(race);
    return row;
  }

  Provenance provenance(const CaseRace& race) const {
    Provenance provenance;
    provenance.harness_version = harness_version();
    provenance.compiler = campaign_.compiled.compilers.at(plan_.target.name);
    provenance.sweep = plan_.sweep.name;
    provenance.data = race.result.data;
    provenance.conditions = campaign_.device.conditions;
    return provenance;
  }

 private:
  Certificate certificate(const CaseRace& race, const Case& which, std::size_t index) const {
    const PlannedGeometry& geometry = plan_.geometries[race.geometry];
    const Family& family = *geometry.geometry.family;
    const ArmVerdict& verdict = race.choice.verdict(race.choice.arm);
    Certificate c;
    c.samples = verdict.summary.samples;
    c.epochs = verdict.summary.epochs;
    c.median_us = verdict.summary.median_us;
    c.low_us = verdict.summary.low_us;
    c.high_us = verdict.summary.high_us;
    c.spread_percent = verdict.summary.spread_percent;
    c.versus_baseline = verdict.over_baseline.mid;
    c.versus_low = verdict.over_baseline.low;
    c.versus_high = verdict.over_baseline.high;
    for (const std::int32_t arm : race.choice.tie_set)
      c.tie_set.push_back(geometry.variants[race.arms[static_cast<std::size_t>(arm)]].key(family));
    std::sort(c.tie_set.begin(), c.tie_set.end());
    c.candidates = static_cast<std::int64_t>(race.arms.size());
    c.launches = launch_count(plan_, campaign_, which, geometry.variants[index]);
    c.workspace_bytes = workspace_bytes(plan_, campaign_, which, geometry.variants[index]);
    for (const std::size_t v : race.arms) {
      if (geometry.variants[v].implementation != family.baseline) continue;
      c.baseline_launches = launch_count(plan_, campaign_, which, geometry.variants[v]);
      c.baseline_workspace_bytes = workspace_bytes(plan_, campaign_, which, geometry.variants[v]);
    }
    const ProvedVariant* proved = campaign_.proofs.find(race.geometry, index);
    c.proofs = proved->cases;
    c.proved_on = plan_.target.name + " fast";
    return c;
  }

  const Plan& plan_;
  const Campaign& campaign_;
};

/// Cases of one geometry by row count; of several with equal rows the heaviest, then the first,
/// speaks for the row.
std::map<std::int64_t, const CaseRace*> races_by_rows(const Plan& plan, const Campaign& campaign,
                                                      std::size_t geometry) {
  std::map<std::int64_t, const CaseRace*> by_rows;
  const auto& cases = plan.geometries[geometry].cases;
  for (const CaseRace& race : campaign.races.races) {
    if (race.geometry != geometry || !race.result.outcome.ok()) continue;
    const CaseRace*& chosen = by_rows[cases[race.planned_case].which.rows()];
    if (chosen == nullptr || cases[race.planned_case].weight > cases[chosen->planned_case].weight)
      chosen = &race;
  }
  return by_rows;
}

}  // namespace

Incumbents incumbents_of(const Plan& plan, const DeviceProperties& device,
                         const std::filesystem::path& results) {
  Incumbents incumbents;
  for (const auto& family : families_of(plan)) {
    const std::optional<Table> table = present_table(table_file(results, device.name, *family));
    if (!table) continue;
    for (const TableRow& row : table->rows)
      if (!row.is_default)
        incumbents[{row.geometry.key(), row.tuned_at}] = row.variant.key(*family);
  }
  return incumbents;
}

ProofSummary prove_large_finalists(const Plan& plan, Campaign& campaign, Session& session) {
  std::vector<Finalist> finalists;
  std::vector<CaseRace*> races;
  for (CaseRace& race : campaign.races.races) {
    if (!race.result.outcome.ok()) continue;
    const Case& which = plan.geometries[race.geometry].cases[race.planned_case].which;
    if (is_proved_at_own_shape(which, session.options)) continue;
    finalists.push_back(
        {race.geometry, race.arms[static_cast<std::size_t>(race.choice.arm)], which});
    races.push_back(&race);
  }
  if (finalists.empty()) return {};
  ProofSummary summary =
      prove_finalists(plan, campaign.compiled, finalists, campaign.device, session);
  for (std::size_t i = 0; i < finalists.size(); ++i)
    if (const Outcome& outcome = summary.variants[i].outcome; !outcome.ok())
      races[i]->result.outcome = outcome;
  return summary;
}

std::vector<Table> tables_of(const Plan& plan, const Campaign& campaign,
                             const std::filesystem::path& results) {
  std::vector<Table> tables;
  const RowMaker maker(plan, campaign);
  for (const auto& family : families_of(plan)) {
    Table table;
    table.family = family;
    table.device = campaign.device.name;
    table.target = plan.target;
    table.facts = campaign.device.facts;
    std::set<std::string> touched;
    for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
      if (plan.geometries[g].geometry.family != family) continue;
      std::int64_t low = 0;
      for (const auto& [rows, race] : races_by_rows(plan, campaign, g)) {
        TableRow row = maker.row(*race);
        row.rows_low = low;
        row.rows_high = rows;
        low = rows + 1;
        touched.insert(row.geometry.key());
        table.rows.push_back(std::move(row));
      }
    }
    if (const auto present = present_table(table_file(results, table.device, *family)); present)
      for (const TableRow& row : present->rows)
        if (touched.count(row.geometry.key()) == 0) table.rows.push_back(row);
    if (table.rows.empty()) continue;
    normalise(table);
    tables.push_back(std::move(table));
  }
  std::sort(tables.begin(), tables.end(),
            [](const Table& a, const Table& b) { return a.family->name < b.family->name; });
  return tables;
}

}  // namespace fusetune
