#pragma once
// The mark of code that is not to be run again: <store>/quarantine/<code identity>/quarantine.json.

#include <filesystem>
#include <optional>
#include <string_view>

#include "harness/base/json.hpp"
#include "harness/base/status.hpp"

namespace fusetune {

struct QuarantineMark {
  Outcome outcome;  ///< why
  bool keeps_from_running = true;
  Json about = Json::object();  ///< for people: case, variant, compiler, ...
};

/// Throws std::invalid_argument for what is no code identity: it names a folder.
std::filesystem::path quarantine_folder(const std::filesystem::path& store,
                                        std::string_view code_identity);

void write_quarantine_mark(const std::filesystem::path& folder, const QuarantineMark& mark);

/// Nothing without one. A damaged mark still keeps its code from running, and says so.
std::optional<QuarantineMark> read_quarantine_mark(const std::filesystem::path& folder);

}  // namespace fusetune
