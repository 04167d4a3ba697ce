#include "harness/process/channel.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "harness/process/fd.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kHeaderBytes = 8;
// Messages are requests and results, never tensors; a larger length is a stream gone wrong.
constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
// What poll() reads at most per call: one side that floods must not hold the other for ever.
constexpr std::size_t kReadBytes = 1 << 20;

std::uint64_t length_of(std::string_view header) {
  std::uint64_t length = 0;
  for (std::size_t i = kHeaderBytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(header[i]);
  return length;
}

bool wait_for(int fd, short events, int timeout_ms) {
  pollfd entry{fd, events, 0};
  int ready = 0;
  do ready = ::poll(&entry, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

std::string Channel::frame(const Json& message) {
  // A compiler's log may hold anything; bytes that are no UTF-8 are replaced rather than refused.
  const std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string bytes;
  bytes.reserve(kHeaderBytes + text.size());
  for (std::size_t i = 0; i < kHeaderBytes; ++i)
    bytes += static_cast<char>(text.size() >> (8 * i) & 0xff);
  return bytes + text;
}

bool Channel::send(const Json& message) {
  const std::string bytes = frame(message);
  if (bytes.size() - kHeaderBytes > kMostBytes) return false;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const std::ptrdiff_t n = write_some(write_fd_, rest);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_for(write_fd_, POLLOUT, -1);
      continue;
    }
    if (n < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<Json> Channel::take_message() {
  if (broken_ || buffer_.size() < kHeaderBytes) return std::nullopt;
  const std::uint64_t length = length_of(buffer_);
  if (length > kMostBytes) {
    broken_ = true;
    return std::nullopt;
  }
  const auto end = kHeaderBytes + static_cast<std::size_t>(length);
  if (buffer_.size() < end) return std::nullopt;
  Json message = Json::parse(std::string_view(buffer_).substr(kHeaderBytes, length), nullptr,
                             /*allow_exceptions=*/false);
  buffer_.erase(0, end);
  if (message.is_discarded()) {
    broken_ = true;
    return std::nullopt;
  }
  return message;
}

bool Channel::read_block() {
  std::array<char, 65536> block;
  ssize_t n = 0;
  do n = ::read(read_fd_, block.data(), block.size());
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    wait_for(read_fd_, POLLIN, -1);
    return true;
  }
  if (n <= 0) return false;
  buffer_.append(block.data(), static_cast<std::size_t>(n));
  return true;
}

std::optional<Json> Channel::receive() {
  for (;;) {
    if (auto message = take_message()) return message;
    if (broken_ || !read_block()) return std::nullopt;
  }
}

std::optional<Json> Channel::poll(bool* closed) {
  *closed = false;
  const std::size_t most_bytes = buffer_.size() + kReadBytes;
  for (;;) {
    if (auto message = take_message()) return message;
    if (broken_) {
      *closed = true;
      return std::nullopt;
    }
    if (buffer_.size() >= most_bytes || !wait_for(read_fd_, POLLIN, 0)) return std::nullopt;
    if (!read_block()) {
      *closed = true;
      return std::nullopt;
    }
  }
}

}  // namespace fusetune
