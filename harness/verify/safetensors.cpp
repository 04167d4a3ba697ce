#include "harness/verify/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kLengthBytes = 8;

const std::map<std::string, std::int64_t, std::less<>>& element_sizes() {
  static const std::map<std::string, std::int64_t, std::less<>> sizes{
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1},
      {"U16", 2},  {"I16", 2}, {"F16", 2}, {"BF16", 2},    {"U32", 4},     {"I32", 4},
      {"F32", 4},  {"U64", 8}, {"I64", 8}, {"F64", 8},
  };
  return sizes;
}

class Parser {
 public:
  Parser(std::string_view content, const std::string& name) : content_(content), name_(name) {}

  SafetensorsFile parse() {
    const Json header = parse_header();
    SafetensorsFile file;
    for (const auto& [key, value] : header.items()) {
      if (key == "__metadata__")
        read_metadata(value, &file);
      else
        file.tensors[key] = read_tensor(key, value);
    }
    check_layout();
    return file;
  }

 private:
  struct Range {
    std::uint64_t begin, end;
    std::string tensor;
    bool operator<(const Range& other) const {
      return std::pair(begin, end) < std::pair(other.begin, other.end);
    }
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(fmt::format("{}: {}", name_, what));
  }

  Json parse_header() {
    if (content_.size() < kLengthBytes)
      fail(fmt::format("is no safetensors file: {} bytes", content_.size()));
    std::uint64_t length = 0;
    std::memcpy(&length, content_.data(), kLengthBytes);
    if (length > content_.size() - kLengthBytes)
      fail(fmt::format("is truncated: the header has {} bytes, the file {}", length,
                       content_.size()));
    data_ = content_.substr(kLengthBytes + length);
    Json header;
    try {
      header = Json::parse(content_.substr(kLengthBytes, length), duplicate_check());
    } catch (const Json::exception& error) {
      fail(fmt::format("the header is no JSON: {}", error.what()));
    }
    if (!duplicate_.empty()) fail(fmt::format("the header names '{}' twice", duplicate_));
    if (!header.is_object()) fail("the header is no JSON object");
    return header;
  }

  /// The JSON library keeps the last of two equal keys; for a tensor that would hide the first.
  Json::parser_callback_t duplicate_check() {
    return [this](int depth, Json::parse_event_t event, Json& parsed) {
      const auto level = static_cast<std::size_t>(depth);
      if (event == Json::parse_event_t::object_start) {
        keys_.resize(std::max(keys_.size(), level + 2));
        keys_[level + 1].clear();
      } else if (event == Json::parse_event_t::key) {
        if (!keys_[level].insert(parsed.get<std::string>()).second && duplicate_.empty())
          duplicate_ = parsed.get<std::string>();
      }
      return true;
    };
  }

  void read_metadata(const Json& value, SafetensorsFile* file) const {
    if (!value.is_object()) fail("__metadata__ is no JSON object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(fmt::format("__metadata__.{} is no string", key));
      file->metadata[key] = text.get<std::string>();
    }
  }

  StoredTensor read_tensor(const std::string& name, const Json& value) {
    const auto is_list = [&](const char* key) {
      return value.contains(key) && value[key].is_array() &&
             std::all_of(value[key].begin(), value[key].end(),
                         [](const Json& item) { return item.is_number_unsigned(); });
    };
    if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() ||
        !is_list("shape") || !is_list("data_offsets") || value["data_offsets"].size() != 2)
      fail(fmt::format("tensor '{}' needs a dtype, a shape and two data_offsets", name));
    StoredTensor tensor;
    tensor.dtype = value["dtype"].get<std::string>();
    const Range range{value["data_offsets"][0].get<std::uint64_t>(),
                      value["data_offsets"][1].get<std::uint64_t>(), name};
    const std::uint64_t bytes = size_of(name, value["shape"], &tensor);
    if (range.begin > range.end || range.end > data_.size())
      fail(fmt::format("tensor '{}' lies at bytes {} to {} of {}", name, range.begin, range.end,
                       data_.size()));
    if (range.end - range.begin != bytes)
      fail(fmt::format("tensor '{}' has {} bytes, its shape and type need {}", name,
                       range.end - range.begin, bytes));
    const auto* begin = reinterpret_cast<const std::byte*>(data_.data()) + range.begin;
    tensor.bytes.assign(begin, begin + bytes);
    ranges_.push_back(range);
    return tensor;
  }

  std::uint64_t size_of(const std::string& name, const Json& shape, StoredTensor* tensor) const {
    const auto size = element_sizes().find(tensor->dtype);
    if (size == element_sizes().end())
      fail(fmt::format("tensor '{}' has the unknown type '{}'", name, tensor->dtype));
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    auto bytes = static_cast<std::uint64_t>(size->second);
    for (const Json& dimension : shape) {
      const auto extent = dimension.get<std::uint64_t>();
      if (extent > kMax || (extent != 0 && bytes > kMax / extent))
        fail(fmt::format("the shape of tensor '{}' overflows", name));
      bytes *= extent;
      tensor->dims.push_back(static_cast<std::int64_t>(extent));
    }
    return bytes;
  }

  void check_layout() {
    std::sort(ranges_.begin(), ranges_.end());
    std::uint64_t expected = 0;
    for (const Range& range : ranges_) {
      if (range.begin < expected)
        fail(fmt::format("tensor '{}' overlaps the one before it", range.tensor));
      if (range.begin > expected)
        fail(fmt::format("bytes {} to {} belong to no tensor", expected, range.begin));
      expected = range.end;
    }
    if (expected != data_.size())
      fail(fmt::format("bytes {} to {} belong to no tensor", expected, data_.size()));
  }

  std::string_view content_;
  std::string name_;
  std::string_view data_;
  std::vector<std::set<std::string>> keys_;
  std::string duplicate_;
  std::vector<Range> ranges_;
};

}  // namespace

SafetensorsFile parse_safetensors(std::string_view content, const std::string& name) {
  return Parser(content, name).parse();
}

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_file(path), display_path(path));
}

}  // namespace fusetune
