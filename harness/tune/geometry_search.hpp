#pragma once
// The search of one geometry: one strategy per case, all of which learn from every variant that any
// of them asked for.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/search/strategy.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/race_stage.hpp"

namespace fusetune {

/// The variants as points of a space: numbers are ordered, words are not.
SearchSpace search_space(const PlannedGeometry& geometry, const std::vector<std::size_t>& variants);

class GeometrySearch {
 public:
  /// `variants` are those of the geometry that are searched. The geometry must outlive the search.
  GeometrySearch(const PlannedGeometry& geometry, std::vector<std::size_t> variants,
                 const SearchChoice& choice);
  GeometrySearch(const GeometrySearch&) = delete;
  GeometrySearch& operator=(const GeometrySearch&) = delete;

  bool is_done() const;
  /// The next variants to try, ascending. Each case has its say.
  std::vector<std::size_t> propose();
  /// What a round found of them: its races, whose arms are numbers in `asked`. A variant without a
  /// time in a race will get none.
  void take(const std::vector<std::size_t>& asked, const std::vector<const CaseRace*>& races);
  /// The variants that were tried, ascending, and what is known of them.
  std::vector<std::size_t> tried() const;
  Searched result() const;

 private:
  struct CaseSearch {
    Trials trials;
    std::unique_ptr<SearchStrategy> strategy;
  };
  std::size_t tried_count() const { return cases_.front().trials.tried().size(); }
  void begin(std::size_t point);

  const PlannedGeometry& geometry_;
  std::vector<std::size_t> variants_;
  SearchChoice choice_;
  SearchSpace space_;
  std::vector<CaseSearch> cases_;
  std::size_t turn_ = 0;  ///< the case that is asked first
};

/// Per arm, its time over the baseline's in this race, which makes different batches comparable.
/// Nothing for an arm without a time; nothing at all where the baseline has none.
std::vector<std::optional<double>> times_over(const RaceResult& result, std::size_t arms,
                                              std::size_t baseline);

}  // namespace fusetune
