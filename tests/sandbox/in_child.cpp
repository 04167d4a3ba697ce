#include "tests/sandbox/in_child.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

#include "harness/process/fd.hpp"

namespace fusetune {

ChildEnd in_child(const std::function<int()>& body) {
  Pipe output = make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(output.write.get(), STDERR_FILENO);
    int code = 100;
    try {
      code = body();
    } catch (const std::exception&) {
      // 100 says so.
    }
    ::_exit(code);
  }
  output.write.close();
  ChildEnd end;
  read_available(output.read.get(), end.output, 1 << 16);
  int status = 0;
  ::waitpid(pid, &status, 0);
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return end;
}

int error_of(long result) { return result >= 0 ? 0 : errno; }

}  // namespace fusetune
