#include "harness/process/step_note.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include "harness/process/fd.hpp"

namespace fusetune {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPageBytes = 4096;
constexpr std::chrono::microseconds kTimeMax = std::chrono::hours(24);

std::int64_t now_ns() { return Clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

std::chrono::microseconds sane(std::int64_t us) {
  return std::clamp(std::chrono::microseconds(us), std::chrono::microseconds(0), kTimeMax);
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

// What says how long a step may take is written last and read first: with a new one comes no older
// beginning.
struct NotePage::Shared {
  std::atomic<std::int64_t> subject;
  std::atomic<std::int64_t> since_ns;     ///< 0: no note
  std::atomic<std::int64_t> expected_us;  ///< below 0: resting, for so long at most
  std::atomic<std::int64_t> slowest_us;   ///< of the steps that ended
  std::atomic<std::int64_t> jobs;
  std::atomic<std::int64_t> done;
  std::atomic<std::int64_t> left;
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

NotePage::NotePage() {
  FileDescriptor file(::memfd_create("fusetune-note", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.is_open()) fail("memfd_create");
  file_ = above_standard_streams(std::move(file));
  if (::fallocate(file_.get(), 0, 0, kPageBytes) != 0) fail("fallocate");
  // A worker that cut the file would take its reader along.
  if (::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    fail("F_ADD_SEALS");
  map(file_.get());
}

NotePage::NotePage(int fd) : file_(fd) {
  map(fd);
  file_.close();
}

NotePage::~NotePage() { ::munmap(shared_, kPageBytes); }

void NotePage::map(int fd) {
  void* const memory = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) fail("mmap");
  shared_ = static_cast<Shared*>(memory);
}

void NotePage::begin_job() { shared_->jobs.fetch_add(1); }

void NotePage::write(std::int64_t subject, std::chrono::microseconds expected) {
  end_step();
  shared_->subject.store(subject, std::memory_order_relaxed);
  shared_->since_ns.store(now_ns(), std::memory_order_relaxed);
  shared_->expected_us.store(std::max<std::int64_t>(expected.count(), 0),
                             std::memory_order_release);
}

void NotePage::rest(std::int64_t subject, std::chrono::microseconds at_most) {
  end_step();
  shared_->subject.store(subject, std::memory_order_relaxed);
  shared_->since_ns.store(now_ns(), std::memory_order_relaxed);
  shared_->expected_us.store(-std::max<std::int64_t>(at_most.count(), 1),
                             std::memory_order_release);
}

void NotePage::count(std::int64_t done, std::int64_t left) {
  shared_->done.store(done, std::memory_order_relaxed);
  shared_->left.store(left, std::memory_order_relaxed);
}

void NotePage::end_step() {
  const std::int64_t since = shared_->since_ns.load(std::memory_order_relaxed);
  if (since <= 0 || shared_->expected_us.load(std::memory_order_relaxed) < 0) return;
  const std::int64_t took_us = (now_ns() - since) / 1000;
  if (took_us > shared_->slowest_us.load(std::memory_order_relaxed))
    shared_->slowest_us.store(took_us, std::memory_order_relaxed);
}

void NotePage::clear() {
  shared_->since_ns.store(0);
  shared_->slowest_us.store(0);
  count(0, 0);
}

std::int64_t NotePage::jobs_begun() const { return shared_->jobs.load(); }

std::chrono::microseconds NotePage::slowest_step() const {
  return sane(shared_->slowest_us.load(std::memory_order_relaxed));
}

std::optional<StepNote> NotePage::read() const {
  const std::int64_t noted = shared_->expected_us.load(std::memory_order_acquire);
  const std::int64_t since_ns = shared_->since_ns.load(std::memory_order_relaxed);
  if (since_ns <= 0) return std::nullopt;
  StepNote note;
  note.subject = shared_->subject.load(std::memory_order_relaxed);
  note.since = Clock::time_point(std::chrono::nanoseconds(std::min(since_ns, now_ns())));
  note.resting = noted < 0;
  note.done = std::max<std::int64_t>(shared_->done.load(std::memory_order_relaxed), 0);
  note.left = std::max<std::int64_t>(shared_->left.load(std::memory_order_relaxed), 0);
  // The smallest number has no positive one.
  note.expected =
      sane(noted < 0 ? -std::max(noted, -std::numeric_limits<std::int64_t>::max()) : noted);
  return note;
}

}  // namespace fusetune
