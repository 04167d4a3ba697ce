#include "fake_state.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

namespace fake_hip {

namespace {

hipError_t error_named(const std::string& number) {
  return static_cast<hipError_t>(std::atoi(number.c_str()));
}

/// "hipStreamSynchronize:3:719:sticky" or "hipStreamSynchronize:3:hang", several with commas
/// between them: for programs that load the fake and cannot be told in another way.
void plan_from_environment(State& state) {
  const char* text = std::getenv("FAKE_HIP_FAIL");
  if (text == nullptr) return;
  std::istringstream list(text);
  for (std::string one; std::getline(list, one, ',');) {
    std::istringstream parts(one);
    std::string call, nth, error, sticky;
    std::getline(parts, call, ':');
    std::getline(parts, nth, ':');
    std::getline(parts, error, ':');
    std::getline(parts, sticky, ':');
    state.failures.push_back(
        {call, std::atoi(nth.c_str()), error_named(error), sticky == "sticky", error == "hang"});
  }
}

std::unique_ptr<State> fresh() {
  auto state = std::make_unique<State>();
  if (const char* count = std::getenv("FAKE_HIP_DEVICES")) state->device_count = std::atoi(count);
  plan_from_environment(*state);
  return state;
}

std::unique_ptr<State>& holder() {
  static std::unique_ptr<State> state = fresh();
  return state;
}

double number_from_environment(const char* name, double otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == 0 ? otherwise : std::atof(text);
}

double real_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

/// "FAKE_HIP_ONCE": planned failures happen in one process alone, which leaves this file behind.
bool is_first() {
  const char* mark = std::getenv("FAKE_HIP_ONCE");
  if (mark == nullptr) return true;
  const int file = ::open(mark, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  return file >= 0;
}

bool is_live() { return machine().kernel_us > 0; }

}  // namespace

const Machine& machine() {
  static const Machine found = [] {
    Machine one;
    one.kernel_us = number_from_environment("FAKE_HIP_LIVE", 0);
    one.memory_bytes = static_cast<std::size_t>(
        number_from_environment("FAKE_HIP_MEMORY", static_cast<double>(one.memory_bytes)));
    one.block_bytes_max = static_cast<std::size_t>(
        number_from_environment("FAKE_HIP_BLOCK", static_cast<double>(one.memory_bytes)));
    one.cache_bytes = static_cast<int>(number_from_environment("FAKE_HIP_CACHE", one.cache_bytes));
    return one;
  }();
  return found;
}

State& state() { return *holder(); }

void work(ihipStream_t* stream, Work run) {
  if (state().capturing == stream)
    state().captured.push_back(std::move(run));
  else
    run(stream);
}

void pass_us(ihipStream_t* stream, double us) {
  if (is_live()) stream->now_us = std::max(stream->now_us, real_us());
  stream->now_us += us;
}

void wait_until(double us) {
  if (!is_live()) return;
  constexpr double kTooShortToSleep = 100;
  const double ahead_us = us - real_us();
  if (ahead_us <= 0) return;
  if (ahead_us > kTooShortToSleep)
    std::this_thread::sleep_for(
        std::chrono::duration<double, std::micro>(ahead_us - kTooShortToSleep));
  while (real_us() < us) std::this_thread::yield();
  const double late_us = real_us() - us;
  for (ihipEvent_t* event : state().recorded)
    if (event->us >= us) event->us += late_us;
  for (ihipStream_t* stream : state().streams)
    if (stream->now_us >= us) stream->now_us += late_us;
}

void reset() {
  for (const auto& [pointer, size] : state().memory) std::free(pointer);
  holder() = fresh();
}

void plan(Failure failure) { state().failures.push_back(std::move(failure)); }
bool failed() { return state().failed; }
void set_device_count(int count) { state().device_count = count; }
void set_architecture(const std::string& name) { state().architecture = name; }
void set_driver_version(int version) { state().driver_version = version; }
std::map<std::string, int> calls() { return state().calls; }
std::vector<std::string> trace() { return state().trace; }

std::string leaks() {
  std::string text;
  for (const auto& [kind, count] : state().existing)
    if (count != 0)
      text +=
          (text.empty() ? "" : ", ") + std::to_string(count) + " " + kind + (count == 1 ? "" : "s");
  return text;
}

hipError_t begin(const char* call) {
  State& now = state();
  const int number = ++now.calls[call];
  now.trace.emplace_back(call);
  for (const Failure& failure : now.failures)
    if (failure.call == call && failure.nth == number && is_first()) {
      now.failed = true;
      while (failure.hangs) ::pause();
      if (failure.sticky) now.sticky = failure.error;
      return now.last = failure.error;
    }
  if (now.sticky != hipSuccess) now.last = now.sticky;
  return now.sticky;
}

hipError_t misuse() { return state().last = hipErrorInvalidHandle; }

void created(const char* kind) { ++state().existing[kind]; }
void destroyed(const char* kind) { --state().existing[kind]; }

}  // namespace fake_hip
