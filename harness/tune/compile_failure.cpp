#include "harness/tune/compile_failure.hpp"

#include <fmt/format.h>

namespace fusetune {

namespace {

/// The line in which a dying compiler says that it got no memory, "" for none.
std::string memory_complaint(const std::string& output) {
  std::size_t begin = 0;
  while (begin < output.size()) {
    const std::size_t end = std::min(output.find('\n', begin), output.size());
    const std::string line = output.substr(begin, end - begin);
    for (const char* words : {"out of memory", "bad_alloc", "annot allocate memory"})
      if (line.find(words) != std::string::npos) return line;
    begin = end + 1;
  }
  return "";
}

}  // namespace

bool is_worth_a_second_try(Status status) {
  return status == Status::compiler_crash || status == Status::compile_timeout ||
         status == Status::out_of_memory;
}

Outcome not_enough_memory(std::int64_t memory_mib, const std::string& complaint) {
  std::string message = memory_mib > 0 ? fmt::format(
                                             "the compiler needs more than its {} MiB of memory "
                                             "(--compile-memory-mib, then --retry-failed)",
                                             memory_mib)
                                       : "the machine has too little memory for the compiler";
  if (!complaint.empty()) message += ": " + complaint;
  return {Status::out_of_memory, std::move(message)};
}

CompileResult failure_of(const JobEnd& end, std::int64_t memory_mib) {
  CompileResult result;
  result.log = end.last_output;
  result.compile_ms = end.wall_ms;
  const std::string complaint = memory_complaint(end.last_output);
  if (end.how == JobEnd::How::timed_out) {
    result.outcome = {Status::compile_timeout,
                      fmt::format("the compiler did not end within {} s, nor alone",
                                  static_cast<double>(end.limit.count()) / 1000)};
  } else if (!complaint.empty()) {
    result.outcome = not_enough_memory(memory_mib, complaint);
  } else if (end.signal != 0) {
    result.outcome = {
        Status::compiler_crash,
        fmt::format("the compiler was ended by signal {}, alone as well", end.signal)};
  } else {
    result.outcome = {
        Status::compiler_crash,
        fmt::format("the compiler process ended with exit code {}, alone as well", end.exit_code)};
  }
  return result;
}

}  // namespace fusetune
