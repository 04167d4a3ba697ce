// prove() against planted bugs: each check has one that it alone must name, and a correct kernel
// raises no alarm.

#include "harness/verify/proof.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <ostream>

#include "harness/verify/prove.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

ProofReport prove_mirror(MirrorProof& proof, std::uint64_t seed = 1, int determinism_runs = 2) {
  return prove(proof.device, proof.variant, proof.which,
               {.seed = seed, .determinism_runs = determinism_runs}, &mirror_reference());
}

std::int64_t count_of(const ProofReport& report, const std::string& name) {
  for (const CheckCount& check : report.checks)
    if (check.name == name) return check.comparisons;
  return -1;
}

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
  EXPECT_EQ(report.launches, 5);
  EXPECT_EQ(report.seed, 7u);
  EXPECT_EQ(report.target, "host-w64");
  EXPECT_EQ(report.mode, "fast");
  const std::int64_t elements = 6 * 5;
  EXPECT_EQ(count_of(report, "launch"), 5);
  EXPECT_EQ(count_of(report, "inputs_unchanged"), 5 * elements * 2);
  EXPECT_EQ(count_of(report, "row_padding"), 5 * 2 * 5 * 3 * 2);  // runs, tensors, rows, elements
  EXPECT_EQ(count_of(report, "exact") + count_of(report, "untouched"), 3 * 2 * elements);
  EXPECT_GE(count_of(report, "untouched"), 3 * elements / 2);
  EXPECT_EQ(count_of(report, "determinism"), 2);
  EXPECT_GE(count_of(report, "guards"), 5 * 4 * 4096);
}

TEST(Proof, ReportSurvivesJson) {
  MirrorProof proof([](const MirrorArguments&) {});
  const ProofReport report = prove_mirror(proof);
  ASSERT_FALSE(report.outcome.ok());
  ASSERT_EQ(report.mismatches.size(), 8u);
  const ProofReport again = proof_from_json(Json::parse(to_json(report).dump()));
  EXPECT_EQ(to_json(again), to_json(report));
  EXPECT_EQ(again.mismatches[7].text, report.mismatches[7].text);
  Json broken = to_json(report);
  broken["status"] = "splendid";
  EXPECT_THROW(proof_from_json(broken), std::runtime_error);
}

struct Planted {
  const char* name;
  MirrorKernel kernel;
  Status status;
  const char* check;
  const char* message;  ///< regular expression
};

std::ostream& operator<<(std::ostream& stream, const Planted& bug) { return stream << bug.name; }

class PlantedBug : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedBug, IsFoundUnderEverySeedAndNamed) {
  const Planted& bug = GetParam();
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    MirrorProof proof(bug.kernel);
    const ProofReport report = prove_mirror(proof, seed);
    ASSERT_EQ(report.outcome.status, bug.status) << seed << ": " << report.outcome.message;
    ASSERT_EQ(report.failed_check, bug.check) << seed << ": " << report.outcome.message;
    ASSERT_THAT(report.outcome.message, MatchesRegex(bug.message)) << seed;
    ASSERT_GE(report.mismatch_count, 1);
    ASSERT_LE(report.mismatches.size(), 8u);
    ASSERT_EQ(proof.device.live_buffers(), 0u);
  }
}

