#include "harness/compile/code_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr int kEntryVersion = 1;

struct EntryPaths {
  fs::path entry, code;
};

EntryPaths paths_of(const fs::path& root, std::string_view key) {
  const bool usable = key.size() > 2 && std::all_of(key.begin(), key.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
  if (!usable)
    throw std::invalid_argument(fmt::format("'{}' is not a key of the code-object store", key));
  const fs::path stem = root / "code" / key.substr(0, 2) / key;
  return {stem.string() + ".json", stem.string() + ".co"};
}

/// Two writers of one key must not mix one's code with the other's entry. Where a file system knows
/// no locks the checksum still keeps a mixed pair from being loaded.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

std::string entry_text(std::string_view key, const CompileResult& result) {
  Json entry{{"version", kEntryVersion},
             {"key", std::string(key)},
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
  const auto dump = [&] { return entry.dump(1, ' ', false, Json::error_handler_t::replace); };
  entry = Json::parse(dump());
  entry["checksum"] = hash_hex(dump());
  return dump() + "\n";
}

/// The entry when it is whole; nothing for anything else.
std::optional<Json> parse_entry(const std::string& text, std::string_view key) {
  Json entry = Json::parse(text, nullptr, false);
  if (!entry.is_object() || entry.value("version", Json()) != kEntryVersion) return std::nullopt;
  const Json checksum = entry.value("checksum", Json());
  entry.erase("checksum");
  const std::string body = entry.dump(1, ' ', false, Json::error_handler_t::replace);
  if (checksum != hash_hex(body) || entry.value("key", Json()) != std::string(key))
    return std::nullopt;
  return entry;
}

std::optional<StoredCode> stored_from(const Json& entry, const fs::path& code_path) {
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

/// Entry files (.json) of the store; code and left-over temporary files go to `others`.
std::vector<fs::path> list_entries(const fs::path& root, std::vector<fs::path>* others) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root / "code", error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    (it->path().extension() == ".json" ? entries : *others).push_back(it->path());
  }
  return entries;
}

}  // namespace

CodeStore::CodeStore(fs::path root) : root_(std::move(root)) {}

std::optional<StoredCode> CodeStore::find(std::string_view key) const {
  const EntryPaths paths = paths_of(root_, key);
  std::error_code error;
  if (!fs::is_regular_file(paths.entry, error)) return std::nullopt;
  try {
    const std::optional<Json> entry = parse_entry(read_file(paths.entry), key);
    return entry ? stored_from(*entry, paths.code) : std::nullopt;
  } catch (const UserError&) {
    return std::nullopt;  // vanished or unreadable: as good as absent
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

StoredCode CodeStore::put(std::string_view key, const CompileResult& result) {
  const EntryPaths paths = paths_of(root_, key);
  std::error_code error;
  fs::create_directories(paths.entry.parent_path(), error);
  if (error)
    throw UserError(fmt::format("cannot create the folder {}: {}",
                                paths.entry.parent_path().string(), error.message()));
  const FolderLock lock(paths.entry.parent_path());
  try {
    // Checksums find what a power cut leaves half written, and it is compiled again.
    if (result.outcome.ok()) write_file_atomic(paths.code, result.code, Durability::process_kill);
    write_file_atomic(paths.entry, entry_text(key, result), Durability::process_kill);
  } catch (const UserError&) {
    // The new code without its entry is dead weight, and an old entry no longer fits it.
    if (result.outcome.ok() && !find(key)) remove_quietly(paths.code);
    throw;
  }
  if (!result.outcome.ok()) remove_quietly(paths.code);
  return {.outcome = result.outcome,
          .log = result.log,
          .code_path = result.outcome.ok() ? paths.code : fs::path(),
          .code_identity = result.code_identity,
          .facts = result.facts,
          .compile_ms = result.compile_ms};
}

CodeStoreInfo CodeStore::info() const {
  CodeStoreInfo info;
  std::vector<fs::path> others;
  const std::vector<fs::path> entries = list_entries(root_, &others);
  std::error_code error;
  const auto add_size = [&](const fs::path& path) {
    const std::uintmax_t size = fs::file_size(path, error);
    if (!error) info.bytes += static_cast<std::int64_t>(size);
  };
  for (const fs::path& path : others) add_size(path);
  for (const fs::path& path : entries) {
    add_size(path);
    try {
      const std::optional<Json> entry = parse_entry(read_file(path), path.stem().string());
      if (!entry) continue;  // damaged: not there for find() either
      ++info.entries;
      if (entry->at("status") != "ok") ++info.failures;
    } catch (const UserError&) {
      continue;  // deleted meanwhile
    }
  }
  return info;
}

std::int64_t CodeStore::clear() {
  std::vector<fs::path> others;
  const std::vector<fs::path> entries = list_entries(root_, &others);
  std::int64_t deleted = 0;
  std::error_code ignored;
  for (const fs::path& path : entries) deleted += fs::remove(path, ignored) ? 1 : 0;
  for (const fs::path& path : others) remove_quietly(path);
  return deleted;
}

}  // namespace fusetune
