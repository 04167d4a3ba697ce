#include <fcntl.h>

#include <exception>
#include <map>
#include <string>
#include <utility>

#include "harness/process/channel.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {

namespace {

/// Parts of requests that were sent before, by key.
using SharedParts = std::map<std::string, Json>;

Json answer_of(
    Json request, const SharedParts& kept, const std::function<void(const Json&)>& progress,
    const std::function<Json(const Json&, const std::function<void(const Json&)>&)>& handle) {
  try {
    if (request.is_object() && request.contains("shared")) {
      const auto part = kept.find(request.at("shared").get<std::string>());
      if (part == kept.end()) return {{"error", "its shared part was not sent"}};
      request["shared"] = part->second;
    }
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
  SharedParts kept;
  while (auto request = channel.receive()) {
    if (request->is_object() && request->contains("keep")) {
      kept.emplace(request->at("keep").get<std::string>(), std::move(request->at("value")));
      continue;
    }
    // From here on the job counts as begun: it is not given to another worker.
    if (!channel.send(envelope("began", true))) return 1;
    const Json answer = answer_of(*std::move(request), kept, progress, handle);
    if (!channel.send(envelope("answer", answer))) return 1;
    // A kernel that ran wild may have written anywhere in this process: the next job gets another.
    if (answer.is_object() && answer.value("retire", false)) return 0;
  }
  return channel.broken() ? 1 : 0;
}

}  // namespace fusetune
