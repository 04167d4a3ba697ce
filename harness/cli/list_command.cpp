#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/summary.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/spec/models.hpp"
#include "harness/table/check_tables.hpp"

namespace fusetune {

namespace {

Json families_json() {
  Json list = Json::array();
  for (const std::string& name : family_names()) {
    const auto family = find_family(name);
    Json axes = Json::object();
    for (const AxisDecl& axis : family->axes)
      for (const Value& value : axis.values) axes[axis.name].push_back(to_string(value));
    Json options = Json::object();
    for (const OptionDecl& option : family->options) options[option.name] = option.values;
    Json implementations = Json::array();
    for (const ImplementationDecl& implementation : family->implementations)
      implementations.push_back(implementation.name);
    list.push_back({{"family", name},
                    {"summary", family->summary},
                    {"axes", std::move(axes)},
                    {"options", std::move(options)},
                    {"implementations", std::move(implementations)}});
  }
  return list;
}

void print_names(const std::string& what, const Json& names) {
  fmt::print("{}", wrapped(fmt::format("  {}: {}", what,
                                       fmt::join(names.get<std::vector<std::string>>(), ", ")),
                           4));
}

void print_families() {
  for (const Json& family : families_json()) {
    fmt::print("{}", wrapped(fmt::format("{}: {}", family["family"].get<std::string>(),
                                         family["summary"].get<std::string>()),
                             2));
    print_names("implementations", family["implementations"]);
    for (const auto& [name, values] : family["options"].items())
      print_names("option " + name, values);
    for (const auto& [name, values] : family["axes"].items()) print_names("axis " + name, values);
  }
}

void print_models() {
  const Models models = Models::load_default();
  for (const Model& model : models.all()) {
    fmt::print("{}", wrapped(fmt::format("{}: tp {}{}", model.name, fmt::join(model.tp, ", "),
                                         model.verified ? "" : ", NOT verified"),
                             4));
    std::vector<std::string> attributes;
    for (const auto& [name, value] : model.attributes)
      attributes.push_back(name + "=" + to_string(value));
    fmt::print("{}", wrapped(fmt::format("  {}", fmt::join(attributes, ", ")), 4));
  }
  fmt::print("aliases and sources: configs/models.yaml\n");
}

std::vector<std::string> statuses() {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Status::skipped); ++i)
    names.emplace_back(to_string(static_cast<Status>(i)));
  return names;
}

Json models_json() {
  Json list = Json::array();
  const Models models = Models::load_default();
  for (const Model& model : models.all()) {
    Json attributes = Json::object();
    for (const auto& [name, value] : model.attributes) attributes[name] = to_string(value);
    list.push_back({{"model", model.name},
                    {"aliases", model.aliases},
                    {"tp", model.tp},
                    {"verified", model.verified},
                    {"source", model.source},
                    {"attributes", std::move(attributes)}});
  }
  return list;
}

ExitCode list_tables(const GlobalOptions& global) {
  const std::vector<TableCheck> tables = check_tables(global.engine.results);
  bool whole = true;
  Json document = Json::array();
  for (const TableCheck& table : tables) {
    whole &= table.whole();
    Json files = Json::array();
    for (const TableFile& file : table.files)
      files.push_back({{"file", file.file.string()}, {"problem", file.problem}});
    document.push_back({{"device", table.device},
                        {"family", table.family},
                        {"rows", table.rows},
                        {"files", std::move(files)}});
  }
  if (global.json) {
    fmt::print("{}\n", Json{{"tables", std::move(document)}}.dump(2));
    return whole ? ExitCode::pass : ExitCode::unusable;
  }
  for (const TableCheck& table : tables) {
    fmt::print("table {} of {}: {}\n", table.family, table.device, counted(table.rows, "row"));
    for (const TableFile& file : table.files)
      if (!file.problem.empty())
        fmt::print("{}", wrapped(fmt::format("  {}: {}", file.file.string(), file.problem), 4));
  }
  if (tables.empty()) fmt::print("no tables in {}\n", global.engine.results.string());
  if (!whole)
    fmt::print(
        "restore them, or delete the table's files and tune again: what is in the store is "
        "not done again\n");
  return whole ? ExitCode::pass : ExitCode::unusable;
}

}  // namespace

ExitCode list_command(const GlobalOptions& global, const std::string& what) {
  if (what == "tables") return list_tables(global);
  const bool all = what == "all";
  if (global.json) {
    Json document;
    if (all || what == "families") document["families"] = families_json();
    if (all || what == "models") document["models"] = models_json();
    if (all || what == "targets") document["targets"] = known_targets();
    if (all || what == "statuses") document["statuses"] = statuses();
    fmt::print("{}\n", document.dump(2));
    return ExitCode::pass;
  }
  if (all || what == "families") print_families();
  if (all) fmt::print("\n");
  if (all || what == "models") print_models();
  if (all) fmt::print("\n");
  if (all || what == "targets")
    fmt::print("{}", wrapped(fmt::format("targets: {}", fmt::join(known_targets(), ", ")), 2));
  if (all) fmt::print("\n");
  if (all || what == "statuses")
    fmt::print("{}", wrapped(fmt::format("statuses: {}", fmt::join(statuses(), ", ")), 2));
  return ExitCode::pass;
}

}  // namespace fusetune
