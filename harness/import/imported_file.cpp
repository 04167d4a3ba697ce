#include "harness/import/imported_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <system_error>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/import/import_readers.hpp"

namespace fusetune {

namespace {

// Caches of whole spaces have tens of MB; a tree of it takes some ten times that.
constexpr std::uintmax_t kImportBytesMax = std::uintmax_t{256} << 20;

using Reader = void (*)(std::string_view, ImportedFile&);
constexpr std::array<std::pair<std::string_view, Reader>, 6> kReaders{{
    {"t4", read_t4},
    {"kernel-tuner", read_kernel_tuner},
    {"kernel-launcher", read_wisdom},
    {"aiter-csv", read_aiter_csv},
    {"vllm-json", read_vllm_json},
    {"rocprim-header", read_config_header},
}};

Reader reader_of(std::string_view format) {
  for (const auto& [name, reader] : kReaders)
    if (name == format) return reader;
  throw UserError(unknown_name("format to import", format, import_formats()));
}

}  // namespace

std::vector<std::string> import_formats() {
  std::vector<std::string> names;
  for (const auto& [name, reader] : kReaders) names.emplace_back(name);
  return names;
}

ImportedFile import_text(std::string_view format, std::string_view text, const std::string& name) {
  ImportedFile file;
  file.format = format;
  file.name = name;
  reader_of(format)(text, file);
  if (file.records.empty())
    throw UserError(Mark{name, 1, 0}, fmt::format("there is no record of {} in it", format));
  return file;
}

ImportedFile import_file(std::string_view format, const std::filesystem::path& file) {
  reader_of(format);  // an unknown format is said before a file is looked for
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    throw UserError(fmt::format("{} is no file", file.string()));
  if (std::filesystem::file_size(file, error) > kImportBytesMax)
    throw UserError(fmt::format("{} is larger than {} MiB", file.string(), kImportBytesMax >> 20));
  return import_text(format, read_file(file), file.string());
}

Json to_json(const ImportedFile& file) {
  Json records = Json::array();
  for (const ImportedRecord& record : file.records)
    records.push_back({{"line", record.line},
                       {"device", record.device},
                       {"geometry", record.geometry},
                       {"implementation", record.implementation},
                       {"problem", record.problem},
                       {"configuration", record.configuration},
                       {"time_us", record.time_us ? Json(*record.time_us) : Json()},
                       {"status", record.status}});
  return {{"fusetune_import", 1},    {"origin", "foreign"},
          {"times", "absolute"},     {"format", file.format},
          {"file", file.name},       {"kernel", file.kernel},
          {"remarks", file.remarks}, {"records", std::move(records)}};
}

std::vector<const ImportedRecord*> by_time(const ImportedFile& file) {
  std::vector<const ImportedRecord*> timed;
  for (const ImportedRecord& record : file.records)
    if (record.time_us && record.status == "ok") timed.push_back(&record);
  std::stable_sort(timed.begin(), timed.end(),
                   [](const auto* a, const auto* b) { return *a->time_us < *b->time_us; });
  return timed;
}

Json parameter_of(const PlacedJson& value) {
  if (value.kind != PlacedJson::Kind::scalar || value.scalar.is_null())
    value.fail("a parameter is a number, a truth value or a word");
  return value.scalar;
}

Json parameters_of(const PlacedJson& object) {
  if (!object.is_object()) object.fail("an object of parameters is expected");
  Json made = Json::object();
  for (const auto& [name, value] : object.members) made[name] = parameter_of(value);
  return made;
}

double time_us_of(const PlacedJson& value, double us_per_unit) {
  const double us = value.number() * us_per_unit;
  if (!(us > 0) || !std::isfinite(us)) value.fail("a time is above 0");
  return us;
}

std::vector<TextLine> lines_of(std::string_view text) {
  std::vector<TextLine> lines;
  int number = 1;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back({number++, line});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace fusetune
