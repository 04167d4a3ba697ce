#pragma once
// Records of other stores taken into one.

#include <string>
#include <utility>
#include <vector>

#include "harness/store/record_rows.hpp"
#include "harness/store/record_store.hpp"

namespace fusetune {

/// Works within a transaction of the caller's, who rolls back when there are conflicts. `here`
/// names the store that takes in.
RecordStore::MergeResult merge_records(RecordRows& rows, const std::string& here,
                                       const std::vector<std::pair<std::string, RecordSet>>& sets);

}  // namespace fusetune
