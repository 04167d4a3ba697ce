#include "harness/spec/family.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>

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
bool Family::has_captured_truth() const { return reference == "captured"; }
bool Family::moves_bytes() const {
  return std::all_of(tensors.begin(), tensors.end(), [](const TensorDecl& tensor) {
    return tensor.role == Role::in || tensor.role == Role::workspace || tensor.accept.exact;
  });
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

std::shared_ptr<const Family> load_family(const std::filesystem::path& file,
                                          const std::string& shown) {
  return parse_family(read_file(file), file, shown);
}

std::shared_ptr<const Family> parse_family(std::string_view text, const std::filesystem::path& file,
                                           const std::string& shown) {
  const auto family = std::make_shared<Family>();
  family->file = std::filesystem::absolute(file).lexically_normal();
  family->directory = family->file.parent_path();
  family->content_hash = hash_hex(text);
  FamilyReader(YamlNode::parse(text, shown.empty() ? display_path(family->file) : shown), *family)
      .read();
  return family;
}

namespace {

/// The project's kernels, then the folders of $FUSETUNE_KERNEL_PATH.
std::vector<std::filesystem::path> kernel_folders() {
  std::vector<std::filesystem::path> folders{project_root() / "kernels"};
  const char* more = std::getenv("FUSETUNE_KERNEL_PATH");
  std::string_view rest = more == nullptr ? "" : more;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (colon > 0) folders.emplace_back(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return folders;
}

/// family.yaml by family name; of two families with one name the first folder's counts.
std::map<std::string, std::filesystem::path> family_files() {
  std::map<std::string, std::filesystem::path> files;
  std::error_code error;
  for (const std::filesystem::path& folder : kernel_folders())
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (std::filesystem::path file = entry.path() / "family.yaml";
          std::filesystem::exists(file, error))
        files.emplace(entry.path().filename().string(), std::move(file));
  return files;
}

}  // namespace

std::shared_ptr<const Family> find_family(std::string_view name) {
  // Keys and worker messages name families over and over: a process reads each file once.
  static std::map<std::string, std::shared_ptr<const Family>, std::less<>> read;
  static std::mutex guard;
  const std::lock_guard lock(guard);
  if (const auto known = read.find(name); known != read.end()) return known->second;
  const auto files = family_files();
  const auto file = files.find(std::string(name));
  if (file == files.end()) throw UserError(unknown_name("family", name, family_names()));
  return read.emplace(name, load_family(file->second)).first->second;
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const auto& [name, file] : family_files()) names.push_back(name);
  return names;
}

}  // namespace fusetune
