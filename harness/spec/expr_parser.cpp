// Words and operators to a tree by precedence climbing.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/spec/expr_syntax.hpp"

namespace fusetune::expression {

void Source::fail(std::size_t offset, const std::string& message) const {
  if (at.file.empty() || at.line == 0)
    throw UserError(at, fmt::format("{} (at character {} of '{}')", message, offset + 1, text));
  throw UserError(Mark{at.file, at.line, at.column + static_cast<int>(offset)}, message);
}

namespace {

/// Parentheses, unary operators and branches inside one another.
constexpr int nesting_max = 200;

struct Token {
  enum class Kind { word, symbol, end } kind = Kind::end;
  std::string_view text;
  std::size_t offset = 0;
};

bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
/// Words may hold dots, for values such as `v1.5`; numbers with a fraction are refused later.
bool is_word_part(char c) { return is_word_start(c) || c == '.'; }

class Lexer {
 public:
  explicit Lexer(const Source& source) : source_(source) {}

  Token next() {
    const std::string_view text = source_.text;
    while (offset_ < text.size() && std::string_view(" \t\r\n").find(text[offset_]) != text.npos)
      ++offset_;
    const std::size_t begin = offset_;
    if (begin == text.size()) return {Token::Kind::end, "", begin};
    if (is_word_start(text[begin])) {
      while (offset_ < text.size() && is_word_part(text[offset_])) ++offset_;
      return {Token::Kind::word, text.substr(begin, offset_ - begin), begin};
    }
    for (std::string_view symbol : symbols)
      if (text.substr(begin).starts_with(symbol)) {
        offset_ += symbol.size();
        return {Token::Kind::symbol, text.substr(begin, symbol.size()), begin};
      }
    refuse(begin);
  }

 private:
  static constexpr std::array<std::string_view, 20> symbols{
      "::", "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+",
      "-",  "*",  "/",  "%",  "!",  "?",  ":",  "(", ")", ","};

  [[noreturn]] void refuse(std::size_t begin) const {
    const char c = source_.text[begin];
    if (c == '=') source_.fail(begin, "'=' is no operator; '==' compares");
    if (c == '&') source_.fail(begin, "'&' is no operator; '&&' is the logical and");
    if (c == '|') source_.fail(begin, "'|' is no operator; '||' is the logical or");
    std::size_t end = begin + 1;  // a character of UTF-8 is shown whole
    while (end < source_.text.size() && (source_.text[end] & 0xC0) == 0x80) ++end;
    source_.fail(begin,
                 fmt::format("unexpected character '{}'", source_.text.substr(begin, end - begin)));
  }

  const Source& source_;
  std::size_t offset_ = 0;
};

constexpr std::array<Op, 13> binary_operators{
    Op::mul, Op::div, Op::mod, Op::add, Op::sub,         Op::lt,        Op::le,
    Op::gt,  Op::ge,  Op::eq,  Op::ne,  Op::logical_and, Op::logical_or};

class Parser {
 public:
  explicit Parser(const Source& source) : source_(source), lexer_(source) { advance(); }

  Syntax parse_whole() {
    if (token_.kind == Token::Kind::end) source_.fail(0, "the expression is empty");
    Syntax syntax = parse_select();
    if (token_.kind != Token::Kind::end) unexpected("an operator or the end");
    return syntax;
  }

 private:
  void advance() { token_ = lexer_.next(); }
  bool at_symbol(std::string_view text) const {
    return token_.kind == Token::Kind::symbol && token_.text == text;
  }
  bool take(std::string_view text) {
    if (!at_symbol(text)) return false;
    advance();
    return true;
  }
  void expect(std::string_view text) {
    if (!take(text)) unexpected(fmt::format("'{}'", text));
  }

  [[noreturn]] void unexpected(std::string_view wanted) const {
    if (token_.kind == Token::Kind::end)
      source_.fail(token_.offset, fmt::format("expected {} but the expression ends", wanted));
    std::string hint;
    if (token_.text == "and") hint = " (write '&&')";
    if (token_.text == "or") hint = " (write '||')";
    source_.fail(token_.offset,
                 fmt::format("expected {}, found '{}'{}", wanted, token_.text, hint));
  }

  void descend() {
    if (++nesting_ > nesting_max)
      source_.fail(token_.offset, fmt::format("nested more than {} levels deep", nesting_max));
  }

  static Syntax operation(Op op, std::size_t op_offset, std::vector<Syntax> args) {
    Syntax syntax;
    syntax.kind = Syntax::Kind::operation;
    syntax.op = op;
    syntax.offset = std::min(op_offset, args.front().offset);
    syntax.op_offset = op_offset;
    syntax.args = std::move(args);
    return syntax;
  }

  Syntax parse_select() {
    descend();
    Syntax condition = parse_binary(or_level);
    const std::size_t place = token_.offset;
    if (take("?")) {
      Syntax yes = parse_select();
      expect(":");
      Syntax no = parse_select();
      std::vector<Syntax> args;
      args.push_back(std::move(condition));
      args.push_back(std::move(yes));
      args.push_back(std::move(no));
      condition = operation(Op::select, place, std::move(args));
    }
    --nesting_;
    return condition;
  }

  const OpFacts* binary_operator() const {
    if (token_.kind == Token::Kind::symbol)
      for (Op op : binary_operators)
        if (facts_of(op).symbol == token_.text) return &facts_of(op);
    return nullptr;
  }

  Syntax parse_binary(int level) {
    Syntax left = parse_unary();
    for (const OpFacts* facts = binary_operator(); facts != nullptr && facts->level >= level;
         facts = binary_operator()) {
      const std::size_t place = token_.offset;
      advance();
      std::vector<Syntax> args;
      args.push_back(std::move(left));
      args.push_back(parse_binary(facts->level + 1));
      left = operation(facts->op, place, std::move(args));
    }
    return left;
  }

  Syntax parse_unary() {
    const std::size_t place = token_.offset;
    const Op op = at_symbol("-") ? Op::neg : at_symbol("!") ? Op::logical_not : Op::name;
    if (op == Op::name) return parse_primary();
    descend();
    advance();
    std::vector<Syntax> args;
    args.push_back(parse_unary());
    --nesting_;
    return operation(op, place, std::move(args));
  }

  Syntax parse_primary() {
    if (take("(")) {
      Syntax inner = parse_select();
      expect(")");
      return inner;
    }
    if (token_.kind != Token::Kind::word) unexpected("a name, a number or '('");
    Syntax syntax;
    syntax.offset = syntax.op_offset = token_.offset;
    syntax.text = token_.text;
    advance();
    if (take("(")) {
      syntax.kind = Syntax::Kind::call;
      parse_arguments(syntax);
    } else if (take("::")) {
      if (token_.kind != Token::Kind::word) unexpected("the value of an enumeration");
      syntax.kind = Syntax::Kind::qualified;
      syntax.qualifier = std::exchange(syntax.text, std::string(token_.text));
      advance();
    }
    return syntax;
  }

  void parse_arguments(Syntax& call) {
    if (take(")")) return;
    do call.args.push_back(parse_select());
    while (take(","));
    expect(")");
  }

  const Source& source_;
  Lexer lexer_;
  Token token_;
  int nesting_ = 0;
};

}  // namespace

Syntax parse_syntax(const Source& source) { return Parser(source).parse_whole(); }

}  // namespace fusetune::expression
