// Names and types: an untyped tree becomes one that can be evaluated.
//
// A bare value of an enumeration has no type of its own; it takes that of the other side of == or
// !=, or of the other branch of ?:. There it is read as the value even where a symbol of another
// type has the same name.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "harness/spec/expr_syntax.hpp"

namespace fusetune::expression {

namespace {

constexpr std::array<std::string_view, 4> properties{"bytes", "align_bytes", "row_stride", "has"};

bool is_number(std::string_view word) { return word.front() >= '0' && word.front() <= '9'; }

bool has_value(const SymbolType& type, std::string_view word) {
  return std::find(type.values.begin(), type.values.end(), word) != type.values.end();
}

std::string describe(const SymbolType& type) {
  if (type.type == Type::integer) return "an integer";
  if (type.type == Type::boolean) return "true or false";
  return fmt::format("a value of '{}'", type.enum_name);
}

class Checker {
 public:
  Checker(const SymbolTable& symbols, const Source& source) : symbols_(symbols), source_(source) {}

  /// `wanted` is the enumeration that a bare value here belongs to, if one is known.
  NodePtr check(const Syntax& syntax, const SymbolType* wanted) const {
    switch (syntax.kind) {
      case Syntax::Kind::word:
        return check_word(syntax, wanted);
      case Syntax::Kind::qualified:
        return check_qualified(syntax);
      case Syntax::Kind::call:
        return check_call(syntax);
      case Syntax::Kind::operation:
        break;
    }
    if (syntax.op == Op::select) return check_select(syntax, wanted);
    if (syntax.op == Op::eq || syntax.op == Op::ne) return check_equality(syntax);
    if (syntax.op == Op::neg && is_digits(syntax.args[0]))
      return make_integer(integer_of(syntax.args[0], "-"));
    const bool logical =
        syntax.op == Op::logical_not || syntax.op == Op::logical_and || syntax.op == Op::logical_or;
    return check_operands(syntax, facts_of(syntax.op).symbol,
                          logical ? Type::boolean : Type::integer);
  }

 private:
  /// The enumeration of a part that needs no context to have one.
  const SymbolType* enumeration_of(const Syntax& syntax) const {
    if (syntax.kind == Syntax::Kind::qualified) return find_enumeration(syntax.qualifier);
    if (syntax.kind == Syntax::Kind::word) {
      const auto found = symbols_.find(syntax.text);
      const bool is_enum = found != symbols_.end() && found->second.type == Type::enumeration;
      return is_enum ? &found->second : nullptr;
    }
    if (syntax.kind != Syntax::Kind::operation || syntax.op != Op::select) return nullptr;
    const SymbolType* yes = enumeration_of(syntax.args[1]);
    return yes != nullptr ? yes : enumeration_of(syntax.args[2]);
  }

  const SymbolType* find_enumeration(std::string_view enum_name) const {
    for (const auto& [name, type] : symbols_)
      if (type.type == Type::enumeration && type.enum_name == enum_name) return &type;
    return nullptr;
  }

  static bool is_value_of(const Syntax& syntax, const SymbolType* type) {
    return syntax.kind == Syntax::Kind::word && type != nullptr && has_value(*type, syntax.text);
  }

  static bool is_digits(const Syntax& syntax) {
    return syntax.kind == Syntax::Kind::word && is_number(syntax.text);
  }

  std::int64_t integer_of(const Syntax& syntax, const std::string& sign) const {
    const std::string text = sign + syntax.text;
    if (syntax.text.size() > 1 && syntax.text.front() == '0' &&
        syntax.text.find_first_not_of("0123456789") == std::string::npos)
      source_.fail(syntax.offset, fmt::format("'{}' has a leading zero", syntax.text));
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range)
      source_.fail(syntax.offset, fmt::format("'{}' does not fit in 64 bits", text));
    if (end != text.data() + text.size())
      source_.fail(syntax.offset, fmt::format("'{}' is not a decimal integer", syntax.text));
    return value;
  }

