#pragma once
// Private to the header's writers: the names and values that the generated C++ uses.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/table/table.hpp"

namespace fusetune {

/// One number of a geometry's key, and the field of Query it comes from.
struct KeyPart {
  enum class Kind { option, symbol, dtype, alignment } kind = Kind::symbol;
  std::string name;   ///< as the family declares it
  std::string field;  ///< of Query
};

/// Identifiers are made once, here, so that two names that C++ cannot tell apart are an error of
/// the family and never a wrong table.
class HeaderNames {
 public:
  /// Throws std::logic_error for names that become the same identifier.
  explicit HeaderNames(const Family& family);

  const Family& family() const { return *family_; }
  const std::string& name_space() const { return name_space_; }
  const std::vector<KeyPart>& key_parts() const { return key_parts_; }

  /// Fields of Query: symbols, options and dtypes by name, tensors by "align_bytes(x)",
  /// "row_stride(x)".
  const std::string& field(const std::string& name) const { return fields_.at(name); }
  const std::string& axis(const std::string& name) const { return axes_.at(name); }
  const std::string& implementation(const std::string& name) const {
    return implementations_.at(name);
  }

  std::vector<std::int64_t> key_of(const Geometry& geometry) const;

 private:
  const Family* family_;
  std::string name_space_;
  std::map<std::string, std::string> fields_, axes_, implementations_;
  std::vector<KeyPart> key_parts_;
};

/// Whether the values of the axis are words.
bool is_enumerated(const AxisDecl& axis);

/// The size of a row of a tensor in elements, over symbols; row_stride() of what is dense.
std::string row_elements_function(const TensorDecl& tensor);

}  // namespace fusetune
