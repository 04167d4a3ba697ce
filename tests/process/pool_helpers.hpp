#pragma once
// Pools of the test worker, and jobs run to their ends.

#include <gmock/gmock.h>

#include <fstream>

#include "harness/base/temporary_folder.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {

inline WorkerPoolOptions options(int workers, std::vector<std::string> extra = {}) {
  WorkerPoolOptions result;
  result.command = {FUSETUNE_TEST_WORKER};
  result.command.insert(result.command.end(), extra.begin(), extra.end());
  result.workers = workers;
  return result;
}

inline bool never() { return false; }

/// A file to which workers add lines while they run.
class Told {
 public:
  std::string file() const { return folder_ / "told"; }
  std::vector<std::string> lines() const {
    std::vector<std::string> list;
    std::ifstream stream(file());
    for (std::string line; std::getline(stream, line);)
      if (!stream.eof()) list.push_back(line);  // or it is being written
    return list;
  }
  /// The first line; 0 while there is none.
  int number() const {
    const auto list = lines();
    return list.empty() ? 0 : std::stoi(list.front());
  }

 private:
  TemporaryFolder folder_{"fusetune-told"};
};

/// Runs requests to their ends, in the order of the requests.
inline std::vector<JobEnd> run_all(
    WorkerPool& pool, const std::vector<Json>& requests,
    std::chrono::milliseconds limit = std::chrono::milliseconds(20000)) {
  std::vector<JobEnd> ends(requests.size());
  std::vector<int> calls(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Job job;
    job.request = requests[i];
    job.limit = limit;
    job.done = [&ends, &calls, i](const JobEnd& end) {
      ends[i] = end;
      ++calls[i];
    };
    pool.submit(std::move(job));
  }
  pool.run(never);
  EXPECT_THAT(calls, testing::Each(1));
  EXPECT_EQ(pool.waiting(), 0U);
  EXPECT_EQ(pool.running(), 0U);
  return ends;
}

inline JobEnd run_one(WorkerPool& pool, const Json& request,
                      std::chrono::milliseconds limit = std::chrono::milliseconds(20000)) {
  return run_all(pool, {request}, limit).front();
}

}  // namespace fusetune
