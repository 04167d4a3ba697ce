// Namespaces of the process: no network, no shared IPC, nothing writable but the scratch folder.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "harness/base/file_descriptor.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace fusetune {

namespace {

// As in linux/mount.h, which older systems lack and which clashes with sys/mount.h.
struct MountAttributes {
  std::uint64_t set = 0, clear = 0, propagation = 0, user_namespace = 0;
};
constexpr std::uint64_t kMountReadOnly = 1;
constexpr unsigned kRecursive = 0x8000;
#ifdef SYS_mount_setattr
constexpr long kMountSetattr = SYS_mount_setattr;
#else
constexpr long kMountSetattr = 442;
#endif

constexpr const char* kNetwork = "network namespace";
constexpr const char* kNetworkRefuses = "connections to other machines and to this one";
constexpr const char* kIpc = "ipc namespace";
constexpr const char* kIpcRefuses = "shared memory and queues of other processes";
constexpr const char* kMounts = "read-only mounts";
constexpr const char* kMountsRefuses = "changes to files outside the scratch folder";

bool write_text(const char* path, std::string_view text) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  return file.is_open() &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// In a user namespace of its own this process keeps its user and group, and only those.
bool unshare_as_user(int flags) {
  const auto user = ::geteuid();
  const auto group = ::getegid();
  // In one call: where user namespaces come without rights nothing is changed at all.
  if (::unshare(CLONE_NEWUSER | flags) != 0) return false;
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/uid_map", fmt::format("{} {} 1", user, user));
  write_text("/proc/self/gid_map", fmt::format("{} {} 1", group, group));
  return true;
}

Measure namespace_measure(const char* name, const char* refuses, bool active, int error) {
  // The errno of a limit of none, and its text would speak of a disk.
  if (!active && error == ENOSPC)
    return missing_measure(name, refuses, "this machine allows no further namespaces");
  return measure_by(name, refuses, active, error);
}

bool set_read_only(const char* path, bool read_only, unsigned recursive) {
  MountAttributes attributes;
  (read_only ? attributes.set : attributes.clear) = kMountReadOnly;
  return ::syscall(kMountSetattr, AT_FDCWD, path, recursive, &attributes, sizeof attributes) == 0;
}

/// 0, or the errno of the step that failed.
int make_mounts_read_only(const std::string& scratch) {
  // Nothing of this may spread to the mounts of others.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  if (::mount(scratch.c_str(), scratch.c_str(), nullptr, MS_BIND, nullptr) != 0) return errno;
  if (!set_read_only("/", true, kRecursive)) return errno;
  return set_read_only(scratch.c_str(), false, 0) ? 0 : errno;
}

}  // namespace

std::vector<Measure> enter_namespaces(const std::filesystem::path& scratch) {
  // With the right to make them no user namespace is wanted: in one, files of users that it does
  // not know could no longer be read.
  int made = 0;
  int error = 0;
  for (const int flag : {CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWNS}) {
    if (::unshare(flag) == 0)
      made |= flag;
    else
      error = errno;
  }
  for (const int flags : {CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS, CLONE_NEWNET | CLONE_NEWNS,
                          static_cast<int>(CLONE_NEWNET)}) {
    if (made != 0) break;
    if (unshare_as_user(flags))
      made = flags;
    else
      error = errno;
  }
  std::vector<Measure> measures;
  measures.push_back(
      namespace_measure(kNetwork, kNetworkRefuses, (made & CLONE_NEWNET) != 0, error));
  measures.push_back(namespace_measure(kIpc, kIpcRefuses, (made & CLONE_NEWIPC) != 0, error));
  if ((made & CLONE_NEWNS) != 0) error = make_mounts_read_only(scratch.string());
  measures.push_back(
      namespace_measure(kMounts, kMountsRefuses, (made & CLONE_NEWNS) != 0 && error == 0, error));
  return measures;
}

}  // namespace fusetune
