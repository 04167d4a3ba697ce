// AITER's tuned CSV, a file per family: the key is everything before the first column of results.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"
#include "harness/import/named_variant.hpp"
#include "harness/table/quote.hpp"
#include "harness/table/row_case.hpp"

namespace fusetune {

namespace {

constexpr double kBytesPerGbUs = 1000;  // bytes per microsecond in GB/s

std::string torch_dtype(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return "torch.bfloat16";
    case DType::fp16:
      return "torch.float16";
    case DType::fp32:
      return "torch.float32";
    case DType::i32:
      return "torch.int32";
    case DType::i64:
      return "torch.int64";
    case DType::u8:
      return "torch.uint8";
    case DType::e4m3fn:
      return "torch.float8_e4m3fn";
    case DType::e4m3fnuz:
      return "torch.float8_e4m3fnuz";
    case DType::e5m2:
      return "torch.float8_e5m2";
    case DType::e5m2fnuz:
      return "torch.float8_e5m2fnuz";
    case DType::e8m0:
      return "torch.float8_e8m0fnu";
  }
  return "";
}

/// Names of everything before the results, in order; all geometries of a family have the same.
std::vector<std::string> key_columns(const Family& family) {
  std::vector<std::string> columns{"gfx", "cu_num", family.rows};
  for (const std::string& symbol : family.static_symbols()) columns.push_back(symbol);
  for (const OptionDecl& option : family.options) columns.push_back(option.name);
  for (const DTypeDecl& dtype : family.dtypes) columns.push_back(dtype.name);
  for (const TensorDecl& tensor : family.tensors)
    if (tensor.role != Role::workspace) columns.push_back("align_" + tensor.name);
  return columns;
}

std::vector<std::string> key_cells(const Table& table, const TableRow& row) {
  const Family& family = *table.family;
  const Geometry& geometry = row.geometry;
  std::vector<std::string> cells{table.target.name, std::to_string(table.facts.cu_count),
                                 std::to_string(row.tuned_at)};
  for (const std::string& symbol : family.static_symbols())
    cells.push_back(to_string(geometry.statics.at(symbol)));
  for (const OptionDecl& option : family.options)
    cells.push_back(to_string(geometry.statics.at(option.name)));
  for (const DTypeDecl& dtype : family.dtypes)
    cells.push_back(torch_dtype(geometry.dtypes.at(dtype.name)));
  for (const TensorDecl& tensor : family.tensors) {
    if (tensor.role == Role::workspace) continue;
    const auto align = geometry.align_bytes.find(tensor.name);
    cells.push_back(std::to_string(align == geometry.align_bytes.end() ? 0 : align->second));
  }
  return cells;
}

/// In the order of the kernels' names within the file, so that equal tables give equal ids.
std::map<std::string, std::size_t> kernel_ids(const std::vector<const Table*>& tables) {
  std::set<std::string> names;
  for (const Table* table : tables)
    for (const TableRow& row : table->rows) names.insert(kernel_name(row.variant));
  std::map<std::string, std::size_t> ids;
  for (const std::string& name : names) ids.emplace(name, ids.size());
  return ids;
}

std::string row_text(const Table& table, const TableRow& row, std::size_t kernel_id) {
  std::vector<std::string> cells = key_cells(table, row);
  const Traffic traffic = traffic_of(case_of(row.geometry, row.tuned_at));
  const double bytes = static_cast<double>(traffic.read_bytes + traffic.write_bytes);
  cells.insert(cells.end(),
               {"fusetune", std::to_string(kernel_id), "0", double_text(row.certificate.median_us),
                kernel_name(row.variant),
                "",  // no family says how many operations it is
                double_text(bytes / row.certificate.median_us / kBytesPerGbUs),
                // Every element was within the family's rule for it, or there were no row.
                "0.0"});
  return fmt::format("{}\n", fmt::join(cells, ","));
}

}  // namespace

Export to_aiter_csv(const std::vector<Table>& tables) {
  Export out;
  std::map<std::string, std::vector<const Table*>> families;
  for (const Table& table : tables) families[table.family->name].push_back(&table);
  for (const auto& [name, of_family] : families) {
    const Family& family = *of_family.front()->family;
    const auto ids = kernel_ids(of_family);
    std::set<std::string> rows;  // sorted, and no key twice
    std::set<std::vector<std::string>> keys;
    for (const Table* table : of_family)
      for (const TableRow& row : table->rows) {
        if (!keys.insert(key_cells(*table, row)).second) {
          out.left_out.push_back(fmt::format(
              "{} {}..{} on {}: another device has its target and compute units, and the format "
              "cannot tell them apart",
              row.geometry.key(), row.rows_low, row.rows_high, table->device));
          continue;
        }
        rows.insert(row_text(*table, row, ids.at(kernel_name(row.variant))));
        ++out.entries;
      }
    std::string text = fmt::format("{},libtype,kernelId,splitK,us,kernelName,tflops,bw,errRatio\n",
                                   fmt::join(key_columns(family), ","));
    for (const std::string& row : rows) text += row;
    out.files.push_back({file_word(name) + "_tuned.csv", std::move(text)});
  }
  return out;
}

}  // namespace fusetune
