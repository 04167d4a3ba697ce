// Tables: errors have their place, what parses prints and parses again to the same, and the header,
// the replay program and the JSON made of it are well formed.

#include "harness/table/table.hpp"
#include "fuzz/target.hpp"
#include "harness/base/error.hpp"

namespace fusetune::fuzz {

void run(std::string_view input) {
  constexpr const char* kFile = "table.yaml";
  Table table;
  try {
    table = parse_table(input, kFile);
  } catch (const UserError& error) {
    return require_place(error.what(), kFile);
  }
  const std::string text = to_yaml(table);
  try {
    require(to_yaml(parse_table(text, kFile)) == text, "another table from its own text");
  } catch (const UserError& error) {
    require(false, std::string("the text of a table does not parse: ") + error.what());
  }
  require_cpp(to_header(table));
  require_cpp(replay_program(table));
  require_json_text(to_json(table).dump(2));
}

}  // namespace fusetune::fuzz
