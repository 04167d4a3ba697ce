#pragma once
// Generators with names: indices that an operation can use, which no distribution gives.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/geometry.hpp"

namespace fusetune {

/// What a named generator knows.
struct NamedRequest {
  TensorShape shape;
  std::int64_t below = 0;  ///< the end of the values, where the generator has one
  std::int64_t page = 0;   ///< the static symbol page_size, where there is one
  std::uint64_t key = 0;   ///< of seed, tensor, pass and call (verify/generators.hpp)
};
using NamedFunction = std::function<std::vector<std::int64_t>(const NamedRequest&)>;

/// The values of every element, in order. Throws UserError when they cannot be: more slots taken
/// than there are.
std::vector<std::int64_t> named_values(const Case& which, const TensorDecl& tensor,
                                       std::uint64_t key);

/// By the name of named_generators() in harness/spec/generator.hpp; nullptr when there is none.
const NamedFunction* find_named_generator(std::string_view name);

/// A random order of 0 to size - 1, any place of it at once.
class Permutation {
 public:
  Permutation(std::uint64_t size, std::uint64_t key);
  std::uint64_t operator()(std::uint64_t place) const;

 private:
  std::uint64_t scramble(std::uint64_t value) const;

  std::uint64_t size_, key_;
  int bits_;
};

}  // namespace fusetune
