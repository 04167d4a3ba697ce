// safetensors: what is read fits the file, and written again reads the same; captured cases of it
// are cases or an error.

#include <cstring>

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/verify/golden.hpp"
#include "harness/verify/safetensors.hpp"

namespace fusetune::fuzz {

namespace {

constexpr const char* kFile = "cases.safetensors";

std::string written(const SafetensorsFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::string data;
  for (const auto& [name, tensor] : file.tensors) {
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    header[name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.dims}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  std::string length(8, '\0');
  const std::uint64_t size = text.size();
  std::memcpy(length.data(), &size, 8);
  return length + text + data;
}

bool equal(const SafetensorsFile& a, const SafetensorsFile& b) {
  if (a.metadata != b.metadata || a.tensors.size() != b.tensors.size()) return false;
  for (const auto& [name, tensor] : a.tensors) {
    const auto other = b.tensors.find(name);
    if (other == b.tensors.end() || other->second.dtype != tensor.dtype ||
        other->second.dims != tensor.dims || other->second.bytes != tensor.bytes)
      return false;
  }
  return true;
}

}  // namespace

void run(std::string_view input) {
  SafetensorsFile file;
  try {
    file = parse_safetensors(input, kFile);
  } catch (const UserError& error) {
    return require_place(error.what(), kFile);
  }
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) bytes += tensor.bytes.size();
  require(bytes <= input.size(), "more data than the file has");
  require(equal(parse_safetensors(written(file), kFile), file), "another file when written again");
  try {
    golden_cases(std::move(file), kFile);
  } catch (const UserError& error) {
    require_place(error.what(), kFile);
  }
}

}  // namespace fusetune::fuzz
