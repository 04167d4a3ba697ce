#include "harness/tune/containment.hpp"

#include <cstdlib>
#include <utility>

#include "harness/sandbox/sandbox.hpp"

namespace fusetune {

namespace {

void append(std::vector<Measure>& list, std::vector<Measure> more) {
  for (Measure& measure : more) list.push_back(std::move(measure));
}

}  // namespace

ContainedDevice contain_device_worker(const std::filesystem::path& scratch) {
  ContainedDevice contained;
  std::vector<Measure>& measures = contained.measures;
  if (scratch.empty()) return contained;
  append(measures, become_memory_victim());
  append(measures, enter_namespaces(scratch));
  append(measures, drop_privileges());
  contained.lines = start_line_helper();
  append(measures, limit_resources(device_limits(machine_memory_bytes())));
  append(measures, restrict_files(scratch));
  append(measures, restrict_system_calls());
  return contained;
}

ContainedDevice contain_gpu_worker() {
  ContainedDevice contained;
  append(contained.measures, become_memory_victim());
  append(contained.measures, drop_privileges());
  return contained;
}

std::vector<Measure> contain_compile_worker() {
  std::vector<Measure> measures = drop_privileges();
  append(measures, deny_network());
  return measures;
}

}  // namespace fusetune
