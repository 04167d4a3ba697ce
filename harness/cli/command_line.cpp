#include "harness/cli/command_line.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace fusetune {

namespace {

/// What the program does differently under these.
constexpr const char* kEnvironment[] = {"FUSETUNE_KERNEL_PATH", "FUSETUNE_ROOT",
                                        "FUSETUNE_MODULE_DIR", "FUSETUNE_SIMULATION", "CXX"};

/// Those that are not at their default, with a blank before each.
std::string global_words(const GlobalOptions& global, bool retries_already) {
  const EngineOptions& now = global.engine;
  const EngineOptions usual;
  std::string words;
  if (now.store != usual.store) words += " --store " + shell_word(now.store.string());
  if (now.results != usual.results) words += " --results " + shell_word(now.results.string());
  if (now.jobs != usual.jobs) words += fmt::format(" --jobs {}", now.jobs);
  if (now.seed != usual.seed) words += fmt::format(" --seed {}", now.seed);
  if (now.compile_timeout_s != usual.compile_timeout_s)
    words += fmt::format(" --compile-timeout-s {}", now.compile_timeout_s);
  if (now.compile_memory_mib != usual.compile_memory_mib)
    words += fmt::format(" --compile-memory-mib {}", now.compile_memory_mib);
  if (now.kernel_timeout_s != usual.kernel_timeout_s)
    words += fmt::format(" --kernel-timeout-s {}", now.kernel_timeout_s);
  if (now.cache_bytes_max != usual.cache_bytes_max)
    words += fmt::format(" --cache-limit {}", now.cache_bytes_max);
  if (now.retry_failed && !retries_already) words += " --retry-failed";
  return words;
}

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string command_text(const GlobalOptions& global, const std::string& arguments) {
  std::string command;
  for (const char* name : kEnvironment)
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
      command += fmt::format("{}={} ", name, shell_word(value));
  const bool retries = arguments.find("--retry-failed") != std::string::npos;
  return command + shell_word(global.program) + global_words(global, retries) + " " + arguments;
}

std::string repro_text(const GlobalOptions& global, const Failure& failure) {
  constexpr std::string_view kPrefix = "fusetune ";
  const std::string command = repro_command(failure);
  if (!command.starts_with(kPrefix)) throw std::logic_error("a repro command of another program");
  return command_text(global, command.substr(kPrefix.size()));
}

}  // namespace fusetune
