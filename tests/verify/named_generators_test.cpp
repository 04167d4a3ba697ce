// Indices that operations can use.

#include "harness/verify/named_generators.hpp"

#include <algorithm>
#include <set>

#include "tests/verify/computed_inputs.hpp"

namespace fusetune::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

class NamedGenerators : public ::testing::Test {
 protected:
  std::vector<std::int64_t> values(const std::string& name, std::int64_t rows, std::int64_t below,
                                   std::uint64_t key = 1, std::int64_t columns = 0) {
    auto family = mirror_family();
    TensorDecl& x = family->tensors[0];
    x.generator.kind = Generator::Kind::named;
    x.generator.name = name;
    if (below >= 0) x.generator.below = Expr::constant(below);
    if (columns == 0) x.shape.pop_back();
    Case which = case_of(family, DType::i64, rows, std::max<std::int64_t>(columns, 1));
    which.row_strides.clear();
    if (page_ > 0) which.geometry.statics["page_size"] = page_;
    return named_values(which, x, key);
  }

  std::int64_t page_ = 0;
};

TEST_F(NamedGenerators, PositionsIncreaseFromARandomStart) {
  const auto line = values("positions", 10, 1000);
  for (std::size_t i = 1; i < 10; ++i) EXPECT_EQ(line[i], (line[i - 1] + 1) % 1000);
  EXPECT_NE(line[0], values("positions", 10, 1000, 2)[0]);
  const auto rows = values("positions", 3, 50, 1, 70);
  std::set<std::int64_t> starts;
  for (std::size_t row = 0; row < 3; ++row) {
    starts.insert(rows[row * 70]);
    for (std::size_t i = 1; i < 70; ++i)
      ASSERT_EQ(rows[row * 70 + i], (rows[row * 70 + i - 1] + 1) % 50);
  }
  EXPECT_EQ(starts.size(), 3u);
  EXPECT_EQ(*std::max_element(rows.begin(), rows.end()), 49);
  EXPECT_THROW(values("positions", 3, 0), UserError);
}

TEST_F(NamedGenerators, SlotsAreDistinctAndOneIsMissing) {
  for (const std::int64_t below : {5, 8, 100}) {
    const auto taken = values("slots", 5, below);
    EXPECT_EQ(std::count(taken.begin(), taken.end(), -1), 1);
    EXPECT_EQ(std::set(taken.begin(), taken.end()).size(), 5u);
    EXPECT_LT(*std::max_element(taken.begin(), taken.end()), below);
    EXPECT_EQ(*std::min_element(taken.begin(), taken.end()), -1);
  }
  EXPECT_THAT(values("slots", 2, 9), Each(::testing::Ge(0)));
  EXPECT_NE(values("slots", 5, 100, 1), values("slots", 5, 100, 2));
  EXPECT_THROW(values("slots", 6, 5), UserError);
  EXPECT_TRUE(values("slots", 0, 5).empty());
}

TEST_F(NamedGenerators, SlotsFollowEachOtherInPlaces) {
  page_ = 16;
  for (std::uint64_t key = 1; key < 20; ++key) {
    const auto taken = values("slots", 100, 144, key);
    int follow = 0, cross = 0, jump = 0;
    for (std::size_t i = 1; i < taken.size(); ++i) {
      if (taken[i] < 0 || taken[i - 1] < 0) continue;
      const bool next = taken[i] == taken[i - 1] + 1;
      ++(next ? taken[i] % 16 == 0 ? cross : follow : jump);
    }
    EXPECT_GE(follow, 32) << key;
    EXPECT_GE(cross, 1) << key;
    EXPECT_GE(jump, 4) << key;
  }
}

TEST_F(NamedGenerators, RunsOfSlotsFillPagesInTheirOrder) {
  page_ = 16;
  bool from_start = false, appends = false, whole = false;
  for (std::uint64_t key = 1; key < 40; ++key) {
    const std::int64_t pages = key % 2 == 0 ? 4 : 30;
    const auto slots = values("slot_runs", 60, pages * 16, key);
    ASSERT_EQ(slots.size(), 60u);
    std::set<std::int64_t> seen;
    std::int64_t before = -1;
    for (const std::int64_t slot : slots) {
      ASSERT_GE(slot, -1);
      ASSERT_LT(slot, pages * 16);
      if (slot >= 0 && (before < 0 || slot != before + 1 || slot % 16 == 0)) {
        EXPECT_TRUE(seen.insert(slot / 16).second) << "a page of two runs";
        (slot % 16 == 0 ? from_start : appends) = true;
      }
      whole = whole || (slot >= 0 && slot % 16 == 15);
      before = slot;
    }
  }
  EXPECT_TRUE(from_start && appends && whole);
  EXPECT_EQ(values("slot_runs", 64, 64).size(), 64u);
  EXPECT_THROW(values("slot_runs", 65, 64), UserError);
}

TEST_F(NamedGenerators, RunsOfSlotsNeedTheSizeOfAPage) {
  EXPECT_THROW(values("slot_runs", 8, 64), UserError);
}

TEST_F(NamedGenerators, APermutationHasEachPlaceOnce) {
  for (const std::int64_t rows : {64, 1000, 1025}) {
    auto order = values("permutation", rows, -1);
    EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    for (std::int64_t i = 0; i < rows; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
  }
  EXPECT_THAT(values("permutation", 1, -1), ElementsAre(0));
  EXPECT_THAT(values("permutation", 3, -1), ::testing::UnorderedElementsAre(0, 1, 2));
}

TEST_F(NamedGenerators, TheRegistryHasWhatFamiliesMayName) {
  for (const NamedGenerator& known : named_generators())
    EXPECT_NE(find_named_generator(known.name), nullptr) << known.name;
  EXPECT_EQ(find_named_generator("nobody"), nullptr);
}

}  // namespace
}  // namespace fusetune::test
