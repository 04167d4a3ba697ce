#pragma once
// The code-object store: content key -> code object, facts, log, or the recorded failure.
// <root>/code/<first two digits>/<key>.json and .co, each written atomically, the checksum of the
// code in the JSON.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "harness/compile/compiler.hpp"

namespace fusetune {

/// What the store holds of one compilation; the bytes stay on disk.
struct StoredCode {
  Outcome outcome;
  std::string log;
  std::filesystem::path code_path;  ///< empty for a failure
  std::string code_identity;
  CodeFacts facts;
  double compile_ms = 0;
};

struct CodeStoreInfo {
  std::int64_t entries = 0;
  std::int64_t failures = 0;
  std::int64_t bytes = 0;
};

class CodeStore {
 public:
  explicit CodeStore(std::filesystem::path root);

  /// Nothing when absent, or when damaged (checksum, truncated, unreadable JSON): a damaged entry
  /// is recompiled, never loaded.
  std::optional<StoredCode> find(std::string_view key) const;

  /// Writes the code first, then the entry that makes it visible. Throws UserError when the disk
  /// refuses.
  StoredCode put(std::string_view key, const CompileResult& result);

  CodeStoreInfo info() const;
  /// Deletes all entries; returns how many.
  std::int64_t clear();

  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

}  // namespace fusetune
