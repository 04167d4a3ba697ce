#pragma once
// Records of one raced case in which every kind of end occurs.

#include <string>
#include <vector>

#include "harness/compile/compiler.hpp"
#include "harness/measure/race.hpp"
#include "harness/store/records.hpp"

namespace fusetune::testing {

inline const char* const kGeometry =
    "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=contiguous,nk=2,nv=6,zero_fill=off)";
inline const char* const kCase =
    "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=contiguous,nk=2,nv=6,tokens=16,"
    "zero_fill=off)";

inline std::string variant_of(int block, int rows = 1) {
  return "block_size=" + std::to_string(block) +
         ",mapping=row,nontemporal=off,persistent=off,rows_per_iter=" + std::to_string(rows) +
         ",vector_bytes=16";
}
inline const char* const kBaseline = "block_size=256,implementation=unfused";

inline StepRecord step(StepRecord::Kind kind, const std::string& subject, Status status,
                       const std::string& message, Json data, double wall_ms) {
  StepRecord one;
  one.kind = kind;
  one.key = "key " + subject + std::string(to_string(kind)) + std::string(to_string(status));
  one.subject = subject;
  one.status = status;
  one.message = message;
  one.data = std::move(data);
  one.wall_ms = wall_ms;
  one.run = 1;
  one.finished = "2026-01-31T12:00:00.123Z";
  return one;
}

/// Arms 0 and 1 are timed, 2 was dropped by its probe, 3 was disproved after timing; times are
/// `scale` microseconds and up.
inline RaceResult result(double scale, const std::string& data) {
  RaceResult race;
  race.data = data;
  for (std::int32_t epoch = 0; epoch < 3; ++epoch)
    for (std::int32_t arm = 0; arm < 2; ++arm)
      race.samples.push_back({arm, epoch, 0, 10, scale * (arm + 1) + 0.25 * epoch});
  race.probe_us = {scale, 2 * scale, 9 * scale, 4 * scale};
  race.dropped = {2};
  race.disproved = {{3, {Status::nondeterministic, "after timing: other bits"}}};
  return race;
}

inline StepRecord race(double scale, const std::string& data) {
  return step(StepRecord::Kind::race, std::string(kCase) + " | GPU \"1\"", Status::ok, "",
              {{"arms", {variant_of(256), kBaseline, variant_of(128), variant_of(512)}},
               {"budget_s", 1.0},
               {"provenance",
                {{"harness_version", "0.1.0"},
                 {"compiler", "hipRTC 5.2"},
                 {"sweep", "small"},
                 {"conditions", {{"driver", "6"}}}}},
               {"result", to_json(result(scale, data))}},
              100);
}

inline RecordSet records() {
  RecordSet set;
  set.campaigns = {{"campaign", "small", Json{{"target", "gfx942"}}, ""}};
  RunRecord run;
  run.id = 1;
  run.campaign = "campaign";
  set.runs = {run};
  CodeFacts facts;
  facts.kernels.resize(2);
  facts.kernels[0].vgpr = 32;
  facts.kernels[1].vgpr = 96;
  const auto add = [&](StepRecord::Kind kind, const std::string& variant, Status status,
                       const std::string& message) {
    Json data = Json::object();
    if (kind == StepRecord::Kind::compile && status == Status::ok)
      data = {{"code_identity", "c0de"}, {"facts", to_json(facts)}};
    set.steps.push_back(step(kind, std::string(kGeometry) + " | " + variant + " | gfx942", status,
                             message, std::move(data), 7));
  };
  using Kind = StepRecord::Kind;
  for (const std::string& variant : {variant_of(256), std::string(kBaseline), variant_of(128),
                                     variant_of(512), variant_of(256, 2), variant_of(128, 2)})
    add(Kind::compile, variant, Status::ok, "");
  add(Kind::compile, variant_of(512, 2), Status::compile_error, "no such \"type\"");
  add(Kind::compile, variant_of(512, 4), Status::compile_timeout, "60 s");
  for (const std::string& variant : {variant_of(256), std::string(kBaseline), variant_of(128),
                                     variant_of(512), variant_of(256, 2)})
    add(Kind::proof, variant, Status::ok, "");
  add(Kind::proof, variant_of(128, 2), Status::verification_failed, "y[3]");
  set.steps.push_back(race(5, "cold"));
  set.steps.push_back(race(2, "cold"));  // of another day: the newest counts
  set.steps.push_back(race(1, "hot"));
  return set;
}

}  // namespace fusetune::testing
