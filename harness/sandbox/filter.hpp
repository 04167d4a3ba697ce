#pragma once
// A program for seccomp, put together from conditions.

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace fusetune {

/// Memory from which system calls may come.
struct CodeRange {
  std::uint64_t begin = 0, end = 0;
};

/// The executable memory of all objects that are loaded now, neighbours joined.
std::vector<CodeRange> loaded_code();

class FilterProgram {
 public:
  /// Calls of another instruction set are killed.
  FilterProgram();

  void stop_calls_from_outside(const std::vector<CodeRange>& code);
  void allow(int number);
  void refuse(int number, int error);  ///< with an errno
  void stop(int number);               ///< SIGSYS
  /// Where (argument & mask) == value; all else of this call is stopped.
  void allow_where(int number, unsigned argument, std::uint32_t mask, std::uint32_t value);
  void otherwise_allow();
  void otherwise_refuse(int error);

  /// Whether the kernel took it; errno says why not. It can never be taken back.
  bool install() const;

 private:
  void load(std::uint32_t offset);
  void end(std::uint32_t action);
  void at(int number, std::uint32_t action);

  std::vector<sock_filter> program_;
};

}  // namespace fusetune
