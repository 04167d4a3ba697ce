#pragma once
// A strict reader of safetensors files: 8 bytes of header length, a JSON header, raw data.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/json.hpp"

namespace fusetune {

struct StoredTensor {
  std::string dtype;  ///< as the file names it: "BF16", "F32", ...
  std::vector<std::int64_t> dims;
  std::vector<std::byte> bytes;
};

struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, StoredTensor> tensors;
};

/// Throws UserError naming the file and what is wrong with it: truncated, a header that is no JSON
/// or names something twice, unknown types, sizes that do not fit their shape, data that lies
/// outside the file, overlaps or leaves gaps.
SafetensorsFile read_safetensors(const std::filesystem::path& path);
/// As read_safetensors, from the file's content; `name` stands for it in messages.
SafetensorsFile parse_safetensors(std::string_view content, const std::string& name);

}  // namespace fusetune
