#include "harness/base/files.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const char* verb, const fs::path& path, int error) {
  throw UserError(fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(error)));
}

/// 0, or the errno of the write or sync that failed.
int write_all(int fd, std::string_view content, Durability durability) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  if (durability == Durability::process_kill) return 0;
  return ::fsync(fd) == 0 ? 0 : errno;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// A new name is kept by its folder, which is synced by itself. Not every file system can, and not
/// every folder that may be written in may be read.
void sync_folder(const fs::path& folder) {
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.is_open() && ::fsync(file.get()) != 0 && errno != EINVAL) fail("sync", folder, errno);
}

/// What a killed process left beside `path` on its way there. Another one may be writing now.
void remove_leftovers(const fs::path& path) {
  const std::string prefix = path.filename().string() + ".tmp-";
  std::error_code error;
  for (fs::directory_iterator it(folder_of(path), error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const long writer = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
    if (writer > 0 && ::kill(static_cast<pid_t>(writer), 0) != 0 && errno == ESRCH)
      ::unlink(it->path().c_str());
  }
}

}  // namespace

std::string read_file(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) fail("read", path, errno);
  std::string content;
  char block[65536];
  for (;;) {
    const ssize_t n = ::read(file.get(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path, errno);
    if (n == 0) return content;
    content.append(block, static_cast<std::size_t>(n));
  }
}

void write_file_atomic(const fs::path& path, std::string_view content, Durability durability) {
  if (path.has_parent_path()) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) fail("create the folder", path.parent_path(), error.value());
  }
  static std::atomic<unsigned> counter{0};
  const fs::path temporary =
      path.string() + fmt::format(".tmp-{}-{}", ::getpid(), counter.fetch_add(1));
  int error = 0;
  {
    const FileDescriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.is_open()) fail("write", path, errno);
    error = write_all(file.get(), content, durability);
  }
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail("write", path, error);
  }
  if (durability == Durability::process_kill) return;
  sync_folder(folder_of(path));
  // Of the few files that are for people; a code object's folder would be listed thousands of
  // times.
  remove_leftovers(path);
}

fs::path project_root() {
  if (const char* root = std::getenv("FUSETUNE_ROOT"); root != nullptr && *root != '\0')
    return root;
  // lib/ may have a folder per architecture in between.
  for (const char* shared : {"../share/fusetune", "../../share/fusetune"}) {
    const fs::path installed = (own_folder() / shared).lexically_normal();
    std::error_code error;
    if (fs::is_directory(installed / "kernels" / "common", error)) return installed;
  }
  return FUSETUNE_SOURCE_DIR;
}

fs::path own_folder() {
  static const fs::path folder = [] {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 ||
        info.dli_fname == nullptr)
      return fs::path();
    std::error_code error;
    // Of a program it is what it was called as, which need not be a path.
    const fs::path file = fs::canonical(info.dli_fname, error);
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    return file.filename().string().find(".so") == std::string::npos ? self.parent_path()
                                                                     : file.parent_path();
  }();
  return folder;
}

std::string display_path(const fs::path& path) {
  const fs::path relative = fs::absolute(path).lexically_normal().lexically_relative(
      fs::absolute(project_root()).lexically_normal());
  if (relative.empty() || *relative.begin() == "..") return path.string();
  return relative.string();
}

std::string harness_version() { return FUSETUNE_VERSION; }

}  // namespace fusetune
