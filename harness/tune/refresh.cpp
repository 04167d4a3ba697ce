#include "harness/tune/refresh.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/base/error.hpp"
#include "harness/table/check_tables.hpp"
#include "harness/table/table.hpp"
#include "harness/tune/compile_stage.hpp"

namespace fusetune {

namespace {

std::string present_hash(const Table& table, const TableRow& row) {
  return make_compile_request(row.geometry, row.variant, table.target).source_hash();
}

/// The rows of a table that name other sources, as a plan: each variant of a geometry once.
class StalePlan {
 public:
  explicit StalePlan(const Table& table) {
    plan_.target = table.target;
    for (const TableRow& row : table.rows)
      if (present_hash(table, row) != row.source_hash) add(row);
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
  const StalePlan stale(table);
  CompileSummary compiled;
  if (!stale.empty()) compiled = compile_plan(stale.plan(), session, false);
  for (TableRow& row : table.rows) {
    const std::string hash = present_hash(table, row);
    if (hash == row.source_hash) {
      ++result.current;
      continue;
    }
    const std::string why =
        difference(row, stale.unit(compiled, row), compiled, stale.plan().target);
    if (why.empty()) {
      row.source_hash = hash;
      ++result.refreshed;
    } else {
      result.left.push_back(
          {row.geometry.key(), row.variant.key(*table.family), row.tuned_at, why});
    }
  }
  if (result.refreshed > 0) result.written = write_table(table, session.options.results);
  return result;
}

}  // namespace

std::vector<RefreshedTable> refresh_tables(Session& session, const std::string& device,
                                           const std::string& family) {
  std::vector<RefreshedTable> results;
  for (const TableCheck& check : check_tables(session.options.results)) {
    if (!device.empty() && check.device != device) continue;
    if (!family.empty() && check.family != family) continue;
    for (const TableFile& file : check.files)
      if (!file.problem.empty())
        throw UserError(fmt::format("{}: {}", file.file.string(), file.problem));
    results.push_back(refresh(table_from_yaml(check.files.front().file), session));
  }
  if (results.empty())
    throw UserError(fmt::format("{} has no such table; fusetune list tables prints them",
                                session.options.results.string()));
  return results;
}

}  // namespace fusetune
