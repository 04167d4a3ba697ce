#pragma once
// One JSON type for the whole program: key order is kept sorted, so output is stable.

#include <nlohmann/json.hpp>

namespace fusetune {
using Json = nlohmann::json;
}
