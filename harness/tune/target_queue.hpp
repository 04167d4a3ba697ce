#pragma once
// The compilations of one target on their way through the compile workers: first one by itself,
// then, unless the first ones crash, all the others at once.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/tune/compile_stage.hpp"

namespace fusetune {

class TargetQueue {
 public:
  /// `units` are indices into summary.units whose keys are set, by what `sources` has read; `done`
  /// is told of each that has got all of its code, or none. All references must outlive the queue
  /// and what it submitted.
  TargetQueue(const Plan& plan, Session& session, WorkerPool& pool, SourceReader& sources,
              CompileSummary& summary, std::vector<std::size_t> units,
              std::function<void(std::size_t)> done)
      : plan_(plan),
        session_(session),
        pool_(pool),
        sources_(sources),
        summary_(summary),
        units_(std::move(units)),
        done_(std::move(done)),
        geometry_keys_(plan.geometry_keys()) {}

  /// Hands out work: one unit at a time until the target is trusted, then everything.
  void pump();

  /// Why no compilation can end well here (disk full, ...): a worker said so, and it is no
  /// variant's fault.
  const std::string& environment_error() const { return environment_error_; }

 private:
  /// One code object of a unit.
  struct Step {
    std::size_t index = 0;  ///< into summary.units
    bool exact = false;
    bool second_try = false;
  };

  void refuse_rest();
  void begin(std::size_t index, bool exact);
  void submit(const Step& step);
  Job job_of(const Step& step);
  /// The source and the headers of an implementation, as workers are sent them.
  std::shared_ptr<const SharedPart> shared_texts(const CompileRequest& request);
  std::string kind_of(const CompiledUnit& unit, bool exact) const;
  bool take_from_store(CompiledUnit& unit, bool exact);
  void finish(const Step& step, const JobEnd& end);
  void add_record(const CompiledUnit& unit, bool exact);
  /// After a code object is there: judges the target by it, and asks for the instrumented one.
  void go_on(std::size_t index, bool exact);

  const Plan& plan_;
  Session& session_;
  WorkerPool& pool_;
  SourceReader& sources_;
  std::map<std::string, std::shared_ptr<const SharedPart>> shared_;
  CompileSummary& summary_;
  std::vector<std::size_t> units_;
  std::function<void(std::size_t)> done_;
  std::vector<std::string> geometry_keys_;
  std::size_t next_ = 0;
  int under_way_ = 0;
  int crashes_ = 0;
  std::string environment_error_;
  bool trusted_ = false;
};

}  // namespace fusetune
