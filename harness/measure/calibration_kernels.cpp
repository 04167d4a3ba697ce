#include "harness/measure/calibration_kernels.hpp"

#include <algorithm>
#include <iterator>

namespace fusetune {

namespace {

constexpr const char* kEntries[] = {"calibrate_empty", "calibrate_read", "calibrate_fill",
                                    "calibrate_copy",  "calibrate_add",  "calibrate_strided",
                                    "calibrate_spin"};

}  // namespace

std::vector<Argument> arguments_of_entry(const std::string& entry) {
  std::vector<Argument> list;
  const auto tensor = [&list](const char* name) { list.push_back({Argument::Kind::tensor, name}); };
  const bool reads =
      entry != "calibrate_empty" && entry != "calibrate_fill" && entry != "calibrate_spin";
  if (reads) tensor("a");
  if (entry == "calibrate_add") tensor("b");
  if (entry != "calibrate_empty") tensor("y");
  list.push_back({Argument::Kind::symbol, "vectors"});
  return list;
}

std::size_t place_of_entry(const std::string& entry) {
  return static_cast<std::size_t>(std::distance(
      std::begin(kEntries), std::find(std::begin(kEntries), std::end(kEntries), entry)));
}

CompileRequest calibration_request(const Target& target) {
  CompileRequest request =
      tool_request(target, "harness/measure/kernels/calibration.hip", kCalibrationBlock);
  for (const char* entry : kEntries) add_tool_entry(entry, arguments_of_entry(entry), request);
  return request;
}

}  // namespace fusetune
