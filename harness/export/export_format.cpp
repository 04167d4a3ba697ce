#include "harness/export/export_format.hpp"

#include <string>

#include "harness/base/error.hpp"

namespace fusetune {

const std::vector<ExportFormat>& export_formats() {
  using Source = ExportFormat::Source;
  static const std::vector<ExportFormat> formats{
      {"t4", "T4 results and metadata, schema 1.0.0", Source::records, to_t4, nullptr},
      {"kernel-tuner", "Kernel Tuner's cache, schema 1.1.0", Source::records, to_kernel_tuner,
       nullptr},
      {"gbench", "Google Benchmark's JSON, samples as repetitions", Source::records,
       to_google_benchmark, nullptr},
      {"t1", "T1 input: space, conditions, launch", Source::tables, nullptr, to_t1},
      {"kernel-launcher", "Kernel Launcher's wisdom", Source::tables, nullptr, to_wisdom},
      {"aiter-csv", "AITER's tuned CSV", Source::tables, nullptr, to_aiter_csv},
      {"vllm-json", "vLLM's configurations by token count", Source::tables, nullptr, to_vllm_json},
      {"sglang-json", "the same in SGLang's folders", Source::tables, nullptr, to_sglang_json},
      {"rocprim-header", "C++ configurations with comments to read back", Source::tables, nullptr,
       to_config_header},
  };
  return formats;
}

const ExportFormat& find_export_format(std::string_view name) {
  std::vector<std::string> names;
  for (const ExportFormat& format : export_formats()) {
    if (format.name == name) return format;
    names.emplace_back(format.name);
  }
  throw UserError(unknown_name("format", name, names));
}

}  // namespace fusetune
