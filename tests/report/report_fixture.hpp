#pragma once
// Records of a small campaign, made by hand: three variants of split_reshape_cat on one device.

#include <string>
#include <vector>

#include "harness/measure/race.hpp"
#include "harness/report/source.hpp"

namespace fusetune::testing {

inline const char* const kGeometry =
    "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=interleaved,nk=2,nv=4,zero_fill=off)";
inline const char* const kRow =
    "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16";
inline const char* const kFlat =
    "block_size=128,mapping=flat,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16";
inline const char* const kWide =
    "block_size=512,mapping=flat,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16";
inline const char* const kUnfused = "block_size=256,implementation=unfused";
inline const char* const kHostile = "<script>alert(1)</script>";

inline std::string case_key(int tokens) {
  const std::string key =
      "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=interleaved,nk=2,nv=4,tokens=";
  return key + std::to_string(tokens) + ",zero_fill=off)";
}

/// Arms with these times in four epochs of two rounds.
inline StepRecord race_record(int tokens, const std::vector<std::string>& arms,
                              const std::vector<double>& us, const std::string& key = "race") {
  RaceResult result;
  result.data = "cold";
  result.stopped_by = "epochs";
  for (int epoch = 0; epoch < 4; ++epoch)
    for (int round = 0; round < 2; ++round)
      for (std::size_t arm = 0; arm < us.size(); ++arm)
        if (us[arm] > 0)
          result.samples.push_back({static_cast<std::int32_t>(arm), epoch, round, 10,
                                    us[arm] * (1 + 0.001 * epoch), 0, 0, 0});
  result.probe_us = us;
  StepRecord step;
  step.kind = StepRecord::Kind::race;
  step.key = key + std::to_string(tokens);
  step.subject = case_key(tokens) + " | host-w64";
  step.finished = "2026-01-31T12:00:00.000Z";
  step.data = Json{{"arms", arms},
                   {"budget_s", 1.0},
                   {"provenance",
                    {{"harness_version", "0.1.0"},
                     {"compiler", "g++"},
                     {"sweep", "by hand"},
                     {"conditions", {{"cpu_model", kHostile}}}}},
                   {"result", to_json(result)}};
  return step;
}

inline StepRecord compile_record(const std::string& variant, const std::string& target,
                                 Status status = Status::ok, const std::string& message = "") {
  CodeFacts facts;
  KernelFacts& kernel = facts.kernels.emplace_back();
  kernel.entry = "split_reshape_cat";
  if (target.starts_with("gfx")) {
    kernel.vgpr = 24;
    kernel.vgpr_spills = variant == kWide ? 3 : 0;
    kernel.global_loads = {{4, 1}, {16, 2}};
  }
  StepRecord step;
  step.kind = StepRecord::Kind::compile;
  step.key = "compile " + variant + target;
  step.subject = std::string(kGeometry) + " | " + variant + " | " + target;
  step.status = status;
  step.message = message;
  step.data = Json{{"exact", false}, {"compiler", "g++"}, {"facts", to_json(facts)}};
  return step;
}

inline StepRecord proof_record(const std::string& variant, Status status,
                               const std::string& message) {
  StepRecord step = compile_record(variant, "host-w64", status, message);
  step.kind = StepRecord::Kind::proof;
  step.key = "proof " + variant;
  step.data = Json{{"checks", Json::array({{{"name", "exact"}, {"comparisons", 100}}})}};
  return step;
}

/// Two cases raced; one variant that is wrong, and one that does not compile for gfx90a.
inline ReportSource source() {
  ReportSource source;
  source.steps = {
      compile_record(kRow, "host-w64"),
      compile_record(kFlat, "host-w64"),
      compile_record(kWide, "host-w64"),
      compile_record(kRow, "gfx90a"),
      compile_record(kWide, "gfx90a"),
      compile_record(kFlat, "gfx90a", Status::compile_error, kHostile),
      proof_record(kRow, Status::ok, ""),
      proof_record(kWide, Status::verification_failed, kHostile),
      race_record(1, {kRow, kFlat, kUnfused}, {2, 4, 3}),
      race_record(16, {kRow, kFlat, kUnfused}, {20, 10, 30}),
  };
  return source;
}

}  // namespace fusetune::testing
