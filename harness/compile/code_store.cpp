#include "harness/compile/code_store.hpp"

#include <fmt/format.h>

#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/compile/code_entry.hpp"
#include "harness/compile/code_lease.hpp"
#include "harness/compile/quarantine_mark.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

void keep_from_running(const fs::path& root, StoredCode& code) {
  if (!code.outcome.ok() || code.code_identity.empty()) return;
  const fs::path folder = quarantine_folder(root, code.code_identity);
  const std::optional<QuarantineMark> mark = read_quarantine_mark(folder);
  if (!mark || !mark->keeps_from_running) return;
  code.outcome = {mark->outcome.status,
                  fmt::format("{} (in quarantine, not run again without --retry-failed; {} shows "
                              "it again)",
                              mark->outcome.message, (folder / "reproduce").string())};
}

}  // namespace

CodeStore::CodeStore(fs::path root) : root_(std::move(root)) {}

void CodeStore::hold() { lease_ = std::make_shared<const CodeLease>(root_); }

std::optional<StoredCode> CodeStore::find(std::string_view key) const {
  const CodeEntryPaths paths = code_entry_paths(root_, key);
  // Between reading an entry and marking it as used an eviction must not take it.
  std::optional<FolderLock> lock;
  if (lease_) lock.emplace(paths.entry.parent_path());
  return find_at(paths, key);
}

std::optional<StoredCode> CodeStore::find_at(const CodeEntryPaths& paths,
                                             std::string_view key) const {
  std::error_code error;
  if (!fs::is_regular_file(paths.entry, error)) return std::nullopt;
  try {
    const std::optional<Json> entry = parse_code_entry(read_file(paths.entry), key);
    std::optional<StoredCode> stored = entry ? stored_code(*entry, paths.code) : std::nullopt;
    if (stored && lease_) lease_->mark_used(paths.entry);
    if (stored && heeds_quarantine_) keep_from_running(root_, *stored);
    return stored;
  } catch (const UserError&) {
    return std::nullopt;  // vanished or unreadable: as good as absent
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

StoredCode CodeStore::put(std::string_view key, const CompileResult& result,
                          const CodeOrigin& origin) {
  const CodeEntryPaths paths = code_entry_paths(root_, key);
  std::error_code error;
  fs::create_directories(paths.entry.parent_path(), error);
  if (error)
    throw UserError(fmt::format("cannot create the folder {}: {}",
                                paths.entry.parent_path().string(), error.message()));
  const FolderLock lock(paths.entry.parent_path());
  std::error_code ignored;
  try {
    // Checksums find what a power cut leaves half written, and it is compiled again.
    if (result.outcome.ok()) write_file_atomic(paths.code, result.code, Durability::process_kill);
    write_file_atomic(paths.entry, code_entry_text(key, result, origin), Durability::process_kill);
  } catch (const UserError&) {
    // The new code without its entry is dead weight, and an old entry no longer fits it.
    if (result.outcome.ok() && !find_at(paths, key)) fs::remove(paths.code, ignored);
    throw;
  }
  if (!result.outcome.ok()) fs::remove(paths.code, ignored);
  if (lease_) lease_->mark_used(paths.entry);
  return {.outcome = result.outcome,
          .log = result.log,
          .code_path = result.outcome.ok() ? paths.code : fs::path(),
          .code_identity = result.code_identity,
          .facts = result.facts,
          .compile_ms = result.compile_ms};
}

}  // namespace fusetune
