#pragma once
// Source lines of code, from the debug information of its file.

#include <cstdint>
#include <memory>
#include <string>

namespace fusetune {

class LineFinder {
 public:
  virtual ~LineFinder() = default;
  /// addr2line's list of the inlined frames at an offset of a file's code, innermost first, one
  /// "file:line" each; "" where none is known.
  virtual std::string frames(const std::string& path, std::int64_t offset) = 0;
};

/// Starts addr2line for each question.
std::unique_ptr<LineFinder> make_line_finder();

/// The same, from a process that is started now: for a process that is about to lose the right to
/// start any. Call it while there is one thread. Falls back to make_line_finder() where no process
/// can be started.
std::unique_ptr<LineFinder> start_line_helper();

}  // namespace fusetune
