#include "harness/tune/target_queue.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "harness/base/hash.hpp"
#include "harness/tune/compile_failure.hpp"
#include "harness/tune/expected_times.hpp"

namespace fusetune {

namespace {

/// A target whose first compilations all crash is not tried a thousand times.
constexpr int kCrashesForUnsupported = 2;

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
    begin(units_[next_++], false);
  }
}

void TargetQueue::refuse_rest() {
  for (; next_ < units_.size(); ++next_) {
    CompiledUnit& unit = summary_.units[units_[next_]];
    unit.code.outcome = {
        Status::unsupported_target,
        fmt::format("the first {} compilations for {} all crashed the compiler ({})", crashes_,
                    unit.target.name, summary_.compilers.at(unit.target.name))};
    if (unit.exact) {
      unit.exact->outcome = unit.code.outcome;
      session_.progress.advance("compile", StepEnd::left_out);
    }
    session_.progress.advance("compile", StepEnd::failed);
    done_(units_[next_]);
  }
}

void TargetQueue::begin(std::size_t index, bool exact) {
  if (take_from_store(summary_.units[index], exact)) {
    ++summary_.reused;
    go_on(index, exact);
  } else {
    submit({index, exact, false});
  }
}

void TargetQueue::submit(const Step& step) {
  ++under_way_;
  pool_.submit(job_of(step));
}

std::string TargetQueue::kind_of(const CompiledUnit& unit, bool exact) const {
  const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
  return fmt::format("{} {} {}{}", unit.target.name, geometry.geometry.family->name,
                     geometry.variants[unit.variant].implementation, exact ? " exact" : "");
}

std::shared_ptr<const SharedPart> TargetQueue::shared_texts(const CompileRequest& request) {
  HashFields content;
  content.add(request.source.name);
  content.add(request.source.text);
  for (const SourceText& header : request.headers) {
    content.add(header.name);
    content.add(header.text);
  }
  std::string key = content.hex();
  std::shared_ptr<const SharedPart>& part = shared_[key];
  if (!part)
    part = std::make_shared<SharedPart>(SharedPart{std::move(key), texts_to_json(request)});
  return part;
}

Job TargetQueue::job_of(const Step& step) {
  const CompiledUnit& unit = summary_.units[step.index];
  const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
  const Variant& variant = geometry.variants[unit.variant];
  const CompileRequest request =
      make_compile_request(geometry.geometry, variant, unit.target, sources_, step.exact);
  Job job;
  job.shared = shared_texts(request);
  job.request = Json{{"op", "compile"},
                     {"store", session_.code.root().string()},
                     {"key", key_of(unit, step.exact)},
                     {"memory_mib", session_.options.compile_memory_mib},
                     {"last_try", step.second_try},
                     {"request", to_json_without_texts(request)}};
  job.limit = std::chrono::milliseconds(
      static_cast<std::int64_t>(session_.options.compile_timeout_s * 1000));
  job.kind = kind_of(unit, step.exact);
  job.expected_ms = expected_compile_ms(unit.target.platform);
  // Proofs wait for the device's code, and those of all others for the baseline's.
  if (unit.target == plan_.target) {
    job.follow_ms = kProofMs;
    if (!step.exact && !unit.exact_key.empty()) job.follow_ms += job.expected_ms;
    if (variant.implementation == geometry.geometry.family->baseline) job.follow_ms += kProofMs;
  }
  if (step.second_try) job.company = Company::none;
  job.done = [this, step](const JobEnd& end) { finish(step, end); };
  return job;
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
    pool_.saw(kind_of(unit, exact), code_of(unit, exact).compile_ms);
    return true;
  }
  if (record) session_.records.forget(StepRecord::Kind::compile, key);
  return false;
}

void TargetQueue::finish(const Step& step, const JobEnd& end) {
  CompiledUnit& unit = summary_.units[step.index];
  --under_way_;
  if (end.how == JobEnd::How::cancelled) return;
  const std::string& key = key_of(unit, step.exact);
  const bool answered = end.how == JobEnd::How::answered;
  if (answered && end.answer.contains("error")) {
    environment_error_ = end.answer["error"].get<std::string>();
    return;
  }
  const bool failed =
      !answered ||
      is_worth_a_second_try(status_from_string(end.answer.at("status").get<std::string>()).value());
  if (failed && !step.second_try) {
    submit({step.index, step.exact, true});
    return;
  }
  if (!answered) {
    code_of(unit, step.exact) =
        session_.code.put(key, failure_of(end, session_.options.compile_memory_mib),
                          {unit.target.name, summary_.compilers.at(unit.target.name)});
  } else if (std::optional<StoredCode> stored = session_.code.find(key)) {
    code_of(unit, step.exact) = *std::move(stored);
  } else {
    environment_error_ = fmt::format("a code object in {} was not readable after writing",
                                     session_.code.root().string());
    return;
  }
  ++summary_.compiled;
  add_record(unit, step.exact);
  session_.progress.advance(
      "compile", code_of(unit, step.exact).outcome.ok() ? StepEnd::done : StepEnd::failed);
  go_on(step.index, step.exact);
  pump();
}

void TargetQueue::add_record(const CompiledUnit& unit, bool exact) {
  const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
  const StoredCode& code = code_of(unit, exact);
  StepRecord step;
  step.kind = StepRecord::Kind::compile;
  step.key = key_of(unit, exact);
  step.subject =
      fmt::format("{} | {} | {}", geometry_keys_[unit.geometry],
                  geometry.variants[unit.variant].key(*geometry.geometry.family), unit.target.name);
  step.status = code.outcome.status;
  step.message = code.outcome.message;
  step.data = Json{{"code_identity", code.code_identity},
                   {"compiler", summary_.compilers.at(unit.target.name)},
                   {"exact", exact},
                   {"facts", to_json(code.facts)}};
  step.wall_ms = code.compile_ms;
  session_.records.add(std::move(step));
}

void TargetQueue::go_on(std::size_t index, bool exact) {
  CompiledUnit& unit = summary_.units[index];
  const StoredCode& code = code_of(unit, exact);
  // A hang and a lack of memory say as little of a target as a crash does.
  if (is_worth_a_second_try(code.outcome.status))
    ++crashes_;
  else
    trusted_ = true;
  if (!exact && !unit.exact_key.empty()) {
    if (code.outcome.ok()) return begin(index, true);
    // The same source would fail the same way.
    unit.exact->outcome = code.outcome;
    session_.progress.advance("compile", StepEnd::left_out);
  }
  done_(index);
}

}  // namespace fusetune
