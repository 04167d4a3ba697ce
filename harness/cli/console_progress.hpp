#pragma once
// Progress on stderr: one line that redraws itself on a terminal; plain lines at most every few
// seconds elsewhere.

#include <chrono>
#include <string>

#include "harness/cli/terminal.hpp"
#include "harness/tune/progress.hpp"

namespace fusetune {

class ConsoleProgress : public Progress {
 public:
  explicit ConsoleProgress(const Terminal& terminal) : terminal_(terminal) {}

  void begin(std::string_view stage, std::int64_t steps, std::int64_t found) override;
  void advance(bool failed) override;
  void tick() override;
  void end() override;

 private:
  using Clock = std::chrono::steady_clock;

  void draw(bool last);
  std::string line() const;

  Terminal terminal_;
  std::string stage_;
  std::int64_t steps_ = 0;
  std::int64_t found_ = 0;
  std::int64_t done_ = 0;
  std::int64_t failed_ = 0;
  Clock::time_point started_;
  Clock::time_point drawn_;
};

}  // namespace fusetune
