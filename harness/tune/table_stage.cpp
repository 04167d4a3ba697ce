#include "harness/tune/table_stage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/tune/certificate_figures.hpp"
#include "harness/tune/finalist_stage.hpp"

namespace fusetune {

namespace {

std::filesystem::path table_file(const std::filesystem::path& results, const std::string& device,
                                 const Family& family) {
  return results / device / (family.name + ".yaml");
}

std::set<std::shared_ptr<const Family>> families_of(const Plan& plan) {
  std::set<std::shared_ptr<const Family>> families;
  for (const PlannedGeometry& geometry : plan.geometries) families.insert(geometry.geometry.family);
  return families;
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
    row.source_hash = make_compile_request(row.geometry, row.variant, plan_.target).source_hash();
    row.certificate = certificate(race, which, index);
    row.provenance = provenance_of(race.provenance, race.result.data);
    return row;
  }

 private:
  Certificate certificate(const CaseRace& race, const Case& which, std::size_t index) const {
    const PlannedGeometry& geometry = plan_.geometries[race.geometry];
    const Family& family = *geometry.geometry.family;
    std::vector<std::string> arms;
    for (const std::size_t v : race.arms) arms.push_back(geometry.variants[v].key(family));
    Certificate c = certificate_of(race.choice, arms, true);
    c.launches = launch_count(plan_, campaign_, which, geometry.variants[index]);
    c.workspace_bytes = workspace_bytes(plan_, campaign_, which, geometry.variants[index]);
    for (const std::size_t v : race.arms) {
      if (geometry.variants[v].implementation != family.baseline) continue;
      c.baseline_launches = launch_count(plan_, campaign_, which, geometry.variants[v]);
      c.baseline_workspace_bytes = workspace_bytes(plan_, campaign_, which, geometry.variants[v]);
    }
    const ProvedVariant* proved = campaign_.proofs.find(race.geometry, index);
    c.proofs = proved->cases;
    c.proved_on = plan_.target.name + " " + proved->modes();
    if (family.has_captured_truth()) c.proved_on += ", at captured cases alone";
    c.batch_class = race.batch_class;
    if (geometry.searched)
      c.search = {std::string(to_string(geometry.searched->choice.strategy)),
                  geometry.searched->choice.seed, geometry.searched->tried,
                  geometry.searched->variants};
    return c;
  }

  const Plan& plan_;
  const Campaign& campaign_;
};

/// Cases of one geometry by row count. Of several with equal rows the plainest speaks for the row:
/// symbols at their defaults and dense rows, which are left out of its key; then the heaviest.
std::map<std::int64_t, const CaseRace*> races_by_rows(const Plan& plan, const Campaign& campaign,
                                                      std::size_t geometry) {
  std::map<std::int64_t, const CaseRace*> by_rows;
  const auto& cases = plan.geometries[geometry].cases;
  const auto rank = [&cases](const CaseRace& race) {
    const PlannedCase& planned = cases[race.planned_case];
    return std::pair(planned.which.key().size(), -planned.weight);
  };
  for (const CaseRace& race : campaign.races.races) {
    if (race.geometry != geometry || !race.result.outcome.ok()) continue;
    const CaseRace*& chosen = by_rows[cases[race.planned_case].which.rows()];
    if (chosen == nullptr || rank(race) < rank(*chosen)) chosen = &race;
  }
  return by_rows;
}

/// Adds what the present table knows of row counts that were not tuned now.
void keep_present_rows(const Table& present, Table& table) {
  std::set<std::pair<std::string, std::int64_t>> tuned;
  std::map<std::string, std::string> sources;  // geometry -> source of its new rows
  std::map<std::string, std::string> classes;  // geometry -> class of equal bits, where asked for
  for (const TableRow& row : table.rows) {
    tuned.emplace(row.geometry.key(), row.tuned_at);
    if (!row.certificate.batch_class.empty())
      classes.emplace(row.geometry.key(), row.certificate.batch_class);
    if (!row.is_default) sources.emplace(row.geometry.key(), row.source_hash);
  }
  for (const TableRow& row : present.rows) {
    const std::string key = row.geometry.key();
    if (tuned.count({key, row.tuned_at}) != 0) continue;
    const auto source = sources.find(key);
    if (!row.is_default && source != sources.end() && source->second != row.source_hash) continue;
    // Other bits between two row counts are what the sweep asked to be spared.
    const auto batch_class = classes.find(key);
    if (batch_class != classes.end() && batch_class->second != row.certificate.batch_class)
      continue;
    table.rows.push_back(row);
  }
}

/// Each row answers from the one below it up to its own row count.
void set_intervals(Table& table) {
  std::sort(table.rows.begin(), table.rows.end(), [](const TableRow& a, const TableRow& b) {
    return std::pair(a.geometry.key(), a.tuned_at) < std::pair(b.geometry.key(), b.tuned_at);
  });
  const TableRow* below = nullptr;
  for (TableRow& row : table.rows) {
    const bool first = below == nullptr || below->geometry.key() != row.geometry.key();
    row.rows_low = first ? 0 : below->rows_high + 1;
    row.rows_high = row.tuned_at;
    below = &row;
  }
}

}  // namespace

void require_writable_results(const DeviceProperties& device,
                              const std::filesystem::path& results) {
  namespace fs = std::filesystem;
  const fs::path folder = results / device.name;
  // Nothing is made to try: a campaign that decides nothing leaves nothing behind, and another one
  // may be about to make the same folder.
  std::error_code error;
  fs::path present = fs::absolute(folder);
  while (!fs::exists(present, error)) present = present.parent_path();
  error.clear();
  if (!fs::is_directory(present, error))
    error = std::make_error_code(std::errc::not_a_directory);
  else if (::access(present.c_str(), W_OK | X_OK) != 0)
    error = std::error_code(errno, std::generic_category());
  if (error)
    throw UserError(
        fmt::format("cannot write tables to the folder {}: {}; give another with --results",
                    folder.string(), error.message()));
}

