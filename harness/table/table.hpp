#pragma once
// The tuning table: the chosen variants, each row with its certificate, and what is written from
// it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

/// How the variants of a row's race were chosen, where a search tried some of a space.
struct SearchNote {
  std::string strategy;  ///< as in a sweep's `search`
  std::int64_t seed = 0;
  std::int64_t tried = 0;     ///< variants of the tuned implementation
  std::int64_t variants = 0;  ///< that there are of it
};

/// Why a row can be believed.
struct Certificate {
  std::int64_t samples = 0;
  std::int64_t epochs = 0;
  double median_us = 0;
  double low_us = 0, high_us = 0;  ///< 95 % t interval over epochs, on logs
  double spread_percent = 0;       ///< MAD sigma over the median
  double versus_baseline = 0;      ///< baseline time / this time; above 1 is faster
  double versus_low = 0, versus_high = 0;
  /// How much slower than the fastest variant of its race it may be: the upper end of the 95 %
  /// interval, 0 of the fastest. Nothing where a single epoch tells, or an older table did not say.
  std::optional<double> regret_percent;
  /// That in a second race another variant is faster by more than 0.5 %; nothing as above.
  std::optional<double> flip_probability;
  std::vector<std::string>
      tie_set;  ///< variant keys that could not be told apart, the chosen one left out
  std::int64_t candidates = 0;  ///< variants that raced
  std::int64_t baseline_launches = 0, launches = 0;
  std::int64_t baseline_workspace_bytes = 0, workspace_bytes = 0;
  std::string proved_on;    ///< "host-w64 fast"
  std::int64_t proofs = 0;  ///< cases proved for this variant and geometry
  /// Where the sweep asked for batch invariance: variants of one class were proved to give a row
  /// the same bits at all row counts that were compared.
  std::string batch_class;
  std::optional<SearchNote> search;  ///< nothing where all of the space was tried
};

/// Where, how and by what a row was measured.
struct Provenance {
  std::string harness_version;
  std::string compiler;
  std::string sweep;
  std::string data;  ///< "cold" or "hot": what the race really had
  Json conditions;
};

/// One choice: rows (tokens) in [rows_low, rows_high] of a geometry use this variant.
struct TableRow {
  Geometry geometry;
  std::int64_t rows_low = 0, rows_high = 0;
  std::int64_t tuned_at = 0;  ///< the row count that was measured
  Variant variant;
  bool is_default =
      false;  ///< nothing beat the baseline beyond noise: the baseline is named, and so it is said
  Certificate certificate;
  std::string code_identity;
  std::string source_hash;
  Provenance provenance;
};

struct Table {
  std::shared_ptr<const Family> family;
  std::string device;  ///< folder name under results/
  Target target;
  DeviceFacts facts;
  std::vector<TableRow> rows;  ///< sorted by geometry key, then rows_low
};

/// Sorts rows and checks them: no duplicate or overlapping intervals, each geometry covered from 0.
/// Throws std::logic_error.
void normalise(Table& table);

/// results/<device>/<family>.yaml: sorted, stable, equal input gives equal bytes.
std::string to_yaml(const Table& table);
/// Reads what to_yaml wrote; a checksum behind it has to fit. Throws UserError.
Table table_from_yaml(const std::filesystem::path& file);
/// As table_from_yaml, from text; `name` stands for the file in messages.
Table parse_table(std::string_view text, const std::string& name);

/// The C++17 header of contract 15. Needs no other header than the standard library's.
std::string to_header(const Table& table);
/// The same table for Python users.
Json to_json(const Table& table);

/// The files of one table: YAML, header, JSON, and the program that replays the rows.
std::vector<std::filesystem::path> table_paths(const std::filesystem::path& results_root,
                                               const std::string& device,
                                               const std::string& family);

/// Writes all files of the table below results_root/<device>/, each with a checksum over its bytes
/// (seal.hpp), and returns their paths.
std::vector<std::filesystem::path> write_table(const Table& table,
                                               const std::filesystem::path& results_root);

/// A C++ program that includes the header and replays every row, its interval's ends, a GPU query
/// of host rows and a query outside all intervals; returns 0 when all answers are right. For tests.
std::string replay_program(const Table& table);

}  // namespace fusetune
