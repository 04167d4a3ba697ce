#include "harness/device/gpu.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

constexpr std::string_view kPrefix = "hip:";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// With the domain 0 where it is left out, and with four digits of it where there are eight.
std::string full_pci(std::string_view text) {
  std::string pci = lower(text);
  if (std::count(pci.begin(), pci.end(), ':') == 1) pci.insert(0, "0000:");
  while (pci.find(':') > 4 && pci.starts_with('0')) pci.erase(0, 1);
  return pci;
}

bool is_meant(std::string_view which, std::size_t number, const Gpu& gpu) {
  if (is_number(which)) return which == std::to_string(number);
  const std::string wanted = lower(which);
  // The shortest beginning that says more than "this is a UUID".
  if (wanted.starts_with("gpu-")) return wanted.size() >= 8 && lower(gpu.uuid).starts_with(wanted);
  return full_pci(which) == gpu.pci;
}

std::string lines_of_gpus(const GpuList& list) {
  std::string lines;
  for (std::size_t i = 0; i < list.gpus.size(); ++i) {
    const Gpu& gpu = list.gpus[i];
    lines += fmt::format("\n  hip:{}: {} ({}), {}{}{}", i, gpu.product, gpu.target, gpu.pci,
                         gpu.uuid.empty() ? "" : ", ", gpu.uuid);
  }
  for (const std::string& why : list.absent) lines += "\n  " + why;
  return lines;
}

}  // namespace

Json to_json(const Gpu& gpu) {
  return {{"platform", gpu.platform == Platform::amd ? "amd" : "nvidia"},
          {"index", gpu.index},
          {"product", gpu.product},
          {"target", gpu.target},
          {"uuid", gpu.uuid},
          {"pci", gpu.pci},
          {"memory_bytes", gpu.memory_bytes},
          {"driver", gpu.driver}};
}

Json to_json(const GpuList& list) {
  Json gpus = Json::array();
  for (const Gpu& gpu : list.gpus) gpus.push_back(to_json(gpu));
  return {{"gpus", std::move(gpus)}, {"absent", list.absent}};
}

bool is_gpu(std::string_view name) { return name.starts_with(kPrefix); }

const Gpu& choose_gpu(std::string_view name, const GpuList& list) {
  const std::string_view which = name.substr(std::min(kPrefix.size(), name.size()));
  std::vector<std::size_t> meant;
  for (std::size_t i = 0; i < list.gpus.size(); ++i)
    if (is_meant(which, i, list.gpus[i])) meant.push_back(i);
  if (meant.size() == 1) return list.gpus[meant.front()];
  if (meant.size() > 1)
    throw UserError(fmt::format("device {} is more than one GPU; write more of its UUID:{}", name,
                                lines_of_gpus(list)));
  if (list.gpus.empty())
    throw UserError(
        fmt::format("device {}: no GPU can be used here:{}", name, lines_of_gpus(list)));
  throw UserError(
      fmt::format("there is no device {}; there are, by number, PCI address and UUID:{}", name,
                  lines_of_gpus(list)));
}

}  // namespace fusetune
