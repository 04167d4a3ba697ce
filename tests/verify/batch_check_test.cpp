// Rows in batches of other sizes: what makes the bits of a row depend on its company is found.

#include "harness/verify/batch_check.hpp"

#include <gmock/gmock.h>

#include "harness/verify/row_view.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Every row by itself: `acc` stays as it is.
void mirror_rows(const MirrorArguments& a) {
  for (std::int64_t row = 0; row < a.rows; ++row) a.mirror_row(row);
}

struct Checked {
  Outcome outcome;
  BatchInvariance found;
};

Checked check(MirrorKernel kernel, const std::vector<std::int64_t>& row_counts,
              std::uint64_t seed = 1) {
  MirrorProof proof(std::move(kernel), {.rows = 100});
  Checked checked;
  checked.outcome = check_batches(
      proof.device, [&](const Case&) { return proof.variant; }, proof.which, row_counts, seed,
      &checked.found);
  EXPECT_EQ(proof.device.live_buffers(), 0u);
  return checked;
}

TEST(BatchCheck, RowsByThemselvesQualify) {
  const Checked checked = check(mirror_rows, {0, 1, 3, 64, 65, 100, 130});
  EXPECT_TRUE(checked.outcome.ok()) << checked.outcome.message;
  EXPECT_TRUE(checked.found.qualifies()) << checked.found.difference;
  EXPECT_EQ(checked.found.rows, 100);
  EXPECT_THAT(checked.found.row_counts, ElementsAre(1, 3, 64, 65, 130));
  // y and acc: 4 calls of 1 row, 4 of 3, 2 of 64, 2 of 65, one of 130 that has the batch of 100.
  EXPECT_EQ(checked.found.bytes, 2 * 10 * (4 + 4 * 3 + 2 * 64 + 2 * 65 + 100));
}

TEST(BatchCheck, FindsAPathForManyRows) {
  const auto other_above_64 = [](const MirrorArguments& a) {
    mirror_rows(a);
    if (a.rows > 64)
      for (std::int64_t row = 0; row < a.rows; ++row) a.fill(a.y, row * a.y_stride + 4, 0x11);
  };
  const Checked checked = check(other_above_64, {1, 64, 65});
  EXPECT_TRUE(checked.outcome.ok());
  EXPECT_FALSE(checked.found.qualifies());
  EXPECT_THAT(checked.found.difference, AllOf(HasSubstr("row 0, element 4 of y: 0x"),
                                              HasSubstr(" among 1 rows, 0x1111 among 100")));
  EXPECT_TRUE(check(other_above_64, {65, 99}).found.qualifies()) << "one path for all of these";
}

TEST(BatchCheck, FindsAPathForMoreRowsThanTheBatchHas) {
  const Checked checked = check(
      [](const MirrorArguments& a) {
        mirror_rows(a);
        if (a.rows > 100) a.fill(a.y, (a.rows - 1) * a.y_stride, 0x11);
      },
      {64, 130});
  EXPECT_THAT(checked.found.difference, HasSubstr("row 99, element 0 of y: 0x1111 among 130 rows"));
}

TEST(BatchCheck, NothingComparedDoesNotQualify) {
  for (const std::vector<std::int64_t>& row_counts : {std::vector<std::int64_t>{}, {0}}) {
    const Checked checked = check(mirror_rows, row_counts);
    EXPECT_TRUE(checked.outcome.ok()) << checked.outcome.message;
    EXPECT_EQ(checked.found.bytes, 0);
    EXPECT_FALSE(checked.found.qualifies());
  }
}

TEST(BatchCheck, FindsWhatGoesByThePlaceOfARow) {
  const Checked checked = check(
      [](const MirrorArguments& a) {
        mirror_rows(a);
        for (std::int64_t row = 0; row < a.rows; row += 7) a.fill(a.y, row * a.y_stride, 0x11);
      },
      {8});
  EXPECT_THAT(checked.found.difference, HasSubstr("of y"));
}

TEST(BatchCheck, DigestsTellVariantsWithOtherBitsApart) {
  const auto other = [](const MirrorArguments& a) {
    mirror_rows(a);
    for (std::int64_t row = 0; row < a.rows; ++row) a.fill(a.y, row * a.y_stride, 0x11);
  };
  const std::string digest = check(mirror_rows, {3}).found.digest;
  EXPECT_EQ(check(mirror_rows, {65}).found.digest, digest) << "whatever is compared with it";
  EXPECT_NE(check(other, {3}).found.digest, digest);
  EXPECT_TRUE(check(other, {3}).found.qualifies());
  EXPECT_NE(check(mirror_rows, {3}, 2).found.digest, digest) << "of the inputs as well";
}

TEST(BatchCheck, AFailedRunIsNoDifference) {
  const Checked checked = check(
      [](const MirrorArguments& a) {
        mirror_rows(a);
        if (a.rows == 3) a.fill(a.acc, a.rows * a.width, 0);
      },
      {1, 3});
  EXPECT_EQ(checked.outcome.status, Status::out_of_bounds);
  EXPECT_THAT(checked.outcome.message, HasSubstr("at 3 rows: wrote"));
  EXPECT_FALSE(checked.found.qualifies());
}

TEST(BatchCheck, SurvivesJson) {
  const BatchInvariance found = check(mirror_rows, {1, 3}).found;
  EXPECT_EQ(to_json(batch_invariance_from_json(to_json(found))), to_json(found));
}

TEST(RowDimension, IsTheOneThatCountsTheRows) {
  const TensorDecl tensor = tensor_decl("x", Role::in, false);
  const auto shape = [](std::vector<std::int64_t> dims) {
    TensorShape made;
    made.dims = std::move(dims);
    return made;
  };
  const auto inner = row_dimension(tensor, shape({3, 4, 5}), 4, shape({3, 9, 5}), 9);
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->outer, 3);
  EXPECT_EQ(inner->inner, 5);
  EXPECT_FALSE(row_dimension(tensor, shape({3, 4}), 7, shape({3, 4}), 9));
  EXPECT_THROW(row_dimension(tensor, shape({2, 4}), 4, shape({3, 4}), 9), std::runtime_error);
  EXPECT_THROW(row_dimension(tensor, shape({4, 4}), 4, shape({9, 9}), 9), std::runtime_error);
}

TEST(RowDimension, RowsOfBothAreVisitedInPieces) {
  std::vector<std::int64_t> seen;
  for_rows({2, 3}, {4, 1}, {5, 2}, 2, [&seen](std::int64_t a, std::int64_t b, std::int64_t n) {
    seen.insert(seen.end(), {a, b, n});
  });
  EXPECT_THAT(seen, ElementsAre(3, 6, 3, 6, 9, 3, 15, 21, 3, 18, 24, 3));
}

}  // namespace
}  // namespace fusetune::test
