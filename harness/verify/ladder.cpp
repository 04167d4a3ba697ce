#include "harness/verify/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "harness/verify/codec.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/fast_codec.hpp"
#include "harness/verify/norm_rules.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kKept = 8;

template <typename Bits>
Bits load(const std::byte* element) {
  Bits bits;
  std::memcpy(&bits, element, sizeof bits);
  return bits;
}

std::uint64_t bits_at(const std::byte* element, std::int64_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return load<std::uint8_t>(element);
    case 2:
      return load<std::uint16_t>(element);
    case 4:
      return load<std::uint32_t>(element);
    default:
      return load<std::uint64_t>(element);
  }
}

std::uint64_t bits_of(const TensorImage& image, std::int64_t index) {
  return bits_at(image.element(index), image.element_bytes());
}

/// Which scale a code was divided by: scales are of the shape of the codes, but for the last
/// dimension, which they share in groups; or there is a single one.
class ScaleOf {
 public:
  ScaleOf(const TensorImage& codes, const TensorImage* scales) : scales_(scales) {
    if (scales_ == nullptr || scales_->shape.elements() == 0) return;
    if (const std::int64_t count = scales_->shape.elements(); codes.shape.elements() % count == 0) {
      group_ = codes.shape.elements() / count;
      if (count > 1 && codes.shape.dims.back() % group_ != 0 &&
          group_ % codes.shape.dims.back() != 0)
        group_ = 0;
    }
  }

  /// Whether dividing by it is exact; false where that is not known.
  bool exact(std::int64_t index) const {
    if (scales_ == nullptr) return true;
    if (group_ == 0) return false;
    int exponent = 0;
    const double scale = decode(scales_->shape.dtype, bits_of(*scales_, index / group_));
    return std::isfinite(scale) && std::fabs(std::frexp(scale, &exponent)) == 0.5;
  }

 private:
  const TensorImage* scales_;
  std::int64_t group_ = 0;
};

/// One climb: all elements once, in order.
class Climb {
 public:
  Climb(const Limits& limits, const TensorImage& actual, const TensorImage& expected,
        const reference::Truth& truth, const TensorImage* scales)
      : limits_(limits),
        actual_(actual),
        expected_(expected),
        truth_(truth),
        scale_of_(actual, scales),
        dtype_(actual.shape.dtype),
        encode_(dtype_),
        decode_(dtype_),
        element_bytes_(actual.element_bytes()),
        rules_(limits, dtype_),
        bytewise_(limits.exact || truth.value.empty()) {}

  std::string text(std::int64_t index) const { return text(index, element(index)); }

  LadderResult run() {
    const std::int64_t elements = actual_.shape.elements();
    result_.wrong.assign(static_cast<std::size_t>(elements), false);
    result_.metrics.elements = elements;
    result_.metrics.rule = bytewise_ ? "exact" : limits_.text;
    for (std::int64_t row = 0; row < actual_.filled_rows(); ++row) add_row(row);
    whole_.add(block_);  // what is left of one
    if (!bytewise_) judge_whole();
    conclude();
    return std::move(result_);
  }

 private:
  /// Where the limit is no bound of the rounding itself. Of fp32, whose errors no later rounding
  /// hides, a lean is nothing unusual.
  bool must_not_lean() const {
    return !bytewise_ && limits_.ulp >= 1 && !limits_.bound && dtype_ != DType::fp32;
  }
  bool in_blocks() const { return !bytewise_ && limits_.norm_block > 0; }

  bool bytewise(std::int64_t index) const {
    const auto told = [index](const std::vector<bool>& elements) {
      return !elements.empty() && elements[static_cast<std::size_t>(index)];
    };
    return bytewise_ || told(truth_.copied) || told(truth_.kept);
  }

  void add_row(std::int64_t row) {
    const std::int64_t first = row * actual_.shape.row_elements;
    const std::byte* actual = actual_.element(first);
    const std::byte* expected = expected_.element(first);
    for (std::int64_t i = 0; i < actual_.shape.row_elements; ++i) {
      const std::int64_t index = first + i;
      add(index, element(index, bits_at(actual + i * element_bytes_, element_bytes_),
                         bits_at(expected + i * element_bytes_, element_bytes_)));
      if (in_blocks() && ++in_block_ == limits_.norm_block) end_block(index + 1);
    }
  }

  Element element(std::int64_t index) const {
    return element(index, bits_of(actual_, index), bits_of(expected_, index));
  }

  Element element(std::int64_t index, std::uint64_t actual_bits,
                  std::uint64_t expected_bits) const {
    Element element;
    element.actual_bits = actual_bits;
    element.expected_bits = expected_bits;
    element.actual = decode_(actual_bits);
    element.expected = actual_bits == expected_bits ? element.actual : decode_(expected_bits);
    element.truth = truth_.value.empty() ? element.expected : truth_.value[index];
    element.magnitude =
        truth_.magnitude.empty() ? std::fabs(element.truth) : truth_.magnitude[index];
    if (limits_.code) element.exact_scale = scale_of_.exact(index);
    if (std::isfinite(element.truth)) place(element);
    return element;
  }

  void place(Element& element) const {
    // A truth that rounds past the largest number is that number: classes are judged apart.
    const std::uint64_t bits = encode_(element.truth);
    element.rounded = bits == element.expected_bits ? element.expected : decode_(bits);
    if (std::isfinite(element.actual) && bits != element.actual_bits)
      element.steps = position(dtype_, element.actual_bits) - position(dtype_, bits);
  }

