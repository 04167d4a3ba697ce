#include "harness/device/host/host_module.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/compile/elf_image.hpp"

namespace fusetune {

namespace {

constexpr std::string_view kEntryPrefix = "ft_host_entry_";
constexpr std::string_view kRuntimePrefix = "ft_host_at_";
/// Imported by every instrumented module.
constexpr std::string_view kExactSymbol = "__tsan_init";
/// How statics of functions are named; in a kernel they are shared memory.
constexpr std::string_view kLocalStaticPrefix = "_ZZ";
constexpr std::uint64_t kWritableSection = 1;
constexpr int kObjectSymbol = 1;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// "partial", from "_ZZ6reduceE7partial".
std::string source_name(std::string_view symbol) {
  const std::string name(symbol);
  int status = 0;
  char* const demangled = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (demangled == nullptr) return name;
  const std::string full(demangled);
  std::free(demangled);
  const std::size_t scope = full.rfind("::");
  return scope == std::string::npos ? full : full.substr(scope + 2);
}

}  // namespace

std::unique_ptr<HostModule> HostModule::load(const std::string& path, int wave_size,
                                             Outcome* outcome) {
  std::unique_ptr<HostModule> module(new HostModule);
  module->path_ = path;
  std::string problem;
  try {
    const std::string image = read_file(path);
    // Parsed first: the loader maps a truncated file and dies of it.
    if (const std::optional<ElfImage> elf = ElfImage::parse(image, &problem)) {
      problem = module->open(image);
      if (problem.empty()) problem = module->read_symbols(*elf);
    }
  } catch (const UserError& error) {
    problem = error.what();
  }
  if (problem.empty() && module->table_->wave_size != wave_size)
    problem = fmt::format("compiled for waves of {}, this device has {}", module->table_->wave_size,
                          wave_size);
  if (problem.empty()) {
    *outcome = {};
    return module;
  }
  *outcome = {Status::launch_error, fmt::format("cannot load {}: {}", display_path(path), problem)};
  return nullptr;
}

HostModule::~HostModule() {
  if (handle_ != nullptr) ::dlclose(handle_);
  if (fd_ >= 0) ::close(fd_);
}

/// A private copy in memory: the loader would give the same file twice the same state. The copy
/// stays open, because the loader also recognises what it has by name, and that holds the number.
std::string HostModule::open(const std::string& image) {
  fd_ = ::memfd_create("kernel", MFD_CLOEXEC);
  if (fd_ < 0 || !write_all(fd_, image))
    return fmt::format("no memory for its copy: {}", std::strerror(errno));
  handle_ = ::dlopen(fmt::format("/proc/self/fd/{}", fd_).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* reason = ::dlerror();
    return reason != nullptr ? reason : "the loader refuses it";
  }
  table_ = static_cast<const ft_host_module*>(::dlsym(handle_, "ft_host_module_table"));
  if (table_ == nullptr) return "it is no kernel module for the host";
  if (table_->abi != FT_HOST_ABI)
    return fmt::format("it was made for version {} of the host device, this is {}", table_->abi,
                       FT_HOST_ABI);
  return "";
}

std::string HostModule::read_symbols(const ElfImage& elf) {
  link_map* map = nullptr;
  if (::dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return "it has no link map";
  base_ = map->l_addr;
  for (const ElfImage::Section& section : elf.sections())
    size_bytes_ = std::max<std::uintptr_t>(size_bytes_, section.address + section.size);
  for (const ElfImage::Symbol& symbol : elf.dynamic_symbols()) {
    if (symbol.section == 0) {
      needs_fibres_ |= symbol.name.starts_with(kRuntimePrefix);
      exact_ |= symbol.name == kExactSymbol;
    } else if (symbol.name.starts_with(kEntryPrefix)) {
      entries_.push_back({std::string(symbol.name.substr(kEntryPrefix.size())),
                          reinterpret_cast<const ft_host_entry*>(base_ + symbol.value)});
    }
  }
  read_objects(elf);
  return entries_.empty() ? "it has no kernel" : "";
}

void HostModule::read_objects(const ElfImage& elf) {
  for (const ElfImage::Section& section : elf.sections())
    if ((section.flags & kWritableSection) != 0)
      writable_.push_back({base_ + section.address, base_ + section.address + section.size});
  for (const ElfImage::Symbol& symbol : elf.static_symbols()) {
    if ((symbol.info & 0xf) != kObjectSymbol || symbol.section == 0) continue;
    const std::uintptr_t begin = base_ + symbol.value;
    const bool writable = symbol.section < elf.sections().size() &&
                          (elf.sections()[symbol.section].flags & kWritableSection) != 0;
    if (writable && symbol.name.starts_with(kLocalStaticPrefix))
      shared_.push_back({source_name(symbol.name), reinterpret_cast<std::byte*>(begin),
                         static_cast<std::size_t>(symbol.size)});
    else
      objects_.push_back({begin, begin + symbol.size});
  }
}

const ft_host_entry* HostModule::find_entry(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return entry.code;
  return nullptr;
}

std::int64_t HostModule::shared_bytes() const {
  std::int64_t total = 0;
  for (const SharedRange& range : shared_) total += static_cast<std::int64_t>(range.size_bytes);
  return total;
}

void HostModule::poison_shared(std::uint32_t pattern) const {
  for (const SharedRange& range : shared_) fill_pattern(range.begin, range.size_bytes, pattern);
}

bool HostModule::owns(std::uintptr_t address, std::size_t bytes) const {
  const auto holds = [&](const Range& range) {
    return range.contains(address) && bytes <= range.end - address;
  };
  if (std::any_of(objects_.begin(), objects_.end(), holds)) return true;
  // Constants need not have a symbol; who writes to them gets a fault from the machine.
  return contains(address) && std::none_of(writable_.begin(), writable_.end(),
                                           [&](const Range& r) { return r.contains(address); });
}

std::int64_t HostModule::code_offset(std::uintptr_t address) const {
  if (address < base_ || address >= base_ + size_bytes_) return -1;
  return static_cast<std::int64_t>(address - base_);
}

void fill_pattern(std::byte* begin, std::size_t size_bytes, std::uint32_t pattern) {
  std::size_t i = 0;
  for (; i + sizeof pattern <= size_bytes; i += sizeof pattern)
    std::memcpy(begin + i, &pattern, sizeof pattern);
  std::memcpy(begin + i, &pattern, size_bytes - i);
}

}  // namespace fusetune
