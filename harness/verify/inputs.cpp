#include "harness/verify/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "harness/base/mix.hpp"
#include "harness/base/parallel.hpp"
#include "harness/verify/edges.hpp"
#include "harness/verify/generators.hpp"
#include "harness/verify/named_generators.hpp"
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

constexpr std::int64_t kElementsAtATime = 256 << 10;

template <typename Element, typename Value>
void fill_rows(TensorImage& image, const Value& value) {
  std::byte* const data = image.bytes.data();
  const std::int64_t width = image.shape.row_elements;
  const std::int64_t part =
      std::max<std::int64_t>(1, kElementsAtATime / std::max<std::int64_t>(1, width));
  for_parts(image.filled_rows(), part, [&](std::int64_t first, std::int64_t past) {
    auto index = static_cast<std::uint64_t>(first * width);
    for (std::int64_t row = first; row < past; ++row) {
      std::byte* to = data + row * image.stride_bytes();
      for (std::int64_t i = 0; i < width; ++i, ++index, to += sizeof(Element)) {
        const Element element = static_cast<Element>(value(index));
        std::memcpy(to, &element, sizeof element);
      }
    }
  });
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

/// What tells the numbers of one call from those of another; nothing in the first.
std::uint64_t call_mark(std::int64_t element_bytes, int pass, int call) {
  if (call == 0) return 0;
  return low_bits(mix64(static_cast<std::uint64_t>(call) << 32 | static_cast<unsigned>(pass)) | 1,
                  element_bytes);
}

bool declares(const TensorDecl& tensor, Edge edge) {
  const auto& edges = tensor.generator.edges;
  return std::find(edges.begin(), edges.end(), edge) != edges.end();
}

}  // namespace

Inputs::Inputs(const Case& which, std::uint64_t seed) : which_(which), seed_(seed) {
  for (const TensorDecl* tensor : tensors_of(which_.geometry)) {
    if (!is_filled(tensor->role)) continue;
    Input& input = inputs_.emplace_back();
    input.decl = tensor;
    input.shape = shape_of(which_, *tensor);
    input.first = elements_;
    if (input.carries_numbers()) elements_ += static_cast<std::uint64_t>(input.shape.elements());
  }
  count_passes();
}

void Inputs::count_passes() {
  const auto numbered = [](const Input& input) { return input.carries_numbers(); };
  const bool any = std::any_of(inputs_.begin(), inputs_.end(), numbered);
  const bool all = std::all_of(inputs_.begin(), inputs_.end(), numbered);
  if (all) {
    // Narrow outputs too: they take the pieces of their passes to be named.
    for (const TensorDecl* tensor : tensors_of(which_.geometry))
      if (tensor->role != Role::workspace)
        number_passes_ = std::max(number_passes_,
                                  pieces_of(size_bytes(which_.geometry.dtypes.at(tensor->dtype))));
  }
  for (const Input& input : inputs_)
    if (input.carries_numbers())
      number_passes_ = std::max(number_passes_, pieces_of(input.element_bytes()));
  special_passes_ = any || all ? 1 : 0;
  if (!special_passes_) {
    const bool normal = std::any_of(inputs_.begin(), inputs_.end(), [](const Input& input) {
      return input.decl->generator.kind == Generator::Kind::normal;
    });
    first_passes_ = normal ? "normal" : "random";
  }
  for (const Edge edge : all_edges())
    if (std::any_of(inputs_.begin(), inputs_.end(), [&](const Input& input) {
          return declares(*input.decl, edge) && has_edge(input.shape.dtype, edge);
        }))
      edges_.push_back(edge);
}

int Inputs::passes() const {
  return number_passes_ + special_passes_ + static_cast<int>(edges_.size());
}

std::optional<Edge> Inputs::edge_of(int pass) const {
  const int place = pass - number_passes_ - special_passes_;
  if (place < 0) return std::nullopt;
  return edges_.at(static_cast<std::size_t>(place));
}

std::string Inputs::pass_name(int pass) const {
  if (pass < number_passes_) return first_passes_ + " " + std::to_string(pass);
  const std::optional<Edge> edge = edge_of(pass);
  return edge ? std::string(to_string(*edge)) : "special bits";
}

std::uint64_t Inputs::number(const Input& input, std::uint64_t index, int pass, int call) const {
  return carried(scrambled(input.first + index, seed_), input.element_bytes(), pass) ^
         call_mark(input.element_bytes(), pass, call);
}

