// How outputs are judged: the `accept` key of a tensor.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/spec/family_reader.hpp"
#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

/// A finite number above 0, and at most `most` where that is above 0.
double read_positive(const YamlNode& node, std::string_view what, double most = 0) {
  const double value = node.as_double();
  if (value <= 0 || (most > 0 && value > most))
    node.fail(most > 0 ? fmt::format("{} lies above 0 and is at most {}", what, most)
                       : fmt::format("{} is a number above 0", what));
  return value;
}

void read_norms(Accept& accept, const YamlNode& node) {
  if (const auto norms = node.find("norms"))
    accept.norms = norms->as_one_of({"row", "head"}, "block of norms") == "row"
                       ? Accept::Norms::row
                       : Accept::Norms::head;
  if (const auto factor = node.find("norm_factor")) {
    if (accept.norms == Accept::Norms::none) factor->fail("norm_factor goes with norms");
    accept.norm_factor = factor->as_double();
    // Below 1 the rounding of a perfect kernel would fail.
    if (accept.norm_factor < 1) factor->fail("a norm_factor is 1 or above");
  }
}

void read_cosine(Accept& accept, const YamlNode& node) {
  if (const auto cosine = node.find("cosine"))
    accept.cosine = read_positive(*cosine, "a cosine", 1);
  if (const auto ratio = node.find("norm_ratio")) {
    if (!accept.cosine) ratio->fail("norm_ratio goes with cosine");
    accept.norm_ratio = read_positive(*ratio, "a norm_ratio");
  }
}

}  // namespace

AcceptBound FamilyReader::read_bound(const YamlNode& node) const {
  node.allow_keys(family_keys().at("bound"), "key of a bound");
  AcceptBound bound;
  bound.terms = names_.parse_int(node.at("terms"), reach::of_geometry, "a number of terms");
  if (const auto growth = node.find("growth"))
    bound.growth = growth->as_one_of({"sqrt", "linear"}, "growth") == "sqrt"
                       ? AcceptBound::Growth::sqrt
                       : AcceptBound::Growth::linear;
  if (const auto factor = node.find("factor")) bound.factor = read_positive(*factor, "a factor");
  return bound;
}

/// A rule that needs what only a reference tells.
void FamilyReader::require_magnitudes(const YamlNode& rule) const {
  if (family_.has_captured_truth())
    rule.fail(
        "needs the magnitudes that a reference gives, and captured vectors have none: exact, or "
        "ulp with norms or cosine");
}

void FamilyReader::read_accept(TensorDecl& tensor, const YamlNode& node) {
  if (!node.is_map()) {
    node.as_one_of({"exact"}, "acceptance rule");
    return;
  }
  node.allow_keys(family_keys().at("accept"), "acceptance rule");
  Accept& accept = tensor.accept;
  accept.exact = false;
  if (const auto ulp = node.find("ulp"))
    accept.ulp = names_.parse_int(*ulp, reach::of_geometry, "a distance in ULP");
  if (const auto bound = node.find("bound")) {
    require_magnitudes(*bound);
    accept.bound = read_bound(*bound);
  }
  if (const auto code = node.find("code")) {
    require_magnitudes(*code);
    code->allow_keys(family_keys().at("code"), "key of a code");
    accept.code.emplace();
    std::vector<std::string> tensors;
    for (const TensorDecl& other : family_.tensors) tensors.push_back(other.name);
    if (const auto scale = code->find("scale"))
      accept.code->scale = scale->as_one_of(tensors, "tensor");
    if (accept.ulp) code->fail("a code is judged by its rounding interval, not by ulp");
  }
  read_norms(accept, node);
  read_cosine(accept, node);
  if (!accept.ulp && !accept.bound && !accept.code)
    node.fail("ulp, bound or code is needed: norms and cosine alone let one bad element pass");
  const auto& dtypes = family_.find_dtype(tensor.dtype)->values;
  const auto whole = std::find_if(dtypes.begin(), dtypes.end(), holds_integers);
  if (whole != dtypes.end() && !accept.code)
    node.fail(fmt::format("'{}' may be {}: integers are compared exactly or as codes", tensor.name,
                          to_string(*whole)));
}

}  // namespace fusetune
