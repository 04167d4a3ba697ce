#pragma once
// The code-object store: content key -> code object, facts, log, or the recorded failure.
// <root>/code/<first two digits>/<key>.json and .co, each written atomically, with checksums.

#include <filesystem>
#include <memory>
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

/// For whom an entry was compiled and by what; for people alone, the key covers both.
struct CodeOrigin {
  std::string target;
  std::string compiler;
};

class CodeLease;
struct CodeEntryPaths;

class CodeStore {
 public:
  explicit CodeStore(std::filesystem::path root);

  /// From now on nothing that this process finds or puts is evicted by another, or by this one,
  /// until the last copy of this object is gone. Throws UserError when the folder refuses.
  void hold();

  /// From now on find() gives code in quarantine (quarantine_mark.hpp) as the failure that brought
  /// it there, so that nothing runs it.
  void heed_quarantine() { heeds_quarantine_ = true; }

  /// Nothing when absent, or when damaged (checksum, truncated, unreadable JSON): a damaged entry
  /// is recompiled, never loaded.
  std::optional<StoredCode> find(std::string_view key) const;

  /// Writes the code first, then the entry that makes it visible. Throws UserError when the disk
  /// refuses.
  StoredCode put(std::string_view key, const CompileResult& result, const CodeOrigin& origin = {});

  const std::filesystem::path& root() const { return root_; }

 private:
  std::optional<StoredCode> find_at(const CodeEntryPaths& paths, std::string_view key) const;

  std::filesystem::path root_;
  std::shared_ptr<const CodeLease> lease_;
  bool heeds_quarantine_ = false;
};

}  // namespace fusetune
