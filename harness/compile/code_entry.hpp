#pragma once
// One entry of the code-object store on disk: <root>/code/<first two digits>/<key>.json, and .co
// with the code. The JSON carries a checksum of itself and one of the code.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/compile/code_store.hpp"

namespace fusetune {

struct CodeEntryPaths {
  std::filesystem::path entry, code;
};

/// Throws std::invalid_argument for what is no key: keys are hexadecimal and lead nowhere else.
CodeEntryPaths code_entry_paths(const std::filesystem::path& root, std::string_view key);

std::string code_entry_text(std::string_view key, const CompileResult& result,
                            const CodeOrigin& origin);

/// The entry when it is whole; nothing for anything else.
std::optional<Json> parse_code_entry(const std::string& text, std::string_view key);

/// Throws Json::exception for a whole entry that is no entry; UserError when the code is not
/// readable. Nothing when the code's checksum does not fit.
std::optional<StoredCode> stored_code(const Json& entry, const std::filesystem::path& code_path);

/// Two writers of one key must not mix one's code with the other's entry. Where a file system knows
/// no locks the checksum still keeps a mixed pair from being loaded.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

/// Entry files of a store, sorted; code and left-over temporary files go to `others`.
std::vector<std::filesystem::path> list_code_entries(const std::filesystem::path& root,
                                                     std::vector<std::filesystem::path>* others);

}  // namespace fusetune
