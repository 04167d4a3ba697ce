#include "harness/compile/signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "harness/base/files.hpp"
#include "harness/compile/compiler.hpp"

namespace fusetune {

namespace {

Parameter scalar_parameter(const Family& family, const std::string& name) {
  for (const ScalarDecl& scalar : family.scalars) {
    if (scalar.name != name) continue;
    switch (scalar.type) {
      case ScalarDecl::Type::f32:
        return {"float", 4, name};
      case ScalarDecl::Type::i32:
        return {"int", 4, name};
      case ScalarDecl::Type::i64:
        return {"long long", 8, name};
    }
  }
  throw std::logic_error(fmt::format("{} has no scalar '{}'", family.name, name));
}

Parameter parameter_of(const Family& family, const Argument& argument) {
  switch (argument.kind) {
    case Argument::Kind::tensor: {
      const TensorDecl* tensor = family.find_tensor(argument.name);
      if (tensor == nullptr)
        throw std::logic_error(fmt::format("{} has no tensor '{}'", family.name, argument.name));
      return {tensor->role == Role::in ? "const void*" : "void*", 8, argument.name};
    }
    case Argument::Kind::row_stride:
      return {"long long", 8, argument.name + "_row_stride"};
    case Argument::Kind::symbol:
      return {"long long", 8, argument.name};
    case Argument::Kind::scalar:
      return scalar_parameter(family, argument.name);
  }
  throw std::logic_error("unknown kind of argument");
}

/// Where family.yaml launches the entry: what a failed check points at.
Mark mark_of(const Family& family, const std::string& entry) {
  for (const ImplementationDecl& implementation : family.implementations)
    for (const LaunchDecl& launch : implementation.launches)
      if (launch.entry == entry) return launch.mark;
  return {};
}

std::string type_list(const std::vector<Parameter>& parameters) {
  std::string text;
  for (const Parameter& parameter : parameters) text += (text.empty() ? "" : ", ") + parameter.type;
  return text;
}

}  // namespace

std::vector<Parameter> parameters_of(const Family& family, const std::vector<Argument>& arguments) {
  std::vector<Parameter> parameters;
  for (const Argument& argument : arguments) parameters.push_back(parameter_of(family, argument));
  return parameters;
}

std::string to_string(const std::vector<Parameter>& parameters) {
  std::string text;
  for (const Parameter& parameter : parameters)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", parameter.type, parameter.name);
  return text;
}

std::int64_t kernarg_bytes_of(const std::vector<Parameter>& parameters) {
  std::int64_t end = 0;
  for (const Parameter& parameter : parameters) {
    const std::int64_t size = parameter.size_bytes;
    end = (end + size - 1) / size * size + size;
  }
  return end;
}

bool same_types(const std::vector<Parameter>& a, const std::vector<Parameter>& b) {
  return type_list(a) == type_list(b);
}

std::string signature_check(const Family& family, const std::vector<std::string>& entries,
                            const std::vector<std::vector<Argument>>& signatures) {
  // No <type_traits>: hipRTC's prelude clashes with it and NVRTC has none.
  std::string text =
      "namespace ft_signature_check {\n"
      "template <class A, class B> struct same { static constexpr bool value = false; };\n"
      "template <class A> struct same<A, A> { static constexpr bool value = true; };\n"
      "}\n";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::vector<Parameter> parameters = parameters_of(family, signatures.at(i));
    const Mark mark = mark_of(family, entries[i]);
    text += line_directive(mark.file.empty() ? "family.yaml" : display_path(mark.file), mark.line);
    text += fmt::format(
        "static_assert(ft_signature_check::same<decltype(&{0}), void (*)({1})>::value, "
        "\"entry {0}: parameter list differs from family.yaml, which has ({2})\");\n",
        entries[i], type_list(parameters), to_string(parameters));
  }
  return text;
}

std::string line_directive(std::string_view file, int line) {
  std::string quoted;
  for (const char c : file) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("#line {} \"{}\"\n", line > 0 ? line : 1, quoted);
}

}  // namespace fusetune
