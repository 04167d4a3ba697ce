#include "harness/compile/amd/metadata_node.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace fusetune::amd {

void check(amd_comgr_status_t status, const char* step) {
  if (status == AMD_COMGR_STATUS_SUCCESS) return;
  const char* reason = nullptr;
  amd_comgr_status_string(status, &reason);
  throw std::runtime_error(fmt::format("comgr: {}: {}", step, reason != nullptr ? reason : "?"));
}

CodeData::CodeData(std::string_view code) {
  check(amd_comgr_create_data(AMD_COMGR_DATA_KIND_EXECUTABLE, &data_), "create data");
  const amd_comgr_status_t status = amd_comgr_set_data(data_, code.size(), code.data());
  if (status != AMD_COMGR_STATUS_SUCCESS) amd_comgr_release_data(data_);
  check(status, "set data");
}

std::string CodeData::isa_name() const {
  std::size_t size = 0;
  check(amd_comgr_get_data_isa_name(data_, &size, nullptr), "read the ISA name");
  std::string name(size, '\0');
  check(amd_comgr_get_data_isa_name(data_, &size, name.data()), "read the ISA name");
  name.resize(name.find('\0') != std::string::npos ? name.find('\0') : size);
  return name;
}

MetadataNode MetadataNode::root_of(const CodeData& code) {
  amd_comgr_metadata_node_t node{};
  check(amd_comgr_get_data_metadata(code.get(), &node), "read the metadata");
  return MetadataNode(node);
}

MetadataNode::~MetadataNode() {
  if (owned_) amd_comgr_destroy_metadata(node_);
}

MetadataNode::MetadataNode(MetadataNode&& other) noexcept
    : node_(other.node_), owned_(other.owned_) {
  other.owned_ = false;
}

std::optional<MetadataNode> MetadataNode::find(const char* key) const {
  amd_comgr_metadata_node_t child{};
  if (amd_comgr_metadata_lookup(node_, key, &child) != AMD_COMGR_STATUS_SUCCESS)
    return std::nullopt;
  return MetadataNode(child);
}

std::size_t MetadataNode::list_size() const {
  std::size_t size = 0;
  check(amd_comgr_get_metadata_list_size(node_, &size), "read a list of the metadata");
  return size;
}

MetadataNode MetadataNode::at(std::size_t index) const {
  amd_comgr_metadata_node_t child{};
  check(amd_comgr_index_list_metadata(node_, index, &child), "read a list of the metadata");
  return MetadataNode(child);
}

std::string MetadataNode::text() const {
  std::size_t size = 0;
  check(amd_comgr_get_metadata_string(node_, &size, nullptr), "read a text of the metadata");
  std::string text(size, '\0');
  check(amd_comgr_get_metadata_string(node_, &size, text.data()), "read a text of the metadata");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

std::string MetadataNode::find_text(const char* key) const {
  const std::optional<MetadataNode> node = find(key);
  return node ? node->text() : "";
}

std::optional<long long> MetadataNode::find_integer(const char* key) const {
  const std::optional<MetadataNode> node = find(key);
  if (!node) return std::nullopt;
  const std::string text = node->text();
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace fusetune::amd
