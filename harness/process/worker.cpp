#include "harness/process/worker.hpp"

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kTailBytes = 4096;
// What is read of a worker's output in one go: one that prints without end must not hold the loop.
constexpr std::size_t kOutputBytes = 1 << 18;
// How long a killed worker may take to disappear before the supervisor goes on without it.
constexpr std::chrono::milliseconds kWorkerKillWait{2000};

}  // namespace

void OutputTail::append(std::string_view text) {
  tail_.append(text);
  if (tail_.size() > kTailBytes) {
    tail_.erase(0, tail_.size() - kTailBytes);
    cut_ = true;
  }
}

void OutputTail::clear() {
  tail_.clear();
  cut_ = false;
}

std::string OutputTail::text() const {
  if (!cut_) return tail_;
  const std::size_t line_end = tail_.find('\n');
  if (line_end != std::string::npos && line_end + 1 < tail_.size())
    return tail_.substr(line_end + 1);
  // One long line: at least do not begin inside a UTF-8 character.
  std::size_t begin = 0;
  while (begin < tail_.size() && (static_cast<unsigned char>(tail_[begin]) & 0xc0) == 0x80) ++begin;
  return tail_.substr(begin);
}

std::unique_ptr<Worker> Worker::start(const WorkerPoolOptions& options, std::string* error) {
  try {
    TemporaryFolder scratch("fusetune-worker");
    auto note = std::make_unique<NotePage>();
    Pipe requests = make_pipe();
    Pipe answers = make_pipe();
    Pipe output = make_pipe();
    SpawnRequest request;
    request.arguments = options.command;
    for (const std::string& argument :
         {std::string("--in-fd"), std::to_string(requests.read.get()), std::string("--out-fd"),
          std::to_string(answers.write.get()), std::string("--note-fd"), std::to_string(note->fd()),
          std::string("--scratch"), scratch.path().string()})
      request.arguments.push_back(argument);
    request.output_fd = output.write.get();
    request.inherited_fds = {requests.read.get(), answers.write.get(), note->fd()};
    request.new_session = true;
    request.address_space_bytes = options.address_space_bytes;
    const Spawned spawned = spawn(request);
    if (spawned.pid < 0) {
      *error = spawned.error;
      return nullptr;
    }
    note->close_fd();
    return std::unique_ptr<Worker>(new Worker(spawned.pid, std::move(scratch), std::move(note),
                                              std::move(requests.write), std::move(answers.read),
                                              std::move(output.read)));
  } catch (const UserError& failure) {
    *error = failure.what();
    return nullptr;
  } catch (const std::system_error& failure) {
    *error = "cannot start '" + options.command.front() + "': " + failure.what();
    return nullptr;
  }
}

Worker::Worker(pid_t pid, TemporaryFolder scratch, std::unique_ptr<NotePage> note,
               FileDescriptor requests, FileDescriptor answers, FileDescriptor output)
    : scratch_(std::move(scratch)),
      note_(std::move(note)),
      pid_(pid),
      requests_(std::move(requests)),
      answers_(std::move(answers)),
      output_fd_(std::move(output)),
      channel_(answers_.get(), requests_.get()) {
  set_nonblocking(requests_.get());
  set_nonblocking(output_fd_.get());
}

Worker::~Worker() {
  if (!ended_) end(std::chrono::milliseconds(0));
}

std::array<pollfd, 3> Worker::poll_entries() const {
  // poll() skips negative descriptors.
  const int unsent_fd = unsent_.empty() ? -1 : requests_.get();
  return {pollfd{answers_.get(), POLLIN, 0}, pollfd{output_fd_.get(), POLLIN, 0},
          pollfd{unsent_fd, POLLOUT, 0}};
}

void Worker::send(const Job& job) {
  if (const auto& part = job.shared; part && shared_.insert(part->key).second)
    unsent_ += Channel::frame(Json{{"keep", part->key}, {"value", part->value}});
  unsent_ += Channel::frame(job.request);
  flush();
}

void Worker::flush() {
  std::string_view rest = unsent_;
  while (!rest.empty()) {
    const std::ptrdiff_t n = write_some(requests_.get(), rest);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) {  // it is gone, which shows on the side of the answers
      rest = {};
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  unsent_.erase(0, unsent_.size() - rest.size());
}

void Worker::drain_output() {
  if (!output_fd_.is_open()) return;
  std::string text;
  if (read_available(output_fd_.get(), text, kOutputBytes) == ReadState::closed) output_fd_.close();
  output_.append(text);
}

std::optional<ExitState> Worker::end(std::chrono::milliseconds grace) {
  ended_ = true;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (!has_exited() && std::chrono::steady_clock::now() < deadline) {
    drain_output();  // it may still have to print before it can leave
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill();
  const auto state = reap(pid_, kWorkerKillWait);
  drain_output();
  return state;
}

}  // namespace fusetune
