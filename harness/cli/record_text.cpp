#include "harness/cli/record_text.hpp"

#include <fmt/format.h>

#include "harness/cli/terminal.hpp"
#include "harness/cli/text_table.hpp"

namespace fusetune {

namespace {

using Align = TextTable::Align;

constexpr std::size_t kKeyShown = 10;

/// "2026-01-31 12:00:00".
std::string short_time(const std::string& utc) {
  std::string text = printable_text(utc.substr(0, 19));
  if (text.size() > 10 && text[10] == 'T') text[10] = ' ';
  return text;
}

std::string end_text(const WorkerDeath& death) {
  if (death.how == "timed_out") return "killed: too late";
  if (death.signal != 0) return fmt::format("signal {}", death.signal);
  return fmt::format("exit code {}", death.exit_code);
}

}  // namespace

std::string printable_text(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n') || byte >= 127) c = '?';
  }
  return text;
}

std::string steps_text(const RecordSet& set) {
  TextTable table({"kind", "key", "status", "run", "ms", "finished", "subject"},
                  {Align::left, Align::left, Align::left, Align::right, Align::right, Align::left,
                   Align::left});
  for (const StepRecord& step : set.steps)
    table.add({std::string(to_string(step.kind)), step.key.substr(0, kKeyShown),
               std::string(to_string(step.status)), std::to_string(step.run),
               fmt::format("{:.0f}", step.wall_ms), short_time(step.finished),
               printable_text(step.subject)});
  return table.text(kLineWidth);
}

std::string deaths_text(const RecordSet& set) {
  TextTable table({"role", "pid", "end", "run", "at", "worked on"},
                  {Align::left, Align::right, Align::left, Align::right, Align::left, Align::left});
  for (const WorkerDeath& death : set.deaths)
    table.add({printable_text(death.role), std::to_string(death.pid), end_text(death),
               std::to_string(death.run), short_time(death.at), printable_text(death.subject)});
  return table.text(kLineWidth);
}

std::string record_text(const StepRecord& step, const RunRecord& run) {
  std::string out = fmt::format("{} {}\n", to_string(step.kind), step.key);
  const auto line = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out += wrapped(fmt::format("  {}: {}", name, printable_text(value)), 4);
  };
  line("subject", step.subject);
  line("status", std::string(to_string(step.status)));
  line("message", step.message);
  line("took", duration_text(step.wall_ms / 1000));
  line("finished", step.finished);
  line("run", fmt::format("{} of {}, fusetune {}, {}", run.id, run.started, run.harness_version,
                          run.how.empty() ? "killed" : run.how));
  out += "  data:\n";
  const std::string data = step.data.dump(2, ' ', /*ensure_ascii=*/true);
  std::size_t at = 0;
  while (at < data.size()) {
    const std::size_t end = std::min(data.find('\n', at), data.size());
    out += "    " + data.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

Json records_json(const RecordSet& set) {
  Json steps = Json::array(), deaths = Json::array(), runs = Json::array();
  for (const StepRecord& step : set.steps) {
    steps.push_back(to_json(step));
    steps.back().erase("data");  // records show has it
  }
  for (const WorkerDeath& death : set.deaths) deaths.push_back(to_json(death));
  for (const RunRecord& run : set.runs) runs.push_back(to_json(run));
  return {{"records", std::move(steps)}, {"deaths", std::move(deaths)}, {"runs", std::move(runs)}};
}

}  // namespace fusetune
