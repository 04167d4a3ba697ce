#include "harness/tune/proof_cases.hpp"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

/// The case with rows further apart, where its tensors allow it. 48 bytes keep every alignment
/// class.
Case with_padded_rows(Case which) {
  constexpr std::int64_t kPaddingBytes = 48;
  for (auto& [name, stride] : which.row_strides) {
    const TensorDecl* tensor = which.geometry.family->find_tensor(name);
    stride += kPaddingBytes / size_bytes(shape_of(which, *tensor).dtype);
  }
  return which;
}

/// Collects cases of one geometry by what tells them apart: EXACT ones first, for they say more of
/// a wrong kernel.
class CaseList {
 public:
  CaseList(const EngineOptions& options, bool has_exact)
      : rows_max_(has_exact ? options.exact_rows_max : -1) {}

  void add_adversarial(const Case& which, bool padded) {
    add(padded ? with_padded_rows(which) : which, false);
    // Tiles and a rest make a case worth everything; with rows as they were planned, outputs can
    // lie in the memory of inputs.
    const bool exact = which.rows() <= rows_max_;
    if (!padded && which.rows() > 0 && (exact || rows_max_ < 0) &&
        (thorough_.empty() || which.rows() > thorough_rows_)) {
      thorough_ = key(which, exact);
      thorough_rows_ = which.rows();
    }
  }

  void add_own(const Case& which) {
    add(which, false);
    add(which, true);
  }

  std::vector<ProofCase> take() {
    if (const auto found = cases_.find(thorough_); found != cases_.end())
      found->second.thorough = true;
    std::vector<ProofCase> list;
    for (auto& [key, one] : cases_) list.push_back(std::move(one));
    return list;
  }

 private:
  static std::string key(const Case& which, bool exact) {
    // Case::key() would work out the geometry's part again, for every case of every variant.
    std::string key = (exact ? "exact " : "fast ") + to_string(which.runtime);
    for (const auto& [tensor, stride] : which.row_strides)
      key += fmt::format(",stride_{}={}", tensor, stride);
    for (const auto& [scalar, value] : which.scalars) key += fmt::format(",{}={}", scalar, value);
    return key;
  }
  void add(const Case& which, bool timed_code) {
    const bool exact = !timed_code && which.rows() <= rows_max_;
    cases_.try_emplace(key(which, exact), ProofCase{which, exact, false, std::nullopt});
  }

  std::int64_t rows_max_;
  std::map<std::string, ProofCase> cases_;
  std::string thorough_;
  std::int64_t thorough_rows_ = 0;
};

}  // namespace

Json to_json(const ProofCase& one) {
  Json json{{"case", to_json(one.which)}, {"exact", one.exact}, {"thorough", one.thorough}};
  if (one.captured)
    json["captured"] = {{"file", one.captured->file.string()},
                        {"name", one.captured->name},
                        {"content", one.captured->content_hash}};
  return json;
}

ProofCase proof_case_from_json(const Json& json) {
  ProofCase one{case_from_json(json.at("case")), json.at("exact").get<bool>(),
                json.at("thorough").get<bool>(), std::nullopt};
  if (const auto captured = json.find("captured"); captured != json.end())
    one.captured = CapturedFrom{captured->at("file").get<std::string>(),
                                captured->at("name").get<std::string>(),
                                captured->at("content").get<std::string>()};
  return one;
}

bool is_proved_at_own_shape(const Case& which, const EngineOptions& options) {
  return !which.geometry.family->has_captured_truth() &&
         tensor_bytes(which) <= options.proof_bytes_max;
}

std::vector<ProofCase> proof_cases(const PlannedGeometry& geometry,
                                   const std::vector<std::int64_t>& rows,
                                   const EngineOptions& options, bool has_exact, bool own_shapes) {
  CaseList cases(options, has_exact);
  bool padded = false;
  for (const std::int64_t count : rows) {
    for (const PlannedCase& planned : geometry.cases)
      for (const Case& which : cases_at_rows(planned.which, count))
        cases.add_adversarial(which, padded);
    padded = !padded;
  }
  for (const PlannedCase& planned : geometry.cases)
    if (is_proved_at_own_shape(planned.which, options) || own_shapes) cases.add_own(planned.which);
  return cases.take();
}

ProofCaseList::ProofCaseList(std::vector<ProofCase> cases, const Target& target,
                             const DeviceFacts& facts)
    : cases_(std::move(cases)) {
  Json list = Json::array();
  HashFields content;
  for (const ProofCase& one : cases_) {
    list.push_back(to_json(one));
    texts_.push_back(list.back().dump());
    content.add(texts_.back());
    launches_.emplace_back(one.which, target, facts);
  }
  shared_ = std::make_shared<SharedPart>(SharedPart{content.hex(), std::move(list)});
}

std::chrono::milliseconds proof_host_limit(std::int64_t case_bytes) {
  constexpr std::chrono::milliseconds kForAny = std::chrono::minutes(1);
  constexpr std::int64_t kBytesPerMs = 1000;
  return kForAny + std::chrono::milliseconds(case_bytes / kBytesPerMs);
}

std::chrono::milliseconds ProofCaseList::limit(std::chrono::milliseconds step) const {
  // Only a worker that writes over its notes comes so far.
  std::chrono::milliseconds limit = 2 * step;
  for (const ProofCase& one : cases_) limit += step + proof_host_limit(tensor_bytes(one.which));
  return limit;
}

std::string ProofCaseList::key(const Variant& variant) const {
  std::string key;
  for (std::size_t i = 0; i < cases_.size(); ++i)
    key += fmt::format("|{}|{}", texts_[i], launch_plan_key(launches_[i].of(variant)));
  return key;
}

}  // namespace fusetune
