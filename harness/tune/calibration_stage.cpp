#include "harness/tune/calibration_stage.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "harness/base/files.hpp"
#include "harness/measure/calibration_kernels.hpp"
#include "harness/tune/tool_code.hpp"

namespace fusetune {

namespace {

constexpr int kDoctorLimitS = 300;

std::filesystem::path calibration_file(const DeviceProperties& device,
                                       const std::filesystem::path& store) {
  return store / "doctor" / (device.name + ".json");
}

Calibration unusable(Status status, std::string why) {
  Calibration calibration;
  calibration.outcome = {status, std::move(why)};
  return calibration;
}

/// At which kernel the worker was.
std::string entry_at(const Target& target, const JobEnd& end) {
  const std::vector<std::string> entries = calibration_request(target).entries;
  const bool known = end.noted && *end.noted >= 0 && *end.noted < std::ssize(entries);
  return known ? entries[static_cast<std::size_t>(*end.noted)] : "what it began with";
}

}  // namespace

Calibration examine_device(const std::string& device, const EngineOptions& options) {
  const DeviceProperties properties = device_properties(device);
  Outcome outcome;
  const auto code = compiled_tool(calibration_request(properties.target), options, &outcome);
  if (!code) return unusable(outcome.status, outcome.message);
  Job job;
  job.request = Json{{"op", "doctor"},
                     {"device", device},
                     {"code", code->code_path.string()},
                     {"seed", options.seed}};
  job.limit = std::chrono::seconds(kDoctorLimitS);
  job.noted_limit = kernel_limit(options);
  const JobEnd end = ask_worker("device", std::move(job));
  if (end.how == JobEnd::How::timed_out)
    return unusable(Status::kernel_timeout,
                    fmt::format("{} did not end within {} s", entry_at(properties.target, end),
                                static_cast<double>(end.limit.count()) / 1000));
  if (end.how != JobEnd::How::answered)
    return unusable(Status::worker_lost,
                    fmt::format("the device worker ended at {}: {}",
                                entry_at(properties.target, end), end.last_output));
  if (end.answer.contains("error"))
    return unusable(Status::launch_error, end.answer["error"].get<std::string>());
  const Calibration found = calibration_from_json(end.answer);
  if (found.outcome.ok()) {
    const std::filesystem::path file = calibration_file(properties, options.store);
    std::filesystem::create_directories(file.parent_path());
    write_file_atomic(
        file, Json{{"conditions", properties.conditions}, {"calibration", to_json(found)}}.dump(1) +
                  "\n");
  }
  return found;
}

std::optional<Calibration> kept_calibration(const DeviceProperties& device,
                                            const std::filesystem::path& store) {
  const std::filesystem::path file = calibration_file(device, store);
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    const Json json = Json::parse(read_file(file));
    if (json.at("conditions") != device.conditions) return std::nullopt;
    return calibration_from_json(json.at("calibration"));
  } catch (const std::exception&) {
    return std::nullopt;  // damaged: doctor writes it anew
  }
}

Json handle_doctor_request(Device& device, const Json& request, NotePage& page) {
  Outcome outcome;
  const std::unique_ptr<LoadedCode> code =
      device.load(request.at("code").get<std::string>(), &outcome);
  const auto note = [&page](std::size_t entry) {
    page.write(static_cast<std::int64_t>(entry), std::chrono::microseconds(0));
  };
  if (code) return to_json(calibrate(device, *code, request.at("seed").get<std::uint64_t>(), note));
  Calibration failed;
  failed.outcome = outcome;
  return to_json(failed);
}

}  // namespace fusetune
