#pragma once
// The formats of other tools that results can be written in. docs/formats.md says what each file
// holds and by which reader's rules it was checked.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/export/observations.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

struct ExportFile {
  std::string name;  ///< below the folder of the export
  std::string text;
};

struct Export {
  std::vector<ExportFile> files;
  std::int64_t entries = 0;           ///< variants or rows that the files hold
  std::vector<std::string> left_out;  ///< what the format has no word for, and why
};

struct ExportFormat {
  enum class Source { records, tables };
  std::string_view name;  ///< as --format takes it
  std::string_view about;
  Source source = Source::records;
  Export (*of_cases)(const std::vector<ObservedCase>&) = nullptr;
  Export (*of_tables)(const std::vector<Table>&) = nullptr;
};

const std::vector<ExportFormat>& export_formats();
/// Throws UserError with the nearest name.
const ExportFormat& find_export_format(std::string_view name);

// One function per format, each in the file of its name.
Export to_t4(const std::vector<ObservedCase>& cases);
Export to_kernel_tuner(const std::vector<ObservedCase>& cases);
Export to_google_benchmark(const std::vector<ObservedCase>& cases);
Export to_t1(const std::vector<Table>& tables);
Export to_wisdom(const std::vector<Table>& tables);
Export to_aiter_csv(const std::vector<Table>& tables);
Export to_vllm_json(const std::vector<Table>& tables);
Export to_sglang_json(const std::vector<Table>& tables);
Export to_config_header(const std::vector<Table>& tables);

}  // namespace fusetune
