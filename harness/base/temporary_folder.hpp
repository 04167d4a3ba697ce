#pragma once
// A folder of its own that is removed with all that is in it.

#include <filesystem>
#include <string>
#include <utility>

namespace fusetune {

class TemporaryFolder {
 public:
  /// In $TMPDIR, or /tmp. Throws UserError with the folder and the reason.
  explicit TemporaryFolder(const std::string& prefix);
  ~TemporaryFolder();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace fusetune
