#include "harness/sandbox/filter.hpp"

#include <link.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace fusetune {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kThisProcessor = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kThisProcessor = 0;  // there is no list of calls to filter by
#endif

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4
#endif

constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr std::uint32_t kInstruction = offsetof(seccomp_data, instruction_pointer);
constexpr std::uint32_t kHighHalf = 4;  // little-endian

constexpr std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}
constexpr std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

int add_object(dl_phdr_info* object, std::size_t, void* list) {
  auto& ranges = *static_cast<std::vector<CodeRange>*>(list);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    const std::uint64_t begin = object->dlpi_addr + segment.p_vaddr;
    ranges.push_back({begin, begin + segment.p_memsz});
  }
  return 0;
}

/// Pieces that do not cross a multiple of 4 GiB: the filter compares halves of addresses.
std::vector<CodeRange> cut_at_halves(const std::vector<CodeRange>& ranges) {
  std::vector<CodeRange> pieces;
  for (CodeRange range : ranges) {
    while (high(range.begin) != high(range.end - 1)) {
      const std::uint64_t border = (range.begin | 0xffffffffU) + 1;
      pieces.push_back({range.begin, border - 1});
      range.begin = border;
    }
    pieces.push_back(range);
  }
  return pieces;
}

}  // namespace

std::vector<CodeRange> loaded_code() {
  std::vector<CodeRange> ranges;
  ::dl_iterate_phdr(add_object, &ranges);
  std::sort(ranges.begin(), ranges.end(),
            [](const CodeRange& a, const CodeRange& b) { return a.begin < b.begin; });
  return ranges;
}

FilterProgram::FilterProgram() {
  load(offsetof(seccomp_data, arch));
  program_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kThisProcessor, 1, 0));
  end(SECCOMP_RET_KILL_PROCESS);
  load(kNumber);
}

void FilterProgram::load(std::uint32_t offset) {
  program_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

void FilterProgram::end(std::uint32_t action) {
  program_.push_back(BPF_STMT(BPF_RET | BPF_K, action));
}

void FilterProgram::stop_calls_from_outside(const std::vector<CodeRange>& code) {
  const std::vector<CodeRange> pieces = cut_at_halves(code);
  constexpr std::size_t kPieceLength = 6;
  // Behind all pieces stands one instruction for what is in none of them.
  std::size_t left = pieces.size() * kPieceLength + 1;
  for (const CodeRange& piece : pieces) {
    load(kInstruction + kHighHalf);
    program_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high(piece.begin), 0, 4));
    load(kInstruction);
    // The address is that of the instruction after the call, so the end belongs to it.
    program_.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, low(piece.begin), 0, 2));
    program_.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, low(piece.end), 1, 0));
    left -= kPieceLength;
    program_.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(left)));
  }
  end(SECCOMP_RET_TRAP);
  load(kNumber);
}

void FilterProgram::at(int number, std::uint32_t action) {
  program_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1));
  end(action);
}

void FilterProgram::allow(int number) { at(number, SECCOMP_RET_ALLOW); }

void FilterProgram::refuse(int number, int error) {
  at(number, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
}

void FilterProgram::stop(int number) { at(number, SECCOMP_RET_TRAP); }

void FilterProgram::allow_where(int number, unsigned argument, std::uint32_t mask,
                                std::uint32_t value) {
  program_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 5));
  load(static_cast<std::uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t)));
  program_.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
  program_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
  end(SECCOMP_RET_ALLOW);
  end(SECCOMP_RET_TRAP);
}

void FilterProgram::otherwise_allow() { end(SECCOMP_RET_ALLOW); }

void FilterProgram::otherwise_refuse(int error) {
  end(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
}

bool FilterProgram::install() const {
  // The kernel's default would also switch on a protection that slows all code of the process down,
  // and what runs here is timed.
  const sock_fprog program{static_cast<unsigned short>(program_.size()),
                           const_cast<sock_filter*>(program_.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                   &program) == 0;
}

}  // namespace fusetune
