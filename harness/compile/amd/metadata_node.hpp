#pragma once
// comgr's handles with owners, and its status codes as exceptions.

#include <optional>
#include <string>
#include <string_view>

#if __has_include(<amd_comgr/amd_comgr.h>)
#include <amd_comgr/amd_comgr.h>
#else
#include <amd_comgr.h>
#endif

namespace fusetune::amd {

/// Throws std::runtime_error naming the step and comgr's reason.
void check(amd_comgr_status_t status, const char* step);

/// A code object held by comgr.
class CodeData {
 public:
  explicit CodeData(std::string_view code);
  ~CodeData() { amd_comgr_release_data(data_); }
  CodeData(const CodeData&) = delete;
  CodeData& operator=(const CodeData&) = delete;

  amd_comgr_data_t get() const { return data_; }
  std::string isa_name() const;

 private:
  amd_comgr_data_t data_{};
};

/// A node of the metadata tree; owns its handle.
class MetadataNode {
 public:
  static MetadataNode root_of(const CodeData& code);
  ~MetadataNode();
  MetadataNode(MetadataNode&& other) noexcept;
  MetadataNode(const MetadataNode&) = delete;
  MetadataNode& operator=(const MetadataNode&) = delete;
  MetadataNode& operator=(MetadataNode&&) = delete;

  /// A member of a map; nothing when there is none.
  std::optional<MetadataNode> find(const char* key) const;
  std::size_t list_size() const;
  MetadataNode at(std::size_t index) const;
  std::string text() const;

  std::string find_text(const char* key) const;                  ///< "" when absent
  std::optional<long long> find_integer(const char* key) const;  ///< nothing when absent

 private:
  explicit MetadataNode(amd_comgr_metadata_node_t node) : node_(node) {}
  amd_comgr_metadata_node_t node_;
  bool owned_ = true;
};

}  // namespace fusetune::amd
