"""The campaign engine on the simulated device: scripted faults, noise, and the same table every time."""

import collections
import json
import math
import sqlite3
import statistics
import subprocess
import sys

import harness

FAULTS = harness.ROOT / "tests" / "faults"


class SimulatedTest(harness.ProgramTest):
    def simulated(self, simulation=None):
        more = {"FUSETUNE_KERNEL_PATH": str(FAULTS / "kernels")}
        if simulation is not None:
            more["FUSETUNE_SIMULATION"] = str(simulation)
        return self.environment(**more)

    def tables(self, results):
        return {path.name: path.read_bytes() for path in sorted((self.dir / results).rglob("*")) if path.is_file()}


class Broken(SimulatedTest):
    def test_each_scripted_fault_has_its_status_and_the_others_win(self):
        report = self.run_json("--jobs", 2, "--compile-timeout-s", 1, "--kernel-timeout-s", 0.5, "tune",
                               FAULTS / "broken_simulated.yaml", expect=2,
                               environment=self.simulated(FAULTS / "simulations" / "broken.yaml"))
        found = collections.defaultdict(set)
        for failure in report["failures"]:
            axes = dict(word.split("=") for word in failure["variant"].split(","))
            prefix = failure["message"].split(":")[0]
            when = prefix if prefix in ("after timing", "while it was timed") else "before"
            found[axes["block_size"], axes["chunk"], axes["rows_per_iter"]].add((failure["status"], when))
        self.assertEqual(dict(found), {
            ("64", "2", "1"): {("compile_error", "before")},
            ("64", "2", "2"): {("compiler_crash", "before")},
            ("64", "2", "4"): {("compile_timeout", "before")},
            ("64", "4", "1"): {("launch_error", "before")},  # garbage instead of code
            ("64", "4", "2"): {("launch_error", "before")},
            ("64", "4", "4"): {("kernel_fault", "before")},
            ("128", "2", "1"): {("kernel_fault", "before")},  # and its worker takes nothing more
            ("128", "2", "2"): {("kernel_timeout", "before")},
            ("128", "2", "4"): {("verification_failed", "before")},
            ("128", "4", "1"): {("verification_failed", "before")},  # one launch of many was lost
            ("128", "4", "2"): {("worker_lost", "before")},
            ("128", "4", "4"): {("out_of_memory", "before")},
            ("256", "2", "1"): {("verification_failed", "after timing")},
            ("256", "2", "2"): {("launch_error", "while it was timed")},
            ("256", "2", "4"): {("kernel_timeout", "while it was timed")},
            ("256", "4", "2"): {("kernel_fault", "while it was timed")},  # nor is anybody else blamed
            ("256", "4", "4"): {("worker_lost", "while it was timed")},
            ("256", "1", "4"): {("kernel_fault", "while it was timed")},
        })
        # What ended its worker lies in quarantine with all that shows it again.
        marks = [json.loads((self.dir / folder / "quarantine.json").read_text()) for folder in report["quarantined"]]
        self.assertEqual({mark["variant"] for mark in marks if mark["found"] == "while it was timed"},
                         {failure["variant"] for failure in report["failures"]
                          if failure["status"] in ("kernel_timeout", "kernel_fault", "worker_lost")
                          and failure["message"].startswith("while it was timed")})
        self.assertEqual(len(marks), 8)
        # The worker of each is replaced: a death that is known by its arm, and told.
        deaths = self.run_json("records", "list", "--kind", "death")
        self.assertTrue(any(death["subject"].startswith("race ") for death in deaths["deaths"]), deaths)
        self.assertEqual([row["status"] for row in report["rows"]], ["ok", "ok"])
        # By the formula: the widest block with the widest chunk, and no rows to loop over.
        for row in report["rows"]:
            self.assertIn("block_size=256,chunk=4,", row["variant"])
            self.assertIn("rows_per_iter=1", row["variant"])


