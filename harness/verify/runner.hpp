#pragma once
// One run of a variant's launches in an arena, with the checks that need no expected result:
// launch, guards, row padding, inputs unchanged and, of instrumented code, writers.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/verify/exchange.hpp"
#include "harness/verify/findings.hpp"
#include "harness/verify/images.hpp"
#include "harness/verify/proof.hpp"
#include "reference/reference.hpp"

namespace fusetune {

/// Launches on one arena, and what it holds before them.
struct Run {
  Arena* arena = nullptr;
  const TensorImages* initial = nullptr;
};

class Runner {
 public:
  /// `reference` has the words for elements and may be nullptr.
  Runner(Device& device, Exchange& exchange, const RunnableVariant& variant, const Case& which,
         const reference::Reference* reference, Findings* findings)
      : device_(device),
        exchange_(exchange),
        variant_(variant),
        which_(which),
        reference_(reference),
        findings_(findings) {}

  /// Writes guards and `initial`, runs, checks. Returns what the result tensors hold, or nothing
  /// when the device failed.
  std::optional<TensorImages> run(Arena& arena, const TensorImages& initial,
                                  std::uint64_t schedule_seed);
  /// Several, each in an arena of its own, with no synchronise between them. Empty when the device
  /// failed.
  std::vector<TensorImages> run(std::span<const Run> runs, std::uint64_t schedule_seed);

  std::int64_t launches() const { return launches_; }

 private:
  bool launch(std::span<const Run> runs, std::uint64_t schedule_seed);
  Outcome enqueue_all(std::span<const Run> runs);
  TensorImages collect(const Run& run);
  void watch(std::span<const Run> runs);
  void check_writers(const Arena& arena);
  void check_guards(const Arena& arena, const ArenaContent& content);
  void check_padding(const Buffer& buffer, const TensorImage& actual, const TensorImage& initial);
  void check_input(const Buffer& buffer, const TensorImage& actual, const TensorImage& initial);

  Device& device_;
  Exchange& exchange_;
  const RunnableVariant& variant_;
  const Case& which_;
  const reference::Reference* reference_;
  Findings* findings_;
  std::int64_t launches_ = 0;
};

/// What a device says of a failed run, with the tensor that it missed: a device knows buffers
/// alone.
std::string fault_text(const Device& device, const std::string& message, const Arena& arena);

/// The message with every address in it ("0x7f...") that lies near a tensor put into words.
std::string with_places(const std::string& message, const Arena& arena);

}  // namespace fusetune
