// prove() against planted bugs: each check has one that it alone must name, under every seed.

#include <gmock/gmock.h>

#include <ostream>
#include <regex>
#include <string>

#include "harness/verify/proof_cache.hpp"
#include "tests/verify/mirror_proof.hpp"

namespace fusetune::test {
namespace {

using ::testing::MatchesRegex;

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

/// What the kernel before left in the cache neither hides the bug nor changes its words.
TEST_P(PlantedBug, IsFoundJustSoBesideARightKernel) {
  ProofCache cache;
  MirrorProof right([](const MirrorArguments& a) { a.run(); });
  MirrorProof alone(GetParam().kernel);
  MirrorProof beside(GetParam().kernel);
  const auto words = [](const ProofReport& report) {
    Json json = to_json(report);
    json.erase("wall_ms");
    static const std::regex address("0x[0-9a-f]{6,}");
    return std::regex_replace(json.dump(1), address, "ADDRESS");
  };
  const std::string expected = words(prove_mirror(alone, 3));
  ASSERT_TRUE(prove_mirror(right, 3, 2, mirror_reference(), &cache).outcome.ok());
  EXPECT_EQ(words(prove_mirror(beside, 3, 2, mirror_reference(), &cache)), expected);
  EXPECT_GT(cache.found(), 0);
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

}  // namespace
}  // namespace fusetune::test
