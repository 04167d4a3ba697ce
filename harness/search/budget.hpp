#pragma once
// How a search spends its evaluations.

#include <cstddef>

namespace fusetune {

/// Of what was tried, slower by more than this is not raced: twice what a race's first look allows,
/// as times of different batches are compared.
constexpr double kRaceCut = 0.3;
/// At least so many are raced.
constexpr std::size_t kRaceLeast = 8;

/// The size of the next batch, the rest where little is left: about eight batches in all. Fewer
/// would learn less from each other; each costs a start of workers and a warm-up. `searches` share
/// a batch.
std::size_t next_batch(std::size_t evaluations, std::size_t tried, std::size_t searches);

}  // namespace fusetune
