#include "harness/spec/family.hpp"

#include <algorithm>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/spec/family_reader.hpp"

namespace fusetune {

namespace {

template <typename Decl>
const Decl* find_by_name(const std::vector<Decl>& list, std::string_view name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Decl& decl) { return decl.name == name; });
  return found == list.end() ? nullptr : &*found;
}

std::vector<std::string> symbols_where(const Family& family, bool is_static) {
  std::vector<std::string> names;
  for (const SymbolDecl& symbol : family.symbols)
    if (symbol.is_static == is_static) names.push_back(symbol.name);
  return names;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::in:
      return "in";
    case Role::out:
      return "out";
    case Role::inout:
      return "inout";
    case Role::state:
      return "state";
    case Role::workspace:
      return "workspace";
  }
  return "";
}

const SymbolDecl* Family::find_symbol(std::string_view wanted) const {
  return find_by_name(symbols, wanted);
}
const OptionDecl* Family::find_option(std::string_view wanted) const {
  return find_by_name(options, wanted);
}
const DTypeDecl* Family::find_dtype(std::string_view wanted) const {
  return find_by_name(dtypes, wanted);
}
const TensorDecl* Family::find_tensor(std::string_view wanted) const {
  return find_by_name(tensors, wanted);
}
const AxisDecl* Family::find_axis(std::string_view wanted) const {
  return find_by_name(axes, wanted);
}
const ImplementationDecl* Family::find_implementation(std::string_view wanted) const {
  return find_by_name(implementations, wanted);
}

std::vector<std::string> Family::static_symbols() const { return symbols_where(*this, true); }
std::vector<std::string> Family::runtime_symbols() const { return symbols_where(*this, false); }

std::shared_ptr<const Family> load_family(const std::filesystem::path& file) {
  const auto family = std::make_shared<Family>();
  family->file = std::filesystem::absolute(file).lexically_normal();
  family->directory = family->file.parent_path();
  const std::string text = read_file(family->file);
  family->content_hash = hash_hex(text);
  FamilyReader(YamlNode::parse(text, display_path(family->file)), *family).read();
  return family;
}

std::shared_ptr<const Family> find_family(std::string_view name) {
  const std::vector<std::string> known = family_names();
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw UserError(unknown_name("family", name, known));
  return load_family(project_root() / "kernels" / name / "family.yaml");
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(project_root() / "kernels", error))
    if (std::filesystem::exists(entry.path() / "family.yaml", error))
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace fusetune
