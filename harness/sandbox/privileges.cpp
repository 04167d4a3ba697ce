// What a process may no longer become or be asked.
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "harness/sandbox/sandbox.hpp"

namespace fusetune {

namespace {

/// The one right that stays: who runs as root may have files that only root can read.
constexpr std::uint32_t kKept = 1U << CAP_DAC_READ_SEARCH;

bool drop_capabilities() {
  // From the bounding set first, or a program that is started as root would have them again.
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
    if (capability != CAP_DAC_READ_SEARCH) ::prctl(PR_CAPBSET_DROP, capability);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  data[0] = {data[0].effective & kKept, data[0].permitted & kKept, 0};
  data[1] = {};
  return ::syscall(SYS_capset, &header, data) == 0;
}

}  // namespace

std::vector<Measure> drop_privileges() {
  std::vector<Measure> measures;
  const bool dropped = drop_capabilities();
  measures.push_back(
      measure_by("capabilities", "what root may do, but for reading", dropped, errno));
  const bool no_new = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  measures.push_back(
      measure_by("no new privileges", "rights of set-user-id programs", no_new, errno));
  const bool closed = ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
  measures.push_back(
      measure_by("no dumps", "core dumps, and debuggers of the same user", closed, errno));
  return measures;
}

}  // namespace fusetune
