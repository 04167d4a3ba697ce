#pragma once
// Reads the entries of a sweep: one family each, with what is chosen of it.

#include "harness/spec/family_vocabulary.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {

class SweepEntryReader {
 public:
  /// `directory` is the sweep file's: a family may be given as a path from there.
  SweepEntryReader(const YamlNode& node, const std::filesystem::path& directory);

  SweepEntry read();

 private:
  void read_models();
  void read_symbols();
  void read_options();
  void read_dtypes();
  void read_rows();
  void read_runtime();
  void read_strides();
  void read_base_align();
  void read_scalars();
  void read_cosine();
  void read_batch_invariant();
  void read_axes();

  /// The entries of an optional map whose keys are among `names`.
  std::vector<std::pair<std::string, YamlNode>> chosen(std::string_view key,
                                                       const std::vector<std::string>& names,
                                                       std::string_view what) const;

  YamlNode node_;
  SweepEntry entry_;
  Vocabulary names_;
};

}  // namespace fusetune
