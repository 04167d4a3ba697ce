#include "harness/cli/console_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace fusetune {

namespace {
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainLine{5};
constexpr std::int64_t kBarWidth = 24;

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}
}  // namespace

ConsoleProgress::Stage* ConsoleProgress::find(std::string_view name) {
  const auto stage = std::find_if(stages_.begin(), stages_.end(),
                                  [name](const Stage& one) { return one.name == name; });
  return stage == stages_.end() ? nullptr : &*stage;
}

void ConsoleProgress::begin(std::string_view stage, std::int64_t steps, std::int64_t found) {
  if (stages_.empty()) drawn_ = Clock::now();
  stages_.push_back({std::string(stage), steps, found, 0, 0, Clock::now(), Clock::now(), false});
}

void ConsoleProgress::advance(std::string_view stage, StepEnd end) {
  Stage* one = find(stage);
  if (one == nullptr) return;
  one->how_far.clear();
  switch (end) {
    case StepEnd::found:
      ++one->found;
      --one->steps;
      break;
    case StepEnd::left_out:
      --one->steps;
      break;
    case StepEnd::failed:
      ++one->failed;
      [[fallthrough]];
    case StepEnd::done:
      ++one->done;
      // It may have waited for others: its time runs from the last step that ended before.
      if (!one->works) one->started = std::max(one->started, last_step_);
      one->works = true;
      last_step_ = one->last = Clock::now();
      break;
  }
  tick();
}

void ConsoleProgress::within(std::string_view stage, const std::string& how_far) {
  if (Stage* const one = find(stage)) one->how_far = how_far;
}

void ConsoleProgress::tick() {
  const auto now = Clock::now();
  if (stages_.empty() || now - drawn_ < (terminal_.is_terminal ? Clock::duration(kRedraw)
                                                               : Clock::duration(kPlainLine)))
    return;
  drawn_ = now;
  const auto begun =
      std::count_if(stages_.begin(), stages_.end(), [](const Stage& stage) { return stage.works; });
  draw(stages_.size() == 1 || begun == 0 ? line(stages_.front()) : line(), false);
}

void ConsoleProgress::end(std::string_view stage) {
  const auto one = std::find_if(stages_.begin(), stages_.end(),
                                [stage](const Stage& other) { return other.name == stage; });
  if (one == stages_.end()) return;
  draw(line(*one), true);
  stages_.erase(one);
}

void ConsoleProgress::draw(const std::string& line, bool last) {
  if (terminal_.is_terminal)
    fmt::print(stderr, "\r\033[K{}{}", line, last ? "\n" : "");
  else
    fmt::print(stderr, "{}\n", line);
  std::fflush(stderr);
}

std::string ConsoleProgress::line(const Stage& stage) const {
  std::string text = fmt::format("{:<7} ", stage.name);
  if (stage.steps == 0) return text + fmt::format("nothing to do, {} found done", stage.found);
  if (terminal_.is_terminal) {
    const std::int64_t filled = stage.done * kBarWidth / stage.steps;
    text += "[" + std::string(static_cast<std::size_t>(filled), '#') +
            std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + "] ";
  }
  text += fmt::format("{}/{}", stage.done, stage.steps);
  if (!stage.how_far.empty()) text += fmt::format(" ({})", stage.how_far);
  if (stage.found > 0) text += fmt::format(" (+{} found done)", stage.found);
  if (stage.failed > 0) text += "  " + terminal_.red(fmt::format("{} failed", stage.failed));
  const bool complete = stage.done >= stage.steps;
  const double seconds = seconds_between(stage.started, complete ? stage.last : Clock::now());
  if (stage.done > 0 && seconds > 0.05) {
    const double rate = static_cast<double>(stage.done) / seconds;
    text += fmt::format("  {:.1f}/s", rate);
    text += complete
                ? fmt::format("  in {}", duration_text(seconds))
                : fmt::format("  {} left",
                              duration_text(static_cast<double>(stage.steps - stage.done) / rate));
  }
  return text;
}

std::string ConsoleProgress::line() const {
  std::string text;
  std::int64_t failed = 0;
  double left_s = -1;
  for (const Stage& stage : stages_) {
    failed += stage.failed;
    text +=
        fmt::format("{}{} {}/{}", text.empty() ? "" : "  ", stage.name, stage.done, stage.steps);
    if (!stage.how_far.empty()) text += fmt::format(" ({})", stage.how_far);
    // Those behind the first that is not done wait for it: their own pace says nothing.
    if (left_s < 0 && stage.done > 0 && stage.done < stage.steps)
      left_s = seconds_between(stage.started, Clock::now()) *
               static_cast<double>(stage.steps - stage.done) / static_cast<double>(stage.done);
  }
  if (failed > 0) text += "  " + terminal_.red(fmt::format("{} failed", failed));
  if (left_s > 0) text += fmt::format("  {} left", duration_text(left_s));
  return text;
}

}  // namespace fusetune
