"""What a campaign survives besides kill -9 (which scripts/torture tries): after each, the store opens and is sound,
and the campaign that goes on ends with the files of one that nobody disturbed."""

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

import harness

_loader = importlib.machinery.SourceFileLoader("torture", str(harness.ROOT / "scripts" / "torture"))
torture = importlib.util.module_from_spec(importlib.util.spec_from_loader("torture", _loader))
_loader.exec_module(torture)

SIMULATIONS = torture.FAULTS / "simulations"


class Survival(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.root = pathlib.Path(cls.scratch.name)
        cls.preloaded = torture.build_library(cls.root)
        cls.sweep = cls.root / "sweep.yaml"
        cls.sweep.write_text(torture.SWEEP.format(name="survivor", nk=1))
        cls.reference = torture.Reference(cls.place("reference"))

    @classmethod
    def place(cls, name, simulation="noisy", command_prefix=(), jobs=2):
        place = torture.Place(cls.root / name, harness.PROGRAM, cls.sweep, SIMULATIONS / f"{simulation}.yaml",
                              cls.preloaded, jobs)
        place.command = [*command_prefix, *place.command]
        return place

    def setUp(self):
        self.here = self.place(self.id().rpartition(".")[2])

    def run_here(self, *options, expect=0, **keywords):
        code = self.here.finish(self.here.start(*options, **keywords))
        error = (self.here.folder / "err").read_text()
        self.assertEqual(code, expect, error)
        return " ".join(error.split())

    def part_of_a_run(self):
        """Two thirds of a campaign, killed."""
        self.run_here(fault="supervisor:kill_after:160", expect=-signal.SIGKILL)
        self.assertGreater(len(self.here.steps()), 10)

    def goes_on(self, *options):
        self.here.steps()  # raises where the store does not open or is not sound
        self.run_here(*options)
        self.assertEqual(torture.content(self.here.steps()), torture.content(self.reference.steps))
        self.assertEqual(self.here.files(), self.reference.files)


class Disks(Survival):
    def test_a_disk_that_is_full_from_some_write_on(self):
        # Each run goes on where the one before it had to end.
        for at in (1, 20, 90, 60, 10, 4):
            with self.subTest(at=at):
                message = self.run_here(fault=f"supervisor:full:{at}", expect=64)
                self.assertRegex(message, "(?i)no space left|disk is full")
                self.here.steps()
        self.goes_on()

    def test_a_disk_that_is_full_for_the_compile_workers(self):
        message = self.run_here(fault="compile:full:5", expect=64)
        self.assertIn("No space left on device", message)
        self.goes_on()

    def mounted(self, folder):
        folder.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True)
        if done.returncode != 0:
            self.skipTest("no right to mount a file system")
        self.addCleanup(subprocess.run, ["umount", str(folder)], check=True)

    def remount(self, folder, how):
        subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)

    def test_a_store_that_becomes_read_only(self):
        store = self.here.folder / ".fusetune"
        self.mounted(store)
        self.part_of_a_run()
        self.remount(store, "ro")
        self.assertIn(".fusetune", self.run_here(expect=64))
        self.remount(store, "rw")
        self.goes_on()

    def test_results_that_are_read_only(self):
        results = self.here.folder / "results"
        self.mounted(results)
        self.remount(results, "ro")
        self.assertIn("Read-only file system; give another with --results", self.run_here(expect=64))
        self.assertEqual(self.here.steps(), [])  # before any work
        self.remount(results, "rw")
        self.goes_on()

    def test_results_whose_disk_is_full(self):
        results = self.here.folder / "results"
        self.mounted(results)
        (results / "filler").write_bytes(bytes(1))
        with contextlib.suppress(OSError):
            with open(results / "filler", "ab", buffering=0) as file:
                while file.write(bytes(65536)):
                    pass
        self.assertIn("No space left on device", self.run_here(expect=64))
        self.assertEqual(len(self.here.steps()), len(self.reference.steps))
        (results / "filler").unlink()
        self.goes_on()


