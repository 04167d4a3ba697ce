// Two readers and a writer per byte against a list of all accesses, over random histories.
#include <gmock/gmock.h>

#include <optional>
#include <random>
#include <vector>

#include "harness/device/host/exact/shadow.hpp"

namespace fusetune {
namespace {

constexpr int kBytes = 40, kThreads = 16, kWaveShift = 2;

/// Remembers everything, and derives order from counters instead of one clock.
class History {
 public:
  struct Access {
    int launch, block, barrier, wave_sync;
    int thread;
    bool write;
  };

  void begin_launch() { ++launch_; }
  void begin_block() { ++block_; }
  void barrier() { ++barrier_; }
  void wave_sync(int wave) { ++wave_sync_[static_cast<std::size_t>(wave)]; }
  void clear_bytes() {
    for (auto& accesses : bytes_) accesses.clear();
  }
  bool written(int byte) const {
    for (const Access& access : bytes_[static_cast<std::size_t>(byte)])
      if (access.write) return true;
    return false;
  }
  /// Whether the access races with any before it; noted otherwise.
  bool races(int first, int count, int thread, bool write) {
    const auto wave = static_cast<std::size_t>(thread >> kWaveShift);
    const Access now{launch_, block_, barrier_, wave_sync_[wave], thread, write};
    for (int byte = first; byte < first + count; ++byte)
      for (const Access& before : bytes_[static_cast<std::size_t>(byte)])
        if ((before.write || write) && !ordered(before, now)) return true;
    for (int byte = first; byte < first + count; ++byte)
      bytes_[static_cast<std::size_t>(byte)].push_back(now);
    return false;
  }

 private:
  static bool ordered(const Access& before, const Access& now) {
    if (before.launch != now.launch) return true;
    if (before.block != now.block) return false;
    if (before.thread == now.thread || before.barrier != now.barrier) return true;
    return before.thread >> kWaveShift == now.thread >> kWaveShift &&
           before.wave_sync != now.wave_sync;
  }

  std::vector<Access> bytes_[kBytes];
  int launch_ = 0, block_ = 0, barrier_ = 0;
  int wave_sync_[kThreads >> kWaveShift] = {};
};

/// The clock and the shadow as the runtime moves them.
struct Judge {
  Shadow shadow;
  ExactClock clock;
  std::uint32_t launch = 1, watch = 1;

