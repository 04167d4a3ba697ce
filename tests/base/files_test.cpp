#include "harness/base/files.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/temporary_folder.hpp"

namespace {
/// What was synced, in order; a folder by the names in it.
std::vector<std::string> synced;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
}  // namespace

/// In place of the C library's.
extern "C" int fsync(int fd) {
  struct stat about {};
  ::fstat(fd, &about);
  std::string what = "file";
  if (S_ISDIR(about.st_mode)) {
    what = "folder of";
    const std::string self = "/proc/self/fd/" + std::to_string(fd);
    for (const auto& entry : std::filesystem::directory_iterator(self + "/"))
      what += " " + entry.path().filename().string();
  }
  synced.push_back(what);
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace fusetune {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  const TemporaryFolder scratch_{"fusetune-files"};
  const fs::path& folder_ = scratch_.path();
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Files, WritesReadsAndReplaces) {
  const fs::path file = folder_ / "deep" / "er" / "file";
  write_file_atomic(file, "one");
  EXPECT_EQ(read_file(file), "one");
  write_file_atomic(file, std::string(100000, 'x'), Durability::process_kill);
  EXPECT_EQ(read_file(file).size(), 100000U);
  write_file_atomic(file, "");
  EXPECT_EQ(read_file(file), "");
}

TEST_F(Files, ANewNameOutlivesAPowerCut) {
  synced.clear();
  write_file_atomic(folder_ / "name", "one", Durability::process_kill);
  EXPECT_THAT(synced, ::testing::IsEmpty());
  write_file_atomic(folder_ / "name", "two");
  EXPECT_THAT(synced, ::testing::ElementsAre("file", "folder of name"));
}

TEST_F(Files, NamesThePathAndTheReason) {
  EXPECT_THAT(message_of([&] { read_file(folder_ / "absent"); }),
              ::testing::AllOf(HasSubstr("absent"), HasSubstr("No such file")));
  write_file_atomic(folder_ / "file", "");
  EXPECT_THAT(message_of([&] { write_file_atomic(folder_ / "file" / "below", ""); }),
              HasSubstr("file"));
}

TEST_F(Files, ARefusedWriteLeavesTheOldFileAndNoOther) {
  const fs::path file = folder_ / "file";
  write_file_atomic(file, "old");
  // The size limit stands for a full disk.
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 1000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      message_of([&] { write_file_atomic(file, std::string(100000, 'x')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("cannot write"));
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, WhatAKilledWriterLeftGoesWithTheNextWrite) {
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(gone, nullptr, 0), gone);
  const fs::path file = folder_ / "file";
  const auto leave = [&](const fs::path& name) { std::ofstream(folder_ / name) << "half"; };
  leave("file.tmp-" + std::to_string(gone) + "-0");
  leave("file.tmp-" + std::to_string(::getpid()) + "-999");  // somebody writes it now
  leave("other.tmp-" + std::to_string(gone) + "-0");
  write_file_atomic(file, "new");
  EXPECT_FALSE(fs::exists(folder_ / ("file.tmp-" + std::to_string(gone) + "-0")));
  EXPECT_EQ(entries(), 3U);
}

TEST(ProjectRoot, HoldsTheKernels) {
  EXPECT_TRUE(fs::exists(project_root() / "kernels" / "common" / "ft.h"));
  EXPECT_EQ(display_path(project_root() / "kernels" / "common" / "ft.h"), "kernels/common/ft.h");
  EXPECT_EQ(display_path("/nowhere/else"), "/nowhere/else");
}

}  // namespace
}  // namespace fusetune
