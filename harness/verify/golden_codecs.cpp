#include "harness/verify/golden_codecs.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "harness/base/error.hpp"
#include "harness/verify/codec.hpp"
#include "harness/verify/findings.hpp"

namespace fusetune {

namespace {

constexpr const char* kTable = "fp8_cast_table";
constexpr const char* kChosen = "fp8_cast_f32";

class CastTable {
 public:
  explicit CastTable(const GoldenCase& golden) : golden_(golden), dtype_(dtype_of(golden)) {}

  ProofReport compare() {
    if (golden_.family == kTable) {
      for (std::uint32_t bits = 0; bits < 65536; ++bits)
        compare_codes(bits, decode(DType::bf16, bits), 65536);
      compare_numbers();
    } else {
      const auto& values = tensor("x", "F32");
      const std::size_t count = values.size() / sizeof(float);
      if (count == 0)
        throw UserError(fmt::format("golden case {}: 'x' has no numbers", golden_.name));
      for (std::size_t i = 0; i < count; ++i)
        compare_codes(i, decode(DType::fp32, bits_at(values, i)), count);
    }
    ProofReport report;
    report.mode = "codec";
    report.passes = 1;
    findings_.conclude(&report);
    return report;
  }

 private:
  static DType dtype_of(const GoldenCase& golden) {
    constexpr std::string_view kPrefix = "float8_";
    const Json given = golden.params.contains("dtype") ? golden.params["dtype"] : Json();
    const std::string name = given.is_string() ? given.get<std::string>() : given.dump();
    const auto dtype = name.compare(0, kPrefix.size(), kPrefix) == 0
                           ? dtype_from_string(name.substr(kPrefix.size()))
                           : std::nullopt;
    if (!dtype || !is_float(*dtype) || size_bytes(*dtype) != 1)
      throw UserError(fmt::format("golden case {}: no codec for '{}'", golden.name, name));
    return *dtype;
  }

  const std::vector<std::byte>& tensor(const std::string& name, std::string_view dtype) const {
    const auto found = golden_.tensors.find(name);
    if (found == golden_.tensors.end() || found->second.dtype != dtype)
      throw UserError(
          fmt::format("golden case {}: needs a tensor '{}' of {}", golden_.name, name, dtype));
    return found->second.bytes;
  }

  static std::uint32_t bits_at(const std::vector<std::byte>& floats, std::size_t index) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, floats.data() + index * sizeof(bits), sizeof(bits));
    return bits;
  }

  void compare_codes(std::size_t index, double value, std::size_t count) {
    for (const auto& [name, overflow] :
         {std::pair("raw", Overflow::special), std::pair("clamped", Overflow::saturate)}) {
      const std::vector<std::byte>& codes = tensor(name, "U8");
      if (codes.size() != count)
        throw UserError(fmt::format("golden case {}: '{}' has {} codes instead of {}", golden_.name,
                                    name, codes.size(), count));
      const auto theirs = static_cast<unsigned>(codes[index]);
      compare_bits(name, index, encode(dtype_, value, overflow), theirs);
    }
  }

  /// NaNs compare as such: their payloads are the reader's choice.
  void compare_numbers() {
    const std::vector<std::byte>& numbers = tensor("decode", "F32");
    if (numbers.size() != 256 * sizeof(float))
      throw UserError(fmt::format("golden case {}: 'decode' has not 256 numbers", golden_.name));
    for (std::size_t code = 0; code < 256; ++code) {
      const std::uint32_t theirs = bits_at(numbers, code);
      const double ours = decode(dtype_, code);
      const bool nan = std::isnan(ours) && std::isnan(decode(DType::fp32, theirs));
      compare_bits("decode", code, nan ? theirs : encode(DType::fp32, ours), theirs);
    }
  }

  void compare_bits(const char* name, std::size_t index, std::uint64_t ours, std::uint64_t theirs) {
    findings_.count(Check::exact, 1, "elements");
    if (ours == theirs || findings_.count_only(Check::exact)) return;
    findings_.add(
        Check::exact, Status::verification_failed,
        {.tensor = name,
         .index = static_cast<std::int64_t>(index),
         .text = fmt::format("{}[{}] is {:#x} there and {:#x} here", name, index, theirs, ours)});
  }

  const GoldenCase& golden_;
  DType dtype_;
  Findings findings_;
};

}  // namespace

bool is_cast_table(const GoldenCase& golden) {
  return golden.family == kTable || golden.family == kChosen;
}

ProofReport compare_codecs_with_golden(const GoldenCase& golden) {
  return CastTable(golden).compare();
}

}  // namespace fusetune
