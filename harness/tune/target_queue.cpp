#include "harness/tune/target_queue.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace fusetune {

namespace {

/// A target whose first compilations all crash is not tried a thousand times.
constexpr int kCrashesForUnsupported = 2;

CompileResult failure_of(const JobEnd& end) {
  CompileResult result;
  result.log = end.last_output;
  result.compile_ms = end.wall_ms;
  if (end.how == JobEnd::How::timed_out) {
    result.outcome = {Status::compile_timeout,
                      fmt::format("the compiler did not end within {:.0f} s", end.wall_ms / 1000)};
  } else if (end.signal != 0) {
    result.outcome = {Status::compiler_crash,
                      fmt::format("the compiler was ended by signal {}", end.signal)};
  } else {
    result.outcome = {Status::compiler_crash,
                      fmt::format("the compiler process ended with exit code {}", end.exit_code)};
  }
  return result;
}

const std::string& key_of(const CompiledUnit& unit, bool exact) {
  return exact ? unit.exact_key : unit.key;
}

StoredCode& code_of(CompiledUnit& unit, bool exact) { return exact ? *unit.exact : unit.code; }
const StoredCode& code_of(const CompiledUnit& unit, bool exact) {
  return exact ? *unit.exact : unit.code;
}

}  // namespace

void TargetQueue::pump() {
  while (next_ < units_.size() && (trusted_ || under_way_ == 0)) {
    if (!trusted_ && crashes_ >= kCrashesForUnsupported) return refuse_rest();
    submit(units_[next_++], false);
  }
}

void TargetQueue::refuse_rest() {
  for (; next_ < units_.size(); ++next_) {
    CompiledUnit& unit = summary_.units[units_[next_]];
    unit.code.outcome = {
        Status::unsupported_target,
        fmt::format("the first {} compilations for {} all crashed the compiler ({})", crashes_,
                    unit.target.name, summary_.compilers.at(unit.target.name))};
    if (unit.exact) unit.exact->outcome = unit.code.outcome;
    session_.progress.advance(true);
  }
}

void TargetQueue::submit(std::size_t index, bool exact) {
  CompiledUnit& unit = summary_.units[index];
  if (take_from_store(unit, exact)) {
    ++summary_.reused;
    go_on(index, exact);
    return;
  }
  const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
  const CompileRequest request =
      make_compile_request(geometry.geometry, geometry.variants[unit.variant], unit.target, exact);
  Job job;
  job.request = Json{{"op", "compile"},
                     {"store", session_.code.root().string()},
                     {"key", key_of(unit, exact)},
                     {"request", to_json(request)}};
  job.limit = std::chrono::milliseconds(
      static_cast<std::int64_t>(session_.options.compile_timeout_s * 1000));
  job.done = [this, index, exact](const JobEnd& end) { finish(index, exact, end); };
  ++under_way_;
  pool_.submit(std::move(job));
}

bool TargetQueue::take_from_store(CompiledUnit& unit, bool exact) {
  const std::string& key = key_of(unit, exact);
  const std::optional<StepRecord> record = session_.records.find(StepRecord::Kind::compile, key);
  std::optional<StoredCode> stored = session_.code.find(key);
  const bool failed = stored && !stored->outcome.ok();
  if (stored && !(failed && session_.options.retry_failed)) {
    code_of(unit, exact) = *std::move(stored);
    // Compiled by a run that was killed before it could record it.
    if (!record) add_record(unit, exact);
    return true;
  }
  if (record) session_.records.forget(StepRecord::Kind::compile, key);
  return false;
}

void TargetQueue::finish(std::size_t index, bool exact, const JobEnd& end) {
  CompiledUnit& unit = summary_.units[index];
  --under_way_;
  if (end.how == JobEnd::How::cancelled) return;
  const std::string& key = key_of(unit, exact);
  if (end.how != JobEnd::How::answered) {
    code_of(unit, exact) = session_.code.put(key, failure_of(end));
  } else if (end.answer.contains("error")) {
    environment_error_ = end.answer["error"].get<std::string>();
    return;
  } else if (std::optional<StoredCode> stored = session_.code.find(key)) {
    code_of(unit, exact) = *std::move(stored);
  } else {
    environment_error_ = fmt::format("a code object in {} was not readable after writing",
                                     session_.code.root().string());
    return;
  }
  ++summary_.compiled;
  add_record(unit, exact);
  session_.progress.advance(!code_of(unit, exact).outcome.ok());
  go_on(index, exact);
  pump();
}

void TargetQueue::add_record(const CompiledUnit& unit, bool exact) {
  const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
  const StoredCode& code = code_of(unit, exact);
  StepRecord step;
  step.kind = StepRecord::Kind::compile;
  step.key = key_of(unit, exact);
  step.subject =
      fmt::format("{} | {} | {}", geometry.geometry.key(),
                  geometry.variants[unit.variant].key(*geometry.geometry.family), unit.target.name);
  step.status = code.outcome.status;
  step.message = code.outcome.message;
  step.data = Json{{"code_identity", code.code_identity},
                   {"compiler", summary_.compilers.at(unit.target.name)},
                   {"exact", exact},
                   {"facts", to_json(code.facts)}};
  step.wall_ms = code.compile_ms;
  session_.records.add(step);
}

void TargetQueue::go_on(std::size_t index, bool exact) {
  CompiledUnit& unit = summary_.units[index];
  const StoredCode& code = code_of(unit, exact);
  if (code.outcome.status == Status::compiler_crash)
    ++crashes_;
  else
    trusted_ = true;
  if (exact || unit.exact_key.empty()) return;
  if (code.outcome.ok()) return submit(index, true);
  // The same source would fail the same way.
  unit.exact->outcome = code.outcome;
  session_.progress.advance(false);
}

}  // namespace fusetune
