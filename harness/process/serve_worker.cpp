#include <fcntl.h>

#include <exception>

#include "harness/process/channel.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {

namespace {

Json answer_of(
    const Json& request, const std::function<void(const Json&)>& progress,
    const std::function<Json(const Json&, const std::function<void(const Json&)>&)>& handle) {
  try {
    return handle(request, progress);
  } catch (const std::exception& error) {
    return {{"error", error.what()}};
  } catch (...) {
    return {{"error", "an exception of unknown type"}};
  }
}

/// A message as the pool reads it: one key says what the value is.
Json envelope(const char* what, const Json& value) {
  Json message = Json::object();
  message[what] = value;
  return message;
}

}  // namespace

int serve_worker(
    int in_fd, int out_fd,
    const std::function<Json(const Json&, const std::function<void(const Json&)>&)>& handle) {
  // A program that the worker starts must not hold the pipes open after the worker's death.
  ::fcntl(in_fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(out_fd, F_SETFD, FD_CLOEXEC);
  Channel channel(in_fd, out_fd);
  const auto progress = [&](const Json& value) { channel.send(envelope("progress", value)); };
  while (const auto request = channel.receive()) {
    // From here on the job counts as begun: it is not given to another worker.
    if (!channel.send(envelope("began", true))) return 1;
    const Json answer = answer_of(*request, progress, handle);
    if (!channel.send(envelope("answer", answer))) return 1;
    // A kernel that ran wild may have written anywhere in this process: the next job gets another.
    if (answer.is_object() && answer.value("retire", false)) return 0;
  }
  return channel.broken() ? 1 : 0;
}

}  // namespace fusetune
