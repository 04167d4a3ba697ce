#pragma once
// The keys of the YAML files, by the kind of map that holds them. The parsers read these lists, and
// the editors' schemas in configs/schema/ are checked against them.

#include <map>
#include <string>
#include <vector>

namespace fusetune {

/// Kind of map ("family", "symbol", "tensor", ...) to the keys it allows.
using KeyLists = std::map<std::string, std::vector<std::string>>;

const KeyLists& family_keys();
const KeyLists& sweep_keys();
const KeyLists& models_keys();

}  // namespace fusetune
