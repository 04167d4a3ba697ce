#pragma once
// A search's rounds as one stage for whoever watches: the stages within them begin and end too
// often to be told.

#include <cstdint>

#include "harness/tune/progress.hpp"

namespace fusetune {

class SearchProgress : public Progress {
 public:
  SearchProgress(Progress& shown, std::int64_t variants) : shown_(shown) {
    shown_.begin(kSearch, variants, 0);
  }
  ~SearchProgress() override { shown_.end(kSearch); }
  SearchProgress(const SearchProgress&) = delete;
  SearchProgress& operator=(const SearchProgress&) = delete;

  /// A round is done: so many variants, and whether there was anything to do.
  void advance_round(std::int64_t variants, StepEnd end) {
    for (std::int64_t i = 0; i < variants; ++i) shown_.advance(kSearch, end);
  }

  void begin(std::string_view, std::int64_t, std::int64_t) override {}
  void advance(std::string_view, StepEnd) override {}
  void tick() override { shown_.tick(); }
  void end(std::string_view) override {}

 private:
  static constexpr const char* kSearch = "search";
  Progress& shown_;
};

}  // namespace fusetune
