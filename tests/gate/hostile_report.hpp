#pragma once
// A report whose texts are full of what means something to the formats that it is written to.

#include "harness/gate/gate_report.hpp"

namespace fusetune {

inline Finding finding_with(Verdict verdict, const std::string& rule, const std::string& case_key) {
  Finding finding;
  finding.rule = rule;
  finding.case_key = case_key;
  finding.family = "family";
  finding.target = "gfx90a";
  finding.variant = "block_size=64";
  finding.verdict = verdict;
  finding.reason = "a reason";
  finding.chain = {"one step"};
  finding.place = {"configs/sweeps/gate.yaml", 12, 7};
  finding.reproduce = "fusetune inspect";
  return finding;
}

inline const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> names = {"a<b>&\"c\"'d']]>",
                                                 "pipe|pipe`code`**bold**[x](http://y)<script>@all",
                                                 "percent%25%0A::error file=x,line=1::gone",
                                                 "comma,colon:semicolon;",
                                                 "line\nbreak\r\ttab",
                                                 std::string("zero\0byte\x01\x1f\x7f", 12),
                                                 "not utf-8 \xff\xfe\xc3(",
                                                 "no character \xef\xbf\xbf of XML",
                                                 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                                                 "\\back\\slash\\|"};
  return names;
}

inline GateReport hostile_report() {
  GateReport report;
  report.name = "hostile <&|`%\n::error::>";
  report.session = Json::object();
  report.compared = report.expected = 1;
  for (const std::string& name : hostile_names()) {
    Finding finding = finding_with(Verdict::regression, "static/" + name, name);
    finding.family = "one";
    finding.target = finding.variant = finding.reason = finding.reproduce = name;
    finding.place.file = "configs/" + name + ".yaml";
    finding.chain = {name};
    finding.numbers[name] = 1;
    report.findings.push_back(finding);
  }
  return report;
}

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace fusetune
