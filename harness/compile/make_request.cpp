#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/compile/signature.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

/// The names of `#include "..."` lines; `<...>` is the compiler's.
std::vector<std::string> quoted_includes(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const auto skip = [&](std::string_view token) {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      if (!line.starts_with(token)) return false;
      line.remove_prefix(token.size());
      return true;
    };
    if (!skip("#") || !skip("include") || !skip("\"")) continue;
    if (const std::size_t quote = line.find('"'); quote != std::string_view::npos)
      names.emplace_back(line.substr(0, quote));
  }
  return names;
}

/// Collects the headers that a source includes by quotes, from the given folders. One that is in
/// none of them, or named by a way out of them, is left to the compiler to complain about.
class HeaderCollector {
 public:
  explicit HeaderCollector(std::vector<fs::path> folders) : folders_(std::move(folders)) {}

  void add_includes_of(const std::string& text) {
    for (const std::string& name : quoted_includes(text)) add(name);
  }
  void add(const std::string& name) {
    if (!seen_.insert(name).second || leaves_folder(name)) return;
    for (const fs::path& folder : folders_) {
      std::error_code error;
      if (!fs::is_regular_file(folder / name, error)) continue;
      std::string text = read_file(folder / name);
      add_includes_of(text);
      headers_.push_back({name, std::move(text)});
      return;
    }
  }
  std::vector<SourceText> take() {
    std::sort(headers_.begin(), headers_.end(),
              [](const SourceText& a, const SourceText& b) { return a.name < b.name; });
    return std::move(headers_);
  }

 private:
  static bool leaves_folder(const fs::path& name) {
    const fs::path clean = name.lexically_normal();
    return clean.empty() || clean.is_absolute() || *clean.begin() == "..";
  }

  std::vector<fs::path> folders_;
  std::set<std::string> seen_;
  std::vector<SourceText> headers_;
};

/// False only where the geometry alone says that the launch never happens.
bool may_launch(const LaunchDecl& launch, const Bindings& scope) {
  if (!launch.when) return true;
  try {
    return launch.when->eval_bool(scope);
  } catch (const EvalError&) {
    return true;  // depends on a runtime symbol
  }
}

std::int64_t block_threads_of(const LaunchDecl& launch, const Bindings& scope) {
  std::int64_t threads = 1;
  try {
    for (const Expr& dimension : launch.block) threads *= dimension.eval_int(scope);
  } catch (const EvalError&) {
    return 0;
  }
  return threads;
}

void add_entries(const Geometry& geometry, const ImplementationDecl& implementation,
                 const Bindings& scope, CompileRequest* request) {
  const Family& family = *geometry.family;
  for (const LaunchDecl& launch : implementation.launches) {
    if (!may_launch(launch, scope)) continue;
    request->block_threads = std::max(request->block_threads, block_threads_of(launch, scope));
    std::vector<Argument> arguments = arguments_of(geometry, launch, scope);
    const std::vector<Parameter> parameters = parameters_of(family, arguments);
    const auto known = std::find(request->entries.begin(), request->entries.end(), launch.entry);
    if (known == request->entries.end()) {
      request->entries.push_back(launch.entry);
      request->signatures.push_back(std::move(arguments));
      request->kernarg_bytes.push_back(kernarg_bytes_of(parameters));
      continue;
    }
    const std::vector<Parameter> before = parameters_of(
        family, request->signatures[static_cast<std::size_t>(known - request->entries.begin())]);
    if (!same_types(before, parameters))
      throw UserError(launch.mark,
                      fmt::format("entry {} is launched with ({}) here and with ({}) before",
                                  launch.entry, to_string(parameters), to_string(before)));
  }
}

fs::path common_folder() { return project_root() / "kernels" / "common"; }

}  // namespace

std::vector<SourceText> common_headers() {
  HeaderCollector headers({common_folder()});
  headers.add("ft.h");
  return headers.take();
}

CompileRequest tool_request(const Target& target, const std::string& source,
                            std::int64_t block_threads) {
  CompileRequest request;
  request.target = target;
  request.source = {source, read_file(project_root() / source)};
  request.headers = common_headers();
  request.macros = {{"FT_BLOCK_SIZE", std::to_string(block_threads)},
                    {"FT_WAVE_SIZE", std::to_string(target.wave_size)}};
  request.block_threads = block_threads;
  return request;
}

void add_tool_entry(const std::string& entry, std::vector<Argument> signature,
                    CompileRequest& request) {
  constexpr std::int64_t kArgumentBytes = 8;
  request.entries.push_back(entry);
  request.kernarg_bytes.push_back(kArgumentBytes * std::ssize(signature));
  request.signatures.push_back(std::move(signature));
}

const SourceReader::Texts& SourceReader::read(const Family& family,
                                              const ImplementationDecl& implementation) {
  const std::pair key(family.directory.string(), implementation.source.string());
  if (const auto known = texts_.find(key); known != texts_.end()) return known->second;
  const std::string text = read_file(implementation.source);
  HeaderCollector headers({implementation.source.parent_path(), family.directory, common_folder()});
  headers.add("ft.h");
  headers.add_includes_of(text);
  std::string name = display_path(implementation.source);
  if (const auto shown = shown_.find(family.directory); shown != shown_.end())
    name = (fs::path(shown->second) / implementation.source.lexically_relative(family.directory))
               .string();
  return texts_.emplace(key, Texts{{name, line_directive(name, 1) + text + "\n"}, headers.take()})
      .first->second;
}

void SourceReader::show_as(const fs::path& folder, std::string shown) {
  shown_[folder] = std::move(shown);
}

CompileRequest make_compile_request(const Geometry& geometry, const Variant& variant,
                                    const Target& target, bool exact) {
  SourceReader sources;
  return make_compile_request(geometry, variant, target, sources, exact);
}

CompileRequest make_compile_request(const Geometry& geometry, const Variant& variant,
                                    const Target& target, SourceReader& sources, bool exact) {
  const Family& family = *geometry.family;
  const ImplementationDecl* implementation = family.find_implementation(variant.implementation);
  if (implementation == nullptr) {
    std::vector<std::string> names;
    for (const ImplementationDecl& known : family.implementations) names.push_back(known.name);
    throw UserError(
        unknown_name("implementation of " + family.name, variant.implementation, names));
  }
  if (implementation->source.empty())
    throw UserError(
        implementation->mark,
        fmt::format("implementation {} of {} has no launch: there is nothing to compile",
                    implementation->name, family.name));
  CompileRequest request;
  request.target = target;
  request.exact = exact;
  request.macros = macros_of(geometry, variant, target);
  add_entries(geometry, *implementation, scope_of(geometry, &target, &variant), &request);

  const SourceReader::Texts& texts = sources.read(family, *implementation);
  request.headers = texts.headers;
  request.source = texts.source;
  request.source.text += signature_check(family, request.entries, request.signatures);
  return request;
}

}  // namespace fusetune
