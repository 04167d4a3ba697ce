#include "harness/verify/batch_check.hpp"

namespace fusetune {

Json to_json(const BatchInvariance& batch) {
  return {{"rows", batch.rows},
          {"row_counts", batch.row_counts},
          {"bytes", batch.bytes},
          {"difference", batch.difference},
          {"digest", batch.digest}};
}

BatchInvariance batch_invariance_from_json(const Json& json) {
  BatchInvariance batch;
  batch.rows = json.at("rows").get<std::int64_t>();
  batch.row_counts = json.at("row_counts").get<std::vector<std::int64_t>>();
  batch.bytes = json.at("bytes").get<std::int64_t>();
  batch.difference = json.at("difference").get<std::string>();
  batch.digest = json.at("digest").get<std::string>();
  return batch;
}

}  // namespace fusetune
