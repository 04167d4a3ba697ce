#pragma once
// Results of other tuners, read into one form. Their times are absolute, of another day, another
// protocol and often another machine: they are never put beside our own, and no table has them.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.hpp"

namespace fusetune {

/// One configuration that another tool told of.
struct ImportedRecord {
  int line = 0;  ///< of its file
  std::string device;
  std::string geometry;        ///< of our own exports; "" elsewhere
  std::string implementation;  ///< likewise
  Json problem;                ///< what it was measured at, as the file says it
  Json configuration;          ///< object: parameter -> number or word
  std::optional<double> time_us;
  std::string status = "ok";  ///< else the tool's own word for what went wrong
};

struct ImportedFile {
  std::string format, name, kernel;
  std::vector<ImportedRecord> records;
  std::vector<std::string> remarks;  ///< what the file's own readers leave out, or repair
};

/// Names that import_text takes.
std::vector<std::string> import_formats();

/// Throws UserError with file:line for what is damaged, and with the nearest name of an unknown
/// format. A file without any record is an error.
ImportedFile import_text(std::string_view format, std::string_view text, const std::string& name);
ImportedFile import_file(std::string_view format, const std::filesystem::path& file);

/// One JSON document, marked as foreign.
Json to_json(const ImportedFile& file);

/// Records that have a time, the fastest first; equal ones in the file's order.
std::vector<const ImportedRecord*> by_time(const ImportedFile& file);

}  // namespace fusetune
