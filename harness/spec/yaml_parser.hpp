#pragma once
// Private to the YAML files: the nodes, and text to nodes.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/yaml.hpp"

namespace fusetune {

struct YamlNode::Impl {
  Kind kind = Kind::null;
  Mark mark;          ///< of a quoted scalar: behind the quote, where its text begins
  bool plain = true;  ///< a scalar that is neither quoted nor a block
  std::string text;   ///< of a scalar
  std::vector<std::shared_ptr<const Impl>> children;  ///< of a map: key, value, key, value, ...
};

/// The one document of the text; nothing when it is empty. Throws UserError.
std::shared_ptr<const YamlNode::Impl> parse_yaml(std::string_view text, const std::string& name);

}  // namespace fusetune
