#pragma once
// configs/models.yaml: attributes of real models and the TP splits that serve them.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/spec/value.hpp"

namespace fusetune {

class YamlNode;

struct Model {
  std::string name;                  ///< "qwen3.5-27b"
  std::vector<std::string> aliases;  ///< models of the same shapes
  Bindings attributes;               ///< int64, or Enum for words; see the file
  std::vector<std::int64_t> tp;      ///< tensor-parallel splits in use
  bool verified = true;              ///< false: some attribute has no confirmed source
  std::string source;                ///< where the figures come from, and what is in doubt
  Mark mark;
};

/// One model on one TP split.
struct ModelSplit {
  const Model* model = nullptr;
  std::int64_t tp = 1;

  std::string name() const;  ///< "qwen3.5-27b@tp8"
};

/// The N of "tpN"; nothing when the text is no split.
std::optional<std::int64_t> parse_split(std::string_view text);

class Models {
 public:
  static Models load(const std::filesystem::path& file);
  /// As load, from text; `name` stands for the file in messages.
  static Models parse(std::string_view text, const std::string& name);
  /// configs/models.yaml of the project.
  static Models load_default();

  const std::vector<Model>& all() const { return models_; }
  /// By name or alias; throws UserError at `mark` with the nearest name.
  const Model& find(std::string_view name, const Mark& mark = {}) const;
  /// "name@tpN", "name" (every split), "all" (every split of every model). Throws UserError for a
  /// split that is not listed.
  std::vector<ModelSplit> select(std::string_view selector, const Mark& mark = {}) const;

 private:
  static Models read(const YamlNode& root);

  std::vector<Model> models_;
};

}  // namespace fusetune