class DamagedStores(Survival):
    def records(self):
        return self.here.folder / ".fusetune" / "records.sqlite"

    def test_a_write_ahead_log_cut_at_any_place(self):
        self.part_of_a_run()
        log = self.records().with_name("records.sqlite-wal")
        whole = log.read_bytes()
        kept = self.here.folder / "kept"
        shutil.copytree(self.records().parent, kept)
        for share in (0, 0.3, 0.71, 0.99):
            with self.subTest(share=share):
                shutil.rmtree(self.records().parent)
                shutil.copytree(kept, self.records().parent)
                log.write_bytes(whole[:int(len(whole) * share)])
                self.goes_on()

    def test_records_that_are_no_database_are_named_and_can_be_moved_away(self):
        for name, damage in (("cut", lambda b: b[:len(b) // 2]), ("zeros", lambda b: bytes(len(b))),
                             ("text", lambda b: b"no database at all\n" * 300)):
            with self.subTest(name):
                self.run_here()
                self.records().write_bytes(damage(self.records().read_bytes()))
                message = self.run_here(expect=64)
                self.assertIn("records.sqlite", message)
                self.assertIn("move it away", message)
                for file in self.records().parent.glob("records.sqlite*"):
                    file.unlink()
                self.goes_on()  # with the code objects that are still there

    def test_damaged_code_objects_are_compiled_again(self):
        self.run_here()
        codes = sorted((self.here.folder / ".fusetune" / "code").rglob("*.co"))
        entries = sorted((self.here.folder / ".fusetune" / "code").rglob("*.json"))
        codes[0].write_bytes(codes[0].read_bytes()[:-1])
        codes[1].write_bytes(b"")
        codes[2].unlink()
        changed = bytearray(codes[3].read_bytes())
        changed[len(changed) // 2] ^= 4
        codes[3].write_bytes(changed)
        entries[4].write_text("{")
        entries[5].unlink()
        self.goes_on()
        self.assertEqual(torture.json.loads((self.here.folder / "out").read_text())["compiled"], 6)


class Processes(Survival):
    def interrupted(self, signal_number):
        process = self.here.start()
        harness.wait_for_steps(process, self.here.folder, 12)
        process.send_signal(signal_number)
        self.assertEqual(self.here.finish(process), 130)
        kept = self.here.steps()
        self.assertGreaterEqual(len(kept), 12)
        self.assertLess(len(kept), len(self.reference.steps))
        self.assertEqual(self.here.files(), {})
        self.goes_on()
        self.assertEqual(self.here.steps()[:len(kept)], kept)

    def test_an_interrupt(self):
        self.interrupted(signal.SIGINT)

    def test_a_request_to_end(self):
        self.interrupted(signal.SIGTERM)

    def test_a_reader_of_the_output_that_went_away(self):
        for stream in ("stdout", "stderr"):
            with self.subTest(stream):
                shutil.rmtree(self.here.folder / ".fusetune", ignore_errors=True)
                read, write = os.pipe()
                os.close(read)
                streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: write}
                process = subprocess.Popen([*self.here.command, "tune", str(self.sweep)], cwd=self.here.folder,
                                           env=self.here.environment, stdin=subprocess.DEVNULL, **streams)
                os.close(write)
                process.wait(60)
                self.goes_on()

    def test_two_campaigns_that_write_one_table(self):
        other = self.place("other-store")
        command = [*other.command[:-2], "--results", str(self.here.folder / "results"), *other.command[-2:]]
        other.command = command
        both = [self.here.start(), other.start()]
        self.assertEqual([place.finish(process) for place, process in zip((self.here, other), both)], [0, 0])
        self.goes_on()


class Clocks(Survival):
    def test_a_time_of_day_that_jumps(self):
        self.here.environment.update(LD_PRELOAD=str(self.preloaded), IO_FAULT_CLOCK="1")
        started = time.monotonic()
        self.goes_on()
        with sqlite3.connect(self.here.folder / ".fusetune" / "records.sqlite") as db:
            years = {row[0][:4] for row in db.execute("SELECT finished FROM steps")}
            slowest = db.execute("SELECT max(wall_ms) FROM steps").fetchone()[0]
        self.assertEqual(len(years), 2)  # it did jump
        self.assertLess(slowest, 1000 * (time.monotonic() - started))

    def test_a_device_clock_that_is_put_back_blames_nobody(self):
        text = (SIMULATIONS / "noisy.yaml").read_text() + "clock_jumps: [{at_us: 60000, by_us: -40000}]\n"
        script = self.here.folder / "jump.yaml"
        script.write_text(text)
        self.here.environment["FUSETUNE_SIMULATION"] = str(script)
        report = self.here.report(self.here.finish(self.here.start()))
        self.assertEqual(report["failures"], [])
        with sqlite3.connect(self.here.folder / ".fusetune" / "records.sqlite") as db:
            races = [json.loads(row[0]) for row in db.execute("SELECT data FROM steps WHERE kind = 'race'")]
        self.assertTrue(any("the clock was put back" in race["result"]["flags"] for race in races), races[0].keys())
        self.assertEqual([row["status"] for row in report["rows"]], ["ok", "ok"])


class Memory(Survival):
    def test_a_device_without_memory_is_a_status_and_can_be_tried_again(self):
        script = self.here.folder / "small.yaml"
        script.write_text((SIMULATIONS / "noisy.yaml").read_text() + "memory_bytes: 30000\n")
        usual = self.here.environment["FUSETUNE_SIMULATION"]
        self.here.environment["FUSETUNE_SIMULATION"] = str(script)
        code = self.here.finish(self.here.start())
        self.assertNotEqual(code, 0)
        statuses = {status for _, _, _, _, status, *_ in self.here.steps()}
        self.assertEqual(statuses, {"ok", "out_of_memory"})
        self.here.environment["FUSETUNE_SIMULATION"] = usual
        self.goes_on("--retry-failed")


if __name__ == "__main__":
    harness.main()
