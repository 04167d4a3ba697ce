#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/size_text.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/tune/calibration_stage.hpp"

namespace fusetune {

namespace {

std::string floors_text(const Calibration& found) {
  std::string text;
  for (const LaunchFloor& floor : found.floors)
    text += fmt::format("{}{:.2f} us by {}", text.empty() ? "" : ", ", floor.us, floor.path);
  if (found.asynchronous && found.floors.size() < 2) text += "; no graphs here";
  return text;
}

std::string cache_text(const Calibration& found) {
  const std::string said = size_text(found.cache_bytes_said);
  if (found.cache_bytes == 0)
    return fmt::format("no step shows in reads; the device says {}", said);
  return fmt::format("{} by reads of growing size; the device says {}",
                     size_text(found.cache_bytes), said);
}

std::string users_text(const Calibration& found) {
  if (!found.other_users) return "not known here";
  if (found.other_users->empty()) return "nobody";
  return fmt::format("{}; figures will vary with what they do",
                     fmt::join(*found.other_users, "; "));
}

/// One row per mix, one column per size.
std::string bandwidth_text(const Calibration& found) {
  std::vector<std::string> mixes;
  std::map<std::pair<std::string, std::string>, double> figures;
  std::vector<std::string> header{"GB/s, cold"};
  for (const Bandwidth& one : found.bandwidth) {
    // Whole vectors make sizes that differ a little.
    const std::string size = size_text((one.bytes + (1 << 15)) >> 16 << 16);
    if (std::find(header.begin(), header.end(), size) == header.end()) header.push_back(size);
    if (mixes.empty() || mixes.back() != one.mix) mixes.push_back(one.mix);
    figures[{one.mix, size}] = one.gb_s;
  }
  std::vector<TextTable::Align> align(header.size(), TextTable::Align::right);
  align.front() = TextTable::Align::left;
  TextTable table(header, align);
  for (const std::string& mix : mixes) {
    std::vector<std::string> row{"reads:writes " + mix};
    for (std::size_t c = 1; c < header.size(); ++c) {
      const auto figure = figures.find({mix, header[c]});
      row.push_back(figure == figures.end() ? "" : fmt::format("{:.1f}", figure->second));
    }
    table.add(std::move(row));
  }
  return table.text(kLineWidth);
}

std::string verdict_text(const Calibration& found) {
  if (found.can_gate()) return "this machine can gate at 3 %";
  return fmt::format(
      "this machine cannot gate at 3 %: changes below {:.1f} % drown in its noise. Keep others off "
      "it, fix its clocks, or gate at that",
      100 * found.gate_share());
}

void print_report(const std::string& device, const Calibration& found) {
  const auto line = [](const char* what, const std::string& text) {
    fmt::print("{}", wrapped(fmt::format("{:<14}{}", what, text), 14));
  };
  line("device", device);
  line("clock", found.tick_us > 0 ? fmt::format("ticks of {:.3f} us", found.tick_us)
                                  : std::string("no tick shows"));
  if (found.core_mhz > 0) line("core clock", fmt::format("{:.0f} MHz", found.core_mhz));
  line("empty launch", floors_text(found));
  line("cache", cache_text(found));
  if (found.free_bytes) line("free memory", size_text(*found.free_bytes));
  line("other users", users_text(found));
  fmt::print("\n{}\n", bandwidth_text(found));
  for (const Resolution& one : found.resolution)
    line("itself", fmt::format("a copy of {:.1f} us against itself: {:+.2f} % +- {:.2f} %",
                               one.launch_us, 100 * (one.ratio - 1), 100 * one.half_width));
  line("verdict", verdict_text(found));
}

}  // namespace

ExitCode doctor_command(const GlobalOptions& global, const DoctorOptions& options) {
  const Calibration found = examine_device(options.device, global.engine);
  if (global.json) {
    Json document = to_json(found);
    document["device"] = options.device;
    fmt::print("{}\n", document.dump(2));
  } else if (found.outcome.ok()) {
    print_report(options.device, found);
  } else {
    fmt::print("{}", wrapped(fmt::format("{}: {}: {}", options.device,
                                         to_string(found.outcome.status), found.outcome.message),
                             2));
  }
  if (found.outcome.status == Status::verification_failed) return ExitCode::verification_failed;
  if (!found.outcome.ok()) return ExitCode::unusable;
  return found.can_gate() ? ExitCode::pass : ExitCode::inconclusive;
}

}  // namespace fusetune
