// How inputs are filled: the `generator` key of a tensor.
#include <fmt/format.h>

#include <algorithm>

#include "harness/spec/family_reader.hpp"
#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

Generator::Kind kind_of(const std::string& word) {
  if (word == "normal") return Generator::Kind::normal;
  if (word == "uniform") return Generator::Kind::uniform;
  return Generator::Kind::bits;
}

void read_normal(Generator& generator, const YamlNode& node) {
  node.allow_keys(family_keys().at("normal"), "key of normal");
  if (const auto mean = node.find("mean")) generator.mean = mean->as_double();
  if (const auto stddev = node.find("stddev")) {
    generator.stddev = stddev->as_double();
    if (generator.stddev <= 0) stddev->fail("a stddev is a number above 0");
  }
  if (const auto scale = node.find("scale_rows")) generator.scale_rows = scale->as_bool();
}

void read_uniform(Generator& generator, const YamlNode& node) {
  node.allow_keys(family_keys().at("uniform"), "key of uniform");
  if (const auto low = node.find("low")) generator.low = low->as_double();
  if (const auto high = node.find("high")) generator.high = high->as_double();
  if (generator.low >= generator.high) node.fail("low lies below high");
}

std::vector<Edge> read_edges(const YamlNode& node) {
  std::vector<std::string> names;
  for (const Edge edge : all_edges()) names.emplace_back(to_string(edge));
  std::vector<Edge> edges;
  for (const YamlNode& item : node.items()) {
    const std::string name = item.as_one_of(names, "edge");
    const Edge edge = *std::find_if(all_edges().begin(), all_edges().end(),
                                    [&](Edge one) { return to_string(one) == name; });
    if (std::find(edges.begin(), edges.end(), edge) != edges.end()) item.fail("listed twice");
    edges.push_back(edge);
  }
  return edges;
}

}  // namespace

void FamilyReader::read_named(Generator& generator, const YamlNode& node) const {
  std::vector<std::string> names;
  for (const NamedGenerator& known : named_generators()) names.push_back(known.name);
  const YamlNode named = node.at("named");
  generator.name = named.as_one_of(names, "generator");
  const NamedGenerator& known = named_generator(generator.name);
  const auto below = node.find("below");
  if (known.has_below != below.has_value())
    (below ? *below : named)
        .fail(fmt::format("{} {} below: the end of its values", generator.name,
                          known.has_below ? "needs" : "takes no"));
  if (below)
    generator.below =
        names_.parse_int(*below, reach::of_shape | reach::runtime, "the end of the values");
}

void FamilyReader::read_generator(TensorDecl& tensor, const YamlNode& node) {
  using Kind = Generator::Kind;
  Generator& generator = tensor.generator;
  if (!node.is_map()) {
    generator.kind = kind_of(node.as_one_of({"bits", "normal", "uniform"}, "generator"));
  } else {
    node.allow_keys(family_keys().at("generator"), "key of a generator");
    const auto normal = node.find("normal"), uniform = node.find("uniform");
    const auto named = node.find("named"), below = node.find("below");
    if (normal.has_value() + uniform.has_value() + named.has_value() != 1)
      node.fail("a generator is one of normal, uniform and named");
    generator.kind = normal ? Kind::normal : uniform ? Kind::uniform : Kind::named;
    if (below && !named) below->fail("below goes with named");
    if (normal) read_normal(generator, *normal);
    if (uniform) read_uniform(generator, *uniform);
    if (named) read_named(generator, node);
  }
  check_generator(tensor, node);
  const auto edges = node.is_map() ? node.find("edges") : std::nullopt;
  if (edges) {
    if (generator.kind == Kind::named) edges->fail("a named generator has no edges");
    generator.edges = read_edges(*edges);
  } else if (generator.kind == Kind::normal) {
    generator.edges = default_edges();
  }
}

void FamilyReader::check_generator(const TensorDecl& tensor, const YamlNode& node) const {
  using Kind = Generator::Kind;
  const Generator& generator = tensor.generator;
  for (const DType dtype : family_.find_dtype(tensor.dtype)->values) {
    const bool has_edges = node.is_map() && node.find("edges");
    const bool indices = dtype == DType::i32 || dtype == DType::i64;
    if (generator.kind == Kind::named && !indices)
      node.fail(fmt::format("'{}' may be {}: named generators make i32 or i64", tensor.name,
                            to_string(dtype)));
    if (generator.kind == Kind::normal && (holds_integers(dtype) || dtype == DType::e8m0))
      node.fail(fmt::format("'{}' may be {}: normal needs floats with a sign", tensor.name,
                            to_string(dtype)));
    if (generator.kind == Kind::uniform && has_edges &&
        (holds_integers(dtype) || dtype == DType::e8m0))
      node.at("edges").fail(fmt::format("'{}' may be {}: edges need floats with a sign",
                                        tensor.name, to_string(dtype)));
  }
}

}  // namespace fusetune
