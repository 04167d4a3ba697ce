#include "harness/tune/refresh.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "harness/base/error.hpp"
#include "harness/table/check_tables.hpp"
#include "harness/table/table.hpp"
#include "harness/tune/compile_stage.hpp"

namespace fusetune {

namespace {

/// Of each row, as its sources are now.
std::vector<std::string> present_hashes(const Table& table) {
  std::vector<std::string> hashes;
  for (const TableRow& row : table.rows)
    hashes.push_back(make_compile_request(row.geometry, row.variant, table.target).source_hash());
  return hashes;
}

/// The rows of a table that name other sources, as a plan: each variant of a geometry once.
class StalePlan {
 public:
  StalePlan(const Table& table, const std::vector<std::string>& hashes) {
    plan_.target = table.target;
    for (std::size_t i = 0; i < hashes.size(); ++i)
      if (hashes[i] != table.rows[i].source_hash) add(table.rows[i]);
  }

  const Plan& plan() const { return plan_; }
  bool empty() const { return plan_.geometries.empty(); }

  /// The compiled code of a row; nullptr where nothing compiles for the target.
  const CompiledUnit* unit(const CompileSummary& compiled, const TableRow& row) const {
    const std::size_t geometry = geometries_.at(row.geometry.key());
    const std::size_t variant = variants_.at({geometry, row.variant.key(*row.geometry.family)});
    return compiled.find(geometry, variant, plan_.target);
  }

 private:
  void add(const TableRow& row) {
    const auto [found, is_new] = geometries_.emplace(row.geometry.key(), plan_.geometries.size());
    if (is_new) plan_.geometries.emplace_back().geometry = row.geometry;
    PlannedGeometry& geometry = plan_.geometries[found->second];
    const std::string key = row.variant.key(*row.geometry.family);
    if (variants_.emplace(std::pair(found->second, key), geometry.variants.size()).second)
      geometry.variants.push_back(row.variant);
  }

  Plan plan_;
  std::map<std::string, std::size_t> geometries_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> variants_;
};

/// Why a row keeps its hash; "" where its code is the same.
std::string difference(const TableRow& row, const CompiledUnit* unit,
                       const CompileSummary& compiled, const Target& target) {
  const auto unavailable = compiled.unavailable.find(target.name);
  if (unavailable != compiled.unavailable.end())
    return fmt::format("nothing compiles for {}: {}", target.name, unavailable->second);
  if (unit == nullptr) return "it was not compiled";
  if (!unit->code.outcome.ok())
    return fmt::format("{}: {}", to_string(unit->code.outcome.status), unit->code.outcome.message);
  if (unit->code.code_identity == row.code_identity) return "";
  const std::string& compiler = compiled.compilers.at(target.name);
  if (compiler != row.provenance.compiler)
    return fmt::format("other code, by {} where the row's is by {}", compiler,
                       row.provenance.compiler);
  return "other code";
}

RefreshedTable refresh(Table table, Session& session) {
  RefreshedTable result;
  result.device = table.device;
  result.family = table.family->name;
  const std::vector<std::string> hashes = present_hashes(table);
  const StalePlan stale(table, hashes);
  CompileSummary compiled;
  if (!stale.empty()) compiled = compile_plan(stale.plan(), session, false);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    TableRow& row = table.rows[i];
    if (hashes[i] == row.source_hash) {
      ++result.current;
      continue;
    }
    const std::string why =
        difference(row, stale.unit(compiled, row), compiled, stale.plan().target);
    if (why.empty()) {
      row.source_hash = hashes[i];
      ++result.refreshed;
    } else {
      result.left.push_back(
          {row.geometry.key(), row.variant.key(*table.family), row.tuned_at, why});
    }
  }
  if (result.refreshed > 0) result.written = write_table(table, session.options.results);
  return result;
}

/// Of all tables those of one device and family ("": of any), each whole. Throws UserError.
std::vector<TableCheck> wanted_tables(const std::filesystem::path& results,
                                      const std::string& device, const std::string& family) {
  std::vector<TableCheck> wanted;
  std::set<std::string> devices, families;
  for (const TableCheck& check : check_tables(results)) {
    devices.insert(check.device);
    if (!device.empty() && check.device != device) continue;
    families.insert(check.family);
    if (!family.empty() && check.family != family) continue;
    for (const TableFile& file : check.files)
      if (!file.problem.empty())
        throw UserError(fmt::format("{}: {}", file.file.string(), file.problem));
    wanted.push_back(check);
  }
  const auto require = [](std::string_view what, const std::string& name,
                          const std::set<std::string>& known) {
    if (!name.empty() && known.count(name) == 0)
      throw UserError(unknown_name(what, name, {known.begin(), known.end()}));
  };
  require("device with tables", device, devices);
  require("family with a table", family, families);
  if (wanted.empty())
    throw UserError(
        fmt::format("there is no table below {}; fusetune tune writes them", results.string()));
  return wanted;
}

}  // namespace

std::vector<RefreshedTable> refresh_tables(Session& session, const std::string& device,
                                           const std::string& family) {
  std::vector<RefreshedTable> results;
  for (const TableCheck& check : wanted_tables(session.options.results, device, family))
    results.push_back(refresh(table_from_yaml(check.files.front().file), session));
  return results;
}

}  // namespace fusetune
