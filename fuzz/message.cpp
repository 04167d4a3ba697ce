// The worker protocol: any bytes on the pipe are messages, or a broken stream, and a message of the
// wrong form is an error that the other side can answer with.

#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/process/channel.hpp"
#include "harness/process/fd.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune::fuzz {

namespace {

/// What a pipe holds without a reader.
constexpr std::size_t kMostBytes = 60000;

std::vector<Json> received(std::string_view bytes, bool* broken) {
  Pipe pipe = make_pipe();
  std::vector<Json> messages;
  require(bytes.empty() || write_some(pipe.write.get(), bytes) == std::ssize(bytes),
          "a short write");
  pipe.write = {};
  Channel channel(pipe.read.get(), -1);
  while (auto message = channel.receive()) messages.push_back(std::move(*message));
  *broken = channel.broken();
  return messages;
}

/// Runs a reader of messages; it may refuse with an error that has words.
template <class Read>
void check_reader(const Json& message, Read read) {
  try {
    const Json written = to_json(read(message));
    require(to_json(read(written)) == written,
            "another message when it is read again: " + written.dump());
  } catch (const Json::exception& error) {
    require(*error.what() != '\0', "an error without words");
  } catch (const UserError& error) {
    require(*error.what() != '\0', "an error without words");
  } catch (const std::invalid_argument& error) {
    require(*error.what() != '\0', "an error without words");
  }
}

}  // namespace

void run(std::string_view input) {
  input = input.substr(0, kMostBytes);
  bool broken = false;
  const std::vector<Json> messages = received(input, &broken);
  std::string frames;
  for (const Json& message : messages) frames += Channel::frame(message);
  if (frames.size() <= kMostBytes) {
    bool broken_again = false;
    require(received(frames, &broken_again) == messages && !broken_again,
            "messages that change on the way");
  }
  for (const Json& message : messages) {
    check_reader(message, facts_from_json);
    check_reader(message, compile_request_from_json);
    check_reader(message, variant_from_json);
  }
}

}  // namespace fusetune::fuzz
