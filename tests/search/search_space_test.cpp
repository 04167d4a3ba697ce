// Points of a grid with holes, their neighbours, and what is known of them.

#include "harness/search/search_space.hpp"

#include <gmock/gmock.h>

#include "harness/search/trials.hpp"

namespace fusetune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SearchSpace, NumbersStepToTheNextValueThatIsThereAndWordsToAny) {
  // 0 1 3 of an ordered axis (2 is a hole of the second word) times two of three words.
  const SearchSpace space({{"size", 4, true}, {"mapping", 3, false}},
                          {{0, 0}, {1, 0}, {3, 0}, {1, 1}, {2, 1}, {1, 2}});
  EXPECT_THAT(space.neighbours(0), ElementsAre(1));
  EXPECT_THAT(space.neighbours(1), ElementsAre(0, 2, 3, 5));  // over the hole at 2
  EXPECT_THAT(space.neighbours(2), ElementsAre(1));
  EXPECT_THAT(space.neighbours(4), ElementsAre(3));
  EXPECT_THAT(space.neighbours(5), ElementsAre(1, 3));
}

TEST(SearchSpace, RefusesWhatHasNoPlace) {
  EXPECT_THROW(SearchSpace({{"size", 2, true}}, {{2}}), std::invalid_argument);
  EXPECT_THROW(SearchSpace({{"size", 2, true}}, {{0, 0}}), std::invalid_argument);
  EXPECT_THROW(SearchSpace({{"size", 2, true}}, {{1}, {1}}), std::invalid_argument);
}

TEST(Trials, TheFirstWordCounts) {
  Trials trials(3);
  trials.begin(2);
  EXPECT_TRUE(trials.is_tried(2));
  EXPECT_FALSE(trials.best());
  trials.give_time(2, 4);
  trials.give_time(2, 1);
  trials.give_up(2);
  EXPECT_EQ(trials.time(2), 4);
  trials.give_up(0);
  trials.give_time(0, 1);
  EXPECT_EQ(trials.time(0), 1) << "a twin in another batch was timed after all";
  EXPECT_EQ(trials.best(), 0);
  EXPECT_THAT(trials.tried(), ElementsAre(2, 0));
  EXPECT_EQ(trials.untried_count(), 1);
}

TEST(Trials, WorthARaceAreTheCloseAndAtLeastAFew) {
  Trials trials(6);
  EXPECT_THAT(worth_racing(trials, 0.1, 2), IsEmpty());
  const std::vector<double> times = {1.05, 1.0, 1.3, 9, 1.1};
  for (std::size_t i = 0; i < times.size(); ++i) trials.give_time(i, times[i]);
  trials.give_up(5);
  EXPECT_THAT(worth_racing(trials, 0.1, 2), ElementsAre(0, 1, 4));
  EXPECT_THAT(worth_racing(trials, 0.0, 2), ElementsAre(0, 1));
  EXPECT_THAT(worth_racing(trials, 0.1, 4), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(worth_racing(trials, 100, 0), ElementsAre(0, 1, 2, 3, 4));
}

}  // namespace
}  // namespace fusetune
