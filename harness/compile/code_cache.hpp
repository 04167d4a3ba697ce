#pragma once
// The code-object store as a cache: what it holds, whether it is whole, and what goes when it grows
// too large. Safe beside runs that use it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fusetune {

struct CodeCacheShare {
  std::int64_t entries = 0;
  std::int64_t failures = 0;  ///< of them
  std::int64_t bytes = 0;
};

struct CodeCacheInfo {
  CodeCacheShare all;
  std::map<std::pair<std::string, std::string>, CodeCacheShare> shares;  ///< by target and compiler
  std::int64_t damaged = 0;          ///< entries that are not readable; in no share
  std::int64_t left_over_bytes = 0;  ///< of files without an entry, as kills leave them
};

CodeCacheInfo code_cache_info(const std::filesystem::path& root);

struct DamagedEntry {
  std::filesystem::path file;
  std::string why;
};

struct CodeCacheCheck {
  std::int64_t entries = 0;
  std::vector<DamagedEntry> damaged;
  std::vector<std::filesystem::path> left_over;  ///< files without an entry that no run is writing
};

/// Reads every entry and its code. `repair` deletes what is damaged or left over: it is compiled
/// again when it is asked for.
CodeCacheCheck check_code_cache(const std::filesystem::path& root, bool repair);

struct CodeCachePruned {
  CodeCacheShare removed, kept;
  std::int64_t in_use_bytes = 0;  ///< of what was kept because a run uses it
};

/// Deletes the entries that were not used for longest until the rest fits; never one that a living
/// run has used.
CodeCachePruned prune_code_cache(const std::filesystem::path& root, std::int64_t bytes_max);

/// Deletes all entries; returns how many. Throws UserError when a run uses them.
std::int64_t clear_code_cache(const std::filesystem::path& root);

}  // namespace fusetune
