#include "harness/compile/nvidia/cubin.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <stdexcept>

#include "harness/compile/elf_image.hpp"

namespace fusetune::nvidia {

namespace {

constexpr std::uint16_t kMachineCuda = 190;
constexpr std::string_view kText = ".text.";

/// Attributes of .nv.info.<entry>: a byte for the form of the value, one for its meaning, then the
/// value in two bytes, or its size and then the value.
constexpr std::uint8_t kSized = 0x04;
constexpr std::uint8_t kMaxThreads = 0x05, kParameterBytes = 0x19;

std::uint64_t word_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, size);
  return word;
}

void read_attributes(std::string_view info, CubinKernel* kernel) {
  for (std::size_t at = 0; at + 4 <= info.size();) {
    const auto form = static_cast<std::uint8_t>(info[at]);
    const auto meaning = static_cast<std::uint8_t>(info[at + 1]);
    const auto value = static_cast<std::int64_t>(word_at(info, at + 2, 2));
    at += 4;
    if (form != kSized) {
      if (meaning == kParameterBytes) kernel->argument_bytes = value;
      continue;
    }
    const auto size = static_cast<std::size_t>(value);
    if (at + size > info.size()) throw std::runtime_error("the cubin's attributes are damaged");
    if (meaning == kMaxThreads && size == 12)
      kernel->block_threads_max = static_cast<std::int64_t>(
          word_at(info, at, 4) * word_at(info, at + 4, 4) * word_at(info, at + 8, 4));
    at += size;
  }
}

/// Instructions of sm_70 to sm_90 are 16 bytes: the operation in the low 12 bits, the width of an
/// access in bits 73 to 75.
void count_accesses(std::string_view text, CubinKernel* kernel) {
  constexpr std::array<std::int64_t, 8> bytes_of = {1, 1, 2, 2, 4, 8, 16, 0};
  std::map<std::int64_t, std::int64_t> loads, stores;
  for (std::size_t at = 0; at + 16 <= text.size(); at += 16) {
    // The third digit tells where the address comes from.
    const std::uint64_t operation = word_at(text, at, 8) & 0x1ff;
    const std::int64_t bytes = bytes_of[(word_at(text, at + 8, 8) >> 9) & 7];
    if (operation == 0x181) ++loads[bytes];
    if (operation == 0x186) ++stores[bytes];
  }
  kernel->global_loads.assign(loads.begin(), loads.end());
  kernel->global_stores.assign(stores.begin(), stores.end());
}

}  // namespace

std::vector<CubinKernel> read_cubin(std::string_view code) {
  std::string error;
  const std::optional<ElfImage> image = ElfImage::parse(code, &error);
  if (!image || image->machine() != kMachineCuda)
    throw std::runtime_error("the code object is no cubin" + (error.empty() ? "" : ": " + error));
  std::vector<CubinKernel> kernels;
  for (const ElfImage::Section& section : image->sections()) {
    if (!section.name.starts_with(kText)) continue;
    CubinKernel& kernel = kernels.emplace_back();
    kernel.entry = section.name.substr(kText.size());
    kernel.code_bytes = static_cast<std::int64_t>(section.size);
    count_accesses(section.bytes, &kernel);
    const std::string attributes = ".nv.info." + kernel.entry;
    for (const ElfImage::Section& other : image->sections())
      if (other.name == attributes) read_attributes(other.bytes, &kernel);
  }
  return kernels;
}

}  // namespace fusetune::nvidia
