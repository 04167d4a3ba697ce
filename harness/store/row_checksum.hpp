#pragma once
// The checksum that a row carries, over every column that is read.

#include <string>

#include "harness/store/records.hpp"

namespace fusetune {

/// JSON as it is stored and hashed: bytes that are no UTF-8 are replaced, numbers that are not
/// finite become null.
std::string stored_text(const Json& json);

/// `data_text` and `plan_text` are what is stored: parsing would forgive damage.
std::string row_checksum(const StepRecord& step, const std::string& status,
                         const std::string& data_text);
std::string row_checksum(const CampaignRecord& campaign, const std::string& plan_text);
std::string row_checksum(const RunRecord& run);
std::string row_checksum(const WorkerDeath& death);

}  // namespace fusetune
