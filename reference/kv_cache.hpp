#pragma once
// A paged cache of keys and values, unquantised or as fp8 codes with scales. Layouts are nested
// boxes: a place is one coordinate per dimension.

#include <array>
#include <map>
#include <string>
#include <vector>

#include "reference/byte_rows.hpp"
#include "reference/reference.hpp"
#include "reference/terms.hpp"

namespace fusetune::reference {

class KvCache {
 public:
  enum class Part { k, v };

  /// Reads what the caches and scales of the case hold.
  explicit KvCache(const Problem& p);

  /// Puts the rows of all tokens into their slots. As long as nothing is quantised, those elements
  /// that are `copied` keep their bits; `bytes`: the same rows where NaNs keep theirs as well.
  void write(Part part, const Terms& rows, const Mask& copied, const Bytes* bytes);
  /// Gives caches and scales back, with their truths.
  void finish();

 private:
  struct Place {
    std::int64_t row, column;
  };
  struct Moved {
    Place at;
    std::array<std::uint8_t, 8> bytes;
  };
  /// A tensor in work.
  struct Content {
    Terms terms;
    Mask written, copied;
    std::vector<Moved> moved;

    void set(const Place& at, double value, double magnitude);
  };
  /// Tokens of one page whose slots follow each other.
  struct Run {
    std::int64_t page = 0, first_offset = 0;
    std::vector<std::int64_t> tokens;
  };

  Content& content(const std::string& name);
  std::string cache_name(Part part) const;
  std::int64_t heads(Part part) const;
  /// Of the elements of a head.
  std::vector<Place> places(Part part, std::int64_t slot, std::int64_t head) const;
  Place scale_place(Part part, std::int64_t slot, std::int64_t head) const;
  /// Puts one head of a token, in units of `scale`, which may be off by `doubt` errors.
  void put(Part part, const std::vector<Place>& places, const Terms& row, double scale,
           double doubt);
  void write_token(Part part, std::int64_t slot, std::int64_t head,
                   const std::vector<Place>& places, const Terms& row);
  /// Elements of a head that are given as they are.
  void keep(Part part, const std::vector<Place>& places, const Mask& copied, const Bytes* bytes);
  void write_run(Part part, const Run& run, std::int64_t head, const Terms& rows);
  std::vector<Run> runs() const;

  struct Scale {
    double value, doubt;
  };
  /// From the largest magnitude of these values. `doubt`: what it may be off by, in errors.
  Scale scale_of(const Terms& rows) const;

  const Problem& p_;
  std::string layout_, quant_, code_;
  std::int64_t d_, page_size_, num_blocks_, element_bytes_;
  double error_;
  std::vector<std::int64_t> slots_;
  std::map<std::string, Content> contents_;
};

/// An element of a cache or of its scales in words; "" for other tensors.
std::string describe_cache(const Problem& p, const std::string& name, std::int64_t index);

/// Where an element lies in a cache of this layout: row, and column within it. `part`: 'k' or 'v'.
struct CachePlace {
  std::int64_t row, column;
};
struct CacheShape {
  std::int64_t num_blocks, page_size, heads, head_dim, element_bytes;
};
CachePlace cache_place(const std::string& layout, char part, const CacheShape& shape,
                       std::int64_t slot, std::int64_t head, std::int64_t element);

}  // namespace fusetune::reference
