#pragma once
// What a campaign tells whoever watches. The CLI draws it; tests and --json ignore it.

#include <cstdint>
#include <string>
#include <string_view>

namespace fusetune {

/// How a step ended.
enum class StepEnd {
  done,
  failed,
  found,     ///< there was nothing to do: a record told, or a twin with the same code
  left_out,  ///< what it needed is not there
};

class Progress {
 public:
  virtual ~Progress() = default;
  /// A stage begins, maybe beside others: "compile", with so many steps ahead and so many found
  /// done.
  virtual void begin(std::string_view stage, std::int64_t steps, std::int64_t found) = 0;
  /// One of its steps ended.
  virtual void advance(std::string_view stage, StepEnd end) = 0;
  /// How far a long step of it is, in words.
  virtual void within(std::string_view /*stage*/, const std::string& /*how_far*/) {}
  /// Called often while stages run, for redrawing.
  virtual void tick() {}
  virtual void end(std::string_view stage) = 0;
};

class SilentProgress : public Progress {
 public:
  void begin(std::string_view, std::int64_t, std::int64_t) override {}
  void advance(std::string_view, StepEnd) override {}
  void end(std::string_view) override {}
};

}  // namespace fusetune
