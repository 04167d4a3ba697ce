#pragma once
// The supervisor's side of the workers: a pool of processes of one role, each doing one job at a
// time. Single-threaded: everything happens inside run(). A worker that dies or passes its deadline
// is killed with its process group and replaced; its job ends with a status. Jobs never get lost,
// and none runs twice that does not ask for a second try.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/base/status.hpp"

namespace fusetune {

class NotePage;
struct StepNote;

/// How a job ended. `status` is ok when the worker answered (its answer may itself report a
/// failure).
struct JobEnd {
  enum class How { answered, died, timed_out, cancelled } how = How::answered;
  Json answer;
  std::int64_t pid = 0;  ///< of a worker that died or was killed
  int signal = 0;        ///< when it died by one
  int exit_code = 0;
  std::string last_output;  ///< last lines that the worker printed to stderr (a dying compiler
                            ///< prints there)
  /// The subject that the worker noted last (step_note.hpp).
  std::optional<std::int64_t> noted{};
  double wall_ms = 0;
  std::chrono::milliseconds limit{0};  ///< that held for it, or that its last step was late for
};

/// A step that takes this many times as long as the slowest of its kind before it hangs.
constexpr double kHangFactor = 10;

/// A part that many requests have in common, by a key of its content: a worker is sent it once.
struct SharedPart {
  std::string key;
  Json value;
};

/// So many times the limits hold for a second try.
constexpr int kSecondTryPatience = 3;

/// What may run beside a job, in pools that are run together.
enum class Company {
  any,
  other_pools,  ///< nothing of its own pool; it has its turn when that has no job for any company
  none          ///< nothing; it has its turn when no other job is left
};

struct Job {
  Json request;
  std::chrono::milliseconds limit{60000};  ///< of the whole job
  std::function<void(JobEnd&)> done;       ///< may take the answer
  /// Jobs of one kind take about as long as each other: what they took tells which jobs are long.
  std::string kind{};
  /// Of each step that the worker notes (step_note.hpp). 0: notes have no limit, and the job is one
  /// step, of which `limit` is the limit.
  std::chrono::milliseconds noted_limit{0};
  /// Where it notes what it expects of a step, the step's limit is kHangFactor times that; once
  /// a step of this kind has ended, it is kHangFactor times the slowest. Both not below this; 0:
  /// the limit stays as it is.
  std::chrono::milliseconds limit_floor{0};
  /// Told several times a second what its worker noted last, for progress output. Submits nothing
  /// and does not throw.
  std::function<void(const StepNote&)> on_note{};
  double expected_ms = 0;  ///< while none of the kind was seen
  double follow_ms = 0;    ///< what can begin only when it is done takes so long in addition
  Company company = Company::any;
  /// A worker that did one of this kind does the next sooner: each kind stays with a worker of its
  /// own, as far as there are workers without one.
  bool stays = false;
  /// A loaded machine is no hanging job, and a worker may be killed for what another process did:
  /// the first time that its worker dies or is late, the job is done again, alone and with more
  /// patience. It ends as that ends.
  bool second_try = false;
  /// With one, the request is an object; `handle` of the worker finds the value in its "shared".
  std::shared_ptr<const SharedPart> shared{};
};

struct WorkerPoolOptions {
  std::vector<std::string> command;  ///< of a worker; "--in-fd N --out-fd M --note-fd K --scratch
                                     ///< FOLDER" is appended. The folder goes with the worker.
  int workers = 1;
  std::int64_t address_space_bytes = 0;  ///< RLIMIT_AS of each worker, 0 for none
  /// Told of each job whose worker died or was killed for being late, before the job's `done`.
  std::function<void(const Job&, const JobEnd&)> on_death{};
};

class WorkerPool {
 public:
  explicit WorkerPool(WorkerPoolOptions options);
  ~WorkerPool();  ///< kills what still runs
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// May be called from a `done` callback, of this pool or another one. What takes longest, with
  /// all that has to follow it, is begun first, and equals in the order in which they came.
  void submit(Job job);
  /// What a job of this kind took before, in another run.
  void saw(const std::string& kind, double wall_ms);

  /// run_pools() with this one alone.
  void run(const std::function<bool()>& stop, const std::function<void()>& tick = {});

  std::size_t waiting() const;
  std::size_t running() const;

  struct Impl;  ///< pool_impl.hpp

 private:
  friend void run_pools(const std::vector<WorkerPool*>&, int, const std::function<bool()>&,
                        const std::function<void()>&);
  std::unique_ptr<Impl> impl_;
};

/// Works until the queues of all these pools are empty, or `stop()` turns true (polled at least ten
/// times a second): then running jobs are killed and every unfinished job ends as cancelled. At
/// most `jobs` run at a time over all pools, 0: as many as there are workers; earlier pools come
/// first. `tick` is called at least ten times a second, for progress output. Workers stay for the
/// next run. They live no longer than the thread that ran them: a worker that lost its supervisor
/// must not stay behind. An exception of a callback comes out here; the other jobs are kept. Where
/// no worker can be started, or one after the other ends before it begins, that is no job's
/// failure: a UserError comes out, and all jobs are kept.
void run_pools(const std::vector<WorkerPool*>& pools, int jobs, const std::function<bool()>& stop,
               const std::function<void()>& tick = {});

/// The worker's side: answers requests until the supervisor closes the pipe. An exception from
/// `handle` becomes the answer {"error": what}. After an answer with "retire": true the worker
/// ends. Numbers that are not finite arrive as null: JSON has no others. `handle` may note its
/// steps.
int serve_worker(int in_fd, int out_fd, NotePage& note,
                 const std::function<Json(const Json&)>& handle);

}  // namespace fusetune
