#pragma once
// What comgr, AMD's code-object library, can tell about a code object.

#include <string>
#include <string_view>
#include <vector>

#include "harness/compile/compiler.hpp"

namespace fusetune::amd {

/// Facts of every kernel of a code object, from its metadata and its instructions. Throws
/// std::runtime_error when comgr cannot read it.
std::vector<KernelFacts> read_kernel_facts(std::string_view code);

/// "2.4 (libamd_comgr.so.2.4.0)"
std::string comgr_version();

/// File name of the shared library that a function comes from, links resolved: carries its full
/// version.
std::string library_of(const void* function);

}  // namespace fusetune::amd
