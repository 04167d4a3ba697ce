#pragma once
// Pipes, and reading and writing them without blocking.

#include <cstddef>
#include <string>
#include <string_view>

#include "harness/base/file_descriptor.hpp"

namespace fusetune {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

/// Both ends are close-on-exec and above 2, so that they never meet a child's standard streams.
/// Throws std::system_error.
Pipe make_pipe();

/// The same file behind a descriptor above 2. Throws std::system_error.
FileDescriptor above_standard_streams(FileDescriptor fd);

/// Standard streams that are closed become /dev/null: a file that is opened must not become the
/// place where text is printed.
void open_standard_streams();

void set_nonblocking(int fd);

/// write(2), retried on EINTR; a closed pipe is EPIPE in errno and never a SIGPIPE.
std::ptrdiff_t write_some(int fd, std::string_view bytes);

enum class ReadState { open, closed };

/// Appends what a non-blocking descriptor holds, at most `most_bytes` of it.
ReadState read_available(int fd, std::string& into, std::size_t most_bytes);

}  // namespace fusetune
