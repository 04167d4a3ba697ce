#pragma once
// Reads a family.yaml in two passes: first what is declared, by name, then the expressions over
// those names.

#include <map>
#include <set>
#include <string>

#include "harness/spec/family_vocabulary.hpp"

namespace fusetune {

class FamilyReader {
 public:
  FamilyReader(const YamlNode& root, Family& family) : root_(root), family_(family) {}

  void read();

 private:
  // First pass: names, kinds and lists.
  void declare_symbols();
  void declare_options();
  void declare_dtypes();
  void declare_tensors();
  void declare_scalars();
  void declare_axes();
  void check_macro_names() const;
  void check_header_names() const;

  // Second pass: expressions.
  void read_derived();
  void read_symbol(SymbolDecl& symbol, const YamlNode& node);
  void read_tensor(TensorDecl& tensor, const YamlNode& node);
  void read_generator(TensorDecl& tensor, const YamlNode& node);
  void read_named(Generator& generator, const YamlNode& node) const;
  void check_generator(const TensorDecl& tensor, const YamlNode& node) const;
  void require_magnitudes(const YamlNode& rule) const;
  void read_accept(TensorDecl& tensor, const YamlNode& node);
  AcceptBound read_bound(const YamlNode& node) const;
  /// What tensors say of each other.
  void check_tensors();
  void read_aliases(TensorDecl& tensor, const YamlNode& node);
  void read_proof_calls();
  void read_rules();
  void read_rows();

  // Third: what refers to all of that.
  void read_implementations();
  void read_implementation(ImplementationDecl& implementation, const YamlNode& node);
  void read_axes_of(ImplementationDecl& implementation, const YamlNode& node);
  /// A file that the family names, in its folder or below: a family brings all that is compiled for
  /// it along, and names nothing else of the machine.
  std::filesystem::path file_beside(const YamlNode& node) const;
  LaunchDecl read_launch(const YamlNode& node);
  void read_golden();
  void read_captured();
  Json read_golden_mapping(const YamlNode& node) const;
  void check_golden_names(const YamlNode& node) const;

  /// The entries of an optional map of the root; each key is checked as a new name.
  std::vector<std::pair<YamlNode, YamlNode>> declared(std::string_view section,
                                                      std::string_view what);
  /// Claims a name in the expressions and keys.
  void claim(const YamlNode& key, std::string_view what);

  YamlNode root_;
  Family& family_;
  Vocabulary names_;
  std::map<std::string, std::string> claimed_;    ///< name -> what it is
  std::map<std::string, std::string> arguments_;  ///< names in the ABI -> what it is
};

/// i32, i64 and u8.
bool holds_integers(DType dtype);

/// Lower-case letters, digits and underscores, beginning with a letter; errors otherwise.
void require_identifier(const YamlNode& node, std::string_view what);

}  // namespace fusetune
