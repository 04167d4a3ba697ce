#pragma once
// A folder of its own that is removed with all that is in it.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace fusetune {

class TemporaryFolder {
 public:
  /// In `parent`, or where none is given in $TMPDIR or /tmp. Throws UserError with the folder and
  /// the reason.
  explicit TemporaryFolder(const std::string& prefix, std::filesystem::path parent = {});
  ~TemporaryFolder();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace fusetune
