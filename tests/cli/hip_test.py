"""GPUs as the program sees them, on a machine without any: the module of the GPU platform over a fake runtime.
Its kernels do nothing, so a proof ends with unwritten outputs."""

import collections
import json
import os
import pathlib
import re
import shutil
import sqlite3

import harness

MODULES = os.environ["FUSETUNE_FAKE_MODULES"]


class HipTest(harness.ProgramTest):
    def gpus(self, count=1, fail=""):
        return self.environment(FUSETUNE_MODULE_DIR=MODULES, FAKE_HIP_DEVICES=str(count), FAKE_HIP_FAIL=fail)

    def verify(self, device, environment, expect, variants=3):
        return self.run_json("--jobs", 1, "verify", "split_reshape_cat", "--model", "qwen3.5-27b", "--tp", 8,
                             "-o", "layout=contiguous", "--tokens", 4, "--space", variants, "--device", device,
                             environment=environment, expect=expect)[0]


class Devices(HipTest):
    def test_lists_each_gpu_with_what_it_can_be_chosen_by(self):
        report = self.run_json("devices", environment=self.gpus(2))
        gpus = [device for device in report["devices"] if device["device"].startswith("hip:")]
        self.assertEqual([gpu["device"] for gpu in gpus], ["hip:0", "hip:1"])
        self.assertEqual([gpu["pci"] for gpu in gpus], ["0000:10:00.0", "0000:11:00.0"])
        self.assertEqual([gpu["uuid"] for gpu in gpus], ["GPU-00000000fa4e0000", "GPU-10000000fa4e0000"])
        self.assertTrue(all(gpu["available"] for gpu in gpus))
        self.assertTrue(any("NVIDIA" in why for why in report["no_gpus"]), report["no_gpus"])
        text = self.run_program("devices", environment=self.gpus(2)).stdout
        self.assertIn("device hip:1: Fake Instinct F1 (gfx942)", text)
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()), text)

    def test_a_gpu_that_does_not_start_says_why_and_the_others_are_there(self):
        report = self.run_json("devices", environment=self.gpus(1, "hipStreamCreateWithFlags:1:999"))
        gpu = next(device for device in report["devices"] if device["device"] == "hip:0")
        self.assertFalse(gpu["available"])
        self.assertIn("hipStreamCreateWithFlags", gpu["why"])
        self.assertTrue(next(d for d in report["devices"] if d["device"] == "host-w64")["available"])

    def test_without_modules_each_platform_says_what_it_lacks(self):
        (self.dir / "none").mkdir()
        report = self.run_json("devices", environment=self.environment(FUSETUNE_MODULE_DIR=str(self.dir / "none")))
        self.assertFalse(any(device["device"].startswith("hip:") for device in report["devices"]))
        self.assertTrue(any("libfusetune_amd.so" in why for why in report["no_gpus"]), report["no_gpus"])

    def test_the_version_says_which_platforms_were_built(self):
        self.assertIn("amd", self.run_program("--version", environment=self.gpus()).stdout)
        (self.dir / "none").mkdir()
        text = self.run_program("--version", environment=self.environment(FUSETUNE_MODULE_DIR=str(self.dir / "none")))
        self.assertIn("platforms: host, simulated\n", text.stdout)


class Choice(HipTest):
    def refusal(self, device, environment):
        result = self.run_program("verify", "rmsnorm_gated", "--device", device, environment=environment)
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        return harness.unwrapped(result.stderr)

    def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(self):
        for device in ("hip:2", "hip:GPU-ffff", "hip:0000:99:00.0"):
            message = self.refusal(device, self.gpus(2))
            self.assertIn(f"there is no device {device}", message)
            self.assertIn("hip:1: Fake Instinct F1 (gfx942), 0000:11:00.0, GPU-10000000fa4e0000", message)

    def test_no_gpu_and_no_driver_are_told_apart(self):
        self.assertIn("none here", self.refusal("hip:0", self.gpus(0)))
        self.assertIn("driver", self.refusal("hip:0", self.gpus(1, "hipGetDeviceCount:1:35")))

    def test_uuid_and_pci_address_open_the_same_gpu(self):
        for device in ("hip:GPU-1000", "hip:0000:11:00.0"):
            report = self.verify(device, self.gpus(2), expect=2, variants=1)
            self.assertTrue(report["failures"], report)


class Faults(HipTest):
    def statuses(self, report):
        return sorted(failure["status"] for failure in report["failures"])

    def test_kernels_that_do_nothing_are_found(self):
        report = self.verify("hip:0", self.gpus(), expect=2)
        self.assertEqual(set(self.statuses(report)), {"unwritten_output"})

    def test_a_fault_costs_its_variant_and_the_next_one_runs_in_another_worker(self):
        """Every process faults within its second proof (one waits some 230 times), and nothing works there from then
        on: without a new process all but the first variant would fault."""
        report = self.verify("hip:0", self.gpus(1, "hipStreamSynchronize:350:719:sticky"), expect=2)
        self.assertEqual(self.statuses(report), ["kernel_fault"] * 2 + ["unwritten_output"] * 2)
        message = next(f["message"] for f in report["failures"] if f["status"] == "kernel_fault")
        self.assertIn("hipErrorLaunchFailure", message)

    def test_memory_that_runs_out_is_a_status(self):
        report = self.verify("hip:0", self.gpus(1, "hipMalloc:6:2"), expect=2)
        self.assertIn("out_of_memory", self.statuses(report))


