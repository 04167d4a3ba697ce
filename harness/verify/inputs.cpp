#include "harness/verify/inputs.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "harness/verify/mix.hpp"
#include "harness/verify/special_values.hpp"

namespace fusetune {

namespace {

constexpr int kNumberBits = 32;  ///< of a scrambled element number
constexpr std::uint64_t kNumbers = std::uint64_t{1} << kNumberBits;

std::uint64_t load(const std::byte* from, std::int64_t element_bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, static_cast<std::size_t>(element_bytes));
  return value;
}
static_assert(std::endian::native == std::endian::little);

std::uint64_t low_bits(std::uint64_t value, std::int64_t element_bytes) {
  return element_bytes >= 8 ? value : value & ((std::uint64_t{1} << (8 * element_bytes)) - 1);
}

/// Passes that carry a whole scrambled number.
int pieces_of(std::int64_t element_bytes) {
  return std::max(1, static_cast<int>(kNumberBits / 8 / element_bytes));
}

std::uint32_t scrambled(std::uint64_t number, std::uint64_t seed) {
  return mix32(static_cast<std::uint32_t>(number) ^ static_cast<std::uint32_t>(mix64(seed)));
}

/// The part of a scrambled number that a pass carries. Narrow elements carry it piece by piece;
/// once it has been carried whole, later passes carry it again under another key.
std::uint64_t carried(std::uint32_t number, std::int64_t element_bytes, int pass) {
  const int bits = static_cast<int>(8 * element_bytes) * pass;
  const std::uint64_t round = static_cast<std::uint64_t>(bits / kNumberBits);
  std::uint64_t value = std::rotr(number, bits % kNumberBits);
  if (round != 0) value ^= mix64(round);
  if (element_bytes > 4) value = (value & (kNumbers - 1)) | mix64(value + round) << kNumberBits;
  return low_bits(value, element_bytes);
}

template <typename Element, typename Value>
void fill_rows(TensorImage& image, const Value& value) {
  std::uint64_t index = 0;
  for (std::int64_t row = 0; row < image.filled_rows(); ++row) {
    std::byte* to = image.bytes.data() + row * image.stride_bytes();
    for (std::int64_t i = 0; i < image.shape.row_elements; ++i, ++index, to += sizeof(Element)) {
      const Element element = static_cast<Element>(value(index));
      std::memcpy(to, &element, sizeof element);
    }
  }
}

template <typename Value>
void fill_rows(TensorImage& image, std::int64_t element_bytes, const Value& value) {
  switch (element_bytes) {
    case 1:
      return fill_rows<std::uint8_t>(image, value);
    case 2:
      return fill_rows<std::uint16_t>(image, value);
    case 4:
      return fill_rows<std::uint32_t>(image, value);
    default:
      return fill_rows<std::uint64_t>(image, value);
  }
}

}  // namespace

Inputs::Inputs(const Case& which, std::uint64_t seed) : which_(which), seed_(seed) {
  for (const TensorDecl* tensor : tensors_of(which_.geometry)) {
    const TensorShape shape = shape_of(which_, *tensor);
    const std::int64_t element_bytes = size_bytes(shape.dtype);
    if (is_filled(tensor->role)) {
      const auto elements = static_cast<std::uint64_t>(shape.elements());
      inputs_.push_back({tensor->name, element_bytes, elements_, elements, shape.dtype});
      elements_ += elements;
    }
    if (tensor->role != Role::workspace)
      number_passes_ = std::max(number_passes_, pieces_of(element_bytes));
  }
}

std::uint64_t Inputs::value(const Input& input, std::uint64_t index, int pass) const {
  return carried(scrambled(input.first + index, seed_), input.element_bytes, pass);
}

void Inputs::fill(const Input& input, int pass, TensorImage& image) const {
  if (pass < number_passes_) {
    fill_rows(image, input.element_bytes,
              [&](std::uint64_t index) { return value(input, index, pass); });
    return;
  }
  const std::vector<std::uint64_t> special = special_values(input.dtype);
  const std::uint64_t start = mix64(seed_ ^ input.first) % special.size();
  fill_rows(image, input.element_bytes,
            [&](std::uint64_t index) { return special[(start + index) % special.size()]; });
}

int Inputs::passes() const { return number_passes_ + 1; }

std::string Inputs::pass_name(int pass) const {
  return pass < number_passes_ ? "numbers " + std::to_string(pass) : "special bits";
}

TensorImages Inputs::images(int pass, Poison poison, int /*call*/) const {
  TensorImages images;
  std::size_t ordinal = 0;
  for (const TensorDecl* tensor : tensors_of(which_.geometry)) {
    TensorImage& image = images[tensor->name] = TensorImage(shape_of(which_, *tensor));
    const auto input = std::find_if(inputs_.begin(), inputs_.end(),
                                    [&](const Input& i) { return i.name == tensor->name; });
    if (input != inputs_.end())
      fill(*input, pass, image);
    else
      fill_elements(image, poison);
    fill_padding(image, poison, ordinal++);
  }
  return images;
}

bool Inputs::can_name(std::int64_t element_bytes, std::int64_t passes) const {
  return passes >= pieces_of(element_bytes) && elements_ <= kNumbers;
}

std::optional<Inputs::Source> Inputs::source_of(std::span<const std::byte* const> values,
                                                std::int64_t element_bytes) const {
  if (!can_name(element_bytes, std::ssize(values))) return std::nullopt;
  std::uint32_t number = 0;
  for (int pass = 0; pass < pieces_of(element_bytes); ++pass)
    number |= static_cast<std::uint32_t>(load(values[pass], element_bytes))
              << (8 * element_bytes * pass);
  const std::uint32_t element = unmix32(number) ^ static_cast<std::uint32_t>(mix64(seed_));
  for (const Input& input : inputs_) {
    if (element < input.first || element >= input.first + input.elements) continue;
    if (input.element_bytes != element_bytes) return std::nullopt;
    const std::uint64_t index = element - input.first;
    for (int pass = 0; pass < std::min<int>(number_passes_, static_cast<int>(values.size()));
         ++pass)
      if (load(values[pass], element_bytes) != value(input, index, pass)) return std::nullopt;
    return Source{input.name, static_cast<std::int64_t>(index)};
  }
  return std::nullopt;
}

}  // namespace fusetune
