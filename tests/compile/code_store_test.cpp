#include "harness/compile/code_store.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <new>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "support.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;
using test::files_below;

const std::string kKey = "0123456789abcdef0123456789abcdef";

CompileResult good_result(const std::string& code = "some code") {
  CompileResult result;
  result.log = "a warning";
  result.code = code;
  result.code_identity = hash_hex(code);
  result.facts.file_bytes = static_cast<std::int64_t>(code.size());
  KernelFacts& kernel = result.facts.kernels.emplace_back();
  kernel.entry = "foo";
  kernel.vgpr = 12;
  result.compile_ms = 41.25;
  return result;
}

CompileResult failure() {
  CompileResult result;
  result.outcome = {Status::compile_error, "k.hip:3: error: no"};
  result.log = "k.hip:3: error: no\nand more\xff";
  result.compile_ms = 3;
  return result;
}

/// Runs `body` in a child; its exit code. Statuses cross by that alone.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void flip_byte(const fs::path& path, std::size_t at) {
  std::string content = read_file(path);
  content.at(at) = static_cast<char>(content.at(at) ^ 1);
  std::ofstream(path, std::ios::binary) << content;
}

class CodeStoreTest : public testing::Test {
 protected:
  fs::path entry_path() const { return folder_.path() / "code" / "01" / (kKey + ".json"); }
  fs::path code_path() const { return folder_.path() / "code" / "01" / (kKey + ".co"); }

  TemporaryFolder folder_{"fusetune"};
  CodeStore store_{folder_.path()};
};

TEST_F(CodeStoreTest, FindsWhatWasPut) {
  EXPECT_FALSE(store_.find(kKey));
  const StoredCode put = store_.put(kKey, good_result());
  const auto found = store_.find(kKey);
  ASSERT_TRUE(found);
  for (const StoredCode& stored : {put, *found}) {
    EXPECT_TRUE(stored.outcome.ok());
    EXPECT_EQ(stored.log, "a warning");
    EXPECT_EQ(stored.code_path, code_path());
    EXPECT_EQ(stored.code_identity, hash_hex("some code"));
    EXPECT_EQ(stored.compile_ms, 41.25);
    ASSERT_EQ(stored.facts.kernels.size(), 1u);
    EXPECT_EQ(stored.facts.kernels[0].vgpr, 12);
    EXPECT_FALSE(stored.facts.kernels[0].sgpr);
  }
  EXPECT_EQ(read_file(found->code_path), "some code");
  EXPECT_FALSE(store_.find("01ffffffffffffffffffffffffffffff"));
}

TEST_F(CodeStoreTest, KeepsFailuresWithTheirLog) {
  store_.put(kKey, failure());
  const auto found = store_.find(kKey);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->outcome.status, Status::compile_error);
  EXPECT_EQ(found->outcome.message, "k.hip:3: error: no");
  EXPECT_THAT(found->log, testing::HasSubstr("and more"));
  EXPECT_TRUE(found->code_path.empty());
}

TEST_F(CodeStoreTest, ReplacesFailureAndSuccessByEachOther) {
  store_.put(kKey, failure());
  store_.put(kKey, good_result());
  EXPECT_TRUE(store_.find(kKey)->outcome.ok());
  store_.put(kKey, failure());
  EXPECT_FALSE(store_.find(kKey)->outcome.ok());
  EXPECT_FALSE(fs::exists(code_path()));
}

TEST_F(CodeStoreTest, DamagedCodeIsNotFound) {
  store_.put(kKey, good_result());
  fs::resize_file(code_path(), 4);
  EXPECT_FALSE(store_.find(kKey)) << "truncated";
  store_.put(kKey, good_result());
  flip_byte(code_path(), 3);
  EXPECT_FALSE(store_.find(kKey)) << "flipped byte";
  store_.put(kKey, good_result());
  fs::remove(code_path());
  EXPECT_FALSE(store_.find(kKey)) << "missing";
  store_.put(kKey, good_result());
  EXPECT_TRUE(store_.find(kKey)) << "put again";
}

TEST_F(CodeStoreTest, DamagedEntryIsNotFoundWhereverTheDamageIs) {
  store_.put(kKey, good_result());
  const std::string whole = read_file(entry_path());
  for (std::size_t at = 0; at + 1 < whole.size(); ++at) {  // but the final newline
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(entry_path(), std::ios::binary) << damaged;
    ASSERT_FALSE(store_.find(kKey)) << "byte " << at << " of\n" << damaged;
  }
  for (std::size_t size = 0; size + 1 < whole.size(); size += 7) {
    std::ofstream(entry_path(), std::ios::binary) << whole.substr(0, size);
    ASSERT_FALSE(store_.find(kKey)) << "truncated to " << size;
  }
  std::ofstream(entry_path(), std::ios::binary) << "[1, 2]";
  EXPECT_FALSE(store_.find(kKey));
  std::ofstream(entry_path(), std::ios::binary) << whole;
  EXPECT_TRUE(store_.find(kKey));
}

