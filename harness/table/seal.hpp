#pragma once
// The checksum that a written file carries over all of its bytes.

#include <string>
#include <string_view>

namespace fusetune {

/// What a file's writer puts where the checksum belongs, once: `checksum: ` in front of it or, in
/// JSON, `"checksum": "`.
constexpr std::string_view kSealPlace = "00000000000000000000000000000000";

/// The text with its checksum instead of kSealPlace. Throws std::logic_error without one.
std::string sealed(std::string text);

/// "" when the text is as it was sealed, else what is wrong.
std::string seal_problem(std::string_view text);

}  // namespace fusetune
