#include "reference/reference.hpp"

#include <stdexcept>
#include <utility>

#include "reference/families.hpp"

namespace fusetune::reference {

namespace {

template <class Map>
const typename Map::mapped_type& require(const Map& map, const std::string& name,
                                         const char* what) {
  const auto found = map.find(name);
  if (found == map.end())
    throw std::out_of_range(std::string("the reference asks for the ") + what + " '" + name +
                            "', which the case does not have");
  return found->second;
}

/// The registry that joins references to family.yaml by name.
const std::map<std::string, Reference, std::less<>>& registry() {
  static const std::map<std::string, Reference, std::less<>> all{
      {"gdn_weight_deinterleave", gdn_weight_deinterleave()},
      {"gdn_weight_pack", gdn_weight_pack()},
      {"mrope", mrope()},
      {"qk_norm_rope_cache", qk_norm_rope_cache()},
      {"rmsnorm_gated", rmsnorm_gated()},
      {"rmsnorm_gemma", rmsnorm_gemma()},
      {"split_reshape_cat", split_reshape_cat()},
      {"staged_rows", staged_rows()},
  };
  return all;
}

}  // namespace

std::int64_t Problem::symbol(const std::string& name) const {
  return require(symbols, name, "symbol");
}

const std::string& Problem::option(const std::string& name) const {
  return require(options, name, "option");
}

double Problem::scalar(const std::string& name) const { return require(scalars, name, "scalar"); }

Truth* Problem::truth(const std::string& name) const {
  const auto found = truths.find(name);
  return found == truths.end() ? nullptr : found->second;
}

const Tensor& Problem::tensor(const std::string& name) const {
  return require(tensors, name, "tensor");
}

const Reference* find(std::string_view name) {
  const auto found = registry().find(name);
  return found == registry().end() ? nullptr : &found->second;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, reference] : registry()) all.push_back(name);
  return all;
}

}  // namespace fusetune::reference
