#pragma once
// Code that gives up rights for good, in a process of its own.

#include <functional>
#include <string>

namespace fusetune {

struct ChildEnd {
  int exit_code = -1;
  int signal = 0;
  std::string output;  ///< what it printed to stderr
};

/// Runs `body` in a forked child; what it returns is the exit code. 100 for an exception.
ChildEnd in_child(const std::function<int()>& body);

/// A call's own outcome as an exit code: 0, or its errno.
int error_of(long result);

}  // namespace fusetune
