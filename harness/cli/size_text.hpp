#pragma once
// Sizes and shares as a person writes and reads them.

#include <cstdint>
#include <string>

namespace fusetune {

/// "500M", "2G", "1048576": a whole number and K, M, G or T for powers of 1024. Throws UserError.
std::int64_t parse_bytes(const std::string& text);

/// "512 B", "1.5 MiB".
std::string size_text(std::int64_t bytes);

/// "5%", "5", "0.5 %": above 0 and up to 100 of a hundred, as a share of 1. Throws UserError.
double parse_percent(const std::string& text);

}  // namespace fusetune
