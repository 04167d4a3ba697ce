#include "harness/verify/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/verify/compare.hpp"
#include "harness/verify/problem.hpp"

namespace fusetune {

namespace {

bool is_padding_of(const TensorImage& image, std::int64_t index, Poison poison,
                   std::size_t ordinal) {
  const std::byte* element = image.element(index);
  for (std::size_t i = 0; i < static_cast<std::size_t>(image.element_bytes()); ++i)
    if (element[i] != padding_byte(poison, ordinal, i)) return false;
  return true;
}

}  // namespace

std::string Explainer::place(const std::string& tensor, std::int64_t index) const {
  return describe(which_, reference_, tensor, index);
}

bool Explainer::numbered(std::int64_t element_bytes) const {
  return inputs_ != nullptr && inputs_->can_name(element_bytes, std::ssize(passes_));
}

std::string Explainer::origin(Images images, const std::string& tensor, std::int64_t index) const {
  std::vector<const std::byte*> values;
  bool zero = true;
  std::int64_t element_bytes = 0;
  for (const Pass& pass : passes_) {
    const TensorImage& image = (pass.*images).at(tensor);
    element_bytes = image.element_bytes();
    const std::byte* value = image.element(index);
    values.push_back(value);
    zero = zero &&
           std::all_of(value, value + element_bytes, [](std::byte b) { return b == std::byte{0}; });
  }
  if (zero) return "zero";
  if (numbered(element_bytes))
    if (const auto source = inputs_->source_of(values, element_bytes))
      return place(source->tensor, source->index);
  return padding_origin(images, tensor, index);
}

std::string Explainer::padding_origin(Images images, const std::string& tensor,
                                      std::int64_t index) const {
  std::size_t ordinal = 0;
  for (const TensorDecl* declared : tensors_of(which_.geometry)) {
    const bool everywhere = std::all_of(passes_.begin(), passes_.end(), [&](const Pass& pass) {
      return pass.initial.at(declared->name).padding_bytes() != 0 &&
             is_padding_of((pass.*images).at(tensor), index, pass.poison, ordinal);
    });
    if (everywhere) return "the row padding of " + declared->name;
    ++ordinal;
  }
  return "";
}

std::string Explainer::should_hold(const std::string& tensor, std::int64_t index) const {
  const std::string expected = origin(&Pass::expected, tensor, index);
  if (expected.empty() || expected == place(tensor, index)) return "";
  return fmt::format("; it should hold {}", expected);
}

Mismatch Explainer::wrong(const std::string& tensor, std::int64_t index, const Pass& at) const {
  const std::string here = place(tensor, index);
  const std::string bits = fmt::format("{} instead of {}", hex_of(at.actual.at(tensor), index),
                                       hex_of(at.expected.at(tensor), index));
  const std::string actual = origin(&Pass::actual, tensor, index);
  const std::string expected = origin(&Pass::expected, tensor, index);
  std::string text;
  if (!actual.empty() && actual == expected)
    text = fmt::format("{} holds {}: its bits were changed on the way", here, bits);
  else if (!actual.empty())
    text = fmt::format("{} holds {}{}", here, actual, should_hold(tensor, index));
  else if (numbered(at.actual.at(tensor).element_bytes()))
    text = fmt::format("{} holds bytes that no input element has: {}{}", here, bits,
                       should_hold(tensor, index));
  else
    text = fmt::format("{} holds {}", here, bits);
  return {.tensor = tensor, .index = index, .text = text};
}

Mismatch Explainer::unwritten(const std::string& tensor, std::int64_t index, bool is_out) const {
  return {.tensor = tensor,
          .index = index,
          .text = fmt::format("{} {}{}", place(tensor, index),
                              is_out ? "was not written" : "still holds its initial content",
                              should_hold(tensor, index))};
}

Mismatch Explainer::touched(const std::string& tensor, std::int64_t index, const Pass& at) const {
  const std::string actual = origin(&Pass::actual, tensor, index);
  return {.tensor = tensor,
          .index = index,
          .text = fmt::format("{} had to stay as it was but holds {}", place(tensor, index),
                              actual.empty() ? hex_of(at.actual.at(tensor), index) : actual)};
}

}  // namespace fusetune
