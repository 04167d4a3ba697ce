// Google Benchmark's JSON: each sample of a variant is a repetition with manual time, so that its
// own tools compare and test them.

#include <fmt/format.h>

#include <cmath>

#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"
#include "harness/stats/stats.hpp"

namespace fusetune {

namespace {

/// Names of benchmarks have levels between slashes; a key has none.
std::string name_of(const ObservedCase& observed, const ObservedVariant& variant) {
  return fmt::format("{}/{}/manual_time", observed.which.key(), variant.key);
}

Json run_of(const std::string& name, std::int64_t family, const ObservedVariant& variant) {
  return {{"name", name},
          {"run_name", name},
          {"family_index", family},
          {"per_family_instance_index", 0},
          {"repetitions", variant.samples_us.size()},
          {"threads", 1},
          {"time_unit", "us"}};
}

void add_samples(Json& benchmarks, const Json& run, const ObservedVariant& variant) {
  std::int64_t repetition = 0;
  for (const double us : variant.samples_us) {
    Json one = run;
    one["run_type"] = "iteration";
    one["repetition_index"] = repetition++;
    one["iterations"] = 1;
    one["real_time"] = us;
    one["cpu_time"] = us;
    benchmarks.push_back(std::move(one));
  }
}

void add_aggregates(Json& benchmarks, const Json& run, const ObservedVariant& variant) {
  const Interval mean = t_interval(variant.samples_us);
  double squares = 0;
  for (const double us : variant.samples_us) squares += (us - mean.mid) * (us - mean.mid);
  const auto n = static_cast<double>(variant.samples_us.size());
  const double deviation = n > 1 ? std::sqrt(squares / (n - 1)) : 0;
  const auto add = [&](const char* aggregate, const char* unit, double value) {
    Json one = run;
    one["name"] = run.at("name").get<std::string>() + "_" + aggregate;
    one["run_type"] = "aggregate";
    one["aggregate_name"] = aggregate;
    one["aggregate_unit"] = unit;
    one["iterations"] = variant.samples_us.size();
    one["real_time"] = value;
    one["cpu_time"] = value;
    benchmarks.push_back(std::move(one));
  };
  add("mean", "time", mean.mid);
  add("median", "time", median(variant.samples_us));
  add("stddev", "time", deviation);
  add("cv", "percentage", deviation / mean.mid);
}

Json context_of(const ObservedCase& observed) {
  return {{"date", observed.finished},
          {"host_name", observed.device},
          {"executable", "fusetune " + observed.harness_version},
          {"num_cpus", 1},
          {"mhz_per_cpu", 0},
          {"cpu_scaling_enabled", false},
          {"caches", Json::array()},
          {"load_avg", Json::array()},
          {"library_build_type", "release"},
          {"data", observed.data},
          {"target", observed.target.name},
          {"compiler", observed.compiler},
          {"conditions", observed.conditions}};
}

}  // namespace

Export to_google_benchmark(const std::vector<ObservedCase>& cases) {
  Export out;
  for (const ObservedCase& observed : cases) {
    Json benchmarks = Json::array();
    std::int64_t family = 0;
    for (const ObservedVariant& variant : observed.variants) {
      const std::string name = name_of(observed, variant);
      const Json run = run_of(name, family++, variant);
      if (variant.status == Status::ok && variant.samples_us.empty()) {
        out.left_out.push_back(fmt::format("{}: no samples were taken of it", name));
        continue;
      }
      ++out.entries;
      if (variant.status == Status::ok) {
        add_samples(benchmarks, run, variant);
        add_aggregates(benchmarks, run, variant);
        continue;
      }
      Json failed = run;
      failed["run_type"] = "iteration";
      failed["repetitions"] = failed["iterations"] = failed["repetition_index"] = 0;
      failed["real_time"] = failed["cpu_time"] = 0;
      failed["error_occurred"] = true;
      failed["error_message"] = fmt::format("{}: {}", to_string(variant.status), variant.message);
      benchmarks.push_back(std::move(failed));
    }
    out.files.push_back(
        {case_stem(observed) + ".gbench.json",
         json_text({{"context", context_of(observed)}, {"benchmarks", std::move(benchmarks)}})});
  }
  return out;
}

}  // namespace fusetune
