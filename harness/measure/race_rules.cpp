// What differs between kinds of devices.

#include "harness/measure/race.hpp"

namespace fusetune {

RaceRules immediate_rules() { return {}; }

RaceRules queued_rules() {
  RaceRules rules;
  rules.span_us_min = 1000;
  rules.two_lengths = true;
  rules.warm_up_ms = 50;
  rules.warm_up_ms_max = 2000;
  rules.looks = {4, 6, 8, 12};
  rules.finalists = 8;
  rules.confirm_looks = {4, 6, 8, 12};
  return rules;
}

RaceRules search_rules(RaceRules rules) {
  rules.looks = {2};
  rules.rounds = 1;
  rules.finalists = 0;
  return rules;
}

}  // namespace fusetune
