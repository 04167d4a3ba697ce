#pragma once
// The run-time compiler's names.

#include <hip/hiprtc.h>
