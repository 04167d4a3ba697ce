#pragma once
// Times that the memory cannot have: faster than what was measured of it is no record, it is wrong.

#include <vector>

#include "harness/measure/calibration.hpp"
#include "harness/measure/race.hpp"

namespace fusetune {

/// GB/s of the memory for accesses of which so much are reads: the best size of each measured mix,
/// and a straight line between mixes. 0 where nothing was measured.
double memory_gb_s(const std::vector<Bandwidth>& measured, double read_share);

/// Arms of a cold race whose whole 95 % interval lies above 1.02 of that. Their samples are gone:
/// the bytes were counted wrongly, the data was not cold, or the kernel left work out.
void disprove_impossible(const Case& which, const std::vector<Bandwidth>& measured,
                         RaceResult& result);

}  // namespace fusetune
