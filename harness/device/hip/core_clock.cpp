#include "harness/device/hip/core_clock.hpp"

#include "harness/compile/rtc/rtc_compiler.hpp"
#include "harness/device/device_error.hpp"
#include "harness/device/hip/hip_error.hpp"

namespace fusetune::hip {

namespace {

/// Below this both stamps' own duration and the timer's step show.
constexpr std::uint64_t kShortestNs = 50'000;

constexpr const char* kEntry = "fusetune_core_stamp";
constexpr const char* kSource = R"(
extern "C" __global__ void fusetune_core_stamp(unsigned long long* stamp) {
  unsigned long long cycles = 0, ns = 0, unit = 0;
#if defined(__CUDA_ARCH__)
  unsigned sm;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(sm));
  unit = sm;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  cycles = clock64();
#elif defined(__GFX9__)
  // The timer of these ticks at 100 MHz.
  ns = __builtin_amdgcn_s_memrealtime() * 10;
  cycles = __builtin_amdgcn_s_memtime();
#if defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__) || defined(__gfx950__)
  unit = __builtin_amdgcn_s_getreg(6164);  // XCC_ID: each die counts for itself
#endif
#endif
  stamp[0] = cycles;
  stamp[1] = ns;
  stamp[2] = unit;
}
)";

}  // namespace

double core_mhz(const CoreStamp& begin, const CoreStamp& end) {
  if (begin.unit != end.unit || end.ns < begin.ns + kShortestNs || end.cycles <= begin.cycles)
    return 0;
  return 1000.0 * static_cast<double>(end.cycles - begin.cycles) /
         static_cast<double>(end.ns - begin.ns);
}

std::unique_ptr<CoreClock> CoreClock::make(const Target& target) {
  const std::string image = rtc::compile_own({"core_clock.hip", kSource}, target);
  if (image.empty()) return nullptr;
  std::unique_ptr<CoreClock> clock(new CoreClock);
  Outcome outcome;
  clock->code_ = HipCode::from_image(image, &outcome);
  const HipKernel* kernel =
      clock->code_ == nullptr ? nullptr : clock->code_->find(kEntry, &outcome);
  if (kernel == nullptr) throw DeviceError(outcome.status, "core clock: " + outcome.message);
  clock->kernel_ = kernel->function;
  require(hipHostMalloc(clock->memory_.out(), kStamps * sizeof(CoreStamp), hipHostMallocMapped),
          "hipHostMalloc");
  return clock;
}

hipError_t CoreClock::stamp(std::size_t place, hipStream_t stream) {
  CoreStamp* where = stamps() + place;
  *where = {};
  void* arguments[] = {&where};
  return hipModuleLaunchKernel(kernel_, 1, 1, 1, 1, 1, 1, 0, stream, arguments, nullptr);
}

}  // namespace fusetune::hip