  void add(std::int64_t index, const Element& it) {
    const bool same_bits = it.actual_bits == it.expected_bits;
    ElementVerdict verdict{.wrong = !same_bits};
    if (bytewise(index))
      verdict.share_of_limit = same_bits ? 0 : std::numeric_limits<double>::infinity();
    else
      verdict = rules_.judge(it);
    if (verdict.wrong) add_mismatch(index, it);
    OutputMetrics& metrics = result_.metrics;
    if (metrics.worst_index < 0 || verdict.share_of_limit > metrics.share_of_limit_max) {
      metrics.worst_index = index;
      metrics.share_of_limit_max = result_.worst_share = verdict.share_of_limit;
    }
    measure(it);
  }

  void add_mismatch(std::int64_t index, const Element& it) {
    ++result_.mismatch_count;
    result_.wrong[static_cast<std::size_t>(index)] = true;
    if (result_.mismatches.size() < kKept) result_.mismatches.push_back({index, text(index, it)});
  }

  std::string text(std::int64_t index, const Element& it) const {
    if (!bytewise(index)) return rules_.text(it);
    return fmt::format("is {:.7g} ({}), the reference has {:.7g} ({})", it.actual,
                       hex_of(actual_, index), it.expected, hex_of(expected_, index));
  }

  void measure(const Element& it) {
    if (!std::isfinite(it.expected) || !std::isfinite(it.truth)) return;
    (in_blocks() ? block_ : whole_).add(it);
    if (!std::isfinite(it.actual)) return;  // a wrong class has no distance
    OutputMetrics& metrics = result_.metrics;
    const double error = std::fabs(it.actual - it.truth);
    metrics.abs_error_max = std::max(metrics.abs_error_max, error);
    if (it.truth != 0)
      metrics.rel_error_max = std::max(metrics.rel_error_max, error / std::fabs(it.truth));
    if (limits_.code) {
      codes_.add(it, dtype_, rules_.code_tolerance(it));
      return;
    }
    metrics.ulp_max = std::max(metrics.ulp_max, std::fabs(static_cast<double>(it.steps)));
    if (must_not_lean()) lean_.add(it);
  }

  void end_block(std::int64_t end) {
    double share = 0;
    const std::string broken = judge_block(limits_, dtype_, block_, &share);
    const std::int64_t number = end / limits_.norm_block - 1;
    const bool rows = limits_.norm_block == actual_.shape.row_elements;
    judged(broken.empty() ? "" : fmt::format("{} {}: {}", rows ? "row" : "block", number, broken),
           share);
    if (!broken.empty()) result_.broken_blocks.push_back({end - limits_.norm_block, end});
    whole_.add(block_);
    block_ = NormSums();
    in_block_ = 0;
  }

  void judge_whole() {
    double share = 0;
    if (limits_.cosine_min > -1 && whole_.elements() > 0) {
      const std::string broken = judge_cosine(limits_, dtype_, whole_, &share);
      judged(broken, share);
    }
    if (limits_.code) {
      const std::string broken = codes_.judge(&share);
      judged(broken, share);
    }
    if (must_not_lean()) {
      const std::string broken = lean_.judge(&share);
      judged(broken, share);
    }
  }

  void judged(const std::string& broken, double share) {
    ++result_.rules_over_blocks;
    block_share_max_ = std::max(block_share_max_, share);
    if (broken.empty()) return;
    ++result_.broken_rule_count;
    if (result_.broken_rules.size() < kKept) result_.broken_rules.push_back(broken);
  }

  void conclude() {
    OutputMetrics& metrics = result_.metrics;
    metrics.relative_l2 = whole_.relative_l2();
    metrics.cosine = whole_.cosine();
    metrics.norm_ratio = whole_.norm_ratio();
    metrics.codes_off = codes_.codes_off();
    if (metrics.worst_index >= 0) result_.worst_text = text(metrics.worst_index);
    metrics.share_of_limit_max = std::max(metrics.share_of_limit_max, block_share_max_);
  }

  const Limits& limits_;
  const TensorImage &actual_, &expected_;
  const reference::Truth& truth_;
  ScaleOf scale_of_;
  DType dtype_;
  FastEncoder encode_;
  FastDecoder decode_;
  std::int64_t element_bytes_;
  ElementRules rules_;
  bool bytewise_;
  std::int64_t in_block_ = 0;  ///< elements since its beginning
  NormSums block_, whole_;
  RoundingLean lean_;
  CodeShare codes_;
  double block_share_max_ = 0;
  LadderResult result_;
};

}  // namespace

LadderResult climb(const Limits& limits, const TensorImage& actual, const TensorImage& expected,
                   const reference::Truth& truth, const TensorImage* scales) {
  const auto elements = static_cast<std::size_t>(actual.shape.elements());
  if (!truth.value.empty() && truth.value.size() != elements)
    throw std::runtime_error(
        fmt::format("the reference gave {} truths for {} elements", truth.value.size(), elements));
  if (!truth.magnitude.empty() && truth.magnitude.size() != truth.value.size())
    throw std::runtime_error(fmt::format("the reference gave {} magnitudes for {} truths",
                                         truth.magnitude.size(), truth.value.size()));
  return Climb(limits, actual, expected, truth, scales).run();
}

std::string judgement(const Limits& limits, const TensorImage& actual, const TensorImage& expected,
                      const reference::Truth& truth, std::int64_t index,
                      const TensorImage* scales) {
  return Climb(limits, actual, expected, truth, scales).text(index);
}

}  // namespace fusetune
