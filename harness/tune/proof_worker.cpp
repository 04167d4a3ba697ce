#include <map>
#include <memory>
#include <optional>

#include "harness/process/step_note.hpp"
#include "harness/tune/batch_cases.hpp"
#include "harness/tune/proof_cases.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/verify/golden.hpp"

namespace fusetune {

namespace {

/// Notes where the device can hang: while code is loaded, and while launches run. What is made and
/// compared by this machine takes as long as the case is large.
class ProofNotes {
 public:
  explicit ProofNotes(NotePage& page) : page_(page) {}

  void begin_case(std::int64_t number, std::chrono::milliseconds host_limit) {
    case_ = number;
    host_limit_ = host_limit;
    page_.rest(case_, host_limit_);
  }
  void device_works(bool begins) {
    if (begins)
      page_.write(case_, std::chrono::microseconds(0));
    else
      page_.rest(case_, host_limit_);
  }
  std::function<void(bool)> around_launches() {
    return [this](bool begins) { device_works(begins); };
  }

 private:
  NotePage& page_;
  std::int64_t case_ = 0;
  std::chrono::milliseconds host_limit_{0};
};

std::unique_ptr<LoadedCode> load(Device& device, const std::string& path, ProofNotes& notes,
                                 Outcome* outcome) {
  notes.device_works(true);
  std::unique_ptr<LoadedCode> code = device.load(path, outcome);
  notes.device_works(false);
  return code;
}

/// The code objects of one variant, loaded when a case asks for them.
class VariantCode {
 public:
  VariantCode(Device& device, const Json& request, ProofNotes& notes)
      : device_(device), request_(request), notes_(notes) {}

  /// nullptr, and why, when it cannot be loaded.
  const LoadedCode* get(bool exact, Outcome* outcome) {
    Entry& entry = entries_[exact];
    if (!entry.code && entry.outcome.ok())
      entry.code = load(device_, request_.at(exact ? "exact_code" : "code").get<std::string>(),
                        notes_, &entry.outcome);
    *outcome = entry.outcome;
    return entry.code.get();
  }

 private:
  struct Entry {
    std::unique_ptr<LoadedCode> code;
    Outcome outcome;
  };
  Device& device_;
  const Json& request_;
  ProofNotes& notes_;
  std::map<bool, Entry> entries_;
};

/// The code of the baseline, where the request names one.
class BaselineCode {
 public:
  BaselineCode(Device& device, const Json& request, ProofNotes& notes)
      : device_(device), notes_(notes) {
    why_not_ = request.value("why_not", "");
    if (!request.contains("code")) return;
    Outcome outcome;
    code_ = load(device, request.at("code").get<std::string>(), notes, &outcome);
    variant_ = variant_from_json(request.at("variant"));
    if (!code_) why_not_ = outcome.message;
  }

  std::optional<RunnableVariant> at(const Case& which) const {
    if (!code_) return std::nullopt;
    const DeviceProperties& properties = device_.properties();
    return RunnableVariant{code_.get(),
                           launches_of(which, variant_, properties.target, properties.facts),
                           notes_.around_launches()};
  }
  const std::string& why_not() const { return why_not_; }

 private:
  Device& device_;
  ProofNotes& notes_;
  std::unique_ptr<LoadedCode> code_;
  Variant variant_;
  std::string why_not_;
};

ProofReport prove_case(Device& device, VariantCode& code, const BaselineCode& baseline_code,
                       const Json& request, const ProofCase& one, ProofNotes& notes,
                       ProofAids& aids) {
  ProofReport report;
  RunnableVariant runnable;
  runnable.code = code.get(one.exact, &report.outcome);
  if (runnable.code == nullptr) {
    report.failed_check = "launch";
    return report;
  }
  const DeviceProperties& properties = device.properties();
  runnable.launches = launches_of(one.which, variant_from_json(request.at("variant")),
                                  properties.target, properties.facts);
  runnable.around_launches = notes.around_launches();
  ProofOptions options;
  options.seed = request.at("seed").get<std::uint64_t>();
  options.cosine_min = request.at("cosine_min").get<double>();
  options.thorough = one.thorough;
  options.cache = &aids.cache;
  options.exchange = aids.exchange.get();
  const std::optional<RunnableVariant> baseline = baseline_code.at(one.which);
  if (baseline) options.baseline = &*baseline;
  if (one.captured)
    report = prove_golden(device, runnable, one.which,
                          read_golden_case(one.captured->file, one.captured->name), options);
  else
    report = prove(device, runnable, one.which, options);
  if (one.thorough && !baseline_code.why_not().empty())
    report.skipped.push_back("comparison with the unfused implementation: " +
                             baseline_code.why_not());
  return report;
}

/// Bits of rows in batches, with the code that is timed.
void check_batches(Device& device, VariantCode& code, const Json& request, ProofNotes& notes,
                   ProofSum& sum) {
  const BatchCases cases = batch_cases_from_json(request.at("batches"));
  const std::string key = cases.batch.key();
  BatchInvariance found;
  Outcome outcome;
  if (const LoadedCode* loaded = code.get(false, &outcome); loaded != nullptr) {
    const Variant variant = variant_from_json(request.at("variant"));
    const DeviceProperties& properties = device.properties();
    const VariantAt at = [&](const Case& which) {
      return RunnableVariant{loaded,
                             launches_of(which, variant, properties.target, properties.facts),
                             notes.around_launches()};
    };
    outcome = check_batches(device, at, cases.batch, cases.row_counts,
                            request.at("seed").get<std::uint64_t>(), &found);
  }
  sum.add_batches(key, outcome, found);
}

}  // namespace

Json handle_prove_request(Device& device, const Json& request, NotePage& page, ProofAids& aids) {
  std::int64_t at = 0;
  ProofNotes notes(page);
  notes.begin_case(at, proof_host_limit(0));
  VariantCode code(device, request, notes);
  const BaselineCode baseline(device, request.at("baseline"), notes);
  ProofSum sum;
  bool retire = false;
  for (const Json& item : request.at("shared")) {
    const ProofCase one = proof_case_from_json(item);
    const std::string key = one.which.key();
    notes.begin_case(at++, proof_host_limit(tensor_bytes(one.which)));
    const ProofReport report = prove_case(device, code, baseline, request, one, notes, aids);
    sum.add(key, report);
    retire = report.failed_check == "launch";
    if (!sum.ok()) break;
  }
  if (sum.ok() && request.contains("batches")) {
    notes.begin_case(at, proof_host_limit(0));
    check_batches(device, code, request, notes, sum);
    retire = !sum.ok();
  }
  Json answer = answer_of(sum.take());
  answer["retire"] = retire;
  return answer;
}

}  // namespace fusetune