  NodePtr check_word(const Syntax& syntax, const SymbolType* wanted) const {
    const std::string& word = syntax.text;
    const auto symbol = symbols_.find(word);
    if (is_value_of(syntax, wanted)) {
      if (symbol != symbols_.end() && symbol->second.enum_name == wanted->enum_name)
        source_.fail(syntax.offset,
                     fmt::format("'{}' is both a name and a value of '{}'; write {}::{} for the "
                                 "value",
                                 word, wanted->enum_name, wanted->enum_name, word));
      return make_enumerator(*wanted, word);
    }
    if (symbol != symbols_.end()) return make_name(word, symbol->second);
    if (wanted != nullptr)
      source_.fail(syntax.offset, unknown_name(fmt::format("value of {}", wanted->enum_name), word,
                                               wanted->values));
    if (word == "true" || word == "false") return make_boolean(word == "true");
    if (is_number(word)) return make_integer(integer_of(syntax, ""));
    fail_unknown(syntax);
  }

  [[noreturn]] void fail_unknown(const Syntax& syntax) const {
    if (const auto owners = owners_of(syntax.text); !owners.empty())
      source_.fail(syntax.offset,
                   fmt::format("'{}' is a value of '{}', and nothing here says so; compare it with "
                               "one of them",
                               syntax.text, fmt::join(owners, "' or '")));
    std::vector<std::string> names;
    for (const auto& [name, type] : symbols_)
      if (name.find('(') == std::string::npos) names.push_back(name);
    source_.fail(syntax.offset, unknown_name("name", syntax.text, names));
  }

  /// The enumerations that have the value.
  std::set<std::string> owners_of(std::string_view word) const {
    std::set<std::string> owners;
    for (const auto& [name, type] : symbols_)
      if (type.type == Type::enumeration && has_value(type, word)) owners.insert(type.enum_name);
    return owners;
  }

  NodePtr check_qualified(const Syntax& syntax) const {
    const SymbolType* type = find_enumeration(syntax.qualifier);
    if (type == nullptr) {
      std::set<std::string> names;
      for (const auto& [name, symbol] : symbols_)
        if (symbol.type == Type::enumeration) names.insert(symbol.enum_name);
      source_.fail(syntax.offset,
                   unknown_name("enumeration", syntax.qualifier, {names.begin(), names.end()}));
    }
    if (!has_value(*type, syntax.text))
      source_.fail(syntax.offset, unknown_name(fmt::format("value of {}", type->enum_name),
                                               syntax.text, type->values));
    return make_enumerator(*type, syntax.text);
  }

  NodePtr check_call(const Syntax& call) const {
    if (std::find(properties.begin(), properties.end(), call.text) != properties.end())
      return check_property(call);
    const OpFacts* function = find_function(call.text);
    if (function == nullptr) {
      std::vector<std::string> names = function_names();
      names.insert(names.end(), properties.begin(), properties.end());
      source_.fail(call.offset, unknown_name("function", call.text, names));
    }
    const std::size_t count = call.args.size();
    if (count < function->args_min || (count > function->args_min && !function->variadic))
      source_.fail(call.offset,
                   fmt::format("{}() takes {}{} argument{}, not {}", call.text, function->args_min,
                               function->variadic ? " or more" : "",
                               function->args_min == 1 ? "" : "s", count));
    Syntax operation = call;
    operation.op = function->op;
    return check_operands(operation, call.text, Type::integer);
  }

  NodePtr check_property(const Syntax& call) const {
    if (call.args.size() != 1 || call.args[0].kind != Syntax::Kind::word)
      source_.fail(call.offset, fmt::format("{}() takes one name", call.text));
    const std::string prefix = call.text + "(";
    const Syntax& argument = call.args[0];
    const std::string name = prefix + argument.text + ")";
    if (const auto symbol = symbols_.find(name); symbol != symbols_.end())
      return make_name(name, symbol->second);
    std::vector<std::string> arguments;
    for (const auto& [candidate, type] : symbols_)
      if (candidate.starts_with(prefix) && candidate.ends_with(')'))
        arguments.push_back(candidate.substr(prefix.size(), candidate.size() - prefix.size() - 1));
    source_.fail(argument.offset, unknown_name(fmt::format("argument of {}()", call.text),
                                               argument.text, arguments));
  }

