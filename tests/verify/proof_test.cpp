// prove() around its checks: what it counts, says and leaves out, and that a correct kernel raises
// no alarm. The bugs that each check finds stand in planted_bugs_test.cpp.

#include "harness/verify/proof.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/verify/mirror_proof.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(Proof, AcceptsACorrectKernelWithoutFalseAlarms) {
  int passed = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const DType dtype = mirror_family()->dtypes[0].values[seed % 4];
    const auto element = size_bytes(dtype);
    for (std::int64_t padding : {0, 1, 7}) {
      const MirrorShape shape{.rows = 1 + static_cast<std::int64_t>(seed % 9),
                              .width = 1 + static_cast<std::int64_t>(seed % 13),
                              .padding = padding,
                              .align_bytes = std::max<std::int64_t>(2, element),
                              .dtype = dtype};
      MirrorProof proof([](const MirrorArguments& a) { a.run(); }, shape);
      const ProofReport report = prove_mirror(proof, seed);
      ASSERT_TRUE(report.outcome.ok()) << "seed " << seed << ": " << report.outcome.message;
      EXPECT_EQ(proof.device.live_buffers(), 0u);
      ++passed;
    }
  }
  EXPECT_EQ(passed, 120);
}

TEST(Proof, CountsWhatItCompared) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  const ProofReport report = prove_mirror(proof, 7);
  ASSERT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.failed_check, "");
  EXPECT_EQ(report.passes, 3);  // two for the numbers of 2-byte elements, one of special values
  // Passes, two repeats, one with other x, four back to back.
  EXPECT_EQ(report.launches, 10);
  EXPECT_EQ(report.seed, 7u);
  EXPECT_EQ(report.target, "host-w64");
  EXPECT_EQ(report.mode, "fast");
  const std::int64_t elements = 6 * 5;
  EXPECT_EQ(count_of(report, "launch"), 10);
  EXPECT_EQ(count_of(report, "inputs_unchanged"), 10 * elements * 2);
  EXPECT_EQ(count_of(report, "row_padding"), 10 * 2 * 5 * 3 * 2);  // runs, tensors, rows, elements
  EXPECT_EQ(count_of(report, "exact") + count_of(report, "untouched"), 3 * 2 * elements);
  EXPECT_GE(count_of(report, "untouched"), 3 * elements / 2);
  EXPECT_EQ(count_of(report, "determinism"), 2);
  EXPECT_EQ(count_of(report, "input_impact"), 2 * elements);
  EXPECT_EQ(count_of(report, "back_to_back"), 4 * 2 * elements);
  for (const char* absent : {"writers", "values", "norms", "calls", "alias"})
    EXPECT_EQ(count_of(report, absent), -1) << absent;
  EXPECT_GE(count_of(report, "guards"), 10 * 4 * 4096);
}

TEST(Proof, TellsWhenTheDeviceWorks) {
  bool working = false;
  std::int64_t runs = 0, outside = 0;
  MirrorProof proof([&](const MirrorArguments& a) {
    outside += working ? 0 : 1;
    a.run();
  });
  proof.variant.around_launches = [&](bool begins) {
    EXPECT_NE(begins, working);
    working = begins;
    runs += begins ? 1 : 0;
  };
  const ProofReport report = prove_mirror(proof);
  EXPECT_TRUE(report.outcome.ok());
  EXPECT_EQ(outside, 0);
  EXPECT_EQ(runs, report.launches - 2) << "two runs of two launches are back to back";
  EXPECT_FALSE(working);
}

TEST(Proof, ReportSurvivesJson) {
  MirrorProof proof([](const MirrorArguments&) {});
  ProofReport report = prove_mirror(proof);
  ASSERT_FALSE(report.outcome.ok());
  ASSERT_EQ(report.mismatches.size(), 8u);
  report.skipped = {"placement: EXACT"};
  report.mismatch_map = "..#\n";
  OutputMetrics& output = report.outputs.emplace_back();
  output.tensor = "y";
  output.rule = "ulp <= 1";
  output.ulp_max = std::numeric_limits<double>::infinity();
  output.cosine = std::numeric_limits<double>::quiet_NaN();
  output.relative_l2 = 0.25;
  output.worst = "y[0, 0]";
  const ProofReport again = proof_from_json(Json::parse(to_json(report).dump()));
  EXPECT_EQ(to_json(again), to_json(report));
  EXPECT_EQ(again.mismatches[7].text, report.mismatches[7].text);
  EXPECT_THAT(again.skipped, ElementsAre("placement: EXACT"));
  EXPECT_EQ(again.mismatch_map, "..#\n");
  ASSERT_EQ(again.outputs.size(), report.outputs.size());
  EXPECT_EQ(again.outputs.back().relative_l2, 0.25);
  EXPECT_EQ(again.outputs.back().ulp_max, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(again.outputs.back().cosine));
  EXPECT_EQ(again.outputs.back().worst, "y[0, 0]");
  Json broken = to_json(report);
  broken["status"] = "splendid";
  EXPECT_THROW(proof_from_json(broken), std::runtime_error);
}

