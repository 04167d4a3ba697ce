#pragma once
// What every fuzz target shares: one function of its own, and a way to say what it found.

#include <string>
#include <string_view>

namespace fusetune::fuzz {

/// A target's work on one input. What it throws, and a require() that does not hold, is a finding.
void run(std::string_view input);

/// Ends the process with the reason: that is how a fuzzer learns of a finding.
void require(bool holds, std::string_view what);

/// An error that a user gets of a file named `file` says where in it.
void require_place(std::string_view message, std::string_view file);

/// Text of a generated C++ file: printable ASCII, literals closed on their line, comments that do
/// not go on, brackets in pairs. What a name or a note from a file could break.
void require_cpp(std::string_view text);

/// JSON of ours is text for every reader: it parses back to the same.
void require_json_text(const std::string& text);

}  // namespace fusetune::fuzz
