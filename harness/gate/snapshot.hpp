#pragma once
// What a baseline is compiled from, kept beside it by content: so that a changed kernel races
// against its baseline's source and not against itself.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/compile/compiler.hpp"
#include "harness/spec/family.hpp"

namespace fusetune {

/// The files of a family at one moment: family.yaml, the sources of all implementations, the
/// headers that they include, and captured cases.
struct Snapshot {
  struct File {
    std::string name;     ///< below the family's folder; headers as they are included
    std::string content;  ///< hash_hex() of it
    auto operator<=>(const File&) const = default;
  };
  std::string family;
  std::string folder;       ///< of the family, as display_path(): what compilers are told
  std::vector<File> files;  ///< by name

  /// Changes with every byte of its files, and with nothing else.
  std::string id() const;
};

/// A folder of files that are named by their content.
class SourceFolder {
 public:
  explicit SourceFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Throws UserError when the disk refuses.
  void put(const Snapshot::File& file, const std::string& text) const;
  /// Throws UserError for a file that is missing, or has another content than its name says.
  std::string get(const Snapshot::File& file) const;
  /// Removes the files that none of these has. What is no file of this folder's own stays.
  void keep_only(const std::vector<Snapshot>& snapshots) const;

  const std::filesystem::path& path() const { return folder_; }

 private:
  std::filesystem::path path_of(const Snapshot::File& file) const;
  std::filesystem::path folder_;
};

/// Reads a family's files as they are now and puts them into the folder. Throws UserError where two
/// implementations include different headers by one name, or the disk refuses.
Snapshot take_snapshot(const Family& family, const SourceFolder& sources);

/// The family of a snapshot, read from files that are laid out below `scratch` unless they are
/// there already. Throws UserError.
std::shared_ptr<const Family> family_of(const Snapshot& snapshot, const SourceFolder& sources,
                                        const std::filesystem::path& scratch);

}  // namespace fusetune
