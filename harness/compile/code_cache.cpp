#include "harness/compile/code_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/compile/code_entry.hpp"
#include "harness/compile/code_lease.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

std::int64_t file_bytes(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

fs::path code_of(fs::path entry) { return entry.replace_extension(".co"); }

void remove_file(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

std::optional<Json> read_entry(const fs::path& path) {
  try {
    return parse_code_entry(read_file(path), path.stem().string());
  } catch (const UserError&) {
    return std::nullopt;
  }
}

/// "" when the entry and its code are whole, or are gone meanwhile.
std::string damage_of(const fs::path& path) {
  const std::optional<Json> entry = read_entry(path);
  std::error_code error;
  if (!entry)
    return fs::exists(path, error) ? "the entry's checksum does not fit, or it is cut short" : "";
  try {
    if (stored_code(*entry, code_of(path))) return "";
    return "the checksum of its code does not fit";
  } catch (const UserError&) {
    return "its code is missing or cannot be read";
  } catch (const Json::exception& json) {
    return json.what();
  }
}

/// Code and temporary files without an entry.
std::vector<fs::path> left_over(const std::vector<fs::path>& entries,
                                const std::vector<fs::path>& others) {
  const std::set<fs::path> known(entries.begin(), entries.end());
  std::vector<fs::path> files;
  for (const fs::path& file : others) {
    fs::path entry = file;
    if (file.extension() != ".co" || known.count(entry.replace_extension(".json")) == 0)
      files.push_back(file);
  }
  return files;
}

bool is_in_use(const fs::path& file, const EvictionLock& lock) {
  std::error_code error;
  const fs::file_time_type used = fs::last_write_time(file, error);
  return lock.used_since() && !error && used >= *lock.used_since();
}

/// False when a run has begun to use it since the entries were listed.
bool remove_unless_in_use(const fs::path& entry, const EvictionLock& lock) {
  const FolderLock users(entry.parent_path());
  if (is_in_use(entry, lock)) return false;
  remove_file(entry);  // first what makes it visible
  remove_file(code_of(entry));
  return true;
}

}  // namespace

CodeCacheInfo code_cache_info(const fs::path& root) {
  CodeCacheInfo info;
  std::vector<fs::path> others;
  const std::vector<fs::path> entries = list_code_entries(root, &others);
  for (const fs::path& path : entries) {
    const std::optional<Json> entry = read_entry(path);
    if (!entry) {
      ++info.damaged;
      continue;
    }
    const std::int64_t bytes = file_bytes(path) + file_bytes(code_of(path));
    const bool failed = entry->value("status", "") != "ok";
    CodeCacheShare& share = info.shares[{entry->value("target", ""), entry->value("compiler", "")}];
    for (CodeCacheShare* one : {&info.all, &share}) {
      ++one->entries;
      one->failures += failed ? 1 : 0;
      one->bytes += bytes;
    }
  }
  for (const fs::path& file : left_over(entries, others)) info.left_over_bytes += file_bytes(file);
  return info;
}

CodeCacheCheck check_code_cache(const fs::path& root, bool repair) {
  CodeCacheCheck check;
  const EvictionLock lock(root);
  std::vector<fs::path> others;
  const std::vector<fs::path> entries = list_code_entries(root, &others);
  for (const fs::path& path : entries) {
    const FolderLock writers(path.parent_path());
    ++check.entries;
    std::string why = damage_of(path);
    if (why.empty()) continue;
    if (repair) {
      remove_file(path);
      remove_file(code_of(path));
    }
    check.damaged.push_back({path, std::move(why)});
  }
  for (const fs::path& file : left_over(entries, others)) {
    // A run that lives may be about to write the entry.
    if (is_in_use(file, lock)) continue;
    if (repair) remove_file(file);
    check.left_over.push_back(file);
  }
  return check;
}

CodeCachePruned prune_code_cache(const fs::path& root, std::int64_t bytes_max) {
  struct Entry {
    fs::file_time_type used;
    std::int64_t bytes = 0;
    fs::path path;
    bool in_use = false;
  };
  CodeCachePruned pruned;
  const EvictionLock lock(root);
  std::vector<fs::path> others;
  std::vector<Entry> entries;
  for (fs::path& path : list_code_entries(root, &others)) {
    std::error_code error;
    const fs::file_time_type used = fs::last_write_time(path, error);
    if (error) continue;
    const std::int64_t bytes = file_bytes(path) + file_bytes(code_of(path));
    entries.push_back({used, bytes, std::move(path), false});
  }
  std::int64_t all = 0;
  for (Entry& entry : entries) {
    all += entry.bytes;
    entry.in_use = is_in_use(entry.path, lock);
    if (entry.in_use) pruned.in_use_bytes += entry.bytes;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.used, a.path) < std::tie(b.used, b.path);
  });
  for (const Entry& entry : entries) {
    const bool remove = all > bytes_max && !entry.in_use && remove_unless_in_use(entry.path, lock);
    CodeCacheShare& share = remove ? pruned.removed : pruned.kept;
    ++share.entries;
    share.bytes += entry.bytes;
    if (remove) all -= entry.bytes;
  }
  return pruned;
}

std::int64_t clear_code_cache(const fs::path& root) {
  const EvictionLock lock(root);
  if (lock.used_since())
    throw UserError(fmt::format("the code objects of {} are in use by process {}; wait for it",
                                root.string(), lock.user()));
  std::vector<fs::path> others;
  std::int64_t deleted = 0;
  std::error_code ignored;
  for (const fs::path& path : list_code_entries(root, &others))
    deleted += fs::remove(path, ignored) ? 1 : 0;
  for (const fs::path& path : others) remove_file(path);
  return deleted;
}

}  // namespace fusetune
