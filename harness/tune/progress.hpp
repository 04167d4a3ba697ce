#pragma once
// What a campaign tells whoever watches. The CLI draws it; tests and --json ignore it.

#include <cstdint>
#include <string_view>

namespace fusetune {

class Progress {
 public:
  virtual ~Progress() = default;
  /// A stage begins: "compile", with so many steps to do and so many found done.
  virtual void begin(std::string_view stage, std::int64_t steps, std::int64_t found) = 0;
  /// One step ended; `failed` ones are counted apart.
  virtual void advance(bool failed) = 0;
  /// Called often while a stage runs, for redrawing.
  virtual void tick() {}
  virtual void end() = 0;
};

class SilentProgress : public Progress {
 public:
  void begin(std::string_view, std::int64_t, std::int64_t) override {}
  void advance(bool) override {}
  void end() override {}
};

}  // namespace fusetune