TEST(Proof, NamesTheChangedBitsOfAKnownElement) {
  MirrorProof proof(
      [](const MirrorArguments& a) {
        a.run();
        for (std::int64_t i = 0; i < a.rows * a.width; ++i) {
          std::uint32_t bits;
          std::byte* at = a.y + 4 * (i / a.width * a.y_stride + i % a.width);
          std::memcpy(&bits, at, 4);
          if (bits == 0x80000000u) std::memset(at, 0, 4);
        }
      },
      {.align_bytes = 4, .dtype = DType::fp32});
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_THAT(report.outcome.message,
              HasSubstr("holds 0x00000000 instead of 0x80000000: its bits were changed"));
}

TEST(Proof, AStrayWriteIsNamedBeforeTheWrongValueThatItCauses) {
  MirrorProof proof([](const MirrorArguments& a) {
    a.run();
    a.fill(a.x, 0, 0x31);                   // an input
    a.fill(a.y, 0, 0x32);                   // a wrong value
    a.fill(a.acc, a.rows * a.width, 0x33);  // past the end
    a.fill(a.y, a.width, 0x34);             // row padding
  });
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.failed_check, "guards");
  EXPECT_THAT(report.outcome.message, HasSubstr("past the end of acc"));
}

TEST(Proof, FindsAResultKeptFromThePreviousLaunch) {
  auto kept = std::make_shared<std::vector<std::byte>>();
  MirrorProof proof([kept](const MirrorArguments& a) {
    a.run();
    const std::size_t row = static_cast<std::size_t>(a.width * a.element_bytes);
    if (kept->empty()) kept->assign(a.y, a.y + row);
    std::memcpy(a.y, kept->data(), row);
  });
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_EQ(report.failed_check, "exact");
}

TEST(Proof, FindsAWorkspaceThatIsReadBeforeItIsWritten) {
  MirrorProof proof([](const MirrorArguments& a) {
    std::byte stale[8];
    a.copy(stale, 0, a.scratch, 0);
    a.run();
    a.y[0] = a.y[0] ^ (stale[0] & std::byte{0x20});  // set in poison a alone
  });
  EXPECT_EQ(prove_mirror(proof).failed_check, "exact");
}

TEST(Proof, UsesBothPlacementsAndOtherSchedules) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  const ProofReport report = prove_mirror(proof, 3, 2);
  ASSERT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_THAT(proof.device.places, ::testing::Contains(Place::low));
  EXPECT_THAT(proof.device.places, ::testing::Contains(Place::high));
  ASSERT_GE(proof.device.schedules.size(), 5u);
  EXPECT_THAT(std::vector(proof.device.schedules.begin(), proof.device.schedules.begin() + 3),
              ElementsAre(0u, 0u, 0u));
  EXPECT_NE(proof.device.schedules[3], 0u);
  EXPECT_NE(proof.device.schedules[4], 0u);
  EXPECT_NE(proof.device.schedules[3], proof.device.schedules[4]);
  EXPECT_THAT(report.skipped, ::testing::IsEmpty());
}

TEST(Proof, WithoutRowsNothingIsComparedAndNothingMayBeWritten) {
  const MirrorShape empty{.rows = 0};
  MirrorProof skipped([](const MirrorArguments&) {}, empty);
  skipped.variant.launches.clear();
  const ProofReport report = prove_mirror(skipped);
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.launches, 0);
  EXPECT_EQ(count_of(report, "exact"), 0);
  EXPECT_GT(count_of(report, "guards"), 0);

  MirrorProof writes([](const MirrorArguments& a) { a.fill(a.acc, 0, 0); }, empty);
  EXPECT_EQ(prove_mirror(writes).outcome.status, Status::out_of_bounds);
}

TEST(Proof, ComparingNothingIsAFailure) {
  MirrorProof proof([](const MirrorArguments&) {});
  auto family = mirror_family();
  family->tensors.erase(family->tensors.begin() + 1, family->tensors.begin() + 3);  // y and acc
  proof.which.geometry.family = family;
  proof.variant.launches.clear();
  const reference::Reference nothing{[](const reference::Problem&) {}, nullptr};
  const ProofReport report = prove(proof.device, proof.variant, proof.which, {}, &nothing);
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_THAT(report.outcome.message, HasSubstr("nothing was compared"));
}

