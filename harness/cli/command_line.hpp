#pragma once
// Commands that the program prints so that they run as they are: with the program as it was
// called, its environment and every global option that is not at its default.

#include <string>

#include "harness/cli/options.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

/// `text` as one word of a POSIX shell; left alone where nothing in it needs quotes.
std::string shell_word(const std::string& text);

/// The command with these arguments, "tune sweep.yaml". --json is left out: a person reads it.
std::string command_text(const GlobalOptions& global, const std::string& arguments);

/// The command that shows one failure again.
std::string repro_text(const GlobalOptions& global, const Failure& failure);

}  // namespace fusetune
