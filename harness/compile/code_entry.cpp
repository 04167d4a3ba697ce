#include "harness/compile/code_entry.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr int kEntryVersion = 1;

// An entry is a JSON object whose first line is the checksum of all other lines, byte for byte:
// what a parser forgives is damage all the same.
constexpr std::string_view kOpening = "{\n";
constexpr std::string_view kChecksumLine = "{\n \"checksum\": \"";
constexpr std::string_view kChecksumEnd = "\",\n";
constexpr std::size_t kChecksumDigits = 32;

/// The body ends with a line break, which the checksum leaves out.
std::string with_checksum(const std::string& body) {
  std::string text(kChecksumLine);
  text += hash_hex(std::string_view(body).substr(0, body.size() - 1));
  text += kChecksumEnd;
  text += std::string_view(body).substr(kOpening.size());
  return text;
}

/// nullopt unless it is exactly what with_checksum made of the body.
std::optional<std::string> checked_body(std::string_view text) {
  constexpr std::size_t rest = kChecksumLine.size() + kChecksumDigits + kChecksumEnd.size();
  if (text.size() < rest || !text.starts_with(kChecksumLine)) return std::nullopt;
  std::string body(kOpening);
  body += text.substr(rest);
  if (with_checksum(body) != text) return std::nullopt;
  return body;
}

}  // namespace

CodeEntryPaths code_entry_paths(const fs::path& root, std::string_view key) {
  const bool usable = key.size() > 2 && std::all_of(key.begin(), key.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
  if (!usable)
    throw std::invalid_argument(fmt::format("'{}' is not a key of the code-object store", key));
  const fs::path stem = root / "code" / key.substr(0, 2) / key;
  return {stem.string() + ".json", stem.string() + ".co"};
}

std::string code_entry_text(std::string_view key, const CompileResult& result,
                            const CodeOrigin& origin) {
  Json entry{{"version", kEntryVersion},
             {"key", std::string(key)},
             {"target", origin.target},
             {"compiler", origin.compiler},
             {"status", std::string(to_string(result.outcome.status))},
             {"message", result.outcome.message},
             {"log", result.log},
             {"compile_ms", result.compile_ms}};
  if (result.outcome.ok()) {
    entry["code_identity"] = result.code_identity;
    entry["code_bytes"] = result.code.size();
    entry["code_checksum"] = hash_hex(result.code);
    entry["facts"] = to_json(result.facts);
  }
  // A log may hold any bytes (a compiler that crashed while printing); they must not lose the rest.
  return with_checksum(entry.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<Json> parse_code_entry(const std::string& text, std::string_view key) {
  const std::optional<std::string> body = checked_body(text);
  if (!body) return std::nullopt;
  Json entry = Json::parse(*body, nullptr, false);
  if (!entry.is_object() || entry.value("version", Json()) != kEntryVersion ||
      entry.value("key", Json()) != std::string(key))
    return std::nullopt;
  return entry;
}

std::optional<StoredCode> stored_code(const Json& entry, const fs::path& code_path) {
  StoredCode stored;
  const auto status = status_from_string(entry.at("status").get<std::string>());
  if (!status) return std::nullopt;
  stored.outcome = {*status, entry.at("message").get<std::string>()};
  stored.log = entry.at("log").get<std::string>();
  stored.compile_ms = entry.at("compile_ms").get<double>();
  if (!stored.outcome.ok()) return stored;
  const std::string code = read_file(code_path);
  if (hash_hex(code) != entry.at("code_checksum").get<std::string>()) return std::nullopt;
  stored.code_path = code_path;
  stored.code_identity = entry.at("code_identity").get<std::string>();
  stored.facts = facts_from_json(entry.at("facts"));
  return stored;
}

FolderLock::FolderLock(const fs::path& folder)
    : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_ >= 0) ::flock(fd_, LOCK_EX);
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<fs::path> list_code_entries(const fs::path& root, std::vector<fs::path>* others) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root / "code", error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    (it->path().extension() == ".json" ? entries : *others).push_back(it->path());
  }
  std::sort(entries.begin(), entries.end());
  std::sort(others->begin(), others->end());
  return entries;
}

}  // namespace fusetune
