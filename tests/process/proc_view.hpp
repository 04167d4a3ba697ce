#pragma once
// What /proc says of processes: for tests that nothing is left behind.

#include <sys/types.h>

#include <cstddef>

namespace fusetune {

/// Descriptors that this process holds.
std::size_t open_fd_count();

/// Children of this process, zombies included.
int child_count();

/// Whether a process is gone, or a zombie of somebody else, within a few seconds. (A killed
/// process needs a moment.)
bool ends_soon(pid_t pid);

/// Whether it runs now.
bool is_running(pid_t pid);

}  // namespace fusetune
