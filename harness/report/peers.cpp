#include "harness/report/peers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

namespace {

/// Fields of one line; "a, ""b""" is one field.
std::vector<std::string> fields_of(std::string_view line, const Mark& mark) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) throw UserError(mark, "a quoted field does not end on its line");
  return fields;
}

struct PeerColumns {
  std::size_t case_key = 0, peer = 0, us = 0, count = 0;
};

PeerColumns columns_of(const std::vector<std::string>& header, const Mark& mark) {
  const auto find = [&header](std::string_view name) -> std::optional<std::size_t> {
    const auto at = std::find(header.begin(), header.end(), name);
    if (at == header.end()) return std::nullopt;
    return static_cast<std::size_t>(at - header.begin());
  };
  const auto require = [&](std::string_view name, std::optional<std::size_t> column) {
    if (column) return *column;
    throw UserError(mark, fmt::format("there is no column '{}'; a file of peers has case, peer and "
                                      "us or us_cold",
                                      name));
  };
  const auto us = find("us");
  return {require("case", find("case")), require("peer", find("peer")),
          require("us", us ? us : find("us_cold")), header.size()};
}

/// Nothing where there is no time.
std::optional<double> time_of(const std::string& text, const Mark& mark) {
  if (text.empty() || text == "None") return std::nullopt;
  double us = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, us);
  if (error != std::errc() || rest != end || !std::isfinite(us) || us <= 0)
    throw UserError(mark, fmt::format("'{}' is no time in microseconds", text));
  return us;
}

std::string case_key_of(const std::string& text, const Mark& mark) {
  try {
    return parse_case_key(text).key();
  } catch (const std::exception& error) {
    throw UserError(mark, fmt::format("'{}' is no case key: {}", text, error.what()));
  }
}

}  // namespace

std::vector<PeerLine> parse_peers(std::string_view text, const std::string& name) {
  std::vector<PeerLine> lines;
  std::optional<PeerColumns> columns;
  Mark mark{name, 0, 1};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++mark.line;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::vector<std::string> fields = fields_of(line, mark);
    if (!columns) {
      columns = columns_of(fields, mark);
      continue;
    }
    if (fields.size() != columns->count)
      throw UserError(mark, fmt::format("{} fields where the first line names {}", fields.size(),
                                        columns->count));
    if (const auto us = time_of(fields[columns->us], mark))
      lines.push_back(
          {case_key_of(fields[columns->case_key], mark), fields[columns->peer], *us, mark.line});
  }
  if (!columns) throw UserError(Mark{name, 1, 1}, "an empty file names no peers");
  return lines;
}

std::vector<PeerLine> peers_from_file(const std::filesystem::path& file) {
  return parse_peers(read_file(file), file.string());
}

void add_peers(const std::vector<PeerLine>& lines, Report& report) {
  std::map<std::string, std::vector<ReportGeometry*>> geometries;
  for (ReportDevice& device : report.devices)
    for (ReportGeometry& geometry : device.geometries)
      geometries[geometry.key].push_back(&geometry);
  std::size_t unused = 0;
  for (const PeerLine& line : lines) {
    const Case which = parse_case_key(line.case_key);
    const auto found = geometries.find(which.geometry.key());
    if (found == geometries.end()) ++unused;
    if (found != geometries.end())
      for (ReportGeometry* geometry : found->second)
        geometry->peers.push_back({line.peer, which.rows(), line.us});
  }
  for (auto& [key, list] : geometries)
    for (ReportGeometry* geometry : list)
      std::stable_sort(geometry->peers.begin(), geometry->peers.end(),
                       [](const PeerTime& a, const PeerTime& b) { return a.rows < b.rows; });
  if (unused > 0)
    report.left_out.push_back(fmt::format(
        "{} of {} peer times are of geometries that are not in this report", unused, lines.size()));
}

}  // namespace fusetune