class Tuning(HipTest):
    """Whole campaigns: kernels that the simulated device has built in run on a fake GPU, in real time."""

    SWEEP = """
sweep: live
device: hip:0
families:
  - family: simulated_rows
    symbols: [{nk: 1, nv: 2}]
    tokens: [16]
    axes: {block_size: [64, 256], rows_per_iter: [1], chunk: [1], order: [forward], prefetch: [off]}
measure: {data: cold, budget_s: 60}
"""

    def live(self, fail="", **more):
        return dict(self.gpus(1, fail), FUSETUNE_KERNEL_PATH=str(harness.ROOT / "tests" / "faults" / "kernels"),
                    FAKE_HIP_LIVE="8", FAKE_HIP_CACHE="65536", FAKE_HIP_MEMORY=str(64 << 20), **more)

    def tune(self, environment, may_fail=()):
        result = self.run_program("--json", "--jobs", 1, "tune", self.write("live.yaml", self.SWEEP), environment=environment)
        report = json.loads(result.stdout)
        with sqlite3.connect(self.dir / ".fusetune" / "records.sqlite") as db:
            races = [json.loads(data)["result"] for (data,) in db.execute("SELECT data FROM steps WHERE kind = 'race'")]
        self.assertEqual(len(races), 1)
        self.assertEqual([row["status"] for row in report["rows"]], ["ok"], report)
        self.assertLessEqual({failure["status"] for failure in report["failures"]}, set(may_fail), report["failures"])
        self.assertLessEqual(len(report["failures"]), 1)
        self.assertTrue(races[0]["confirmed"])
        self.assertEqual(races[0]["data"], "cold")
        return report, races[0]

    def test_short_kernels_are_replayed_as_graphs(self):
        report, race = self.tune(self.live())
        self.assertEqual(race["path"], "graph")
        self.assertFalse(any("recorded" in flag for flag in race["flags"]), race["flags"])
        # 8 us times 1 + 64 / block_size.
        self.assertIn("block_size=256", report["rows"][0]["variant"])

    def test_what_cannot_be_captured_goes_into_the_stream(self):
        for call in ("hipStreamBeginCapture:1:900", "hipGraphInstantiate:9:2"):  # the latter in the midst of it
            with self.subTest(call):
                race = self.tune(self.live(call))[1]
                self.assertEqual(race["path"], "stream")
                self.assertTrue(any(flag.startswith("not recorded as graphs: ") and call.split(":")[0] in flag
                                    for flag in race["flags"]), race["flags"])
                shutil.rmtree(self.dir / ".fusetune")

    def test_memory_that_is_not_there_shrinks_the_ring(self):
        race = self.tune(self.live(FAKE_HIP_BLOCK=str(220 << 10)))[1]
        self.assertTrue(any(flag.startswith("out of memory: the ring shrank to ") for flag in race["flags"]), race["flags"])
        self.assertLess(race["ring"], 61)

    def test_a_call_that_fails_blames_no_variant_and_a_fault_costs_one_at_most(self):
        for fail, may_fail in (("hipEventRecord:400:999", ()), ("hipEventSynchronize:150:719:sticky", ("kernel_fault",))):
            with self.subTest(fail):
                mark = self.dir / fail.split(":")[0]
                self.tune(self.live(fail, FAKE_HIP_ONCE=str(mark)), may_fail)
                self.assertTrue(mark.exists(), "it never failed")
                shutil.rmtree(self.dir / ".fusetune")

    def test_doctor_measures_a_gpu(self):
        result = self.run_program("--json", "doctor", "--device", "hip:0", environment=self.live())
        report = json.loads(result.stdout)
        self.assertEqual(report["status"], "ok", report)
        self.assertEqual([floor["path"] for floor in report["floors"]], ["stream", "graph"])
        self.assertIn(result.returncode, (0, 3))  # by how quiet this machine is


