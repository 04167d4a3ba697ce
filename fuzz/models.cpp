// models.yaml: errors have their place, and every split that a model lists can be selected by name.

#include "harness/spec/models.hpp"
#include "fuzz/target.hpp"
#include "harness/base/error.hpp"

namespace fusetune::fuzz {

void run(std::string_view input) {
  constexpr const char* kFile = "models.yaml";
  try {
    const Models models = Models::parse(input, kFile);
    for (const ModelSplit& split : models.select("all")) {
      const auto again = models.select(split.name());
      require(
          again.size() == 1 && again.front().model == split.model && again.front().tp == split.tp,
          "another split under its own name: " + split.name());
    }
  } catch (const UserError& error) {
    require_place(error.what(), kFile);
  }
}

}  // namespace fusetune::fuzz
