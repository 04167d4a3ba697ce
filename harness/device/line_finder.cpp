#include "harness/device/line_finder.hpp"

#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>

#include "harness/process/channel.hpp"
#include "harness/process/fd.hpp"
#include "harness/process/spawn.hpp"
#include "harness/process/subprocess.hpp"

namespace fusetune {

namespace {

constexpr std::chrono::seconds kLimit{5};
// The helper ends with its pipe; this is for one that hangs.
constexpr std::chrono::milliseconds kLeaveGrace{200};

class DirectLineFinder : public LineFinder {
 public:
  std::string frames(const std::string& path, std::int64_t offset) override {
    const ProcessResult found =
        run_process({"addr2line", "-i", "-e", path, fmt::format("{:#x}", offset)}, kLimit);
    return found.exit_code == 0 && found.signal == 0 ? found.output : "";
  }
};

/// The helper's side. What it is asked may come from a process that ran wild.
void answer_questions(Channel& channel) {
  DirectLineFinder finder;
  while (const std::optional<Json> question = channel.receive()) {
    std::string frames;
    try {
      frames = finder.frames(question->at("path").get<std::string>(),
                             question->at("offset").get<std::int64_t>());
    } catch (const std::exception&) {
      // No question of ours; it gets no line.
    }
    if (!channel.send(frames)) return;
  }
}

/// Keeps two descriptors and the standard streams.
void close_all_but(int first, int second) {
  const auto low = static_cast<unsigned>(std::min(first, second));
  const auto high = static_cast<unsigned>(std::max(first, second));
  if (low > STDERR_FILENO + 1) ::close_range(STDERR_FILENO + 1, low - 1, 0);
  if (high > low + 1) ::close_range(low + 1, high - 1, 0);
  ::close_range(high + 1, ~0U, 0);
}

class HelperLineFinder : public LineFinder {
 public:
  HelperLineFinder(pid_t pid, FileDescriptor answers, FileDescriptor questions)
      : pid_(pid),
        answers_(std::move(answers)),
        questions_(std::move(questions)),
        channel_(answers_.get(), questions_.get()) {}
  ~HelperLineFinder() override {
    questions_.close();
    // Where no signal can be sent any more the helper leaves by itself.
    reap(pid_, kLeaveGrace);
  }

  std::string frames(const std::string& path, std::int64_t offset) override {
    if (!channel_.send({{"path", path}, {"offset", offset}})) return "";
    const std::optional<Json> answer = channel_.receive();
    return answer && answer->is_string() ? answer->get<std::string>() : "";
  }

 private:
  pid_t pid_;
  FileDescriptor answers_;
  FileDescriptor questions_;
  Channel channel_;
};

}  // namespace

std::unique_ptr<LineFinder> make_line_finder() { return std::make_unique<DirectLineFinder>(); }

std::unique_ptr<LineFinder> start_line_helper() {
  Pipe questions = make_pipe();
  Pipe answers = make_pipe();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return make_line_finder();
  if (pid == 0) {
    // Gone with the worker, however that ends.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    close_all_but(questions.read.get(), answers.write.get());
    Channel channel(questions.read.get(), answers.write.get());
    answer_questions(channel);
    ::_exit(0);
  }
  return std::make_unique<HelperLineFinder>(pid, std::move(answers.read),
                                            std::move(questions.write));
}

}  // namespace fusetune
