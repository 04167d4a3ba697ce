#include "harness/process/channel.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <thread>

#include "harness/process/fd.hpp"

namespace fusetune {
namespace {

/// One channel that talks to itself over a pipe, with both raw ends at hand.
struct Loop {
  Pipe pipe = make_pipe();
  Channel channel{pipe.read.get(), pipe.write.get()};

  void write_raw(const std::string& bytes) const {
    ASSERT_EQ(::write(pipe.write.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
};

TEST(Channel, DeliversMessagesInOrder) {
  Loop loop;
  const Json first = {{"a", 1}, {"text", "zwölf\n\0 bytes"}};
  const Json second = Json::array({1.5, nullptr, false});
  EXPECT_TRUE(loop.channel.send(first));
  EXPECT_TRUE(loop.channel.send(second));
  EXPECT_EQ(loop.channel.receive(), first);
  EXPECT_EQ(loop.channel.receive(), second);
}

TEST(Channel, FrameIsLittleEndianLengthAndJson) {
  EXPECT_EQ(Channel::frame(Json{{"k", 7}}), std::string("\x07\0\0\0\0\0\0\0{\"k\":7}", 15));
}

TEST(Channel, MessageLargerThanThePipe) {
  Loop loop;
  const Json big = std::string(3'000'000, 'q');
  std::jthread sender([&] { EXPECT_TRUE(loop.channel.send(big)); });
  EXPECT_EQ(loop.channel.receive(), big);
}

TEST(Channel, NonBlockingDescriptorsAreWaitedFor) {
  Loop loop;
  set_nonblocking(loop.pipe.read.get());
  set_nonblocking(loop.pipe.write.get());
  Channel other(loop.pipe.read.get(), -1);
  const Json big = std::string(1'000'000, 'q');
  std::jthread sender([&] { EXPECT_TRUE(loop.channel.send(big)); });
  EXPECT_EQ(other.receive(), big);
}

TEST(Channel, InvalidUtf8AndNonFiniteNumbersStillMakeJson) {
  Loop loop;
  EXPECT_TRUE(loop.channel.send({{"log", "bad \xff byte"}, {"ratio", std::nan("")}}));
  const auto message = loop.channel.receive();
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->at("log"), "bad \xEF\xBF\xBD byte");
  EXPECT_TRUE(message->at("ratio").is_null());
}

TEST(Channel, SendToNobodyIsFalseAndNoSignal) {
  Loop loop;
  loop.pipe.read.close();
  EXPECT_FALSE(loop.channel.send("hello"));
  EXPECT_FALSE(loop.channel.send("again"));
}

TEST(Channel, ReceiveEndsWithTheStream) {
  Loop loop;
  EXPECT_TRUE(loop.channel.send(1));
  loop.write_raw(Channel::frame("never complete").substr(0, 12));
  loop.pipe.write.close();
  EXPECT_EQ(loop.channel.receive(), Json(1));
  EXPECT_EQ(loop.channel.receive(), std::nullopt);
  EXPECT_FALSE(loop.channel.broken());
}

TEST(Channel, BrokenFramesEndTheStream) {
  for (const std::string& bytes :
       {std::string("\x03\0\0\0\0\0\0\0{,}", 11), std::string(8, '\xff')}) {
    Loop loop;
    loop.write_raw(bytes + Channel::frame("must not be read"));
    EXPECT_EQ(loop.channel.receive(), std::nullopt);
    EXPECT_TRUE(loop.channel.broken());
    bool closed = false;
    EXPECT_EQ(loop.channel.poll(&closed), std::nullopt);
    EXPECT_TRUE(closed);
  }
}

TEST(ChannelPoll, NeverBlocksAndJoinsPieces) {
  Loop loop;
  bool closed = true;
  EXPECT_EQ(loop.channel.poll(&closed), std::nullopt);
  EXPECT_FALSE(closed);
  const std::string bytes = Channel::frame({{"piece", "wise"}});
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    loop.write_raw(bytes.substr(i, 1));
    ASSERT_EQ(loop.channel.poll(&closed), std::nullopt) << i;
  }
  loop.write_raw(bytes.substr(bytes.size() - 1) + Channel::frame(2));
  EXPECT_EQ(loop.channel.poll(&closed), Json({{"piece", "wise"}}));
  EXPECT_EQ(loop.channel.poll(&closed), Json(2));
  EXPECT_EQ(loop.channel.poll(&closed), std::nullopt);
  EXPECT_FALSE(closed);
}

TEST(ChannelPoll, DeliversEverythingBeforeTheEnd) {
  Loop loop;
  EXPECT_TRUE(loop.channel.send(1));
  EXPECT_TRUE(loop.channel.send(2));
  loop.pipe.write.close();
  bool closed = false;
  EXPECT_EQ(loop.channel.poll(&closed), Json(1));
  EXPECT_FALSE(closed);
  EXPECT_EQ(loop.channel.poll(&closed), Json(2));
  EXPECT_FALSE(closed);
  EXPECT_EQ(loop.channel.poll(&closed), std::nullopt);
  EXPECT_TRUE(closed);
}

}  // namespace
}  // namespace fusetune