const Planted kBugs[] = {
    {"does_nothing", [](const MirrorArguments&) {}, Status::unwritten_output, "poison",
     "x of row 0, column 4 was not written \\(and [0-9]+ more\\)"},
    {"last_row_unwritten",
     [](const MirrorArguments& a) {
       for (std::int64_t row = 0; row + 1 < a.rows; ++row) a.mirror_row(row);
       a.zero_tail();
     },
     Status::unwritten_output, "poison", "x of row 5, column 4 was not written \\(and 4 more\\)"},
    {"last_element_unwritten",
     [](const MirrorArguments& a) {
       const std::int64_t last = (a.rows - 1) * a.y_stride + a.width - 1;
       std::byte kept[8];
       a.copy(kept, 0, a.y, last);
       a.run();
       a.copy(a.y, last, kept, 0);
     },
     Status::unwritten_output, "poison", "x of row 5, column 0 was not written"},
    {"inout_not_zeroed",
     [](const MirrorArguments& a) {
       for (std::int64_t row = 0; row < a.rows; ++row) a.mirror_row(row);
     },
     Status::unwritten_output, "poison",
     "acc of row 3, column 0 still holds its initial content; it should hold zero \\(and 14 "
     "more\\)"},
    {"one_element_past_the_end",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.acc, a.rows * a.width, 0);
     },
     Status::out_of_bounds, "guards", "wrote 2 bytes past the end of acc.*"},
    {"one_element_before_the_start",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.y, -1, 0);
     },
     Status::out_of_bounds, "guards", "wrote 2 bytes before y.*"},
    {"far_past_the_end",
     [](const MirrorArguments& a) {
       a.run();
       // Beyond the short guard of a high placement lies an unmapped page, with its own report.
       if (reinterpret_cast<std::uintptr_t>(a.acc) % 4096 < 16)
         a.fill(a.acc, a.rows * a.width + 9, 0);
     },
     Status::out_of_bounds, "guards", "wrote 2 bytes, 18 bytes past the end of acc.*"},
    {"unmapped_page",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.acc, a.rows * a.width + 4, 0);
     },
     Status::out_of_bounds, "launch",
     "write to unmapped address 0x[0-9a-f]+ \\([0-9]+ bytes past the end of acc\\)"},
    {"past_the_end_of_an_input",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.x, (a.rows - 1) * a.x_stride + a.width, 0);
     },
     Status::out_of_bounds, "launch", ".* \\(0 bytes past the end of x\\)"},
    {"past_the_end_of_the_workspace",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.scratch, a.rows * a.width, 0);
     },
     Status::out_of_bounds, "guards", "wrote 2 bytes past the end of scratch.*"},
    {"into_row_padding",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.y, 2 * a.y_stride + a.width + 1, 0);
     },
     Status::out_of_bounds, "row_padding",
     "wrote 2 bytes into the row padding of y, 2 bytes past the last element of row 2.*"},
    {"into_row_padding_of_an_input",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.x, a.width, 0);
     },
     Status::out_of_bounds, "row_padding", "wrote 2 bytes into the row padding of x, 0 bytes.*"},
    {"writes_to_an_input",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.x, a.x_stride + 2, 0x77);
     },
     Status::input_modified, "inputs_unchanged",
     "input x was changed at element 7: 0x[0-9a-f]{4} became 0x7777.*"},
    {"wrong_source_element",
     [](const MirrorArguments& a) {
       a.run();
       a.copy(a.y, 3 * a.y_stride + 1, a.x, 2 * a.x_stride + 4);
     },
     Status::verification_failed, "exact", "x of row 3, column 3 holds x of row 2, column 4"},
    {"wrong_source_tensor",
     [](const MirrorArguments& a) {
       a.run();
       a.copy(a.y, 0, a.acc, 3);
     },
     Status::verification_failed, "exact", "x of row 0, column 4 holds acc of row 0, column 3"},
    {"zero_instead_of_a_value",
     [](const MirrorArguments& a) {
       a.run();
       a.fill(a.y, 0, 0);
     },
     Status::verification_failed, "exact", "x of row 0, column 4 holds zero"},
    {"value_instead_of_zero",
     [](const MirrorArguments& a) {
       a.run();
       a.copy(a.acc, a.rows * a.width - 1, a.x, 0);
     },
     Status::verification_failed, "exact",
     "acc of row 5, column 4 holds x of row 0, column 0; it should hold zero"},
    {"bytes_of_no_input",
     [](const MirrorArguments& a) {
       a.run();
       a.y[1] = a.y[1] ^ std::byte{0x21};
       a.y[0] = a.y[0] ^ std::byte{0x13};
     },
     Status::verification_failed, "exact",
     "x of row 0, column 4 holds bytes that no input element has: 0x[0-9a-f]{4} instead of "
     "0x[0-9a-f]{4}"},
    {"row_padding_leaks",
     [](const MirrorArguments& a) {
       a.run();
       a.copy(a.y, a.y_stride, a.x, a.width);
     },
     Status::verification_failed, "exact", "x of row 1, column 4 holds the row padding of x"},
    {"touches_what_must_stay",
     [](const MirrorArguments& a) {
       a.run();
       a.copy(a.acc, 1, a.x, 2);
     },
     Status::verification_failed, "untouched",
     "acc of row 0, column 1 had to stay as it was but holds x of row 0, column 2"},
    {"nondeterministic",
     [](const MirrorArguments& a) {
       a.run();
       if (a.schedule != 0) a.copy(a.y, 2, a.x, 3);
     },
     Status::nondeterministic, "determinism",
     "x of row 0, column 2 differs between two runs on the same inputs: 0x[0-9a-f]{4}, then .*"},
    {"out_of_bounds_under_another_schedule",
     [](const MirrorArguments& a) {
       a.run();
       if (a.schedule != 0) a.fill(a.acc, a.rows * a.width, 0);
     },
     Status::out_of_bounds, "guards", "wrote 2 bytes past the end of acc.*"},
    {"quiets_nans",
     [](const MirrorArguments& a) {
       a.run();
       for (std::int64_t row = 0; row < a.rows; ++row)
         for (std::int64_t i = 0; i < a.width; ++i) {
           std::uint16_t bits;
           std::memcpy(&bits, a.y + 2 * (row * a.y_stride + i), 2);
           if ((bits & 0x7FFF) > 0x7F80) bits |= 0x40;
           std::memcpy(a.y + 2 * (row * a.y_stride + i), &bits, 2);
         }
     },
     Status::verification_failed, "exact",
     "x of row [0-9], column [0-9] holds .*0x(7|f)f[c-f][0-9a-f] instead of "
     "0x(7|f)f[89ab][0-9a-f].*"},
    {"negative_zero_becomes_zero",
     [](const MirrorArguments& a) {
       a.run();
       for (std::int64_t row = 0; row < a.rows; ++row)
         for (std::int64_t i = 0; i < a.width; ++i) {
           std::uint16_t bits;
           std::memcpy(&bits, a.y + 2 * (row * a.y_stride + i), 2);
           if (bits == 0x8000) a.fill(a.y, row * a.y_stride + i, 0);
         }
     },
     Status::verification_failed, "exact",
     "x of row [0-9], column [0-9] holds .*0x0000 instead of 0x8000.*"},
};