class Selftest(HipTest):
    def selftest(self, *arguments, fail="", expect=2, **more):
        environment = dict(self.gpus(1, fail), **more)
        return self.run_json("--jobs", 2, *arguments, environment=environment, expect=expect)[0]

    def named(self):
        text = (harness.ROOT / "tests" / "mutants" / "staged_rows.yaml").read_text()
        return re.findall(r"^  - name: (\w+)", text, re.M)

    def test_fast_mode_alone_and_each_bug_has_its_verdict(self):
        document = self.selftest("selftest", "staged_rows", "--device", "hip:0", "--seeds", 1)
        mutants = {mutant["name"]: mutant for mutant in document["mutants"]}
        self.assertEqual(sorted(mutants), sorted(self.named()))
        self.assertEqual({mutant["mode"] for mutant in mutants.values()}, {"fast"})
        # Waves of 64 here.
        self.assertEqual(mutants["wave_of_64_assumed"]["out_of_reach"], "right with waves of 64")
        self.assertIn("luck", mutants["next_row_overwrites"]["out_of_reach"])
        self.assertFalse(any(mutant["killed"] and mutant["out_of_reach"] for mutant in mutants.values()))
        # This compiler's code is its source's: no change of it is lost.
        self.assertFalse(any("the same without it" in mutant["out_of_reach"] for mutant in mutants.values()))
        text = self.run_program("selftest", "staged_rows", "--device", "hip:0", "--seeds", 1, environment=self.gpus()).stdout
        self.assertRegex(text, r"mutant +fast +what it does")
        missed = sum(bool(mutant["out_of_reach"]) for mutant in mutants.values())
        self.assertRegex(text, rf"fast: \d+ of {len(mutants) - missed} mutants killed, {missed} out of reach:\n")
        self.assertIn("  wave_of_64_assumed: right with waves of 64\n", text)
        self.assertNotIn("exact: ", text)

    def test_exact_mode_is_refused_with_the_reason(self):
        for devices in (("hip:0",), ("host-w64", "hip:0")):
            result = self.run_program("selftest", "staged_rows", "--mode", "exact", *[word for d in devices for word in ("--device", d)],
                                      environment=self.gpus())
            self.assertEqual((result.returncode, result.stdout), (64, ""))
            self.assertIn("hip:0 has no exact mode: code that tells of each of its accesses", harness.unwrapped(result.stderr))

    def test_faults_cost_a_worker_each_and_no_verdict(self):
        """As of a driver that nothing works with after a fault: each process has but a few proofs."""
        document = self.selftest("selftest", "staged_rows", "--device", "hip:0", "--seeds", 1,
                                 fail="hipStreamSynchronize:350:719:sticky")
        self.assertEqual(sorted(mutant["name"] for mutant in document["mutants"]), sorted(self.named()))
        found = collections.Counter(mutant["status"] for mutant in document["mutants"])
        self.assertGreater(found["kernel_fault"], 5)
        self.assertGreater(found["unwritten_output"], 5)

    def test_a_hang_costs_its_time_and_no_verdict(self):
        mark = self.dir / "hung"
        document = self.selftest("--kernel-timeout-s", 1, "selftest", "staged_rows", "--device", "hip:0", "--seeds", 1,
                                 fail="hipStreamSynchronize:100:hang", FAKE_HIP_ONCE=str(mark))
        self.assertTrue(mark.exists(), "nothing hung")
        self.assertEqual(sorted(mutant["name"] for mutant in document["mutants"]), sorted(self.named()))
        found = collections.Counter(mutant["status"] for mutant in document["mutants"])
        self.assertLessEqual(found["kernel_timeout"], 1)
        self.assertGreater(found["unwritten_output"], 20)

    def test_what_cannot_even_begin_is_said_of_each(self):
        document = self.selftest("selftest", "staged_rows", "--device", "hip:0", "--seeds", 1, fail="hipModuleLoadData:1:999")
        self.assertEqual(sorted(mutant["name"] for mutant in document["mutants"]), sorted(self.named()))

    def test_each_plant_on_the_path_that_is_timed_is_found(self):
        environment = dict(self.gpus(), FUSETUNE_KERNEL_PATH=str(harness.ROOT / "tests" / "faults" / "kernels"),
                           FAKE_HIP_LIVE="8", FAKE_HIP_CACHE="65536", FAKE_HIP_MEMORY=str(64 << 20))
        document, = self.run_json("--kernel-timeout-s", 5, "selftest", "--timed", "--device", "hip:0", "--case",
                                  "simulated_rows(nk=1,nv=2,tokens=16)", environment=environment)
        self.assertTrue(document["passed"], document)
        found = {plant["name"]: plant["found_by"] for plant in document["timed"]}
        # Right while it was checked before, or not any more: by the clock of this machine.
        self.assertIn(found.pop("wrong_while_timed"), ("timed path", "proof after timing"))
        self.assertEqual(found, {
            "other_stream": "clocks", "one_in_a_thousand_lost": "timed path", "first_launch_for_all": "timed path",
            "first_arguments_in_graphs": "timed path", "wrong": "proof before timing",
            "fast_by_half_the_work": "proof after timing", "slow": "slower",
            "faults_while_timed": "worker_lost", "hangs_while_timed": "kernel_timeout"})
        slow = next(plant for plant in document["timed"] if plant["name"] == "slow")
        self.assertGreater(slow["ratio"], 1.5)  # of a time that this machine's load is in


if __name__ == "__main__":
    harness.main()
