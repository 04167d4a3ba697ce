#pragma once
// The names that the expression tests use, and random expressions over them.

#include <random>
#include <string>

#include "harness/spec/expr.hpp"

namespace fusetune::test {

inline SymbolTable table() {
  const SymbolType integer{};
  const SymbolType boolean{Type::boolean, "", {}};
  return {{"a", integer},
          {"b", integer},
          {"tokens", integer},
          {"new", integer},
          {"bytes(act)", integer},
          {"bytes(ba)", integer},
          {"align_bytes(x)", integer},
          {"has(residual)", boolean},
          {"wide", boolean},
          {"layout", {Type::enumeration, "layout", {"merged", "split", "16"}}},
          {"other_layout", {Type::enumeration, "layout", {"merged", "split", "16"}}},
          {"zero_fill", {Type::enumeration, "zero_fill", {"off", "on", "default"}}}};
}

inline Bindings bindings() {
  return {{"a", std::int64_t{12}},
          {"b", std::int64_t{-5}},
          {"tokens", std::int64_t{4096}},
          {"new", std::int64_t{3}},
          {"bytes(act)", std::int64_t{2}},
          {"bytes(ba)", std::int64_t{4}},
          {"align_bytes(x)", std::int64_t{16}},
          {"has(residual)", true},
          {"wide", false},
          {"layout", Enum{"16"}},
          {"other_layout", Enum{"merged"}},
          {"zero_fill", Enum{"default"}}};
}

inline Expr parse(const std::string& text) {
  return Expr::parse(text, table(), {"family.yaml", 7, 11});
}

/// Well-typed texts of random shape; the same seed gives the same ones.
class RandomText {
 public:
  explicit RandomText(unsigned seed) : random_(seed) {}

  std::string next() { return below(2) == 0 ? integer(4) : boolean(4); }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  template <std::size_t N>
  std::string pick(const char* const (&words)[N]) {
    return words[below(N)];
  }
  /// Parentheses half of the time, so that both the tree and the text are random.
  std::string maybe_group(const std::string& text) {
    return below(2) == 0 ? "(" + text + ")" : text;
  }

  std::string integer_leaf() {
    return pick({"0", "1", "2", "7", "-3", "64", "2147483647", "a", "b", "tokens", "new",
                 "bytes(act)", "bytes(ba)", "align_bytes(x)", "-9223372036854775808"});
  }

  std::string integer(int depth) {
    if (depth == 0) return integer_leaf();
    const auto arg = [&] { return integer(depth - 1); };
    switch (below(10)) {
      case 0:
        return integer_leaf();
      case 1:
        return "-" + ("(" + arg() + ")");
      case 2:
        return "--" + integer_leaf();
      case 3:
        return pick({"min", "max", "gcd"}) + "(" + arg() + ", " + arg() +
               (below(2) == 0 ? ", " + arg() : "") + ")";
      case 4:
        return pick({"ceil_div", "floor_div", "align_up"}) + "(" + arg() + ", " + arg() + ")";
      case 5:
        return "abs(" + arg() + ")";
      case 6:
        return "(" + boolean(depth - 1) + " ? " + arg() + " : " + arg() + ")";
      default:
        return maybe_group(arg() + pick({" + ", " - ", " * ", " / ", " % "}) + arg());
    }
  }

  std::string layout(int depth) {
    if (depth == 0 || below(2) == 0)
      return pick({"layout", "other_layout", "layout::merged", "layout::16"});
    return "(" + boolean(depth - 1) + " ? " + layout(depth - 1) + " : " +
           pick({"split", "layout", "16"}) + ")";
  }

  std::string boolean(int depth) {
    if (depth == 0) return pick({"wide", "has(residual)", "true", "false", "zero_fill == on"});
    const auto arg = [&] { return boolean(depth - 1); };
    switch (below(8)) {
      case 0:
        return "!(" + arg() + ")";
      case 1:
        return "(" + arg() + pick({" == ", " != "}) + "(" + arg() + "))";
      case 2:
        return "(" + layout(depth - 1) + pick({" == ", " != "}) + layout(depth - 1) + ")";
      case 3:
        return "(" + integer(depth - 1) + pick({" == ", " != "}) + integer(depth - 1) + ")";
      case 4:
        return "(" + integer(depth - 1) + pick({" < ", " <= ", " > ", " >= "}) +
               integer(depth - 1) + ")";
      case 5:
        return "is_pow2(" + integer(depth - 1) + ")";
      case 6:
        return "(" + arg() + " ? " + arg() + " : " + arg() + ")";
      default:
        return maybe_group(arg() + pick({" && ", " || "}) + arg());
    }
  }

  std::mt19937 random_;
};

/// The value, or "fails" for an expression that has none.
inline std::string outcome(const Expr& expr, const Bindings& values) {
  try {
    return to_string(expr.eval(values));
  } catch (const EvalError&) {
    return "fails";
  }
}

}  // namespace fusetune::test
