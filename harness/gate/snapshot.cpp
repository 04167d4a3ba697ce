#include "harness/gate/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kHashDigits = 32;

/// Relative, below where it is put, and without detours.
bool stays_below(const fs::path& name) {
  return !name.empty() && name.is_relative() && name == name.lexically_normal() &&
         *name.begin() != ".." && name.has_filename();
}

void add(std::map<std::string, std::string>& texts, const Family& family, const std::string& name,
         const std::string& text) {
  if (!stays_below(name))
    throw UserError(fmt::format("{}: '{}' lies outside of the family's folder", family.name, name));
  const auto [known, is_new] = texts.emplace(name, text);
  if (!is_new && known->second != text)
    throw UserError(
        fmt::format("{}: two of its files are called '{}'; a baseline needs names of their own",
                    family.name, name));
}

}  // namespace

std::string Snapshot::id() const {
  HashFields fields;
  for (const File& file : files) {
    fields.add(file.name);
    fields.add(file.content);
  }
  return fields.hex();
}

fs::path SourceFolder::path_of(const Snapshot::File& file) const {
  // The ending is for whoever reviews it.
  return folder_ / (file.content + fs::path(file.name).extension().string());
}

void SourceFolder::put(const Snapshot::File& file, const std::string& text) const {
  const fs::path path = path_of(file);
  std::error_code error;
  if (fs::exists(path, error) && hash_hex(read_file(path)) == file.content) return;
  write_file_atomic(path, text);
}

std::string SourceFolder::get(const Snapshot::File& file) const {
  const fs::path path = path_of(file);
  std::string text = read_file(path);
  if (hash_hex(text) != file.content)
    throw UserError(
        fmt::format("{}: it is not the {} of the baseline any more: it was damaged or "
                    "edited; restore the file, or accept the baseline again",
                    path.string(), file.name));
  return text;
}

void SourceFolder::keep_only(const std::vector<Snapshot>& snapshots) const {
  std::set<fs::path> kept;
  for (const Snapshot& snapshot : snapshots)
    for (const Snapshot::File& file : snapshot.files) kept.insert(path_of(file));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string stem = entry.path().stem().string();
    const bool own = stem.size() == kHashDigits &&
                     stem.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (own && kept.count(entry.path()) == 0) fs::remove(entry.path(), error);
  }
}

Snapshot take_snapshot(const Family& family, const SourceFolder& sources) {
  std::map<std::string, std::string> texts;
  const auto name_of = [&family](const fs::path& file) {
    return file.lexically_normal().lexically_relative(family.directory).string();
  };
  add(texts, family, name_of(family.file), read_file(family.file));
  SourceReader reader;
  for (const ImplementationDecl& implementation : family.implementations) {
    if (implementation.source.empty()) continue;
    const std::string name = name_of(implementation.source);
    if (texts.count(name) == 0) add(texts, family, name, read_file(implementation.source));
    for (const SourceText& header : reader.read(family, implementation).headers)
      add(texts, family, header.name, header.text);
  }
  for (const fs::path& file : family.captured) add(texts, family, name_of(file), read_file(file));
  Snapshot snapshot;
  snapshot.family = family.name;
  snapshot.folder = display_path(family.directory);
  for (const auto& [name, text] : texts) {
    snapshot.files.push_back({name, hash_hex(text)});
    sources.put(snapshot.files.back(), text);
  }
  return snapshot;
}

std::shared_ptr<const Family> family_of(const Snapshot& snapshot, const SourceFolder& sources,
                                        const fs::path& scratch) {
  const fs::path folder = fs::absolute(scratch) / snapshot.id() / snapshot.family;
  for (const Snapshot::File& file : snapshot.files) {
    if (!stays_below(file.name))
      throw UserError(fmt::format("the baseline's file '{}' leads out of its folder", file.name));
    const fs::path path = folder / file.name;
    std::error_code error;
    if (fs::exists(path, error) && hash_hex(read_file(path)) == file.content) continue;
    write_file_atomic(path, sources.get(file), Durability::process_kill);
  }
  // What is compiled names its files: those of a copy would make it other code.
  return load_family(folder / "family.yaml", (fs::path(snapshot.folder) / "family.yaml").string());
}

}  // namespace fusetune
