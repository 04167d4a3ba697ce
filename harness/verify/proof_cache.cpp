#include "harness/verify/proof_cache.hpp"

#include <functional>
#include <iterator>
#include <utility>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

std::string_view as_bytes(const std::vector<double>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
}

std::size_t bytes_of(const TensorImages& images) {
  std::size_t bytes = 0;
  for (const auto& [name, image] : images) bytes += image.bytes.size();
  return bytes;
}

std::size_t bytes_of(const Truths& truths) {
  std::size_t bytes = 0;
  for (const auto& [name, truth] : truths)
    bytes += as_bytes(truth.value).size() + as_bytes(truth.magnitude).size() + truth.copied.size() +
             truth.kept.size();
  return bytes;
}

void add(const TensorImages& images, HashFields& fields) {
  for (const auto& [name, image] : images) {
    fields.add(name);
    fields.add({reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size()});
  }
  fields.add(images.size());
}

/// By the names of their contents.
void add_names(const TensorImages& images, HashFields& fields) {
  for (const auto& [name, image] : images) {
    fields.add(name);
    fields.add(image.bytes.size());
    fields.add(image.bytes.digest().low);
    fields.add(image.bytes.digest().high);
  }
  fields.add(images.size());
}

void add(const Truths& truths, HashFields& fields) {
  for (const auto& [name, truth] : truths) {
    fields.add(name);
    fields.add(as_bytes(truth.value));
    fields.add(as_bytes(truth.magnitude));
    fields.add(std::hash<std::vector<bool>>()(truth.copied));
    fields.add(std::hash<std::vector<bool>>()(truth.kept));
  }
  fields.add(truths.size());
}

}  // namespace

std::string ProofCache::Content::checksum() const {
  HashFields fields;
  add(images, fields);
  add(truths, fields);
  for (const OutputMetrics& output : metrics.outputs) fields.add(to_json(output).dump());
  ProofReport report;
  findings.conclude(&report);
  fields.add(to_json(report).dump());
  return fields.hex();
}

std::size_t ProofCache::Content::bytes() const {
  constexpr std::size_t kForTheRest = 4096;
  return bytes_of(images) + bytes_of(truths) + kForTheRest;
}

const ProofCache::Content* ProofCache::find(const std::string& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return nullptr;
  if (!far_ && entry->second.content.checksum() != entry->second.checksum) {
    drop(entry);
    return nullptr;
  }
  turns_.splice(turns_.end(), turns_, entry->second.turn);
  ++found_;
  return &entry->second.content;
}

bool ProofCache::fits(const TensorImages& images, const Truths& truths) const {
  // One that pushes all others out is no use to them.
  return bytes_of(images) + bytes_of(truths) <= bytes_max_ / 4;
}

void ProofCache::keep(const std::string& key, Content content) {
  const std::size_t bytes = content.bytes();
  if (bytes > bytes_max_) return;
  while (bytes_ + bytes > bytes_max_) drop(entries_.find(turns_.front()));
  std::string checksum = far_ ? "" : content.checksum();
  // Where memory ends in the midst, neither list names what the other does not have.
  std::list<std::string> turn{key};
  entries_.insert_or_assign(key,
                            Entry{std::move(content), std::move(checksum), bytes, turn.begin()});
  turns_.splice(turns_.end(), turn);
  bytes_ += bytes;
}

void ProofCache::clear() {
  entries_.clear();
  turns_.clear();
  bytes_ = 0;
}

void ProofCache::drop(std::map<std::string, Entry>::iterator entry) {
  bytes_ -= entry->second.bytes;
  turns_.erase(entry->second.turn);
  entries_.erase(entry);
}

TensorImages ProofCache::images(const std::string& key, const std::function<TensorImages()>& make) {
  const std::string full_key = "images " + key;
  if (const Content* kept = find(full_key)) return kept->images;
  Content content;
  content.images = make();
  ++made_;
  if (!fits(content.images, {})) return std::move(content.images);
  TensorImages images = content.images;
  keep(full_key, std::move(content));
  return images;
}

void ProofCache::expect(const std::string& key, Pass& pass,
                        const std::function<void(Pass&)>& make) {
  HashFields fields;
  fields.add(key);
  fields.add(static_cast<std::uint64_t>(pass.poison));
  add_names(pass.initial, fields);
  const std::string full_key = fields.hex();
  pass.content = full_key;
  if (const Content* kept = find(full_key)) {
    pass.expected = kept->images;
    pass.truths = kept->truths;
    return;
  }
  make(pass);
  ++made_;
  if (!fits(pass.expected, pass.truths)) return;
  Content content;
  content.images = pass.expected;
  content.truths = pass.truths;
  keep(full_key, std::move(content));
}

ResultMetrics ProofCache::judge(const std::string& rules, std::span<const Pass> passes,
                                Findings* findings,
                                const std::function<ResultMetrics(Findings*)>& judge) {
  HashFields fields;
  fields.add(rules);
  bool has_content = true;
  for (const Pass& pass : passes) {
    has_content = has_content && !pass.content.empty();
    fields.add(pass.content);
    fields.add(pass.name);
    add_names(pass.actual, fields);
  }
  if (!has_content) return judge(findings);
  const std::string key = "judged " + fields.hex();
  if (const Content* kept = find(key)) {
    findings->absorb(kept->findings);
    return kept->metrics;
  }
  Content content;
  content.findings = findings->none_yet();
  content.metrics = judge(&content.findings);
  findings->absorb(content.findings);
  ResultMetrics metrics = content.metrics;
  // What is wrong is told in the words of its own run.
  ++made_;
  if (!content.findings.any()) keep(key, std::move(content));
  return metrics;
}

}  // namespace fusetune
