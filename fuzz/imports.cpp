// Results of other tools: errors have their place, what is read is finite and foreign, and only
// variants of the family become candidates. The input's first line names the format.

#include <algorithm>
#include <cmath>

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/import/candidates.hpp"
#include "harness/import/imported_file.hpp"

namespace fusetune::fuzz {

namespace {

constexpr const char* kFile = "results";

void require_record(const ImportedRecord& record) {
  require(record.line > 0, "a record without its line");
  require(record.configuration.is_object(), "a configuration that is no object");
  for (const Json& value : record.configuration)
    require(value.is_primitive() && !value.is_null(), "a parameter that is no value");
  if (record.time_us)
    require(std::isfinite(*record.time_us) && *record.time_us > 0, "a time that is none");
}

}  // namespace

void run(std::string_view input) {
  static const auto family = find_family("split_reshape_cat");
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string format(input.substr(0, end));
  const std::vector<std::string> formats = import_formats();
  if (std::find(formats.begin(), formats.end(), format) == formats.end()) return;
  input.remove_prefix(std::min(end + 1, input.size()));
  ImportedFile file;
  try {
    file = import_text(format, input, kFile);
  } catch (const UserError& error) {
    return require_place(error.what(), kFile);
  }
  require(!file.records.empty(), "a file without records was read");
  for (const ImportedRecord& record : file.records) require_record(record);
  const Json json = to_json(file);
  require(json.at("origin") == "foreign", "records that are not marked as foreign");
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  require_json_text(text);
  for (const Variant& variant : candidates_of(file, *family, 4).variants)
    require(parse_variant_key(*family, variant.key(*family)).axes == variant.axes,
            "a candidate that its own key does not name");
}

}  // namespace fusetune::fuzz
