#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/commands.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/tune/refresh.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kLeftShown = 5;

Json refresh_json(const std::vector<RefreshedTable>& tables) {
  Json list = Json::array();
  for (const RefreshedTable& table : tables) {
    Json left = Json::array(), written = Json::array();
    for (const RefreshedTable::Left& row : table.left)
      left.push_back({{"geometry", row.geometry},
                      {"tuned_at", row.tuned_at},
                      {"variant", row.variant},
                      {"why", row.why}});
    for (const auto& file : table.written) written.push_back(file.string());
    list.push_back({{"device", table.device},
                    {"family", table.family},
                    {"current", table.current},
                    {"refreshed", table.refreshed},
                    {"left", std::move(left)},
                    {"written", std::move(written)}});
  }
  return list;
}

void print_left(const RefreshedTable& table) {
  for (std::size_t i = 0; i < std::min(kLeftShown, table.left.size()); ++i) {
    const RefreshedTable::Left& row = table.left[i];
    fmt::print("{}", wrapped(fmt::format("{} at {}, {}: {}", short_case_key(row.geometry),
                                         row.tuned_at, row.variant, row.why),
                             4));
  }
  if (table.left.size() > kLeftShown)
    fmt::print("    and {} more\n", table.left.size() - kLeftShown);
}

void print_refresh(const std::vector<RefreshedTable>& tables) {
  TextTable text({"device", "family", "current", "refreshed", "to tune again"},
                 {TextTable::Align::left, TextTable::Align::left, TextTable::Align::right,
                  TextTable::Align::right, TextTable::Align::right});
  bool any_left = false;
  for (const RefreshedTable& table : tables) {
    text.add({table.device, table.family, std::to_string(table.current),
              std::to_string(table.refreshed), std::to_string(table.left.size())});
    any_left = any_left || !table.left.empty();
  }
  fmt::print("{}", text.text(kLineWidth));
  for (const RefreshedTable& table : tables) print_left(table);
  for (const RefreshedTable& table : tables)
    for (const auto& file : table.written) fmt::print("written: {}\n", file.string());
  if (any_left)
    fmt::print("next:\n  fusetune tune SWEEP   on the device, with a sweep that has these rows\n");
}

}  // namespace

ExitCode refresh_command(const GlobalOptions& global, const RefreshOptions& options) {
  RunSession run(global, "refresh");
  const std::vector<RefreshedTable> tables =
      refresh_tables(run.session(), options.device, options.family);
  if (global.json)
    fmt::print("{}\n", refresh_json(tables).dump(2));
  else
    print_refresh(tables);
  if (interrupted()) return ExitCode::interrupted;
  for (const RefreshedTable& table : tables)
    if (!table.left.empty()) return ExitCode::unusable;
  return ExitCode::pass;
}

}  // namespace fusetune
