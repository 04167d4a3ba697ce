#pragma once
// A device whose clock moves only as a script says: each arm has its time per launch, and drift,
// noise, faults and a lying clock can be added.

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/measure/choose.hpp"
#include "harness/measure/race.hpp"

namespace fusetune::testing {

/// Of equal arms the first is the simplest.
inline ChoiceRules first_is_simplest(std::size_t arms) {
  ChoiceRules rules;
  for (std::size_t arm = 0; arm < arms; ++arm) rules.simplicity.push_back({arm});
  return rules;
}

struct ScriptedCode : LoadedCode {
  explicit ScriptedCode(int number) : arm(number) {}
  int arm;
};

class ScriptedDevice : public Device {
 public:
  ScriptedDevice() {
    properties_.name = "scripted";
    properties_.target = parse_target("host-w64");
    properties_.cache_bytes = 1 << 16;
  }

  /// Microseconds of one launch of an arm at a time; the default is 10.
  std::function<double(int arm, double now_us)> launch_us = [](int, double) { return 10.0; };
  /// What the clock shows; by default the truth.
  std::function<double(double now_us)> clock = [](double truth_us) { return truth_us; };
  /// The outcome of a launch.
  std::function<Outcome(int arm)> outcome = [](int) { return Outcome{}; };
  std::size_t memory_bytes_max = std::size_t{1} << 32;
  double placement_sigma = 0;  ///< log-normal, per arm and allocation of a ring

  DeviceProperties properties_;
  std::vector<int> launched;                ///< arms in order
  std::vector<DevicePointer> first_tensor;  ///< of each launch
  std::map<DevicePointer, std::vector<std::byte>> memory;
  std::int64_t allocations = 0;
  double now_us = 0;

  const DeviceProperties& properties() const override { return properties_; }

  DevicePointer allocate(std::size_t size_bytes, Place) override {
    if (size_bytes > memory_bytes_max) throw std::bad_alloc();
    std::vector<std::byte> block(size_bytes + 8192);
    const auto raw = reinterpret_cast<DevicePointer>(block.data());
    const DevicePointer aligned = (raw + 4095) / 4096 * 4096;
    memory.emplace(aligned, std::move(block));
    ++allocations;
    return aligned;
  }
  void release(DevicePointer pointer) override {
    if (memory.erase(pointer) != 1) throw std::logic_error("released twice");
  }
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override {
    check(destination, size_bytes);
    std::memcpy(reinterpret_cast<void*>(destination), source, size_bytes);
  }
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override {
    check(source, size_bytes);
    std::memcpy(destination, reinterpret_cast<const void*>(source), size_bytes);
  }
  std::unique_ptr<LoadedCode> load(const std::string&, Outcome*) override { return nullptr; }

  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override {
    const int arm = dynamic_cast<const ScriptedCode&>(code).arm;
    launched.push_back(arm);
    first_tensor.push_back(std::get<DevicePointer>(launch.arguments.front()));
    now_us += launch_us(arm, now_us) * placement(arm);
    return outcome(arm);
  }
  Outcome synchronize() override { return {}; }
  double stamp_us() override { return clock(now_us); }
  double host_us() override { return now_us; }
  void rest(double us) override { now_us += us; }
  void schedule(std::uint64_t) override {}

 private:
  /// Every access lies within one allocation.
  void check(DevicePointer pointer, std::size_t size_bytes) const {
    auto block = memory.upper_bound(pointer);
    if (block == memory.begin()) throw std::logic_error("an access outside all memory");
    --block;
    if (pointer + size_bytes > block->first + block->second.size() - 8192)
      throw std::logic_error("an access past an allocation");
  }

  double placement(int arm) {
    if (placement_sigma == 0) return 1;
    std::mt19937_64 random(static_cast<std::uint64_t>(1000 * allocations + arm));
    return std::exp(std::normal_distribution<double>(0, placement_sigma)(random));
  }
};

/// A small case of split_reshape_cat and `count` arms that launch it.
struct ScriptedRace {
  explicit ScriptedRace(int count, const std::string& zero_fill = "off") {
    which = parse_case_key(
        "split_reshape_cat(act=bf16,ba=bf16,hk=16,hv=16,layout=interleaved,nk=2,nv=4,tokens=4,"
        "zero_fill=" +
        zero_fill + ")");
    const Variant variant = parse_variant_key(
        *which.geometry.family,
        "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,"
        "vector_bytes=16");
    for (int arm = 0; arm < count; ++arm) {
      codes.push_back(std::make_unique<ScriptedCode>(arm));
      arms.push_back({codes.back().get(),
                      launches_of(which, variant, parse_target("host-w64"), DeviceFacts{})});
    }
  }

  Case which;
  std::vector<std::unique_ptr<ScriptedCode>> codes;
  std::vector<RunnableVariant> arms;
};

inline std::set<std::int32_t> arms_in(const RaceResult& result) {
  std::set<std::int32_t> arms;
  for (const Sample& sample : result.samples) arms.insert(sample.arm);
  return arms;
}

}  // namespace fusetune::testing
