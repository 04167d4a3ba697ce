#pragma once
// A call of a device failed that is no launch of a kernel: a copy, a wait, a time stamp. What it
// says of the kernel that ran before is in its status.

#include <stdexcept>
#include <string>

#include "harness/base/status.hpp"

namespace fusetune {

class DeviceError : public std::runtime_error {
 public:
  DeviceError(Status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  Status status() const { return status_; }

 private:
  Status status_;
};

}  // namespace fusetune