class Queued(SimulatedTest):
    """A device with an asynchronous queue, and cold data."""

    def tune(self, name, gpu, jobs):
        sweep = self.write("cold.yaml", (FAULTS / "simulated.yaml").read_text().replace("data: hot", "data: cold"))
        return self.run_json("--jobs", jobs, "--store", name, "--results", name + "-results", "tune", sweep,
                             environment=self.simulated(gpu))

    def races(self, name):
        with sqlite3.connect(self.dir / name / "records.sqlite") as db:
            return [json.loads(data)["result"]
                    for (data,) in db.execute("SELECT data FROM steps WHERE kind = 'race' ORDER BY key")]

    def test_a_campaign_confirms_its_winners_and_repeats_itself(self):
        gpu = FAULTS / "simulations" / "gpu.yaml"
        for name, jobs in (("one", 1), ("two", 2)):
            report = self.tune(name, gpu, jobs)
            for row in report["rows"]:
                self.assertIn("block_size=128,chunk=4,", row["variant"])
        self.assertEqual(self.tables("one-results"), self.tables("two-results"))
        for race in self.races("one"):
            self.assertEqual(race["data"], "cold")
            self.assertIn(race["path"], ("stream", "graph"))
            self.assertTrue(race["confirmed"])
            self.assertGreater(race["ring_doubled"], 0)
        case = report["rows"][0]["case"]
        text = self.run_program("--store", "one", "--results", "one-results", "explain", case, "--device", "simulated-w64",
                                environment=self.simulated(gpu)).stdout
        self.assertIn("launches: ", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)


    def test_who_breaks_late_is_known_and_the_others_go_on(self):
        faults = {"kernel_hang": ("64", "1"), "kernel_fault": ("64", "4"), "worker_death": ("128", "1")}
        script = (FAULTS / "simulations" / "gpu.yaml").read_text() + "faults:\n" + "".join(
            f"  - {{fault: {fault}, entry: simulated_rows, variant: {{block_size: {block}, chunk: {chunk}, rows_per_iter: 1}}, "
            f"launch: {launch}}}\n" for (fault, (block, chunk)), launch in zip(faults.items(), (900, 1500, 4000)))
        sweep = self.write("cold.yaml", (FAULTS / "simulated.yaml").read_text().replace("data: hot", "data: cold"))
        report = self.run_json("--jobs", 2, "--kernel-timeout-s", 0.5, "tune", sweep, expect=5,
                               environment=self.simulated(self.write("late.yaml", script)))
        found = {}
        for failure in report["failures"]:
            axes = dict(word.split("=") for word in failure["variant"].split(","))
            self.assertTrue(failure["message"].startswith("while it was timed"), failure)
            found[axes["block_size"], axes["chunk"], axes["rows_per_iter"]] = failure["status"]
        self.assertEqual(found, {("64", "1", "1"): "kernel_timeout", ("64", "4", "1"): "kernel_fault",
                                 ("128", "1", "1"): "worker_lost"})
        for row in report["rows"]:
            self.assertIn("block_size=128,chunk=4,", row["variant"])


class Planted(SimulatedTest):
    """Plants on the path that is timed, in virtual time."""

    def found_by(self, script):
        document, = self.run_json("--kernel-timeout-s", 1, "selftest", "--timed", "--device", "simulated", "--case",
                                  "simulated_rows(nk=1,nv=2,tokens=16)",
                                  environment=self.simulated(self.write("planted.yaml", "simulation: planted\n" + script)))
        self.assertTrue(document["passed"], document)
        self.assertEqual([plant["false_alarm"] for plant in document["timed"]], [""] * 10)
        # The planted margin is what is measured.
        slow = next(plant for plant in document["timed"] if plant["name"] == "slow")
        self.assertAlmostEqual(slow["ratio"], 2, delta=0.05)
        return {plant["name"]: plant["found_by"] for plant in document["timed"]}

    def test_each_is_found_in_streams_and_in_graphs(self):
        for us, noise in ((50, ""), (5, ""), (50, "noise: {placement: 0.01, sample: 0.015}\n")):
            found = self.found_by(f"time_ns: {{simulated_rows: {1000 * us} + 1000 * grid_blocks}}\ncache_bytes: 16384\n"
                                  "queue: {copy_bytes_per_us: 2000}\n" + noise)
            self.assertEqual(found["other_stream"], "clocks")
            self.assertEqual(found["one_in_a_thousand_lost"], "timed path")
            self.assertEqual(found["fast_by_half_the_work"], "proof after timing")
            self.assertEqual(found["slow"], "slower")
            self.assertEqual(found["hangs_while_timed"], "kernel_timeout")

    def test_a_host_device_times_nothing_in_a_queue(self):
        result = self.run_program("selftest", "--timed", "--device", "host-w64")
        self.assertEqual(result.returncode, 64, result.stdout)
        self.assertIn("no queue that is timed", harness.unwrapped(result.stderr))


