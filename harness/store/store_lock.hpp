#pragma once
// One writer per store: an advisory lock on a file that names its holder. The kernel lets go of it
// when the holder dies, however it dies.

#include <filesystem>
#include <optional>
#include <string>

namespace fusetune {

class StoreLock {
 public:
  /// Nothing when another process holds it, whose id is then in `holder` ("" when it has not
  /// written it yet). Throws UserError when the file cannot be made or locked.
  static std::optional<StoreLock> try_take(const std::filesystem::path& file, std::string* holder);
  ~StoreLock();
  StoreLock(StoreLock&& other) noexcept;
  StoreLock& operator=(StoreLock&&) = delete;

 private:
  explicit StoreLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace fusetune