TEST_F(CodeStoreTest, AnEntryUnderAnotherKeyIsNotFound) {
  const std::string other = "01" + std::string(30, 'a');
  store_.put(kKey, good_result());
  for (const char* ending : {".json", ".co"})
    fs::copy(folder_.path() / "code" / "01" / (kKey + ending),
             folder_.path() / "code" / "01" / (other + ending));
  EXPECT_FALSE(store_.find(other));
}

/// Brings two processes to the same place again and again.
class Meeting {
 public:
  Meeting() {
    void* memory = ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    arrivals_ = new (memory) std::atomic<int>(0);
  }
  ~Meeting() { ::munmap(arrivals_, sizeof(std::atomic<int>)); }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  void wait() {
    const int both = (arrivals_->fetch_add(1) / 2 + 1) * 2;
    while (arrivals_->load() < both) ::sched_yield();
  }

 private:
  std::atomic<int>* arrivals_;
};

TEST_F(CodeStoreTest, TwoWritersOfOneKeyLeaveOneWholeEntry) {
  Meeting meeting;
  const auto writer = [&](char letter) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    const CompileResult result = good_result(std::string(5000, letter));
    int mixed = 0;
    for (int round = 0; round < 40; ++round) {
      meeting.wait();
      store_.put(kKey, result);
      meeting.wait();
      const auto found = store_.find(kKey);
      if (!found || hash_hex(read_file(found->code_path)) != found->code_identity) mixed = 1;
    }
    ::_exit(mixed);
  };
  const pid_t first = writer('a'), second = writer('b');
  for (const pid_t child : {first, second}) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << "the code of one writer was left under the entry of the other";
  }
  EXPECT_EQ(files_below(folder_.path()).size(), 2u);
}

/// As on a full disk: no file can grow beyond `limit_bytes`.
int put_with_file_size_limit(CodeStore& store, const CompileResult& result, rlim_t limit_bytes) {
  return in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{limit_bytes, limit_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      store.put(kKey, result);
    } catch (const UserError& error) {
      return std::string_view(error.what()).find("cannot write") != std::string_view::npos ? 7 : 8;
    }
    return 9;
  });
}

TEST_F(CodeStoreTest, AFullDiskIsTheUsersErrorAndLeavesNothing) {
  EXPECT_EQ(put_with_file_size_limit(store_, good_result(), 4), 7);
  EXPECT_THAT(files_below(folder_.path()), testing::IsEmpty());
  EXPECT_FALSE(store_.find(kKey));
}

TEST_F(CodeStoreTest, ADiskFullAfterTheCodeLeavesNoHalfEntry) {
  CompileResult result = good_result();
  result.log = std::string(5000, 'l');
  EXPECT_EQ(put_with_file_size_limit(store_, result, 100), 7);
  EXPECT_THAT(files_below(folder_.path()), testing::IsEmpty());
}

TEST_F(CodeStoreTest, ADiskFullLeavesTheOldEntryUsableOrGone) {
  store_.put(kKey, good_result("old code"));
  CompileResult result = good_result("new code");
  result.log = std::string(5000, 'l');
  EXPECT_EQ(put_with_file_size_limit(store_, result, 1000), 7);
  EXPECT_FALSE(store_.find(kKey)) << "the old entry must not vouch for the new code";
  store_.put(kKey, good_result("old code"));
  EXPECT_EQ(put_with_file_size_limit(store_, good_result("new code"), 2), 7);
  ASSERT_TRUE(store_.find(kKey)) << "nothing was replaced yet";
  EXPECT_EQ(read_file(code_path()), "old code");
}

TEST_F(CodeStoreTest, AnUnusableFolderIsTheUsersError) {
  std::ofstream(folder_ / "file") << "x";
  EXPECT_THROW(CodeStore(folder_ / "file").put(kKey, good_result()), UserError);
  EXPECT_THROW(CodeStore("/proc/fusetune").put(kKey, good_result()), UserError);
  EXPECT_FALSE(CodeStore("/proc/fusetune").find(kKey));
}

TEST_F(CodeStoreTest, KeysAreNoPaths) {
  EXPECT_THROW(store_.put("../../etc/passwd", good_result()), std::invalid_argument);
  EXPECT_THROW(store_.find("ab/../../x"), std::invalid_argument);
  EXPECT_THROW(store_.find(""), std::invalid_argument);
}

}  // namespace
}  // namespace fusetune
