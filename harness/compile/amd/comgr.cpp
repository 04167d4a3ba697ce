#include "harness/compile/amd/comgr.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "harness/compile/amd/metadata_node.hpp"
#include "harness/compile/disassembly.hpp"
#include "harness/compile/elf_image.hpp"

namespace fusetune::amd {

namespace {

/// Where the instructions of a function lie, and what their disassembly adds up to.
struct Disassembly {
  std::string_view code;
  std::uint64_t address = 0;  ///< of the first byte of `code`
  std::string text;

  static std::uint64_t read(std::uint64_t from, char* to, std::uint64_t size, void* self) {
    const auto& disassembly = *static_cast<const Disassembly*>(self);
    if (from < disassembly.address) return 0;
    const std::uint64_t offset = from - disassembly.address;
    if (offset >= disassembly.code.size()) return 0;
    const std::uint64_t count = std::min(size, disassembly.code.size() - offset);
    std::memcpy(to, disassembly.code.data() + offset, count);
    return count;
  }
  static void print(const char* instruction, void* self) {
    static_cast<Disassembly*>(self)->text += instruction;
    static_cast<Disassembly*>(self)->text += '\n';
  }
  static void annotate(std::uint64_t, void*) {}
};

class Disassembler {
 public:
  explicit Disassembler(const std::string& isa_name) {
    check(amd_comgr_create_disassembly_info(isa_name.c_str(), &Disassembly::read,
                                            &Disassembly::print, &Disassembly::annotate, &info_),
          "start the disassembler");
  }
  ~Disassembler() { amd_comgr_destroy_disassembly_info(info_); }
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;

  void run(Disassembly* disassembly) const {
    for (std::uint64_t offset = 0; offset < disassembly->code.size();) {
      std::uint64_t size = 0;
      check(amd_comgr_disassemble_instruction(info_, disassembly->address + offset, disassembly,
                                              &size),
            "disassemble");
      offset += std::max<std::uint64_t>(size, 1);
    }
  }

 private:
  amd_comgr_disassembly_info_t info_{};
};

/// The bytes of a function; empty when the file has none of that name.
Disassembly find_function(const ElfImage& image, std::string_view name) {
  for (const ElfImage::Symbol& symbol : image.dynamic_symbols()) {
    if (symbol.name != name || ELF64_ST_TYPE(symbol.info) != STT_FUNC) continue;
    if (symbol.section == SHN_UNDEF || symbol.section >= image.sections().size()) continue;
    const ElfImage::Section& section = image.sections()[symbol.section];
    if (symbol.value < section.address) continue;
    const std::uint64_t offset = symbol.value - section.address;
    if (offset > section.bytes.size() || section.bytes.size() - offset < symbol.size) continue;
    return {section.bytes.substr(offset, symbol.size), symbol.value, {}};
  }
  return {};
}

/// End of the last argument that the source declares; hidden ones are the runtime's.
std::int64_t explicit_kernarg_bytes(const MetadataNode& kernel) {
  const std::optional<MetadataNode> arguments = kernel.find(".args");
  std::int64_t end = 0;
  for (std::size_t i = 0; arguments && i < arguments->list_size(); ++i) {
    const MetadataNode argument = arguments->at(i);
    if (argument.find_text(".value_kind").starts_with("hidden_")) continue;
    end = std::max<std::int64_t>(end, argument.find_integer(".offset").value_or(0) +
                                          argument.find_integer(".size").value_or(0));
  }
  return end;
}

KernelFacts facts_of(const MetadataNode& kernel) {
  KernelFacts facts;
  facts.entry = kernel.find_text(".name");
  facts.vgpr = kernel.find_integer(".vgpr_count");
  facts.agpr = kernel.find_integer(".agpr_count");
  facts.sgpr = kernel.find_integer(".sgpr_count");
  facts.vgpr_spills = kernel.find_integer(".vgpr_spill_count");
  facts.sgpr_spills = kernel.find_integer(".sgpr_spill_count");
  facts.scratch_bytes = kernel.find_integer(".private_segment_fixed_size");
  facts.lds_bytes = kernel.find_integer(".group_segment_fixed_size");
  facts.wave_size = kernel.find_integer(".wavefront_size");
  facts.block_threads_max = kernel.find_integer(".max_flat_workgroup_size");
  facts.kernarg_bytes = explicit_kernarg_bytes(kernel);
  return facts;
}

void add_code_facts(const ElfImage& image, const Disassembler& disassembler, KernelFacts* facts) {
  Disassembly function = find_function(image, facts->entry);
  if (function.code.empty()) return;
  facts->code_bytes = static_cast<std::int64_t>(function.code.size());
  disassembler.run(&function);
  AccessCounts counts;
  count_accesses(function.text, facts->scratch_bytes.value_or(0) > 0, &counts);
  facts->global_loads.assign(counts.loads.begin(), counts.loads.end());
  facts->global_stores.assign(counts.stores.begin(), counts.stores.end());
}

}  // namespace

std::vector<KernelFacts> read_kernel_facts(std::string_view code) {
  std::string error;
  const std::optional<ElfImage> image = ElfImage::parse(code, &error);
  if (!image) throw std::runtime_error("the code object is damaged: " + error);
  const CodeData data(code);
  const MetadataNode root = MetadataNode::root_of(data);
  const std::optional<MetadataNode> kernels = root.find("amdhsa.kernels");
  const Disassembler disassembler(data.isa_name());
  std::vector<KernelFacts> facts;
  for (std::size_t i = 0; kernels && i < kernels->list_size(); ++i) {
    facts.push_back(facts_of(kernels->at(i)));
    add_code_facts(*image, disassembler, &facts.back());
  }
  return facts;
}

std::string comgr_version() {
  std::size_t major = 0, minor = 0;
  amd_comgr_get_version(&major, &minor);
  return fmt::format("{}.{} ({})", major, minor,
                     library_of(reinterpret_cast<const void*>(&amd_comgr_get_version)));
}

std::string library_of(const void* function) {
  Dl_info info{};
  if (::dladdr(function, &info) == 0 || info.dli_fname == nullptr) return "?";
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, error);
  return (error ? std::filesystem::path(info.dli_fname) : file).filename().string();
}

}  // namespace fusetune::amd
