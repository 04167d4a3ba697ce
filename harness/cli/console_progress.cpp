#include "harness/cli/console_progress.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace fusetune {

namespace {
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainLine{5};
constexpr std::int64_t kBarWidth = 24;
}  // namespace

void ConsoleProgress::begin(std::string_view stage, std::int64_t steps, std::int64_t found) {
  stage_ = stage;
  steps_ = steps;
  found_ = found;
  done_ = 0;
  failed_ = 0;
  started_ = Clock::now();
  drawn_ = started_;
}

void ConsoleProgress::advance(bool failed) {
  ++done_;
  if (failed) ++failed_;
  tick();
}

void ConsoleProgress::tick() {
  const auto now = Clock::now();
  if (now - drawn_ <
      (terminal_.is_terminal ? Clock::duration(kRedraw) : Clock::duration(kPlainLine)))
    return;
  drawn_ = now;
  draw(false);
}

void ConsoleProgress::end() { draw(true); }

void ConsoleProgress::draw(bool last) {
  if (terminal_.is_terminal)
    fmt::print(stderr, "\r\033[K{}{}", line(), last ? "\n" : "");
  else
    fmt::print(stderr, "{}\n", line());
  std::fflush(stderr);
}

std::string ConsoleProgress::line() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  std::string text = fmt::format("{:<7} ", stage_);
  if (steps_ == 0) return text + fmt::format("nothing to do, {} found done", found_);
  if (terminal_.is_terminal) {
    const std::int64_t filled = done_ * kBarWidth / steps_;
    text += "[" + std::string(static_cast<std::size_t>(filled), '#') +
            std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + "] ";
  }
  text += fmt::format("{}/{}", done_, steps_);
  if (found_ > 0) text += fmt::format(" (+{} found done)", found_);
  if (failed_ > 0) text += "  " + terminal_.red(fmt::format("{} failed", failed_));
  if (done_ > 0 && seconds > 0.05) {
    const double rate = static_cast<double>(done_) / seconds;
    text += fmt::format("  {:.1f}/s", rate);
    text += done_ < steps_ ? fmt::format("  {} left",
                                         duration_text(static_cast<double>(steps_ - done_) / rate))
                           : fmt::format("  in {}", duration_text(seconds));
  }
  return text;
}

}  // namespace fusetune
