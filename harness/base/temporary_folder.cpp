#include "harness/base/temporary_folder.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "harness/base/error.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

fs::path usual_parent() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
}

}  // namespace

TemporaryFolder::TemporaryFolder(const std::string& prefix, fs::path parent) {
  parent = fs::absolute(parent.empty() ? usual_parent() : parent);
  std::string name = (parent / (prefix + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr)
    throw UserError(fmt::format("cannot make a temporary folder in {}: {}", parent.string(),
                                std::generic_category().message(errno)));
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  if (path_.empty()) return;
  // A process that was just killed may still end its last call, and that may make a file.
  for (int attempt = 0; attempt < 5; ++attempt) {
    std::error_code error;
    fs::remove_all(path_, error);
    if (!error) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace fusetune
