#include "harness/device/simulated/simulated_kernels.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "harness/base/digest.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kElementBytes = 2;

/// Rows of qkvz and ba become mixed_qkv, z, b and a.
void split_rows(const SimulatedLaunch& launch, std::int64_t rows, std::byte** result) {
  const std::int64_t qkv = launch.number("qkv_width") * kElementBytes;
  const std::int64_t z = launch.number("z_width") * kElementBytes;
  const std::int64_t heads = launch.number("nv") * kElementBytes;
  const std::byte* in = launch.tensor("qkvz");
  const std::byte* gates = launch.tensor("ba");
  const auto copy = [](std::byte* to, const std::byte* from, std::int64_t bytes) {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    copy(launch.tensor("mixed_qkv") + row * qkv, in + row * (qkv + z), qkv);
    copy(launch.tensor("z") + row * z, in + row * (qkv + z) + qkv, z);
    copy(launch.tensor("b") + row * heads, gates + row * 2 * heads, heads);
    copy(launch.tensor("a") + row * heads, gates + row * 2 * heads + heads, heads);
  }
  *result = launch.tensor("mixed_qkv");
}

/// What the grid covers, as the blocks of the real kernel would.
void simulated_rows(const SimulatedLaunch& launch, std::byte** result) {
  split_rows(launch,
             std::min(launch.number("tokens"), launch.grid_blocks * launch.number("rows_per_iter")),
             result);
}

void simulated_rows_plain(const SimulatedLaunch& launch, std::byte** result) {
  split_rows(launch, std::min(launch.number("tokens"), launch.grid_blocks), result);
}

std::int64_t rows_bytes(const SimulatedLaunch& launch) {
  const std::int64_t row =
      launch.number("qkv_width") + launch.number("z_width") + 2 * launch.number("nv");
  return 2 * kElementBytes * row * launch.number("tokens");
}

// Those of harness/measure/kernels/calibration.hip.

constexpr std::int64_t kVectorBytes = 16;

using Word = std::uint32_t;

const Word* words_of(const SimulatedLaunch& launch, const char* tensor) {
  return reinterpret_cast<const Word*>(launch.tensor(tensor));
}

Word* result_words(const SimulatedLaunch& launch, std::byte** result) {
  *result = launch.tensor("y");
  return reinterpret_cast<Word*>(*result);
}

std::int64_t word_count(const SimulatedLaunch& launch) { return 4 * launch.number("vectors"); }

void calibrate_empty(const SimulatedLaunch& /*launch*/, std::byte** /*result*/) {}

void calibrate_read(const SimulatedLaunch& launch, std::byte** result) {
  const std::int64_t threads = launch.number("grid_blocks") * launch.number("block_threads");
  std::vector<Word> all(static_cast<std::size_t>(threads));
  const Word* in = words_of(launch, "a");
  for (std::int64_t i = 0; i < word_count(launch); ++i)
    all[static_cast<std::size_t>(i / 4 % threads)] ^= in[i];
  for (const Word word : all)
    if (word == 0x5eed1e55u) result_words(launch, result)[0] = word;
}

void calibrate_fill(const SimulatedLaunch& launch, std::byte** result) {
  Word* out = result_words(launch, result);
  for (std::int64_t i = 0; i < word_count(launch); ++i) out[i] = static_cast<Word>(i / 4 + i % 4);
}

void calibrate_copy(const SimulatedLaunch& launch, std::byte** result) {
  std::memcpy(result_words(launch, result), launch.tensor("a"),
              static_cast<std::size_t>(kVectorBytes * launch.number("vectors")));
}

void calibrate_add(const SimulatedLaunch& launch, std::byte** result) {
  Word* out = result_words(launch, result);
  const Word* a = words_of(launch, "a");
  const Word* b = words_of(launch, "b");
  for (std::int64_t i = 0; i < word_count(launch); ++i) out[i] = a[i] + b[i];
}

void calibrate_strided(const SimulatedLaunch& launch, std::byte** result) {
  Word* out = result_words(launch, result);
  const Word* in = words_of(launch, "a");
  for (std::int64_t v = 0; v < launch.number("vectors"); ++v)
    for (std::int64_t w = 0; w < 4; ++w)
      out[4 * (v / 8 * 32 + v % 8) + w] = in[4 * (v / 8 * 32 + v % 8) + w];
}

void calibrate_spin(const SimulatedLaunch& launch, std::byte** result) {
  Word* out = result_words(launch, result);
  const std::int64_t threads = launch.number("grid_blocks") * launch.number("block_threads");
  for (std::int64_t thread = 0; thread < threads; ++thread) {
    Word value = static_cast<Word>(thread);
    for (std::int64_t i = 0; i < launch.number("vectors"); ++i)
      value = value * 1664525u + 1013904223u;
    out[thread] = value;
  }
}

// That of harness/verify/kernels/digest.hip.

struct DigestPart {
  std::uint64_t address;
  std::int64_t bytes, place;
};

const DigestPart* parts_of(const SimulatedLaunch& launch) {
  return reinterpret_cast<const DigestPart*>(launch.tensor("parts"));
}

void digest_parts(const SimulatedLaunch& launch, std::byte** result) {
  *result = launch.tensor("sums");
  auto* sums = reinterpret_cast<Digest*>(*result);
  for (std::int64_t i = 0; i < launch.number("count"); ++i) {
    const DigestPart& part = parts_of(launch)[i];
    DigestSum sum;
    sum.add(reinterpret_cast<const std::byte*>(part.address), static_cast<std::size_t>(part.bytes),
            static_cast<std::uint64_t>(part.place));
    sums[i] = sum.sum();
  }
}

std::int64_t digest_bytes(const SimulatedLaunch& launch) {
  std::int64_t bytes = 0;
  for (std::int64_t i = 0; i < launch.number("count"); ++i) bytes += parts_of(launch)[i].bytes;
  return bytes;
}

template <int kArrays>
std::int64_t vector_bytes(const SimulatedLaunch& launch) {
  return kArrays * kVectorBytes * launch.number("vectors");
}

}  // namespace

const SimulatedKernel* find_simulated_kernel(const std::string& entry) {
  static const std::map<std::string, SimulatedKernel> kernels = {
      {"simulated_rows", {simulated_rows, rows_bytes}},
      {"simulated_rows_plain", {simulated_rows_plain, rows_bytes}},
      {"digest_parts", {digest_parts, digest_bytes}},
      {"calibrate_empty", {calibrate_empty, vector_bytes<0>}},
      {"calibrate_read", {calibrate_read, vector_bytes<1>}},
      {"calibrate_fill", {calibrate_fill, vector_bytes<1>}},
      {"calibrate_copy", {calibrate_copy, vector_bytes<2>}},
      {"calibrate_add", {calibrate_add, vector_bytes<3>}},
      {"calibrate_strided", {calibrate_strided, vector_bytes<2>}},
      {"calibrate_spin", {calibrate_spin, vector_bytes<0>}},
  };
  const auto found = kernels.find(entry);
  return found == kernels.end() ? nullptr : &found->second;
}

}  // namespace fusetune
