#pragma once
// The parameter list that family.yaml gives an entry, in the types of the kernel ABI (contract 1).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/family.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

struct Parameter {
  std::string type;  ///< as in C++: "const void*", "long long", "float"
  std::int64_t size_bytes = 8;
  std::string name;
};

std::vector<Parameter> parameters_of(const Family& family, const std::vector<Argument>& arguments);

/// "const void* x, long long tokens"
std::string to_string(const std::vector<Parameter>& parameters);

/// Bytes up to the end of the last parameter, each aligned to its size.
std::int64_t kernarg_bytes_of(const std::vector<Parameter>& parameters);

/// The same types in the same order; names do not count.
bool same_types(const std::vector<Parameter>& a, const std::vector<Parameter>& b);

/// Makes compilers report what follows as standing in `file` from `line` on.
std::string line_directive(std::string_view file, int line);

}  // namespace fusetune
