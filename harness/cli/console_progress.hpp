#pragma once
// Progress on stderr: one line that redraws itself on a terminal; plain lines at most every few
// seconds elsewhere. Stages that run beside each other share the line; each leaves one when it
// ends.

#include <chrono>
#include <string>
#include <vector>

#include "harness/cli/terminal.hpp"
#include "harness/tune/progress.hpp"

namespace fusetune {

class ConsoleProgress : public Progress {
 public:
  explicit ConsoleProgress(const Terminal& terminal) : terminal_(terminal) {}

  void begin(std::string_view stage, std::int64_t steps, std::int64_t found) override;
  void advance(std::string_view stage, StepEnd end) override;
  void within(std::string_view stage, const std::string& how_far) override;
  void tick() override;
  void end(std::string_view stage) override;

 private:
  using Clock = std::chrono::steady_clock;

  struct Stage {
    std::string name;
    std::int64_t steps = 0;
    std::int64_t found = 0;
    std::int64_t done = 0;
    std::int64_t failed = 0;
    Clock::time_point started;
    Clock::time_point last;  ///< its last step
    bool works = false;
    std::string how_far{};  ///< the step that runs; "" unknown
  };

  Stage* find(std::string_view name);
  void draw(const std::string& line, bool last);
  /// Of one stage by itself.
  std::string line(const Stage& stage) const;
  /// Of several, short.
  std::string line() const;

  Terminal terminal_;
  std::vector<Stage> stages_;  ///< that run
  Clock::time_point drawn_;
  Clock::time_point last_step_;  ///< of any stage
};

}  // namespace fusetune
