#pragma once
// What the proofs of one case have in common, kept for the next variant: its inputs, what a correct
// run makes of them, and which results were judged right. A kernel may have written anywhere, here
// as well: nothing is given out that is not as it was stored.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "harness/verify/explain.hpp"
#include "harness/verify/findings.hpp"
#include "harness/verify/results.hpp"

namespace fusetune {

class ProofCache {
 public:
  /// Keeps what was used last, of at most so many bytes. Kernels of a `far` device cannot write into
  /// this memory: what is kept is not checked each time.
  explicit ProofCache(std::size_t bytes_max = std::size_t{512} << 20, bool far = false)
      : bytes_max_(bytes_max), far_(far) {}

  /// The images that `make` gives for this key, each time the same.
  TensorImages images(const std::string& key, const std::function<TensorImages()>& make);

  /// Fills `expected` and `truths` of a pass as `make` does, which depends on nothing but the key
  /// and the pass's `initial` and `poison`; and its `content`, which names these four.
  void expect(const std::string& key, Pass& pass, const std::function<void(Pass&)>& make);

  /// What `judge` finds in the passes. It is asked once for passes with the same content and actual
  /// bits that it finds right. `rules` names all else that it depends on, the checks that are off
  /// among it.
  ResultMetrics judge(const std::string& rules, std::span<const Pass> passes, Findings* findings,
                      const std::function<ResultMetrics(Findings*)>& judge);

  void clear();

  /// How often something was there already, and was made.
  std::int64_t found() const { return found_; }
  std::int64_t made() const { return made_; }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Content {
    TensorImages images;
    Truths truths;
    ResultMetrics metrics;
    Findings findings;
    std::string checksum() const;
    std::size_t bytes() const;
  };
  struct Entry {
    Content content;
    std::string checksum;
    std::size_t bytes = 0;
    std::list<std::string>::iterator turn;
  };

  /// nullptr when it is not there, or not as it was stored.
  const Content* find(const std::string& key);
  bool fits(const TensorImages& images, const Truths& truths) const;
  void keep(const std::string& key, Content content);
  void drop(std::map<std::string, Entry>::iterator entry);

  std::size_t bytes_max_;
  bool far_;
  std::size_t bytes_ = 0;
  std::int64_t found_ = 0, made_ = 0;
  std::map<std::string, Entry> entries_;
  std::list<std::string> turns_;  ///< keys, the longest unused first
};

}  // namespace fusetune