  NodePtr check_operands(const Syntax& syntax, std::string_view shown, Type type) const {
    std::vector<NodePtr> args;
    for (const Syntax& arg : syntax.args) {
      args.push_back(check(arg, nullptr));
      if (args.back()->type.type != type)
        source_.fail(arg.offset,
                     fmt::format("'{}' takes {}, and '{}' is {}", shown,
                                 type == Type::integer ? "integers" : "true or false",
                                 print_text(*args.back()), describe(args.back()->type)));
    }
    return build(syntax, std::move(args));
  }

  NodePtr check_equality(const Syntax& syntax) const {
    const Syntax& left = syntax.args[0];
    const Syntax& right = syntax.args[1];
    const SymbolType* left_enum = enumeration_of(left);
    const SymbolType* right_enum = enumeration_of(right);
    // Of two names of different enumerations, one may be meant as a value of the other.
    if (left_enum != nullptr && right_enum != nullptr &&
        left_enum->enum_name != right_enum->enum_name && is_value_of(left, right_enum))
      left_enum = nullptr;
    if (left_enum == nullptr && right_enum == nullptr && is_misspelt_partner(left, right))
      fail_unknown(right);
    std::vector<NodePtr> args;
    args.push_back(check(left, left_enum != nullptr ? nullptr : right_enum));
    args.push_back(check(right, left_enum));
    expect_same(syntax, left, *args[0], right, *args[1]);
    return build(syntax, std::move(args));
  }

  /// Whether `left` is a value that lacks its enumeration only because `right` is misspelt.
  bool is_misspelt_partner(const Syntax& left, const Syntax& right) const {
    const auto is_unknown = [&](const Syntax& syntax) {
      return syntax.kind == Syntax::Kind::word && !symbols_.contains(syntax.text);
    };
    return is_unknown(left) && is_unknown(right) && !is_number(right.text) &&
           !owners_of(left.text).empty() && owners_of(right.text).empty();
  }

  NodePtr check_select(const Syntax& syntax, const SymbolType* wanted) const {
    NodePtr condition = check(syntax.args[0], nullptr);
    if (condition->type.type != Type::boolean)
      source_.fail(syntax.args[0].offset,
                   fmt::format("the condition of '?' is true or false, and '{}' is {}",
                               print_text(*condition), describe(condition->type)));
    const Syntax& yes = syntax.args[1];
    const Syntax& no = syntax.args[2];
    const SymbolType* yes_enum = enumeration_of(yes);
    const SymbolType* no_enum = enumeration_of(no);
    std::vector<NodePtr> args{std::move(condition)};
    args.push_back(check(yes, yes_enum != nullptr  ? nullptr
                              : no_enum != nullptr ? no_enum
                                                   : wanted));
    args.push_back(check(no, no_enum != nullptr    ? nullptr
                             : yes_enum != nullptr ? yes_enum
                                                   : wanted));
    expect_same(syntax, yes, *args[1], no, *args[2]);
    return build(syntax, std::move(args));
  }

  void expect_same(const Syntax& syntax, const Syntax& left, const Expr::Node& a,
                   const Syntax& right, const Expr::Node& b) const {
    if (a.type.type == b.type.type && a.type.enum_name == b.type.enum_name) return;
    const std::string shown =
        syntax.op == Op::select ? "? :" : std::string(facts_of(syntax.op).symbol);
    // The place is that of the side that is not an enumeration: the likelier mistake.
    const Syntax& place = b.type.type == Type::enumeration ? left : right;
    source_.fail(place.offset,
                 fmt::format("the two sides of '{}' differ in type: '{}' is {}, '{}' is {}", shown,
                             print_text(a), describe(a.type), print_text(b), describe(b.type)));
  }

  NodePtr build(const Syntax& syntax, std::vector<NodePtr> args) const {
    try {
      return make_operation(syntax.op, std::move(args));
    } catch (const EvalError& error) {
      source_.fail(syntax.op_offset, error.what());
    }
  }

  const SymbolTable& symbols_;
  const Source& source_;
};

}  // namespace

NodePtr check_types(const Syntax& syntax, const SymbolTable& symbols, const Source& source) {
  return Checker(symbols, source).check(syntax, nullptr);
}

}  // namespace fusetune::expression
