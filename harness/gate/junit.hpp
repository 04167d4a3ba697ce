#pragma once
// A gate as JUnit XML, with the attributes that GoogleTest writes, so that a CI shows both in one
// list.

#include <string>

#include "harness/gate/gate_report.hpp"

namespace fusetune {

/// One suite per family, one case per finding; numbers are properties. What fails the gate is a
/// failure (a crash an error), what compared or decided nothing is skipped, and neither is passed.
/// `timestamp` is ISO 8601.
std::string junit_xml(const GateReport& report, const GateRules& rules,
                      const std::string& timestamp);

/// Text of an XML document or attribute.
std::string xml_text(const std::string& text);

}  // namespace fusetune
