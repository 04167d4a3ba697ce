#pragma once
// Records as a file of JSON lines, to be carried to another store. The first line says what follows
// and carries the checksum of the rest; every other line is a record with a checksum of its own.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "harness/store/records.hpp"

namespace fusetune {

/// The whole text; equal sets give equal bytes.
std::string records_text(const RecordSet& set);

/// Reads what records_text wrote, and nothing else: a file may come from anywhere. Every line must
/// be as this program writes it, within limits of size and depth, with keys that are plain words.
/// `check_data` throws what it likes of a step whose data is not what its kind has. Throws
/// UserError that names the line of `name`.
RecordSet parse_records(std::string_view text, const std::string& name,
                        const std::function<void(const StepRecord&)>& check_data);
RecordSet records_from_file(const std::filesystem::path& file,
                            const std::function<void(const StepRecord&)>& check_data);

}  // namespace fusetune
