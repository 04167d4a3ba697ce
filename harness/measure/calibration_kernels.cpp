#include "harness/measure/calibration_kernels.hpp"

#include <algorithm>
#include <iterator>

#include "harness/base/files.hpp"

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
  CompileRequest request;
  request.target = target;
  request.source.name = "harness/measure/kernels/calibration.hip";
  request.source.text = read_file(project_root() / request.source.name);
  request.headers = common_headers();
  request.macros = {{"FT_BLOCK_SIZE", std::to_string(kCalibrationBlock)},
                    {"FT_WAVE_SIZE", std::to_string(target.wave_size)}};
  for (const char* entry : kEntries) {
    request.entries.emplace_back(entry);
    request.signatures.push_back(arguments_of_entry(entry));
    request.kernarg_bytes.push_back(8 * std::ssize(request.signatures.back()));
  }
  request.block_threads = kCalibrationBlock;
  return request;
}

}  // namespace fusetune
