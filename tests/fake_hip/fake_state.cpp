#include "fake_state.hpp"

#include <cstdlib>
#include <sstream>

namespace fake_hip {

namespace {

hipError_t error_named(const std::string& number) {
  return static_cast<hipError_t>(std::atoi(number.c_str()));
}

/// "hipStreamSynchronize:3:719:sticky", several with commas between them: for programs that load
/// the fake and cannot be told in another way.
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
        {call, std::atoi(nth.c_str()), error_named(error), sticky == "sticky"});
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

}  // namespace

State& state() { return *holder(); }

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
    if (failure.call == call && failure.nth == number) {
      now.failed = true;
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