SEARCHED = """
sweep: searched
device: simulated
families:
  - family: simulated_rows
    symbols: [{nk: 1, nv: 2}]
    tokens: {1: 0.5, 16: 0.5}
    axes: {block_size: [64, 128, 192, 256], chunk: [1, 2, 3, 4, 6, 8, 12], prefetch: [off]}
search: {strategy: STRATEGY, evaluations: 32, seed: 5}
measure: {data: hot, budget_s: 60}
"""
# A word that matters, and an optimum inside: large chunks lose again.
SEARCHED_TIMES = """
simulation: searched
time_ns:
  simulated_rows: "2000 + 900 * rows_per_iter + ceil_div(640000, block_size * chunk) + 250 * chunk + (order == forward ? 0 : 3000)"
  simulated_rows_plain: 60000 + 1000 * grid_blocks
"""


class Searched(SimulatedTest):
    """A search tries some of a space; the race among what it found is the normal one."""

    def tune(self, strategy, store, simulation=SEARCHED_TIMES, expect=0, **more):
        sweep = self.write(f"{strategy}.yaml", SEARCHED.replace("STRATEGY", strategy))
        return self.run_json("--jobs", 2, "--store", store, "--results", store + "-results", "tune", sweep, expect=expect,
                             environment=self.simulated(self.write(f"{store}.times.yaml", simulation)), **more)

    def steps(self, store):
        with sqlite3.connect(self.dir / store / "records.sqlite") as db:
            return {(kind, key): (run, data) for kind, key, run, data in
                    db.execute("SELECT kind, key, run, data FROM steps")}

    def test_it_finds_the_best_in_a_fifth_of_the_space_and_says_how(self):
        report = self.tune("model", "one")
        for row in report["rows"]:
            self.assertIn("block_size=256,chunk=3,order=forward,prefetch=off,rows_per_iter=1", row["variant"])
        self.assertEqual(report["compiled"], 33)  # and the baseline
        self.assertEqual(report["compile_found"], 0)
        self.assertEqual(report["proved"], 33)
        searched = report["search"]["geometries"][0]["search"]
        self.assertEqual(searched, {"strategy": "model", "evaluations": 32, "seed": 5, "tried": 32, "variants": 168})
        table = json.loads(next((self.dir / "one-results").rglob("*.json")).read_text())
        for row in table["rows"]:
            self.assertEqual(row["certificate"]["search"],
                             {"strategy": "model", "seed": 5, "tried": 32, "variants": 168})
            # The slow ones of those that were tried had no part in it.
            self.assertLess(row["certificate"]["candidates"], 33)
        header = next((self.dir / "one-results").rglob("*.hpp")).read_text()
        self.assertIn("(model search, 32 of 168 variants tried)", header)
        races = [json.loads(data) for (kind, _), (_, data) in self.steps("one").items() if kind == "race"]
        self.assertEqual(len(races), 2)
        for race in races:
            self.assertEqual(race["search"]["tried"], 32)
        text = self.run_program("--store", "one", "--results", "one-results", "explain", report["rows"][0]["case"],
                                "--device", "simulated-w64", environment=self.simulated()).stdout
        self.assertIn("search: model (seed 5) tried 32 of 168 variants", text)
        # Nothing is left to do, and nothing is tried but what was.
        before = self.tables("one-results")
        again = self.tune("model", "one")
        self.assertEqual([again[key] for key in ("compiled", "proved", "measured")], [0, 0, 0])
        self.assertEqual(again["search"]["measured"], 0)
        self.assertEqual(self.tables("one-results"), before)

    def test_everything_that_a_search_timed_had_been_proved(self):
        self.tune("local", "local")
        with sqlite3.connect(self.dir / "local" / "records.sqlite") as db:
            proved, timed = set(), 0
            for kind, subject, status, data in db.execute("SELECT kind, subject, status, data FROM steps ORDER BY id"):
                if kind == "proof" and status == "ok":
                    proved.add(subject.split(" | ")[1])
                if kind in ("search", "race"):
                    arms = json.loads(data)["arms"]
                    timed += len(arms)
                    self.assertLessEqual(set(arms), proved)
            self.assertGreater(timed, 33)

    def test_strategies_try_other_variants_and_an_exhaustive_one_all(self):
        tried = {}
        for strategy in ("random", "local", "model"):
            report = self.tune(strategy, strategy)
            self.assertEqual(report["variants"], 33)
            tried[strategy] = {subject for (kind, subject) in self.steps(strategy) if kind == "compile"}
        self.assertEqual(len({frozenset(keys) for keys in tried.values()}), 3)
        sweep = self.write("all.yaml", SEARCHED.replace("STRATEGY, evaluations: 32, seed: 5", "exhaustive"))
        report = self.run_json("--store", "all", "--results", "all-results", "tune", sweep,
                               environment=self.simulated(self.write("all.times.yaml", SEARCHED_TIMES)))
        self.assertEqual(report["variants"], 169)
        self.assertEqual(report["search"]["rounds"], 0)
        self.assertFalse([key for key in self.steps("all") if key[0] == "search"])
        table = json.loads(next((self.dir / "all-results").rglob("*.json")).read_text())
        self.assertIsNone(table["rows"][0]["certificate"]["search"])

    def test_a_dry_run_says_how_many_it_will_try(self):
        sweep = self.write("dry.yaml", SEARCHED.replace("STRATEGY", "model"))
        text = self.run_program("tune", sweep, "--dry-run", environment=self.simulated()).stdout
        self.assertIn("search: tries 32 of 168 variants (model, seed 5)", text)
        self.assertIn("33 compilations, 66 launches", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        report = self.run_json("tune", sweep, "--dry-run", environment=self.simulated())
        self.assertEqual(report["search"], "model, 32 evaluations, seed 5")
        self.assertEqual(report["geometries"][0]["untried"], 136)

    def test_what_fails_is_told_and_costs_the_others_nothing(self):
        # All of one word are wrong: the search learns it, the campaign tells of those that were tried.
        faults = "faults:\n  - {fault: wrong_result, entry: simulated_rows, variant: {order: forward}, launch: 3}\n" \
                 "  - {fault: kernel_hang, entry: simulated_rows, variant: {block_size: 64}, launch: 150}\n"
        sweep = self.write("faults.yaml", SEARCHED.replace("STRATEGY", "model"))
        report = self.run_json("--jobs", 2, "--kernel-timeout-s", 0.5, "tune", sweep, expect=2,
                               environment=self.simulated(self.write("wrong.yaml", SEARCHED_TIMES + faults)))
        statuses = collections.Counter(failure["status"] for failure in report["failures"])
        self.assertGreater(statuses["verification_failed"], 0)
        self.assertLess(statuses["verification_failed"], 16)  # half of the space
        # Who hung while the search timed it hangs in the race as well, and is known by it.
        self.assertGreater(statuses["kernel_timeout"], 0)
        for row in report["rows"]:
            self.assertIn("order=backward", row["variant"])
            self.assertNotIn("block_size=64", row["variant"])

    def test_a_search_that_was_killed_goes_on_where_it_was(self):
        self.tune("model", "alone")
        alone = self.steps("alone")
        sweep = self.write("model.yaml", SEARCHED.replace("STRATEGY", "model"))
        environment = self.simulated(self.write("killed.times.yaml", SEARCHED_TIMES))
        command = [harness.PROGRAM, "--jobs", "2", "--store", "killed", "--results", "killed-results", "tune", str(sweep)]
        kept = {}
        for least in (8, 30, 55, 80):  # steps on record before the next kill: batches in all states
            process = subprocess.Popen(command, cwd=self.dir, env=environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while process.poll() is None and len(kept) < least:
                try:
                    kept = self.steps("killed")
                except sqlite3.OperationalError:
                    pass  # the tables are being made
            process.kill()
            process.wait()
            now = self.steps("killed")
            self.assertEqual({key: now.get(key) for key in kept}, kept)  # none lost, and none done again
            kept = now
        self.assertLess(len(kept), len(alone))
        report = self.tune("model", "killed", simulation=SEARCHED_TIMES)
        self.assertLess(report["compiled"], 33)
        now = self.steps("killed")
        self.assertEqual({key: now[key] for key in kept}, kept)
        self.assertEqual(set(now), set(alone))
        self.assertEqual(self.tables("killed-results"), self.tables("alone-results"))


SHARED = """
sweep: shared
device: simulated
families:
  - family: simulated_rows
    symbols: [{nk: 1, nv: 2}]
    tokens: [1, 16, 64, 256]
    axes: {block_size: [64], rows_per_iter: [1], chunk: [2, 3, 4], order: [forward], prefetch: [off]}
measure: {data: hot, budget_s: 1000}
"""

# Few rows like small chunks, many rows large ones; the one between is PERCENT slower than either.
SHARED_TIMES = """
simulation: shared
time_ns:
  simulated_rows: "chunk == 3 ? 100000 + PERCENT * 1000 : (tokens <= 16) == (chunk == 2) ? 100000 : 104000"
  simulated_rows_plain: "300000"
"""


class Shared(SimulatedTest):
    def where_it_costs(self, percent):
        return self.simulated(self.write("times.yaml", SHARED_TIMES.replace("PERCENT * 1000", str(round(percent * 1000)))))

    def test_row_counts_share_a_kernel_and_its_price_is_told(self):
        environment = self.where_it_costs(0.7)
        sweep = self.write("shared.yaml", SHARED)
        text = self.run_program("tune", sweep, environment=environment).stdout
        self.assertIn("1 kernel for 4 counts of tokens, where each its own would be 2: at most 0.7 % slower than the fastest",
                      harness.unwrapped(text))
        table = json.loads((self.dir / "results" / "simulated-w64" / "simulated_rows.json").read_text())
        for row in table["rows"]:
            self.assertEqual(row["axes"]["chunk"], 3)
            self.assertAlmostEqual(row["certificate"]["regret_percent"], 0.7, 2)
        before = self.tables("results")
        self.run_json("tune", sweep, environment=environment)
        self.assertEqual(self.tables("results"), before)
        explained = harness.unwrapped(self.run_program("explain", "simulated_rows(nk=1,nv=2,tokens=16)", "--device", "simulated-w64",
                                                       environment=environment).stdout)
        for words in ("it serves other row counts too, and is at most 0.7 % slower here", "holds this variant",
                      "certainty: at most 0.7 % slower than the fastest"):
            self.assertIn(words, explained)

    def test_a_shared_kernel_that_is_wrong_at_a_large_shape_leaves_the_row_its_own(self):
        # So large that the finalists alone are proved there.
        sweep = self.write("shared.yaml", SHARED.replace("[1, 16, 64, 256]", "[1, 16, 262144]"))
        wrong = "  - {fault: wrong_result, entry: simulated_rows, variant: {chunk: CHUNK}, blocks: 100000}\n"
        for chunks, large in (((3,), 4), ((3, 4), None)):
            times = SHARED_TIMES.replace("PERCENT * 1000", "700") + "faults:\n" + "".join(wrong.replace("CHUNK", str(c)) for c in chunks)
            environment = self.simulated(self.write("times.yaml", times))
            store = f"store{len(chunks)}"
            report = self.run_json("--store", store, "--results", store + "-results", "tune", sweep, environment=environment, expect=2)
            self.assertEqual({f["status"] for f in report["failures"]}, {"verification_failed"})
            table = json.loads((self.dir / (store + "-results") / "simulated-w64" / "simulated_rows.json").read_text())
            small, _, row = sorted(table["rows"], key=lambda row: row["tuned_at"])
            self.assertEqual(small["axes"]["chunk"], 3)
            self.assertEqual(row["is_default"], large is None)
            certificate = row["certificate"]
            if large is None:
                self.assertEqual((certificate["regret_percent"], certificate["flip_probability"], certificate["tie_set"]),
                                 (None, None, []))
            else:
                self.assertEqual((row["axes"]["chunk"], certificate["regret_percent"]), (large, 0))

    def test_what_costs_more_than_a_percent_is_not_shared(self):
        rows = self.run_json("tune", self.write("shared.yaml", SHARED), environment=self.where_it_costs(1.2))["rows"]
        self.assertEqual(["chunk=2," in row["variant"] for row in rows], [True, True, False, False])
        self.assertEqual(["chunk=4," in row["variant"] for row in rows], [False, False, True, True])


class Tables(SimulatedTest):
    def test_two_campaigns_with_noise_give_the_same_files(self):
        for name, jobs in (("one", 1), ("two", 2)):
            self.run_json("--jobs", jobs, "--store", name, "--results", name + "-results", "tune",
                          FAULTS / "simulated.yaml", environment=self.simulated(FAULTS / "simulations" / "noisy.yaml"))
        self.assertEqual(len(self.tables("one-results")), 4)
        self.assertEqual(self.tables("one-results"), self.tables("two-results"))

    def test_another_seed_has_other_noise(self):
        for seed in (1, 2):
            text = (FAULTS / "simulations" / "noisy.yaml").read_text().replace("seed: 7", f"seed: {seed}")
            self.run_json("--store", f"{seed}", "--results", f"{seed}-results", "tune", FAULTS / "simulated.yaml",
                          environment=self.simulated(self.write(f"{seed}.yaml", text)))
        self.assertNotEqual(self.tables("1-results"), self.tables("2-results"))

    def test_dead_axes_share_their_code(self):
        report = self.run_json("tune", FAULTS / "simulated.yaml", environment=self.simulated())
        # 16 variants and the baseline, of which 8 differ in `prefetch` alone.
        self.assertEqual((report["compiled"], report["proved"]), (17, 9))

    def test_the_built_in_kernels_do_what_their_source_does(self):
        documents = self.run_json("verify", "simulated_rows", "-o", "nk=1", "-o", "nv=2", "--space", 4, "--tokens", 5,
                                  "--device", "host-w64", "--device", "simulated", environment=self.simulated())
        self.assertEqual([d["failures"] for d in documents], [[], []])


class Recorded(SimulatedTest):
    SWEEP = """
sweep: recorded
device: simulated
families:
  - family: simulated_rows
    symbols: [{nk: 1, nv: 2}]
    tokens: [16]
    axes: {block_size: [64], rows_per_iter: [1, 2], chunk: [1, 8], order: [forward], prefetch: [off]}
measure: {data: hot, budget_s: 30, probe_cutoff: 1000}
"""

    def test_a_space_of_the_host_is_played_back(self):
        sweep = self.write("space.yaml", self.SWEEP)
        self.run_json("--store", "host", "tune", sweep, "--device", "host-w64", environment=self.simulated())
        printed = subprocess.run([sys.executable, harness.ROOT / "scripts" / "record-space", self.dir / "host"],
                                 capture_output=True, text=True, check=True).stdout
        of = lambda family: subprocess.run([sys.executable, harness.ROOT / "scripts" / "record-space", self.dir / "host",
                                            "--family", family], capture_output=True, text=True)
        self.assertEqual(of("simulated_rows").stdout, printed)
        self.assertNotEqual(of("mrope").returncode, 0)
        self.write("space.json", printed)
        script = self.write("played.yaml", "simulation: played\nrecorded: {file: space.json, entries: "
                                           "{fused: simulated_rows, unfused: simulated_rows_plain}}\n")
        self.run_json("--store", "played", "tune", sweep, environment=self.simulated(script))
        again = json.loads(subprocess.run([sys.executable, harness.ROOT / "scripts" / "record-space",
                                           self.dir / "played"], capture_output=True, text=True, check=True).stdout)
        known = {json.dumps([s["implementation"], s["values"]]): s["us"] for s in json.loads(printed)}
        self.assertEqual(len(again), 5)
        for series in again:
            recorded = known[json.dumps([series["implementation"], series["values"]])]
            for us in series["us"]:
                self.assertTrue(any(abs(us - one) < 1e-6 * one for one in recorded), (us, recorded))
            # In turn. A race throws some away: warm-up, probe, and the first span in new memory.
            played = {round(us / 1e-5) for us in series["us"]}
            self.assertGreater(len(played), len(set(recorded)) - 6)

    def test_a_space_without_samples_of_a_variant_is_an_error(self):
        self.write("space.json", json.dumps([{"implementation": "fused", "values": {"block_size": "64"}, "us": [3]}]))
        script = self.write("played.yaml", "simulation: played\nrecorded: {file: space.json, entries: "
                                           "{fused: simulated_rows}}\n")
        report = self.run_json("tune", FAULTS / "simulated.yaml", expect=5, environment=self.simulated(script))
        self.assertTrue(any("no samples of simulated_rows with block_size=128" in f["message"]
                            for f in report["failures"]), report["failures"])


class Noise(SimulatedTest):
    """Each part of the noise by itself, seen in the samples of a race."""

    def spread(self, name, lines):
        """Per arm: microseconds of the samples, of a device whose time is 50 us."""
        script = self.write(f"{name}.yaml", f"simulation: {name}\nseed: 3\n"
                            "time_ns: {simulated_rows: 50000, simulated_rows_plain: 50000}\n" + lines)
        self.run_json("--store", name, "tune", FAULTS / "simulated.yaml", environment=self.simulated(script))
        printed = subprocess.run([sys.executable, harness.ROOT / "scripts" / "record-space", self.dir / name],
                                 capture_output=True, text=True, check=True).stdout
        return [series["us"] for series in json.loads(printed)]

    def test_each_part(self):
        def logs(arms):
            return [math.log(us / 50) for arm in arms for us in arm]

        self.assertLess(max(map(abs, logs(self.spread("still", "")))), 1e-6)
        # 18 arms of 24 samples: the estimates below are good to a tenth.
        sample = logs(self.spread("sample", "noise: {sample: 0.05}\n"))
        self.assertAlmostEqual(statistics.stdev(sample), 0.05, delta=0.01)
        late = [x for x in logs(self.spread("late", "noise: {outliers: 0.2, outlier_excess: 0.5}\n")) if x > 1e-6]
        self.assertAlmostEqual(len(late) / len(sample), 0.2, delta=0.08)
        self.assertAlmostEqual(statistics.mean(math.exp(x) - 1 for x in late), 0.5, delta=0.2)
        # One draw per arm and epoch of six samples, and per race.
        placed = self.spread("placed", "noise: {placement: 0.05}\n")
        self.assertEqual({len({round(us, 6) for us in arm}) for arm in placed}, {4})
        session = self.spread("session", "noise: {session: 0.05}\n")
        self.assertEqual(len({round(us, 6) for arm in session for us in arm}), 2)
        # Drift is slow: neighbours differ by much less than all do.
        drift = self.spread("drift", "noise: {drift: 0.05, drift_memory: 0.99}\n")
        steps = [math.log(b / a) for arm in drift for a, b in zip(arm, arm[1:])]
        self.assertLess(statistics.median(map(abs, steps)), 0.7 * statistics.stdev(logs(drift)))
        throttled = logs(self.spread("hot", "throttle: [{from_us: 0, to_us: 1e11, factor: 2}]\n"))
        self.assertLess(max(abs(x - math.log(2)) for x in throttled), 1e-6)


class Scripts(SimulatedTest):
    def message_of(self, text):
        result = self.run_program("tune", FAULTS / "simulated.yaml",
                                  environment=self.simulated(self.write("script.yaml", text)))
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        return harness.unwrapped(result.stderr)

    def test_errors_name_their_place(self):
        self.assertIn("script.yaml:2:1: unknown key of a simulation 'noize'; did you mean 'noise'?",
                      self.message_of("simulation: x\nnoize: {}\n"))
        self.assertIn("script.yaml:2:18: unknown fault 'hang'", self.message_of(
            "simulation: x\nfaults: [{fault: hang}]\n"))
        self.assertIn("script.yaml:2:42: a fault of the compiler has no launches", self.message_of(
            "simulation: x\nfaults: [{fault: compiler_crash, launch: 3}]\n"))
        self.assertIn("no axis 'blocksize'", self.message_of(
            "simulation: x\nfaults: [{fault: compile_error, variant: {blocksize: 64}}]\n"))


if __name__ == "__main__":
    harness.main()
