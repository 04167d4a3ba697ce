#include "harness/spec/generator.hpp"

#include <algorithm>

namespace fusetune {

std::string_view to_string(Edge edge) {
  switch (edge) {
    case Edge::zeros:
      return "zeros";
    case Edge::equal:
      return "equal";
    case Edge::wide:
      return "wide";
    case Edge::denormals:
      return "denormals";
    case Edge::huge:
      return "huge";
    case Edge::infinities:
      return "infinities";
    case Edge::nan:
      return "nan";
    case Edge::outlier:
      return "outlier";
    case Edge::cancel:
      return "cancel";
    case Edge::offset:
      return "offset";
  }
  return "";
}

const std::vector<Edge>& all_edges() {
  static const std::vector<Edge> edges = {
      Edge::zeros,      Edge::equal, Edge::wide,    Edge::denormals, Edge::huge,
      Edge::infinities, Edge::nan,   Edge::outlier, Edge::cancel,    Edge::offset};
  return edges;
}

const std::vector<Edge>& default_edges() {
  static const std::vector<Edge> edges = {Edge::zeros,     Edge::equal,   Edge::wide,
                                          Edge::denormals, Edge::outlier, Edge::cancel};
  return edges;
}

const std::vector<NamedGenerator>& named_generators() {
  static const std::vector<NamedGenerator> generators = {
      {.name = "permutation"},
      {.name = "positions", .has_below = true},
      {.name = "slot_runs", .has_below = true, .gives_slots = true},
      {.name = "slots", .has_below = true, .gives_slots = true}};
  return generators;
}

const NamedGenerator& named_generator(std::string_view name) {
  return *std::find_if(named_generators().begin(), named_generators().end(),
                       [&](const NamedGenerator& one) { return one.name == name; });
}

}  // namespace fusetune
