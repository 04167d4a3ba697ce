#include "harness/base/status.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace fusetune {

namespace {
constexpr std::array<std::pair<Status, std::string_view>, 22> kNames{{
    {Status::ok, "ok"},
    {Status::pruned, "pruned"},
    {Status::unsupported_target, "unsupported_target"},
    {Status::compile_error, "compile_error"},
    {Status::compiler_crash, "compiler_crash"},
    {Status::compile_timeout, "compile_timeout"},
    {Status::resource_limit, "resource_limit"},
    {Status::launch_error, "launch_error"},
    {Status::kernel_fault, "kernel_fault"},
    {Status::kernel_timeout, "kernel_timeout"},
    {Status::out_of_memory, "out_of_memory"},
    {Status::worker_lost, "worker_lost"},
    {Status::verification_failed, "verification_failed"},
    {Status::unwritten_output, "unwritten_output"},
    {Status::input_modified, "input_modified"},
    {Status::out_of_bounds, "out_of_bounds"},
    {Status::uninitialised_read, "uninitialised_read"},
    {Status::race, "race"},
    {Status::divergent_barrier, "divergent_barrier"},
    {Status::misaligned, "misaligned"},
    {Status::nondeterministic, "nondeterministic"},
    {Status::skipped, "skipped"},
}};
}  // namespace

std::string_view to_string(Status status) {
  for (const auto& [value, name] : kNames)
    if (value == status) return name;
  return "?";
}

std::optional<Status> status_from_string(std::string_view text) {
  for (const auto& [value, name] : kNames)
    if (name == text) return value;
  return std::nullopt;
}

ExitCode worst_of(ExitCode a, ExitCode b) {
  constexpr std::array kGravity{ExitCode::pass,
                                ExitCode::inconclusive,
                                ExitCode::usage,
                                ExitCode::unusable,
                                ExitCode::regression,
                                ExitCode::kernel_crash,
                                ExitCode::verification_failed,
                                ExitCode::internal,
                                ExitCode::interrupted};
  const auto place = [&kGravity](ExitCode code) {
    return std::find(kGravity.begin(), kGravity.end(), code);
  };
  return place(a) < place(b) ? b : a;
}

ExitCode exit_code_of(Status status) {
  switch (status) {
    case Status::ok:
    case Status::pruned:
    case Status::skipped:
      return ExitCode::pass;
    case Status::verification_failed:
    case Status::unwritten_output:
    case Status::input_modified:
    case Status::out_of_bounds:
    case Status::uninitialised_read:
    case Status::race:
    case Status::divergent_barrier:
    case Status::misaligned:
    case Status::nondeterministic:
      return ExitCode::verification_failed;
    case Status::kernel_fault:
    case Status::kernel_timeout:
    case Status::launch_error:
    case Status::worker_lost:
      return ExitCode::kernel_crash;
    default:
      return ExitCode::unusable;
  }
}

}  // namespace fusetune
