"""Times our kernel and its peers by one method: graphs of launches that go round a ring of cold arguments, replayed in ABBA rounds,
over epochs of fresh memory.

A span is one replay between two events. The queue always holds what comes next: the machine waits for the GPU once an epoch.
"""

import random
import statistics
import time

import torch

from . import check, stats
from .plan import COLD_BYTES, plan
from .ring import Ring

EPOCHS = 5
ROUNDS_MIN, ROUNDS_MAX = 3, 15
WARM_UP_S = 0.02


class Arm:
    """What is timed: `call(set)` puts a launch into the current stream; what it returns holds outputs by name instead of the set. `checked`:
    whether its results are those of the operation."""

    def __init__(self, name, call, checked=True):
        self.name, self.call, self.checked = name, call, checked
        self.graph = None
        self.returned = []

    def run(self, arguments):
        """The tensors of a set as this arm leaves them."""
        return {**arguments, **(self.call(arguments) or {})}

    def record(self, ring, turns):
        """What the calls return stays alive: each call writes memory of its own, as the sets that others write are their own."""
        self.graph = torch.cuda.CUDAGraph()
        self.returned = []
        self.graph.capture_begin(capture_error_mode="thread_local")
        try:
            for _ in range(turns):
                self.returned += [self.call(arguments) for arguments in ring.sets]
        finally:
            self.graph.capture_end()

    def drop(self):
        self.graph, self.returned = None, []


class Timer:
    """One per process: the stream, the memory that is read to make data cold, the random order."""

    def __init__(self, device, seed):
        self.device, self.random = device, random.Random(seed)
        self.stream = torch.cuda.Stream(device)
        self._flush = torch.zeros(COLD_BYTES // 4 + 1, dtype=torch.int32, device=device)
        self._sum = torch.zeros((), dtype=torch.int64, device=device)

    def _span(self, arm, plan_):
        if plan_.flush:
            torch.sum(self._flush, dim=0, out=self._sum)
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        arm.graph.replay()
        end.record()
        return begin, end

    def _warm_up(self, arms, plan_):
        until = time.monotonic() + WARM_UP_S
        while True:
            for arm in arms:
                self._span(arm, plan_)
            torch.cuda.current_stream().synchronize()
            if time.monotonic() > until:
                return

    def _round(self, ours, peers, plan_):
        """{peer: (spans of ours, spans of the peer)}: ABBA or BAAB for each, in random order."""
        spans = {}
        for peer in self.random.sample(peers, len(peers)):
            order = (ours, peer, peer, ours) if self.random.random() < 0.5 else (peer, ours, ours, peer)
            pairs = [(arm, self._span(arm, plan_)) for arm in order]
            spans[peer.name] = ([span for arm, span in pairs if arm is ours], [span for arm, span in pairs if arm is peer])
        return spans

    def compare(self, operation, case, masters, truths, ours, peers, budget_s):
        """Times `ours` against each of `peers`, all of them checked before. Returns a result's "ours", "peers", "method" and "samples".

        A peer whose launches cannot be recorded, or are wrong when replayed, gets a "why" and no time; if that is ours, "ours_wrong" says it.
        """
        torch.cuda.synchronize()  # inputs are made on another stream
        plan_ = plan(operation.touched_bytes(case))
        result = {"ours": {}, "peers": {}, "samples": [],
                  "method": {"sets": plan_.sets, "launches_per_span": plan_.launches, "cold_by": "flush" if plan_.flush else "ring",
                             "touched_bytes": operation.touched_bytes(case), "epochs": EPOCHS}}
        left, alive = budget_s, list(peers)
        with torch.cuda.stream(self.stream):
            for epoch in range(EPOCHS):
                began = time.monotonic()
                torch.cuda.empty_cache()
                spacer = torch.empty(self.random.randrange(1, 64) << 20, dtype=torch.uint8, device=self.device)
                ring = Ring(operation, case, masters, plan_.sets, self.random)
                alive = self._record(ring, plan_, ours, alive, result, truths if epoch == 0 else None)
                if not alive:
                    break
                self._warm_up([ours, *alive], plan_)
                share = left / (EPOCHS - epoch)
                result["samples"].append(self._epoch(ours, alive, plan_, share - (time.monotonic() - began)))
                left -= time.monotonic() - began
                for arm in (ours, *alive):
                    arm.drop()
                del ring, spacer
        for arm in (ours, *peers):
            arm.drop()
        if result["samples"] and alive:
            _summarise(result, [peer.name for peer in alive])
        return result

    def _record(self, ring, plan_, ours, peers, result, truths):
        """Records all arms; those that are left. With truths, replays each and checks the first and the last set."""
        left = []
        for arm in (ours, *peers):
            why = None
            try:
                torch.cuda.current_stream().synchronize()
                arm.record(ring, plan_.turns)
                why = self._check_replay(ring, plan_, arm, truths) if truths and arm.checked else None
            except Exception as error:  # of a peer: a remark
                why = f"not recorded: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            if why is None:
                left.append(arm)
            elif arm is ours:
                result["ours"] = {"why": why}
                if not why.startswith("not recorded"):
                    result["ours_wrong"] = why
                result["why"] = f"ours: {why}"
                return []
            else:
                result["peers"][arm.name] = {"why": why}
                arm.drop()
        return left[1:]

    @staticmethod
    def _check_replay(ring, plan_, arm, truths):
        if plan_.turns > 1 and ring.changed:
            return None  # sets are changed several times by a replay
        ends = (0, len(ring.sets) - 1)
        for which in ends:
            ring.restore(which)
        arm.graph.replay()
        for which in ends:
            last = arm.returned[len(arm.returned) - len(ring.sets) + which]
            message, _ = check.check({**ring.sets[which], **(last or {})}, truths)
            if message:
                return f"wrong when replayed: {message}"
        return None

    def _epoch(self, ours, peers, plan_, budget_s):
        """{peer: rounds}, a round: (microseconds of ours, of the peer) per launch. As many rounds as the time allows."""
        rounds = {peer.name: [] for peer in peers}
        done, began = 0, time.monotonic()
        while done < ROUNDS_MIN or (done < ROUNDS_MAX and time.monotonic() - began < budget_s):
            # Three rounds at a time: the queue does not run empty between them.
            batch = [self._round(ours, peers, plan_) for _ in range(ROUNDS_MIN)]
            torch.cuda.current_stream().synchronize()
            for spans in batch:
                for name, (mine, theirs) in spans.items():
                    rounds[name].append(tuple([1000 * begin.elapsed_time(end) / plan_.launches for begin, end in one]
                                              for one in (mine, theirs)))
            done += ROUNDS_MIN
        return rounds


def _summarise(result, names):
    epochs = result["samples"]
    result["ours"]["us"] = stats.time_of([[us for rounds in epoch.values() for mine, _ in rounds for us in mine] for epoch in epochs])
    for name in names:
        ratio, low, high = stats.ratio_of([epoch[name] for epoch in epochs])
        result["peers"][name] = {"us": statistics.median(statistics.median(us for _, theirs in epoch[name] for us in theirs) for epoch in epochs),
                                 "ratio": ratio, "ratio_low": low, "ratio_high": high}
