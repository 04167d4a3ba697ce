// The same table for Python users: rows with their launches as expressions, in JSON and as text.

#include "harness/table/table.hpp"

namespace fusetune {

namespace {

Json expression(const Expr& expr) { return {{"python", expr.python()}, {"tree", expr.json()}}; }

Json expressions(const std::vector<Expr>& exprs) {
  Json list = Json::array();
  for (const Expr& expr : exprs) list.push_back(expression(expr));
  return list;
}

Json launch_json(const LaunchDecl& launch) {
  Json json{{"entry", launch.entry},
            {"grid", expressions(launch.grid)},
            {"block", expressions(launch.block)},
            {"lds_bytes", expression(launch.lds_bytes)}};
  if (launch.when) json["when"] = expression(*launch.when);
  return json;
}

Json implementations_json(const Family& family) {
  Json json = Json::object();
  for (const ImplementationDecl& one : family.implementations) {
    Json launches = Json::array();
    for (const LaunchDecl& launch : one.launches) launches.push_back(launch_json(launch));
    json[one.name] = {{"launches", launches}, {"source", one.source.filename().string()}};
  }
  return json;
}

Json bindings_json(const Bindings& bindings) {
  Json json = Json::object();
  for (const auto& [name, value] : bindings) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
      json[name] = *number;
    else
      json[name] = to_string(value);
  }
  return json;
}

Json geometry_json(const Geometry& geometry) {
  Json dtypes = Json::object();
  for (const auto& [name, dtype] : geometry.dtypes) dtypes[name] = to_string(dtype);
  return {{"key", geometry.key()},
          {"statics", bindings_json(geometry.statics)},
          {"dtypes", dtypes},
          {"align_bytes", geometry.align_bytes}};
}

Json known(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json known(const std::optional<SearchNote>& search) {
  if (!search) return {};
  return {{"strategy", search->strategy},
          {"seed", search->seed},
          {"tried", search->tried},
          {"variants", search->variants}};
}

Json certificate_json(const Certificate& c) {
  return {{"samples", c.samples},
          {"epochs", c.epochs},
          {"median_us", c.median_us},
          {"low_us", c.low_us},
          {"high_us", c.high_us},
          {"spread_percent", c.spread_percent},
          {"versus_baseline", c.versus_baseline},
          {"versus_low", c.versus_low},
          {"versus_high", c.versus_high},
          {"regret_percent", known(c.regret_percent)},
          {"flip_probability", known(c.flip_probability)},
          {"tie_set", c.tie_set},
          {"candidates", c.candidates},
          {"launches", c.launches},
          {"baseline_launches", c.baseline_launches},
          {"workspace_bytes", c.workspace_bytes},
          {"baseline_workspace_bytes", c.baseline_workspace_bytes},
          {"proved_on", c.proved_on},
          {"proofs", c.proofs},
          {"batch_class", c.batch_class},
          {"search", known(c.search)}};
}

Json row_json(const Table& table, const TableRow& row) {
  Json defines = Json::object();
  for (const auto& [name, value] : macros_of(row.geometry, row.variant, table.target))
    defines[name] = value;
  return {{"geometry", geometry_json(row.geometry)},
          {"rows_low", row.rows_low},
          {"rows_high", row.rows_high},
          {"tuned_at", row.tuned_at},
          {"implementation", row.variant.implementation},
          {"variant", row.variant.key(*table.family)},
          {"axes", bindings_json(row.variant.axes)},
          {"is_default", row.is_default},
          {"defines", defines},
          {"code_identity", row.code_identity},
          {"source_hash", row.source_hash},
          {"provenance",
           {{"harness_version", row.provenance.harness_version},
            {"compiler", row.provenance.compiler},
            {"sweep", row.provenance.sweep},
            {"data", row.provenance.data},
            {"conditions", row.provenance.conditions}}},
          {"certificate", certificate_json(row.certificate)}};
}

Json derived_json(const Family& family) {
  Json list = Json::array();  // in order: later ones use earlier ones
  for (const auto& [name, expr] : family.derived) {
    Json entry = expression(expr);
    entry["name"] = name;
    list.push_back(entry);
  }
  return list;
}

}  // namespace

Json to_json(const Table& unsorted) {
  Table table = unsorted;
  normalise(table);
  const Family& family = *table.family;
  Json supports = Json::array();
  for (const RuleDecl& rule : family.supports) {
    Json entry = expression(rule.rule);
    entry["reason"] = rule.reason;
    supports.push_back(entry);
  }
  Json rows = Json::array();
  for (const TableRow& row : table.rows) rows.push_back(row_json(table, row));
  return {{"format", 1},
          {"family", family.name},
          {"rows_symbol", family.rows},
          {"device", table.device},
          {"target", table.target.name},
          {"timed_on_host", table.target.platform == Platform::host},
          {"facts",
           {{"cu_count", table.facts.cu_count},
            {"lds_bytes_max", table.facts.lds_bytes_max},
            {"block_threads_max", table.facts.block_threads_max},
            {"wave_size", table.target.wave_size}}},
          {"baseline", family.baseline},
          {"derived", derived_json(family)},
          {"implementations", implementations_json(family)},
          {"supports", supports},
          {"rows", rows}};
}

}  // namespace fusetune