TEST(Proof, AMissingReferenceIsAFailure) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  const ProofReport report = prove(proof.device, proof.variant, proof.which, {});
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_THAT(report.outcome.message, HasSubstr("there is no reference 'mirror'"));
}

TEST(Proof, WhatNeitherKernelNorReferenceWritesDoesNotPass) {
  MirrorProof proof([](const MirrorArguments&) {});
  const reference::Reference lazy{[](const reference::Problem&) {}, nullptr};
  const ProofReport report = prove(proof.device, proof.variant, proof.which, {}, &lazy);
  EXPECT_EQ(report.outcome.status, Status::unwritten_output);
  EXPECT_THAT(report.outcome.message, HasSubstr("y[0, 0] was not written"));
}

TEST(Proof, AReferenceThatFailsOrChangesAnInputIsSaid) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  const reference::Reference throws{[](const reference::Problem& p) { p.symbol("no_such_symbol"); },
                                    nullptr};
  EXPECT_THAT(prove(proof.device, proof.variant, proof.which, {}, &throws).outcome.message,
              HasSubstr("the reference failed: "));
  const reference::Reference changes{
      [](const reference::Problem& p) { p.tensor("x").data[0] ^= std::byte{1}; }, nullptr};
  EXPECT_THAT(prove(proof.device, proof.variant, proof.which, {}, &changes).outcome.message,
              HasSubstr("the reference changed an input"));
}

TEST(Proof, ALargeCaseGetsFewerPassesAndStillNamesTheSource) {
  MirrorProof right([](const MirrorArguments& a) { a.run(); });
  ProofOptions options;
  options.determinism_runs = 5;
  options.large_bytes = 100;
  const auto prove_large = [&](MirrorProof& proof) {
    return prove(proof.device, proof.variant, proof.which, options, &mirror_reference());
  };
  const ProofReport report = prove_large(right);
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.passes, 2);
  EXPECT_EQ(report.launches, 3);
  EXPECT_THAT(report.skipped, ElementsAre(HasSubstr("passes 3 to 3")));
  EXPECT_EQ(count_of(report, "exact") + count_of(report, "untouched"), 2 * 2 * 30);
  MirrorProof wrong([](const MirrorArguments& a) {
    a.run();
    a.copy(a.y, 0, a.x, 1);
  });
  EXPECT_EQ(prove_large(wrong).outcome.message, "x of row 0, column 4 holds x of row 0, column 1");
}

TEST(Proof, ARefusedLaunchIsTheDevicesStatus) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  proof.variant.launches[0].entry = "absent";
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::launch_error);
  EXPECT_EQ(report.failed_check, "launch");
  EXPECT_THAT(report.outcome.message, HasSubstr("no entry absent"));
  EXPECT_EQ(report.passes, 0);
}

TEST(Proof, AFaultInABufferIsToldAsOneOfATensor) {
  MirrorProof proof([](const MirrorArguments& a) {
    a.run();
    a.fill(a.acc, -2, 0);  // two elements before acc, one before the buffer in a low placement
  });
  proof.device.report_faults = true;
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::out_of_bounds);
  EXPECT_EQ(report.failed_check, "launch");
  EXPECT_THAT(report.outcome.message,
              MatchesRegex("write 4 bytes before acc: write to unmapped address .*"));
}

TEST(Proof, RunningOutOfMemoryIsAResult) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  proof.device.memory_limit_bytes = 100;
  const ProofReport report = prove_mirror(proof);
  EXPECT_EQ(report.outcome.status, Status::out_of_memory);
  EXPECT_EQ(proof.device.live_buffers(), 0u);
}

TEST(ProofRecords, KeepTheFiguresThatAreNotThoseOfAnExactOutput) {
  OutputMetrics exact;
  exact.tensor = "z";
  exact.rule = "exact";
  exact.elements = 64;
  EXPECT_EQ(to_record(exact), Json({{"tensor", "z"}, {"rule", "exact"}, {"elements", 64}}));
  OutputMetrics other = exact;
  other.cosine = std::numeric_limits<double>::quiet_NaN();
  other.ulp_max = std::numeric_limits<double>::infinity();
  other.worst_index = 3;
  other.worst = "z of head 0";
  const Json record = to_record(other);
  EXPECT_EQ(record.size(), 7U);
  for (const Json& json : {record, to_json(other)})
    EXPECT_EQ(to_json(output_metrics_from_json(json)), to_json(other));
  EXPECT_EQ(to_json(output_metrics_from_json(to_record(exact))), to_json(exact));
}

}  // namespace
}  // namespace fusetune::test
