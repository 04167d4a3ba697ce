#pragma once
// Framed JSON messages over a pair of file descriptors that are neither stdout nor stderr.
// A frame is an 8-byte little-endian length and that many bytes of JSON.

#include <optional>
#include <string>

#include "harness/base/json.hpp"

namespace fusetune {

class Channel {
 public:
  Channel(int read_fd, int write_fd) : read_fd_(read_fd), write_fd_(write_fd) {}

  /// Blocks. False when the other side is gone.
  bool send(const Json& message);
  /// Blocks. Nothing when the other side is gone or the stream is broken.
  std::optional<Json> receive();
  /// Adds what can be read without blocking; returns a message when one is complete. `closed` is
  /// set on end of stream.
  std::optional<Json> poll(bool* closed);

  int read_fd() const { return read_fd_; }
  /// The stream held something that is no frame of JSON; nothing more will be read from it.
  bool broken() const { return broken_; }

  /// The bytes that send() writes, for a sender that must not block.
  static std::string frame(const Json& message);

 private:
  std::optional<Json> take_message();
  bool read_block();

  int read_fd_;
  int write_fd_;
  std::string buffer_;
  bool broken_ = false;
};

}  // namespace fusetune