  Judge() {
    shadow.reserve(kBytes);
    clock.wave_shift = kWaveShift;
  }
  bool access(int first, int count, int thread, bool write, bool shared, bool initialised,
              Shadow::Conflict* conflict) {
    const AccessCell me = make_cell(clock.time, thread, 1, false);
    const Shadow::Limits limits{shared ? clock.block : launch,
                                initialised ? 0 : (shared ? clock.block : watch)};
    const auto at = static_cast<std::size_t>(first);
    const auto sized = [&](auto bytes) {
      constexpr int N = decltype(bytes)::value;
      return write ? shadow.write<N>(at, me, clock, limits, conflict)
                   : shadow.read<N>(at, me, clock, limits, conflict);
    };
    if (count == 1) return sized(std::integral_constant<int, 1>{});
    if (count == 2) return sized(std::integral_constant<int, 2>{});
    if (count == 4) return sized(std::integral_constant<int, 4>{});
    return sized(std::integral_constant<int, 16>{});
  }
};

struct Figures {
  int races = 0, quiet = 0, uninitialised = 0;
};

/// One history until its first conflict, or for so many steps.
void compare(std::uint32_t seed, bool shared, bool initialised, Figures* figures) {
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  // Few racy histories among many: mostly each thread keeps to its own bytes.
  const int sloppiness = 2 + below(60);
  History history;
  Judge judge;
  const auto begin_block = [&] {
    history.begin_block();
    if (shared) history.clear_bytes();
    judge.clock.block = judge.clock.barrier = ++judge.clock.time;
  };
  const auto begin_launch = [&] {
    history.begin_launch();
    judge.launch = ++judge.clock.time;
    begin_block();
  };
  begin_launch();
  for (int step = 0; step < 400; ++step) {
    const int what = below(40);
    if (what == 0) begin_launch();
    if (what == 1) begin_block();
    if (what == 2 || what == 3) {
      history.barrier();
      judge.clock.barrier = ++judge.clock.time;
    }
    if (what >= 4 && what < 8) {
      const int wave = below(kThreads >> kWaveShift);
      history.wave_sync(wave);
      judge.clock.wave_sync[static_cast<std::size_t>(wave)] = ++judge.clock.time;
    }
    const int thread = below(kThreads), count = std::vector{1, 2, 4, 16}[random() % 4];
    const bool write = below(3) == 0;
    const int first =
        below(sloppiness) == 0 ? below(kBytes - count + 1) : std::min(2 * thread, kBytes - count);
    bool uninitialised = false;
    if (!write && !initialised)
      for (int byte = first; byte < first + count; ++byte) uninitialised |= !history.written(byte);
    const bool races = history.races(first, count, thread, write);
    Shadow::Conflict conflict;
    const bool fine = judge.access(first, count, thread, write, shared, initialised, &conflict);
    ASSERT_EQ(fine, !races && !uninitialised) << "seed " << seed << ", step " << step;
    if (fine) continue;
    ++(conflict.uninitialised ? figures->uninitialised : figures->races);
    return;
  }
  ++figures->quiet;
}

TEST(ExactShadow, FindsWhatAFullHistoryFindsInGlobalMemory) {
  Figures figures;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) compare(seed, false, true, &figures);
  EXPECT_GT(figures.races, 1000);
  EXPECT_GT(figures.quiet + figures.races, 2900);
}

TEST(ExactShadow, FindsWhatAFullHistoryFindsInSharedMemory) {
  Figures figures;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) compare(seed, true, false, &figures);
  EXPECT_GT(figures.races, 100);
  EXPECT_GT(figures.uninitialised, 1000);
}

TEST(ExactShadow, RenumberedTimesKeepWhatWasWritten) {
  Judge judge;
  Shadow::Conflict conflict;
  judge.clock.time = 0xc0000001u;
  judge.watch = judge.launch = judge.clock.block = judge.clock.barrier = judge.clock.time;
  EXPECT_TRUE(judge.access(4, 4, 0, true, false, false, &conflict));
  judge.shadow.renumber(judge.watch);
  judge.clock = {};
  judge.clock.wave_shift = kWaveShift;
  judge.watch = 1;
  judge.launch = judge.clock.block = judge.clock.barrier = ++judge.clock.time;
  EXPECT_TRUE(judge.access(4, 4, 9, false, false, false, &conflict)) << "of an earlier launch";
  EXPECT_FALSE(judge.access(4, 16, 9, false, false, false, &conflict));
  EXPECT_TRUE(conflict.uninitialised);
  EXPECT_EQ(conflict.byte, 4u);
  EXPECT_EQ(judge.shadow.end_of_run(0, kBytes, judge.watch, false), 4u);
  EXPECT_EQ(judge.shadow.end_of_run(4, kBytes, judge.watch, true), 8u);
}

TEST(ExactShadow, CellsHoldWhatTheyAreGiven) {
  const AccessCell cell = make_cell(0xfffffffeu, 1023, kCellSiteMax, true);
  EXPECT_EQ(time_of(cell), 0xfffffffeu);
  EXPECT_EQ(thread_of(cell), 1023);
  EXPECT_EQ(site_of(cell), kCellSiteMax);
  EXPECT_TRUE(is_atomic(cell));
  const AccessCell plain = make_cell(1, 0, kCellSiteMax + 1, false);
  EXPECT_EQ(site_of(plain), 0u) << "unknown rather than wrong";
  EXPECT_EQ(thread_of(plain), 0);
  EXPECT_FALSE(is_atomic(plain));
}

}  // namespace
}  // namespace fusetune
