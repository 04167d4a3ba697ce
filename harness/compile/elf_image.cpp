#include "harness/compile/elf_image.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace fusetune {

namespace {

/// The structure at an offset; nothing when it does not fit. Copies: tables may be misaligned.
template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::optional<std::string_view> range(std::string_view bytes, std::uint64_t offset,
                                      std::uint64_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) return std::nullopt;
  return bytes.substr(offset, size);
}

std::optional<std::string_view> string_at(std::string_view table, std::uint64_t offset) {
  if (offset >= table.size()) return std::nullopt;
  const std::size_t end = table.find('\0', offset);
  if (end == std::string_view::npos) return std::nullopt;
  return table.substr(offset, end - offset);
}

bool is_native_elf64(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB;
}

std::optional<ElfImage> refuse(std::string* error, const char* why) {
  if (error != nullptr) *error = why;
  return std::nullopt;
}

}  // namespace

bool ElfImage::read_sections(std::string_view bytes) {
  const Elf64_Ehdr header = *at<Elf64_Ehdr>(bytes, 0);
  std::vector<std::uint32_t> name_offsets;
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    if (header.e_shoff > bytes.size()) return false;
    const auto raw = at<Elf64_Shdr>(bytes, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (!raw) return false;
    Section section;
    section.type = raw->sh_type;
    section.flags = raw->sh_flags;
    section.address = raw->sh_addr;
    section.size = raw->sh_size;
    section.link = raw->sh_link;
    section.info = raw->sh_info;
    if (raw->sh_type != SHT_NOBITS && raw->sh_type != SHT_NULL) {
      const auto content = range(bytes, raw->sh_offset, raw->sh_size);
      if (!content) return false;
      section.bytes = *content;
    }
    sections_.push_back(section);
    name_offsets.push_back(raw->sh_name);
  }
  if (header.e_shstrndx >= sections_.size()) return false;
  const std::string_view names = sections_[header.e_shstrndx].bytes;
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const auto name = string_at(names, name_offsets[i]);
    if (!name) return false;
    sections_[i].name = *name;
  }
  return true;
}

bool ElfImage::read_symbols(const Section& table, std::vector<Symbol>* symbols) const {
  if (table.link >= sections_.size() || table.bytes.size() % sizeof(Elf64_Sym) != 0) return false;
  const std::string_view names = sections_[table.link].bytes;
  for (std::uint64_t offset = 0; offset < table.bytes.size(); offset += sizeof(Elf64_Sym)) {
    const Elf64_Sym raw = *at<Elf64_Sym>(table.bytes, offset);
    const auto name = string_at(names, raw.st_name);
    if (!name) return false;
    symbols->push_back({.name = *name,
                        .value = raw.st_value,
                        .size = raw.st_size,
                        .section = raw.st_shndx,
                        .info = raw.st_info,
                        .other = raw.st_other});
  }
  return true;
}

bool ElfImage::read_relocations(const Section& table) {
  const bool with_addend = table.type == SHT_RELA;
  const std::size_t step = with_addend ? sizeof(Elf64_Rela) : sizeof(Elf64_Rel);
  if (table.bytes.size() % step != 0) return false;
  for (std::uint64_t offset = 0; offset < table.bytes.size(); offset += step) {
    Elf64_Rela raw{};
    std::memcpy(&raw, table.bytes.data() + offset, step);
    Relocation relocation{.offset = raw.r_offset,
                          .type = static_cast<std::uint32_t>(ELF64_R_TYPE(raw.r_info)),
                          .addend = raw.r_addend,
                          .symbol = {}};
    const std::uint64_t index = ELF64_R_SYM(raw.r_info);
    if (index != 0) {
      if (index >= dynamic_symbols_.size()) return false;
      relocation.symbol = dynamic_symbols_[index].name;
    }
    relocations_.push_back(relocation);
  }
  return true;
}

bool ElfImage::read_dynamic(const Section& table) {
  if (table.link >= sections_.size() || table.bytes.size() % sizeof(Elf64_Dyn) != 0) return false;
  for (std::uint64_t offset = 0; offset < table.bytes.size(); offset += sizeof(Elf64_Dyn)) {
    const Elf64_Dyn entry = *at<Elf64_Dyn>(table.bytes, offset);
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag != DT_NEEDED) continue;
    const auto name = string_at(sections_[table.link].bytes, entry.d_un.d_val);
    if (!name) return false;
    needed_.push_back(*name);
  }
  return true;
}

std::optional<ElfImage> ElfImage::parse(std::string_view bytes, std::string* error) {
  const auto header = at<Elf64_Ehdr>(bytes, 0);
  if (!header || !is_native_elf64(*header))
    return refuse(error, "not a 64-bit little-endian ELF file");
  if (header->e_shnum == 0 || header->e_shentsize != sizeof(Elf64_Shdr))
    return refuse(error, "no section table");
  ElfImage image;
  image.machine_ = header->e_machine;
  image.flags_ = header->e_flags;
  if (!image.read_sections(bytes)) return refuse(error, "damaged section table");
  for (const Section& section : image.sections_) {
    if (section.type == SHT_DYNSYM && !image.read_symbols(section, &image.dynamic_symbols_))
      return refuse(error, "damaged dynamic symbol table");
    if (section.type == SHT_SYMTAB && !image.read_symbols(section, &image.static_symbols_))
      return refuse(error, "damaged symbol table");
  }
  for (const Section& section : image.sections_) {
    if ((section.flags & SHF_ALLOC) == 0) continue;
    if ((section.type == SHT_RELA || section.type == SHT_REL) && !image.read_relocations(section))
      return refuse(error, "damaged relocations");
    if (section.type == SHT_DYNAMIC && !image.read_dynamic(section))
      return refuse(error, "damaged dynamic section");
  }
  return image;
}

std::optional<std::int64_t> elf_code_bytes(std::string_view elf, std::string_view symbol) {
  const auto image = ElfImage::parse(elf);
  if (!image) return std::nullopt;
  for (const auto* symbols : {&image->dynamic_symbols(), &image->static_symbols()})
    for (const ElfImage::Symbol& candidate : *symbols)
      if (candidate.name == symbol && candidate.section != SHN_UNDEF &&
          ELF64_ST_TYPE(candidate.info) == STT_FUNC)
        return static_cast<std::int64_t>(candidate.size);
  return std::nullopt;
}

std::optional<std::vector<std::string>> elf_undefined_symbols(std::string_view elf) {
  const auto image = ElfImage::parse(elf);
  if (!image) return std::nullopt;
  std::vector<std::string> names;
  for (const ElfImage::Symbol& symbol : image->dynamic_symbols())
    if (symbol.section == SHN_UNDEF && !symbol.name.empty()) names.emplace_back(symbol.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace fusetune
