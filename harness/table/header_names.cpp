#include "harness/table/header_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace fusetune {

namespace {

/// Names of one C++ scope.
class Scope {
 public:
  Scope(const Family& family, std::set<std::string> taken)
      : family_(family), taken_(std::move(taken)) {}

  std::string add(const std::string& name) {
    std::string identifier = cpp_identifier(name);
    if (!taken_.insert(identifier).second)
      throw std::logic_error(fmt::format("family {}: '{}' is {} in C++, and so is another name",
                                         family_.name, name, identifier));
    return identifier;
  }

 private:
  const Family& family_;
  std::set<std::string> taken_;
};

void check_words(const Family& family, const std::vector<std::string>& words) {
  Scope scope(family, {});
  for (const std::string& word : words) scope.add(word);
}

std::size_t place_of(const std::vector<std::string>& words, const std::string& word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) throw std::logic_error("no value " + word + " is declared");
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace

bool is_enumerated(const AxisDecl& axis) {
  return std::holds_alternative<Enum>(axis.values.front());
}

std::string row_elements_function(const TensorDecl& tensor) {
  return "row_elements_" + cpp_identifier(tensor.name);
}

HeaderNames::HeaderNames(const Family& family)
    : family_(&family), name_space_(cpp_identifier(family.name)) {
  Scope query(family, {"architecture", "device"});
  for (const OptionDecl& option : family.options) {
    fields_[option.name] = query.add(option.name);
    check_words(family, option.values);
    key_parts_.push_back({KeyPart::Kind::option, option.name, fields_[option.name]});
  }
  for (const SymbolDecl& symbol : family.symbols) {
    fields_[symbol.name] = query.add(symbol.name);
    if (symbol.is_static)
      key_parts_.push_back({KeyPart::Kind::symbol, symbol.name, fields_[symbol.name]});
  }
  for (const DTypeDecl& dtype : family.dtypes) {
    // An element type may be named as a symbol is: only bytes() of it is an expression.
    fields_["dtype " + dtype.name] = query.add("dtype_" + dtype.name);
    key_parts_.push_back({KeyPart::Kind::dtype, dtype.name, fields_["dtype " + dtype.name]});
  }
  for (const TensorDecl& tensor : family.tensors) {
    const std::string align = "align_bytes(" + tensor.name + ")";
    const std::string stride = "row_stride(" + tensor.name + ")";
    fields_[align] = query.add(align);
    if (tensor.runtime_row_stride) fields_[stride] = query.add(stride);
    key_parts_.push_back({KeyPart::Kind::alignment, tensor.name, fields_[align]});
  }
  Scope axes(family, {});
  for (const AxisDecl& axis : family.axes) {
    axes_[axis.name] = axes.add(axis.name);
    if (!is_enumerated(axis)) continue;
    std::vector<std::string> words;
    for (const Value& value : axis.values) words.push_back(to_string(value));
    check_words(family, words);
  }
  Scope implementations(family, {});
  for (const ImplementationDecl& one : family.implementations)
    implementations_[one.name] = implementations.add(one.name);
}

std::vector<std::int64_t> HeaderNames::key_of(const Geometry& geometry) const {
  std::vector<std::int64_t> key;
  for (const KeyPart& part : key_parts_) {
    switch (part.kind) {
      case KeyPart::Kind::option: {
        const auto& word = std::get<Enum>(geometry.statics.at(part.name)).name;
        key.push_back(
            static_cast<std::int64_t>(place_of(family_->find_option(part.name)->values, word)));
        break;
      }
      case KeyPart::Kind::symbol:
        key.push_back(std::get<std::int64_t>(geometry.statics.at(part.name)));
        break;
      case KeyPart::Kind::dtype: {
        const auto& all = all_dtypes();
        key.push_back(std::find(all.begin(), all.end(), geometry.dtypes.at(part.name)) -
                      all.begin());
        break;
      }
      case KeyPart::Kind::alignment:
        key.push_back(geometry.has(part.name) ? geometry.align_bytes.at(part.name) : 0);
        break;
    }
  }
  return key;
}

}  // namespace fusetune