template <typename Use>
void Inputs::with_values(const Input& input, int pass, int call, const Use& use) const {
  const Generator& generator = input.decl->generator;
  if (input.carries_numbers()) {
    if (pass < number_passes_ || edge_of(pass))
      return use([&](std::uint64_t index) { return number(input, index, pass, call); });
    const std::vector<std::uint64_t> special = special_values(input.shape.dtype);
    const std::uint64_t start =
        mix64(seed_ ^ input.first) % special.size() + static_cast<std::uint64_t>(call);
    return use([&](std::uint64_t index) { return special[(start + index) % special.size()]; });
  }
  const std::uint64_t key = key_of(seed_, input.decl->name, pass, call);
  if (generator.kind == Generator::Kind::named) {
    const std::vector<std::int64_t> values = named_values(which_, *input.decl, key);
    return use([&](std::uint64_t index) { return static_cast<std::uint64_t>(values[index]); });
  }
  const RandomValues values(generator, input.shape, key);
  const std::optional<Edge> edge = edge_of(pass);
  if (edge && declares(*input.decl, *edge) && has_edge(input.shape.dtype, *edge)) {
    const EdgeValues special(*edge, values);
    return use([&](std::uint64_t index) { return special.bits(index); });
  }
  use([&](std::uint64_t index) { return values.bits(index); });
}

TensorImages Inputs::images(int pass, Poison poison, int call) const {
  TensorImages images = poisoned_images(which_, poison);
  for (const Input& input : inputs_) {
    TensorImage& image = images.at(input.decl->name);
    // What is written as well keeps its content from call to call.
    const int of_call = input.decl->role == Role::in ? call : 0;
    with_values(input, pass, of_call,
                [&](const auto& bits_of) { fill_rows(image, image.element_bytes(), bits_of); });
  }
  return images;
}

const Inputs::Input* Inputs::find(std::string_view tensor) const {
  const auto input = std::find_if(inputs_.begin(), inputs_.end(),
                                  [&](const Input& one) { return one.decl->name == tensor; });
  return input == inputs_.end() ? nullptr : &*input;
}

std::uint64_t Inputs::element(std::string_view tensor, std::int64_t index, int pass,
                              int call) const {
  const Input* input = find(tensor);
  if (input == nullptr) throw std::logic_error(fmt::format("'{}' is no input", tensor));
  std::uint64_t bits = 0;
  with_values(*input, pass, input->decl->role == Role::in ? call : 0, [&](const auto& bits_of) {
    bits = low_bits(bits_of(static_cast<std::uint64_t>(index)), input->element_bytes());
  });
  return bits;
}

bool Inputs::can_name(std::int64_t element_bytes, std::int64_t passes) const {
  return elements_ > 0 && passes >= pieces_of(element_bytes) && elements_ <= kNumbers &&
         number_passes_ >= pieces_of(element_bytes);
}

std::optional<Inputs::Source> Inputs::source_of(std::span<const std::byte* const> values,
                                                std::int64_t element_bytes, int call) const {
  if (!can_name(element_bytes, std::ssize(values))) return std::nullopt;
  std::uint32_t scrambled_number = 0;
  for (int pass = 0; pass < pieces_of(element_bytes); ++pass)
    scrambled_number |= static_cast<std::uint32_t>(load(values[pass], element_bytes) ^
                                                   call_mark(element_bytes, pass, call))
                        << (8 * element_bytes * pass);
  const std::uint32_t element =
      unmix32(scrambled_number) ^ static_cast<std::uint32_t>(mix64(seed_));
  for (const Input& input : inputs_) {
    const auto elements = static_cast<std::uint64_t>(input.shape.elements());
    if (!input.carries_numbers() || element < input.first || element >= input.first + elements)
      continue;
    if (input.element_bytes() != element_bytes) return std::nullopt;
    const std::uint64_t index = element - input.first;
    const int of_call = input.decl->role == Role::in ? call : 0;
    for (int pass = 0; pass < std::min<int>(number_passes_, static_cast<int>(values.size()));
         ++pass)
      if (load(values[pass], element_bytes) != number(input, index, pass, of_call))
        return std::nullopt;
    return Source{input.decl->name, static_cast<std::int64_t>(index)};
  }
  return std::nullopt;
}

}  // namespace fusetune
