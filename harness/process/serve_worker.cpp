#include <fcntl.h>

#include <exception>
#include <map>
#include <string>
#include <utility>

#include "harness/process/channel.hpp"
#include "harness/process/step_note.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {

namespace {

/// Parts of requests that were sent before, by key.
using SharedParts = std::map<std::string, Json>;

Json answer_of(Json request, const SharedParts& kept,
               const std::function<Json(const Json&)>& handle) {
  try {
    if (request.is_object() && request.contains("shared")) {
      const auto part = kept.find(request.at("shared").get<std::string>());
      if (part == kept.end()) return {{"error", "its shared part was not sent"}};
      request["shared"] = part->second;
    }
    return handle(request);
  } catch (const std::exception& error) {
    return {{"error", error.what()}};
  } catch (...) {
    return {{"error", "an exception of unknown type"}};
  }
}

}  // namespace

int serve_worker(int in_fd, int out_fd, NotePage& note,
                 const std::function<Json(const Json&)>& handle) {
  // A program that the worker starts must not hold the pipes open after the worker's death.
  ::fcntl(in_fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(out_fd, F_SETFD, FD_CLOEXEC);
  Channel channel(in_fd, out_fd);
  SharedParts kept;
  while (auto request = channel.receive()) {
    if (request->is_object() && request->contains("keep")) {
      kept.emplace(request->at("keep").get<std::string>(), std::move(request->at("value")));
      continue;
    }
    // From here on the job counts as begun: it is not given to another worker.
    note.begin_job();
    const Json answer = answer_of(*std::move(request), kept, handle);
    note.end_step();
    if (!channel.send(Json{{"answer", answer}})) return 1;
    // A kernel that ran wild may have written anywhere in this process: the next job gets another.
    if (answer.is_object() && answer.value("retire", false)) return 0;
  }
  return channel.broken() ? 1 : 0;
}

}  // namespace fusetune
