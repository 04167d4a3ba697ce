// The reader takes what is right and says what is wrong.

#include "harness/verify/safetensors.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstring>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string content(8, '\0');
  std::memcpy(content.data(), &length, 8);
  content += header;
  for (std::size_t i = 0; i < data_bytes; ++i) content += static_cast<char>(i);
  return content;
}

std::string message_of(const std::string& content) {
  try {
    parse_safetensors(content, "f.safetensors");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

const char* const kGood =
    R"({"__metadata__":{"k":"v"},"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
    R"("c":{"dtype":"U8","shape":[0,7],"data_offsets":[12,12]}})";

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const SafetensorsFile file = parse_safetensors(file_of(kGood, 12), "f");
  EXPECT_EQ(file.metadata.at("k"), "v");
  ASSERT_EQ(file.tensors.size(), 3u);
  EXPECT_EQ(file.tensors.at("a").dtype, "BF16");
  EXPECT_THAT(file.tensors.at("a").dims, ::testing::ElementsAre(2, 2));
  EXPECT_EQ(file.tensors.at("b").bytes[0], std::byte{8});
  EXPECT_TRUE(file.tensors.at("c").bytes.empty());
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const std::string good = file_of(kGood, 12);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(parse_safetensors(good.substr(0, size), "f"), UserError) << size;
  EXPECT_THROW(parse_safetensors(good + "x", "f"), UserError);
}

TEST(Safetensors, EveryDamagedHeaderByteIsAnErrorOrStillSound) {
  const std::string good = file_of(kGood, 12);
  for (std::size_t at = 0; at < good.size() - 12; ++at)
    for (const char damage : {'\0', '"', '9', '\xFF', '{'}) {
      std::string bad = good;
      bad[at] = damage;
      try {
        for (const auto& [name, tensor] : parse_safetensors(bad, "f").tensors)
          EXPECT_LE(tensor.bytes.size(), 12u);
      } catch (const UserError&) {
        continue;  // said, not crashed
      }
    }
}

TEST(Safetensors, SaysWhatIsWrong) {
  const auto tensor = [](const char* body, std::size_t data) {
    return message_of(file_of(fmt::format(R"({{"t":{{{}}}}})", body), data));
  };
  EXPECT_THAT(message_of("abc"), HasSubstr("f.safetensors: is no safetensors file"));
  EXPECT_THAT(message_of(std::string(8, '\xFF')), HasSubstr("truncated"));
  EXPECT_THAT(message_of(file_of("[1]", 0)), HasSubstr("no JSON object"));
  EXPECT_THAT(message_of(file_of("{", 0)), HasSubstr("no JSON"));
  EXPECT_THAT(message_of(file_of(R"({"__metadata__":{"a":1}})", 0)), HasSubstr("no string"));
  EXPECT_THAT(tensor(R"("dtype":"U8","shape":[4])", 4), HasSubstr("tensor 't' needs a dtype"));
  EXPECT_THAT(tensor(R"("dtype":"U8","shape":[-4],"data_offsets":[0,4])", 4), HasSubstr("needs"));
  EXPECT_THAT(tensor(R"("dtype":"U8","shape":[4.5],"data_offsets":[0,4])", 4), HasSubstr("needs"));
  EXPECT_THAT(tensor(R"("dtype":"Q3","shape":[4],"data_offsets":[0,4])", 4), HasSubstr("'Q3'"));
  EXPECT_THAT(tensor(R"("dtype":"U8","shape":[4],"data_offsets":[4,0])", 4), HasSubstr("lies at"));
  EXPECT_THAT(tensor(R"("dtype":"U8","shape":[9],"data_offsets":[0,9])", 4), HasSubstr("lies at"));
  EXPECT_THAT(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4),
              HasSubstr("has 4 bytes, its shape and type need 8"));
  EXPECT_THAT(tensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0),
              HasSubstr("overflows"));
  EXPECT_THAT(tensor(R"("dtype":"U8","shape":[2],"data_offsets":[2,4])", 4),
              HasSubstr("bytes 0 to 2 belong to no tensor"));
  EXPECT_THAT(tensor(R"("dtype":"U8","shape":[2],"data_offsets":[0,2])", 4),
              HasSubstr("bytes 2 to 4 belong to no tensor"));
  const auto two = [](const char* name, int begin, int end) {
    return message_of(
        file_of(fmt::format(R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":[0,4]}},)"
                            R"("{}":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}}}})",
                            name, end - begin, begin, end),
                6));
  };
  EXPECT_THAT(two("b", 2, 6), HasSubstr("tensor 'b' overlaps"));
  EXPECT_THAT(two("a", 4, 6), HasSubstr("names 'a' twice"));
  EXPECT_EQ(two("b", 4, 6), "no error");
}

TEST(Safetensors, AMissingFileIsNamed) {
  EXPECT_THROW(read_safetensors("/no/such/file.safetensors"), UserError);
}

}  // namespace
}  // namespace fusetune::test