Tables present_tables(const Plan& plan, const DeviceProperties& device,
                      const std::filesystem::path& results) {
  Tables tables;
  for (const auto& family : families_of(plan)) {
    const std::filesystem::path file = table_file(results, device.name, *family);
    if (std::filesystem::exists(file)) tables.emplace(family->name, table_from_yaml(file));
  }
  return tables;
}

Incumbents incumbents_of(const Tables& tables) {
  Incumbents incumbents;
  for (const auto& [family, table] : tables)
    for (const TableRow& row : table.rows)
      if (!row.is_default)
        incumbents[{row.geometry.key(), row.tuned_at}] = row.variant.key(*table.family);
  return incumbents;
}

namespace {

bool is_baseline_arm(const PlannedGeometry& geometry, std::size_t variant) {
  return geometry.variants[variant].implementation == geometry.geometry.family->baseline;
}

/// The baseline in place of a winner that is wrong at this shape: what is known of the winner says
/// nothing of it.
void choose_baseline(const PlannedGeometry& geometry, CaseRace& race) {
  for (std::size_t a = 0; a < race.arms.size(); ++a)
    if (is_baseline_arm(geometry, race.arms[a])) race.choice.arm = static_cast<std::int32_t>(a);
  race.choice.is_default = true;
  race.choice.instead_of = -1;
  race.choice.tie_set.clear();
  race.choice.regret = std::numeric_limits<double>::infinity();
  race.choice.flip_probability = std::numeric_limits<double>::quiet_NaN();
  race.choice.reason = "the winner failed its proof at this shape";
  if (!race.batch_class.empty() &&
      race.classes[static_cast<std::size_t>(race.choice.arm)] != race.batch_class)
    race.result.outcome = {Status::skipped,
                           "the winner failed its proof at this shape, and the baseline gives a "
                           "row other bits"};
}

/// What an arm that failed its proof at the case's own shape leaves of the choice. A shared kernel
/// leaves what the case chose by itself, unless that has failed as well.
void take_back(const PlannedGeometry& geometry, std::int32_t arm, CaseRace& race) {
  if (is_baseline_arm(geometry, race.arms[static_cast<std::size_t>(arm)])) {
    race.result.outcome = {Status::skipped, "the baseline failed its proof: no row without it"};
    return;
  }
  std::erase(race.choice.tie_set, arm);
  if (race.own_choice) std::erase(race.own_choice->tie_set, arm);
  const bool own_failed = race.own_choice && race.own_choice->arm == arm;
  const bool was_chosen = arm == race.choice.arm;
  if (was_chosen && race.own_choice && !own_failed)
    race.choice = std::move(*race.own_choice);
  else if (was_chosen)
    choose_baseline(geometry, race);
  if (was_chosen || own_failed) race.own_choice.reset();
}

}  // namespace

void prove_large_finalists(const Plan& plan, Campaign& campaign, Session& session) {
  std::vector<Finalist> finalists;
  std::vector<std::pair<CaseRace*, std::int32_t>> of;  // whose, and which arm
  for (CaseRace& race : campaign.races.races) {
    if (!race.result.outcome.ok()) continue;
    const PlannedGeometry& geometry = plan.geometries[race.geometry];
    const Case& which = geometry.cases[race.planned_case].which;
    // What is captured was proved before; there is nothing to prove other shapes with.
    if (is_proved_at_own_shape(which, session.options) ||
        which.geometry.family->has_captured_truth())
      continue;
    for (std::size_t a = 0; a < race.arms.size(); ++a) {
      const auto arm = static_cast<std::int32_t>(a);
      const bool baseline = is_baseline_arm(geometry, race.arms[a]);
      const bool own = race.own_choice && arm == race.own_choice->arm;
      if (arm != race.choice.arm && !own && !baseline) continue;
      finalists.push_back({race.geometry, race.arms[a], which});
      of.emplace_back(&race, arm);
    }
  }
  if (finalists.empty()) return;
  const ProofSummary summary =
      prove_finalists(plan, campaign.compiled, finalists, campaign.device, session);
  campaign.proofs.proved += summary.proved;
  campaign.proofs.reused += summary.reused;
  for (std::size_t i = 0; i < finalists.size(); ++i) {
    const Outcome& outcome = summary.variants[i].outcome;
    auto& [race, arm] = of[i];
    if (outcome.ok()) continue;
    race->result.disproved.push_back({arm, outcome});
    take_back(plan.geometries[race->geometry], arm, *race);
  }
}

std::vector<Table> tables_of(const Plan& plan, const Campaign& campaign, const Tables& present) {
  std::vector<Table> tables;
  const RowMaker maker(plan, campaign);
  for (const auto& family : families_of(plan)) {
    Table table;
    table.family = family;
    table.device = campaign.device.name;
    table.target = plan.target;
    table.facts = campaign.device.facts;
    for (std::size_t g = 0; g < plan.geometries.size(); ++g)
      if (plan.geometries[g].geometry.family == family)
        for (const auto& [rows, race] : races_by_rows(plan, campaign, g))
          table.rows.push_back(maker.row(*race));
    if (table.rows.empty()) continue;
    if (const auto old = present.find(family->name); old != present.end())
      keep_present_rows(old->second, table);
    set_intervals(table);
    normalise(table);
    tables.push_back(std::move(table));
  }
  std::sort(tables.begin(), tables.end(),
            [](const Table& a, const Table& b) { return a.family->name < b.family->name; });
  return tables;
}

}  // namespace fusetune
