#pragma once
// Few kernels for many row counts: a library compiles, loads and keeps each of them.

#include <map>
#include <string>
#include <vector>

namespace fusetune {

/// The kernels that one row count may use, by name, and what each costs: 0.004 is 0.4 % slower than
/// the fastest there. `chosen`, the one it would use by itself, is among them.
struct KernelsOfRow {
  std::string chosen;
  std::map<std::string, double> costs;
};

/// A kernel for each row, of rows in ascending order: few distinct ones (a greedy cover, of equal
/// ones that which more rows would choose, then the cheaper), and of assignments of these the one
/// that changes least often from row to row, then the cheapest. Among those that rows chose
/// themselves when no fewer serve them all.
std::vector<std::string> share_kernels(const std::vector<KernelsOfRow>& rows);

}  // namespace fusetune