INSTANTIATE_TEST_SUITE_P(Mirror, PlantedBug, ::testing::ValuesIn(kBugs),
                         [](const auto& test) { return std::string(test.param.name); });

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
  ASSERT_TRUE(prove_mirror(proof, 3, 2).outcome.ok());
  EXPECT_THAT(proof.device.places, ::testing::Contains(Place::low));
  EXPECT_THAT(proof.device.places, ::testing::Contains(Place::high));
  ASSERT_EQ(proof.device.schedules.size(), 5u);
  EXPECT_THAT(std::vector(proof.device.schedules.begin(), proof.device.schedules.begin() + 3),
              ElementsAre(0u, 0u, 0u));
  EXPECT_NE(proof.device.schedules[3], 0u);
  EXPECT_NE(proof.device.schedules[4], 0u);
  EXPECT_NE(proof.device.schedules[3], proof.device.schedules[4]);
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
  const ProofOptions options{.seed = 1, .determinism_runs = 5, .large_bytes = 100};
  const auto prove_large = [&](MirrorProof& proof) {
    return prove(proof.device, proof.variant, proof.which, options, &mirror_reference());
  };
  const ProofReport report = prove_large(right);
  EXPECT_TRUE(report.outcome.ok()) << report.outcome.message;
  EXPECT_EQ(report.passes, 2);
  EXPECT_EQ(report.launches, 3);
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

}  // namespace
}  // namespace fusetune::test
