#include "harness/compile/code_cache.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/compile/code_store.hpp"
#include "support.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::files_below;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CompileResult result_of(std::size_t bytes, Status status = Status::ok) {
  CompileResult result;
  result.outcome.status = status;
  result.code = std::string(bytes, 'c');
  result.code_identity = "1d";
  return result;
}

class CodeCache : public testing::Test {
 protected:
  fs::path root() const { return folder_.path(); }
  static std::string key(int i) { return hash_hex(std::to_string(i)); }
  fs::path entry(int i) const { return root() / "code" / key(i).substr(0, 2) / (key(i) + ".json"); }
  fs::path code(int i) const { return entry(i).replace_extension(".co"); }
  /// Put by a run of long ago, and last used `age` ago.
  void put(int i, std::chrono::minutes age, std::size_t bytes = 1000) const {
    CodeStore(root()).put(key(i), result_of(bytes), {"gfx90a", "hipRTC"});
    fs::last_write_time(entry(i), fs::file_time_type::clock::now() - age);
  }
  bool has(int i) const { return CodeStore(root()).find(key(i)).has_value(); }
  void flip(const fs::path& file, std::size_t at) const {
    std::string content = read_file(file);
    content.at(at) = static_cast<char>(content.at(at) ^ 4);
    std::ofstream(file, std::ios::binary) << content;
  }

  TemporaryFolder folder_{"fusetune"};
};

TEST_F(CodeCache, CountsByTargetAndCompiler) {
  EXPECT_EQ(code_cache_info(root()).all.entries, 0);
  put(1, 0min);
  put(2, 0min);
  CodeStore(root()).put(key(3), result_of(0, Status::compile_error), {"host-w64", "g++ 12"});
  const CodeCacheInfo info = code_cache_info(root());
  EXPECT_EQ(info.all.entries, 3);
  EXPECT_EQ(info.all.failures, 1);
  std::int64_t bytes = 0;
  for (const fs::path& file : files_below(root()))
    bytes += static_cast<std::int64_t>(fs::file_size(file));
  EXPECT_EQ(info.all.bytes, bytes);
  EXPECT_EQ(info.shares.at({"gfx90a", "hipRTC"}).entries, 2);
  EXPECT_EQ(info.shares.at({"host-w64", "g++ 12"}).failures, 1);
}

TEST_F(CodeCache, DamageIsNamedAndRepaired) {
  for (int i = 0; i < 6; ++i) put(i, 60min);
  flip(entry(0), 40);
  flip(code(1), 17);
  fs::remove(code(2));
  fs::resize_file(entry(3), 20);
  std::ofstream(root() / "code" / key(4).substr(0, 2) / (key(4) + ".co.tmp-1")) << "left by a kill";
  for (const bool repair : {false, true}) {
    const CodeCacheCheck check = check_code_cache(root(), repair);
    EXPECT_EQ(check.entries, 6);
    std::vector<std::string> found;
    for (const DamagedEntry& one : check.damaged)
      found.push_back(one.file.filename().string() + ": " + one.why);
    EXPECT_THAT(found, testing::UnorderedElementsAre(
                           AllOf(HasSubstr(key(0)), HasSubstr("the entry's checksum")),
                           AllOf(HasSubstr(key(1)), HasSubstr("checksum of its code")),
                           AllOf(HasSubstr(key(2)), HasSubstr("missing")),
                           AllOf(HasSubstr(key(3)), HasSubstr("cut short"))));
    EXPECT_EQ(check.left_over.size(), 1U);
  }
  const CodeCacheCheck repaired = check_code_cache(root(), false);
  EXPECT_EQ(repaired.entries, 2);
  EXPECT_THAT(repaired.damaged, IsEmpty());
  EXPECT_THAT(repaired.left_over, IsEmpty());
  EXPECT_EQ(files_below(root() / "code").size(), 4U);
}

TEST_F(CodeCache, WhatWasNotUsedForLongestGoesFirst) {
  for (int i = 0; i < 5; ++i) put(i, std::chrono::minutes(100 - 10 * i));
  const std::int64_t one = code_cache_info(root()).all.bytes / 5;
  {
    CodeStore run(root());
    run.hold();
    EXPECT_TRUE(run.find(key(0)));  // the oldest is used again
  }
  const CodeCachePruned pruned = prune_code_cache(root(), 3 * one + 100);
  EXPECT_EQ(pruned.removed.entries, 2);
  EXPECT_EQ(pruned.kept.entries, 3);
  EXPECT_EQ(pruned.kept.bytes, code_cache_info(root()).all.bytes);
  EXPECT_TRUE(has(0));
  EXPECT_FALSE(has(1));
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(3));
  EXPECT_EQ(prune_code_cache(root(), 3 * one + 100).removed.entries, 0) << "it fits";
}

TEST_F(CodeCache, WhatARunUsesStays) {
  for (int i = 0; i < 4; ++i) put(i, 60min);
  CodeStore run(root());
  run.hold();
  EXPECT_TRUE(run.find(key(2)));
  run.put(key(9), result_of(500));
  const CodeCachePruned pruned = prune_code_cache(root(), 0);
  EXPECT_EQ(pruned.removed.entries, 3);
  EXPECT_EQ(pruned.kept.entries, 2);
  EXPECT_EQ(pruned.in_use_bytes, pruned.kept.bytes);
  EXPECT_TRUE(has(2) && has(9));
  EXPECT_THROW(clear_code_cache(root()), UserError);
  run = CodeStore(root());
  EXPECT_EQ(prune_code_cache(root(), 0).removed.entries, 2) << "the run has ended";
}

TEST_F(CodeCache, TheLeaseOfADeadProcessIsNone) {
  put(1, 0min);
  const pid_t child = ::fork();
  if (child == 0) {
    CodeStore run(root());
    run.hold();
    (void)run.find(key(1));
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(files_below(root() / "leases").size(), 2U);
  EXPECT_EQ(clear_code_cache(root()), 1);
  EXPECT_EQ(files_below(root() / "leases").size(), 1U);
}

TEST_F(CodeCache, TwoProcessesOnOneStore) {
  // One compiles and uses what it compiled, the other evicts all it can all the time.
  for (int i = 0; i < 40; ++i) put(i, 60min);
  const pid_t evicting = ::fork();
  if (evicting == 0) {
    for (;; ::usleep(100)) prune_code_cache(root(), 0);
  }
  const pid_t using_it = ::fork();
  if (using_it == 0) {
    int lost = 0;
    for (int round = 0; round < 30; ++round) {
      CodeStore run(root());
      run.hold();
      std::vector<fs::path> used;
      for (int i = 0; i < 40; ++i) {
        std::optional<StoredCode> stored = run.find(key(i));
        if (!stored) stored = run.put(key(i), result_of(1000));
        used.push_back(stored->code_path);
      }
      for (const fs::path& path : used) lost += fs::exists(path) ? 0 : 1;
    }
    ::_exit(lost == 0 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(using_it, &status, 0);
  ::kill(evicting, SIGKILL);
  ::waitpid(evicting, nullptr, 0);
  EXPECT_EQ(status, 0) << "code vanished under a run that used it";
  EXPECT_THAT(check_code_cache(root(), false).damaged, IsEmpty());
}

}  // namespace
}  // namespace fusetune
