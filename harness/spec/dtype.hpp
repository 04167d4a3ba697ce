#pragma once
// Element types. A copy family cares for the size alone; the name stays in the key.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fusetune {

enum class DType { bf16, fp16, fp32, i32, i64, e4m3fn, e4m3fnuz, e5m2, e5m2fnuz, e8m0, u8 };

std::string_view to_string(DType dtype);
std::optional<DType> dtype_from_string(std::string_view name);
const std::vector<DType>& all_dtypes();
std::int64_t size_bytes(DType dtype);

}  // namespace fusetune
