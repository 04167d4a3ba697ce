#include "harness/verify/explain.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>
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

std::vector<std::int64_t> place_of(std::int64_t index, const std::vector<std::int64_t>& dims) {
  std::vector<std::int64_t> place(dims.size());
  for (std::size_t d = dims.size(); d-- > 0; index /= dims[d]) place[d] = index % dims[d];
  return place;
}

/// The place in `input` whose dimensions have the same expressions as dimensions of `output`, in
/// the same order: sizes that are equal by chance do not count.
std::optional<std::vector<std::int64_t>> same_place(const TensorDecl& input,
                                                    const TensorDecl& output,
                                                    const std::vector<std::int64_t>& place) {
  std::vector<std::int64_t> same(input.shape.size());
  std::size_t of_output = output.shape.size();
  for (std::size_t d = input.shape.size(); d-- > 0;) {
    do {
      if (of_output-- == 0) return std::nullopt;
    } while (!(output.shape[of_output] == input.shape[d]));
    same[d] = place[of_output];
  }
  return same;
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

Mismatch Explainer::judged(const std::string& tensor, std::int64_t index,
                           const std::string& judgement, const Pass& at) const {
  std::string text = fmt::format("{} {}", place(tensor, index), judgement);
  if (const std::string inputs = inputs_of(tensor, index, at); !inputs.empty())
    text += fmt::format("; inputs{}: {}", at.name.empty() ? "" : " (" + at.name + ")", inputs);
  return {.tensor = tensor, .index = index, .text = std::move(text)};
}

std::string Explainer::inputs_of(const std::string& tensor, std::int64_t index,
                                 const Pass& at) const {
  const TensorDecl& output = *which_.geometry.family->find_tensor(tensor);
  const std::vector<std::int64_t> place = place_of(index, shape_of(which_, output).dims);
  std::vector<std::string> words;
  for (const TensorDecl* input : tensors_of(which_.geometry)) {
    if (!is_filled(input->role)) continue;
    const auto same = same_place(*input, output, place);
    if (!same) continue;
    const TensorImage& image = at.initial.at(input->name);
    std::int64_t number = 0;
    for (std::size_t d = 0; d < same->size(); ++d)
      number = number * image.shape.dims[d] + (*same)[d];
    words.push_back(fmt::format("{}[{}] = {:.7g}", input->name, fmt::join(*same, ", "),
                                value_at(image, number)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

Mismatch Explainer::touched(const std::string& tensor, std::int64_t index, const Pass& at) const {
  const std::string actual = origin(&Pass::actual, tensor, index);
  return {.tensor = tensor,
          .index = index,
          .text = fmt::format("{} had to stay as it was but holds {}", place(tensor, index),
                              actual.empty() ? hex_of(at.actual.at(tensor), index) : actual)};
}

}  // namespace fusetune
