#include "reference/kv_cache.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <stdexcept>

#include "reference/rope.hpp"

namespace fusetune::reference {

namespace {

/// A coordinate and the size of its dimension.
struct Step {
  std::int64_t at, size;
};

/// Row-major: the place of nested coordinates, the outermost first.
std::int64_t nested(std::initializer_list<Step> steps) {
  std::int64_t place = 0;
  for (const Step& step : steps) place = place * step.size + step.at;
  return place;
}

bool is_combined(const std::string& layout) {
  return layout == "packed" || layout == "blocks_pair" || layout == "kv_pair";
}

}  // namespace

CachePlace cache_place(const std::string& layout, char part, const CacheShape& shape,
                       std::int64_t slot, std::int64_t head, std::int64_t element) {
  const auto [blocks, page_size, heads, d, bytes] = shape;
  const bool is_v = part == 'v';
  const std::int64_t block = slot / page_size, x = 16 / bytes;
  const Step h{head, heads}, e{element, d}, offset{slot % page_size, page_size};
  const Step both{is_v ? 1 : 0, 2};
  const auto inner = [x](Step step) { return Step{step.at % x, x}; };
  const auto outer = [x](Step step) { return Step{step.at / x, step.size / x}; };
  if (layout == "flat") return {slot, nested({h, e})};
  if (layout == "nhd") return {block, nested({offset, h, e})};
  if (layout == "hnd") return {block, nested({h, offset, e})};
  if (layout == "blocks_pair") return {block, nested({both, offset, h, e})};
  if (layout == "kv_pair") return {block + (is_v ? blocks : 0), nested({offset, h, e})};
  if (layout == "packed") return {block, nested({h, offset, both, e})};
  if (layout != "shuffle" && layout != "paged")
    throw std::invalid_argument("unknown cache layout '" + layout + "'");
  if (!is_v) return {block, nested({h, outer(e), offset, inner(e)})};
  if (layout == "paged") return {block, nested({h, e, offset})};
  return {block, nested({h, outer(offset), e, inner(offset)})};
}

KvCache::KvCache(const Problem& p)
    : p_(p),
      layout_(p.option("cache")),
      quant_(p.option("quant")),
      d_(p.symbol("head_dim")),
      page_size_(p.symbol("page_size")),
      num_blocks_(p.symbol("num_blocks")),
      error_(fp32_error(d_)) {
  const Tensor& cache = p.tensor(cache_name(Part::k));
  code_ = cache.dtype;
  element_bytes_ = cache.element_bytes;
  slots_ = read_positions(p.tensor(quant_ == "per_page" ? "run_slots" : "slots")).at(0);
}

std::string KvCache::cache_name(Part part) const {
  const std::string kind = quant_ == "none" ? "_cache" : "_codes";
  if (is_combined(layout_)) return "kv" + kind;
  return (part == Part::k ? "k" : "v") + kind;
}

std::int64_t KvCache::heads(Part part) const { return p_.symbol(part == Part::k ? "hk" : "hv"); }

KvCache::Content& KvCache::content(const std::string& name) {
  const auto [found, added] = contents_.try_emplace(name);
  if (added) {
    found->second.terms.value = read(p_.tensor(name));
    const auto rows = found->second.terms.value.rows(), columns = found->second.terms.value.cols();
    found->second.terms.magnitude = Matrix::Zero(rows, columns);
    found->second.written = found->second.copied = Mask::Constant(rows, columns, false);
  }
  return found->second;
}

void KvCache::Content::set(const Place& at, double value, double magnitude) {
  terms.value(at.row, at.column) = value;
  terms.magnitude(at.row, at.column) = magnitude;
  written(at.row, at.column) = true;
}

std::vector<KvCache::Place> KvCache::places(Part part, std::int64_t slot, std::int64_t head) const {
  const CacheShape shape{num_blocks_, page_size_, heads(part), d_, element_bytes_};
  std::vector<Place> places;
  for (std::int64_t e = 0; e < d_; ++e) {
    const CachePlace at = cache_place(layout_, part == Part::k ? 'k' : 'v', shape, slot, head, e);
    places.push_back({at.row, at.column});
  }
  return places;
}

KvCache::Place KvCache::scale_place(Part part, std::int64_t slot, std::int64_t head) const {
  const std::int64_t block = slot / page_size_;
  const bool per_page = quant_ == "per_page";
  if (p_.option("scale_layout") == "by_head") return {head, per_page ? block : slot};
  if (per_page) return {block, head};
  return {block, nested({{head, heads(part)}, {slot % page_size_, page_size_}})};
}

KvCache::Scale KvCache::scale_of(const Terms& rows) const {
  const std::string& floor = p_.option("scale_floor");
  const double code_max = p_.option("code_max") == "fixed_240" ? 240 : largest(code_);
  const double amax = largest_magnitude(rows.value);
  const double least = floor == "amax_1e_8" ? static_cast<double>(1e-8f) : 0;
  // Codes are over the scale as it is stored.
  const double scale =
      rounded("fp32", floor == "one" && amax == 0 ? 1 : std::max(amax, least) / code_max);
  // The largest magnitude may be the one that lies at a tie.
  const auto [low, high] = largest_within(rows.value, error_ * rows.steps);
  const double spread = std::max(high - amax, amax - low);
  const bool in_doubt = amax > 0 && std::isfinite(amax) && std::isfinite(spread);
  return {scale, in_doubt ? spread / amax / error_ : 0};
}

void KvCache::put(Part part, const std::vector<Place>& places, const Terms& row, double scale,
                  double doubt) {
  Content& to = content(cache_name(part));
  const double of_division = quant_ == "none" || quant_ == "cast" ? 0 : 1;
  for (std::int64_t e = 0; e < d_; ++e) {
    const double value = row.value(0, e), magnitude = row.magnitude(0, e);
    const double terms_of = (magnitude + std::fabs(value) * (doubt + of_division)) / scale;
    to.set(places[static_cast<std::size_t>(e)], value / scale,
           std::isfinite(terms_of) ? terms_of : 0);
  }
}

void KvCache::write_token(Part part, std::int64_t slot, std::int64_t head,
                          const std::vector<Place>& places, const Terms& row) {
  if (quant_ == "none" || quant_ == "cast") return put(part, places, row, 1, 0);
  const std::string letter = part == Part::k ? "k" : "v";
  if (quant_ == "per_tensor") {
    const double scale = read(p_.tensor(letter + "_tensor_scale"))(0, 0);
    return put(part, places, row, scale, 0);
  }
  const auto [scale, doubt] = scale_of(row);
  put(part, places, row, scale, doubt);
  content(letter + "_scale").set(scale_place(part, slot, head), scale, scale * (1 + doubt));
}

std::vector<KvCache::Run> KvCache::runs() const {
  std::map<std::int64_t, Run> by_page;
  for (std::size_t token = 0; token < slots_.size(); ++token) {
    const std::int64_t slot = slots_[token];
    if (slot < 0) continue;
    const auto [found, added] = by_page.try_emplace(slot / page_size_);
    Run& run = found->second;
    if (added) {
      run.page = slot / page_size_;
      run.first_offset = slot % page_size_;
    } else if (run.tokens.back() + 1 != static_cast<std::int64_t>(token) ||
               slots_[token - 1] + 1 != slot) {
      throw std::invalid_argument("the tokens of a page do not follow each other");
    }
    run.tokens.push_back(static_cast<std::int64_t>(token));
  }
  std::vector<Run> all;
  for (const auto& [page, run] : by_page) all.push_back(run);
  return all;
}

void KvCache::write_run(Part part, const Run& run, std::int64_t head, const Terms& rows) {
  const auto first = run.tokens.front();
  const auto count = static_cast<Eigen::Index>(run.tokens.size());
  const Terms block{rows.value.block(first, head * d_, count, d_),
                    rows.magnitude.block(first, head * d_, count, d_),
                    rows.steps.block(first, head * d_, count, d_)};
  const std::int64_t start = run.page * page_size_;
  Content& scales = content(part == Part::k ? "k_scale" : "v_scale");
  const Place at = scale_place(part, start, head);
  const double stored = scales.terms.value(at.row, at.column);
  auto [scale, doubt] = scale_of(block);
  if (run.first_offset > 0 && stored >= scale) {
    scale = stored;
    doubt = 0;
  } else {
    Content& codes = content(cache_name(part));
    for (std::int64_t offset = 0; offset < run.first_offset; ++offset)
      for (const Place& at_code : places(part, start + offset, head)) {
        const double value = codes.terms.value(at_code.row, at_code.column) * stored / scale;
        codes.set(at_code, value, std::fabs(value) * (1 + doubt));
      }
    scales.set(at, scale, scale * (1 + doubt));
  }
  for (Eigen::Index i = 0; i < count; ++i)
    put(part, places(part, start + run.first_offset + i, head),
        {block.value.row(i), block.magnitude.row(i), {}}, scale, doubt);
}

void KvCache::keep(Part part, const std::vector<Place>& places, const Mask& copied,
                   const Bytes* bytes) {
  Content& to = content(cache_name(part));
  for (std::int64_t e = 0; e < d_; ++e) {
    const Place& at = places[static_cast<std::size_t>(e)];
    to.copied(at.row, at.column) = copied(0, e);
    if (bytes == nullptr) continue;
    Moved& moved = to.moved.emplace_back(Moved{at, {}});
    std::copy_n(bytes->data() + e * element_bytes_, element_bytes_, moved.bytes.begin());
  }
}

void KvCache::write(Part part, const Terms& rows, const Mask& copied, const Bytes* bytes) {
  for (std::int64_t head = 0; head < heads(part); ++head) {
    if (quant_ == "per_page") {
      for (const Run& run : runs()) write_run(part, run, head, rows);
      continue;
    }
    for (std::size_t t = 0; t < slots_.size(); ++t) {
      if (slots_[t] < 0) continue;
      const auto token = static_cast<std::int64_t>(t);
      const std::vector<Place> at = places(part, slots_[t], head);
      const auto of_head = [&](const auto& all) { return all.block(token, head * d_, 1, d_); };
      write_token(part, slots_[t], head, at,
                  {of_head(rows.value), of_head(rows.magnitude), of_head(rows.steps)});
      if (quant_ != "none") continue;
      const Bytes own =
          bytes == nullptr
              ? Bytes()
              : Bytes(bytes->block(token, head * d_ * element_bytes_, 1, d_ * element_bytes_));
      keep(part, at, of_head(copied), bytes == nullptr ? nullptr : &own);
    }
  }
}

void KvCache::finish() {
  for (auto& [name, content] : contents_) {
    const Tensor& tensor = p_.tensor(name);
    const Bytes before = byte_rows(tensor);
    // Quotients are fp32 before they are codes: where they meet a tie it goes to even.
    fusetune::reference::write(tensor, rounded("fp32", content.terms.value));
    ByteRows now = byte_rows(tensor);
    const auto element = [bytes = tensor.element_bytes](auto& rows, const Place& at) {
      return rows.block(at.row, at.column * bytes, 1, bytes);
    };
    // What is not written stays as it is, to the bit: of a NaN as well.
    for (Eigen::Index row = 0; row < content.written.rows(); ++row)
      for (Eigen::Index column = 0; column < content.written.cols(); ++column)
        if (!content.written(row, column))
          element(now, {row, column}) = element(before, {row, column});
    for (const Moved& moved : content.moved)
      std::copy_n(moved.bytes.begin(), tensor.element_bytes, element(now, moved.at).data());
    state(p_.truth(name), content.terms.value, content.terms.magnitude);
    state_copied(p_.truth(name), content.copied);
    state_kept(p_.truth(name), !content.written);
  }
}

std::string describe_cache(const Problem& p, const std::string& name, std::int64_t index) {
  const bool of_cache = name.ends_with("_cache") || name.ends_with("_codes");
  const bool of_scale = name == "k_scale" || name == "v_scale";
  if (!of_cache && !of_scale) return "";
  const Tensor& tensor = p.tensor(name);
  std::int64_t row_elements = 1;
  for (std::size_t i = 1; i < tensor.dims.size(); ++i) row_elements *= tensor.dims[i];
  const std::int64_t row = index / row_elements, column = index % row_elements;
  if (of_scale) return name + " [" + std::to_string(row) + ", " + std::to_string(column) + "]";
  CacheShape shape{p.symbol("num_blocks"), p.symbol("page_size"), 0, p.symbol("head_dim"),
                   tensor.element_bytes};
  for (const char part : {'k', 'v'}) {
    if (!name.starts_with("kv") && name[0] != part) continue;
    shape.heads = p.symbol(part == 'k' ? "hk" : "hv");
    const std::int64_t slots = shape.num_blocks * shape.page_size;
    for (std::int64_t slot = 0; slot < slots; ++slot)
      for (std::int64_t head = 0; head < shape.heads; ++head)
        for (std::int64_t e = 0; e < shape.head_dim; ++e) {
          const CachePlace at = cache_place(p.option("cache"), part, shape, slot, head, e);
          if (at.row != row) break;
          if (at.column == column)
            return std::string(1, part) + " of slot " + std::to_string(slot) + ", head " +
                   std::to_string(head) + ", element " + std::to_string(e);
        }
  }
  return "";
}

}  // namespace fusetune::reference
