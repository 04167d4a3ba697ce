"""What a campaign survives: broken variants, kills, interrupts, two runs, unusable folders."""

import contextlib
import fcntl
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import termios
import time

import json

import harness

FAULTS = harness.ROOT / "tests" / "faults"


def has_amd():
    result = subprocess.run([harness.PROGRAM, "--json", "devices"], capture_output=True, text=True)
    return any(c["target"] == "gfx90a" and c["available"] for c in json.loads(result.stdout)["compilers"])


class BrokenVariants(harness.ProgramTest):
    def test_each_fault_is_a_status_and_the_others_have_a_winner(self):
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        report = self.run_json("--kernel-timeout-s", 2, "tune", FAULTS / "faulty.yaml", expect=2,
                               environment=environment)
        found = {}
        after_timing = [f for f in report["failures"] if f["message"].startswith("after timing: ")]
        while_timed = [f for f in report["failures"] if f["message"].startswith("while it was timed: ")]
        for failure in report["failures"]:
            if failure not in after_timing + while_timed and failure["target"] == "host-w64":
                found.setdefault(failure["status"], []).append(failure)
        self.assertEqual({status: len(failures) for status, failures in found.items()},
                         # A null pointer is out of bounds too where every access is seen.
                         {"compile_error": 2, "kernel_timeout": 2, "out_of_bounds": 4, "verification_failed": 2})
        self.assertEqual(len(after_timing), 4)
        self.assertEqual({(f["status"], "fault=dies_late" in f["variant"]) for f in while_timed}, {("kernel_fault", True)})
        self.assertEqual(len(while_timed), 4)
        self.assertTrue(all("fault=wears_out" in failure["variant"] for failure in after_timing))
        self.assertIn("faulty_rows.hip", found["compile_error"][0]["message"])
        stray = [f["message"] for f in found["out_of_bounds"] if "fault=writes_out_of_bounds" in f["variant"]]
        self.assertEqual(len(stray), 2)
        self.assertIn("past the end of 'z'", stray[0])
        self.assertIn("q of head 0, element 0, token 0 holds q of head 1, element 0, token 0",
                      found["verification_failed"][0]["message"])
        for failure in report["failures"]:
            self.assertIn(harness.PROGRAM + " ", failure["repro"])
        for row in report["rows"]:
            self.assertEqual(row["status"], "ok")
        self.assertTrue(report["files"])

        # The printed command shows the failure again.
        command = found["verification_failed"][0]["repro"]
        result = subprocess.run(command, shell=True, cwd=self.dir,
                                env=environment, capture_output=True, text=True)
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        self.assertIn("holds q of head 1", result.stdout)

    def test_a_kernel_that_hangs_while_it_is_timed_is_blamed_alone(self):
        sweep = self.write("late.yaml", """
sweep: late
device: host-w64
families:
  - family: faulty_rows
    symbols: [{nk: 2, nv: 4}]
    tokens: [1]
    axes: {block_size: [64], fault: [none, hangs_late]}
measure: {data: hot, budget_s: 1, probe_cutoff: 1000}
""")
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        report = self.run_json("--kernel-timeout-s", 3, "tune", sweep, expect=5, environment=environment)
        self.assertEqual([(f["status"], "fault=hangs_late" in f["variant"]) for f in report["failures"]],
                         [("kernel_timeout", True)])
        self.assertIn("while it was timed: the kernel did not end, nor on a second try alone within 9 s",
                      report["failures"][0]["message"])
        self.assertEqual([row["status"] for row in report["rows"]], ["ok"])
        self.assertEqual(len(report["quarantined"]), 1)
        # It is known: nothing is run again.
        again = self.run_json("tune", sweep, expect=5, environment=environment)
        self.assertEqual((again["proved"], again["measured"], len(again["failures"])), (0, 0, 1))

    def test_a_target_that_aborts_its_compiler_is_a_status(self):
        if not has_amd():
            self.skipTest("the AMD module is not built here")
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        report = self.run_json("--kernel-timeout-s", 2, "tune", FAULTS / "faulty.yaml", expect=2,
                               environment=environment)
        other = [f for f in report["failures"] if f["target"] == "gfx1100"]
        if not other:
            self.skipTest("this hipRTC compiles for gfx1100")
        self.assertEqual({f["status"] for f in other}, {"compiler_crash", "unsupported_target"})
        # Two compilations; the baseline is the first variant's code.
        self.assertEqual(sum(f["status"] == "compiler_crash" for f in other), 3)
        self.assertEqual(len(other), 17)


class BrokenBaselines(harness.ProgramTest):
    """A baseline that is wrong, hangs or faults fails alone: what is compared with it does not."""

    def failures_of(self, fault, expect=2):
        family = self.dir / "kernels" / "broken_norm"
        shutil.copytree(harness.ROOT / "kernels" / "rmsnorm_gemma", family)
        text = (family / "family.yaml").read_text()
        (family / "family.yaml").write_text(text.replace("family: rmsnorm_gemma", "family: broken_norm", 1))
        source = (family / "unfused.hip").read_text()
        broken = source.replace("for (ft_i64 row = blockIdx.x;", fault + "for (ft_i64 row = blockIdx.x;", 1)
        self.assertNotEqual(broken, source)
        (family / "unfused.hip").write_text(broken)
        document = self.run_json("--kernel-timeout-s", 3, "verify", "broken_norm", "-o", "width=64", "--space", 2,
                                 "--device", "host-w64", expect=expect,
                                 environment=self.environment(FUSETUNE_KERNEL_PATH=str(self.dir / "kernels")))[0]
        left_out = document["proofs"]["left_out"]
        self.assertEqual(left_out.get("comparison with the unfused implementation: it failed its proof"), 2, document)
        return [(f["status"], "implementation=unfused" in f["variant"]) for f in document["failures"]]

    def test_one_that_does_not_end(self):
        self.assertEqual(self.failures_of("volatile int forever = 1; while (forever) { } ", expect=5),
                         [("kernel_timeout", True)])

    def test_one_that_faults(self):
        self.assertEqual(self.failures_of("*reinterpret_cast<volatile int *>(16) = 1; "),
                         [("out_of_bounds", True)])

    def test_one_that_is_wrong(self):
        self.assertEqual(self.failures_of("eps += 1.0f; "), [("verification_failed", True)])


class Kills(harness.ProgramTest):
    def steps(self):
        with sqlite3.connect(self.dir / ".fusetune" / "records.sqlite") as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
            return db.execute("SELECT kind, key, run FROM steps").fetchall()

    def test_kill_9_and_continue(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        process = self.start_program("tune", sweep)
        harness.wait_for_steps(process, self.dir, 3)
        process.kill()
        process.communicate()
        before = self.steps()
        report = self.run_json("tune", sweep)
        after = self.steps()
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(len({(kind, key) for kind, key, _ in after}), len(after))
        compiled_before = sum(kind == "compile" for kind, _, _ in before)
        self.assertGreaterEqual(report["compile_found"], compiled_before)
        self.assertEqual(report["compiled"] + report["compile_found"],
                         sum(kind == "compile" for kind, _, _ in after))
        self.assertEqual([row["status"] for row in report["rows"]], ["ok", "ok"])

    def test_no_worker_outlives_a_killed_supervisor(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        process = self.start_program("tune", sweep)
        harness.wait_for_steps(process, self.dir, 2)
        process.kill()
        process.communicate()
        for _ in range(100):
            listing = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True).stdout
            left = [line for line in listing.splitlines()
                    if harness.PROGRAM + " worker" in line and line.split()[0] == "1"]
            if not left:
                return
            time.sleep(0.05)
        self.fail("\n".join(left))

    def test_ctrl_c_keeps_what_was_done(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        process = self.start_program("tune", sweep)
        harness.wait_for_steps(process, self.dir, 2)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, output)
        self.assertIn("what was done is kept", output)
        kept = len(self.steps())
        self.assertGreaterEqual(kept, 2)
        report = self.run_json("tune", sweep)
        self.assertGreaterEqual(report["compile_found"] + report["proof_found"], kept)


class Interrupts(harness.ProgramTest):
    """Ctrl-C in every stage, which a scripted hang keeps open, with and without a terminal."""

    STAGES = {"compile": "compiler_hang, entry: simulated_rows, variant: {block_size: 64, chunk: 4, rows_per_iter: 2}",
              "proof": "kernel_hang, entry: simulated_rows, variant: {block_size: 64, chunk: 4, rows_per_iter: 2}",
              "race": "kernel_hang, entry: simulated_rows, variant: {block_size: 64, chunk: 4, rows_per_iter: 2}, "
                      "launch: 200"}

    def start(self, stage, with_terminal):
        script = self.write("script.yaml", f"simulation: stuck\nfaults: [{{fault: {self.STAGES[stage]}}}]\n")
        environment = {**os.environ, "TERM": "xterm", "FUSETUNE_KERNEL_PATH": str(FAULTS / "kernels"),
                       "FUSETUNE_SIMULATION": str(script)}
        environment.pop("CI", None)
        command = [harness.PROGRAM, "--jobs", "1", "--store", f"{stage}{with_terminal}/.fusetune",
                   "--kernel-timeout-s", "600", "--compile-timeout-s", "600", "tune", str(FAULTS / "simulated.yaml"),
                   "--family", "simulated_rows"]
        if not with_terminal:
            process = subprocess.Popen(command, cwd=self.dir, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return process, process.stdout
        own, terminal = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        process = subprocess.Popen(command, cwd=self.dir, env=environment, stdin=terminal, stdout=terminal,
                                   stderr=terminal, preexec_fn=take_terminal)
        os.close(terminal)
        return process, os.fdopen(own, "r+b", buffering=0)

    def read_all(self, stream):
        output = b""
        with contextlib.suppress(OSError):  # a terminal that nobody has open any more
            while more := stream.read(65536):
                output += more
        return output.decode(errors="replace")

    def test_ctrl_c(self):
        # As many steps as come before the hang: the baseline is compiled first, and proved.
        for stage, steps in (("compile", 2), ("proof", 17), ("race", 26)):
            for with_terminal in (False, True):
                with self.subTest(stage=stage, with_terminal=with_terminal):
                    shows_race = stage == "race" and with_terminal
                    process, stream = self.start(stage, with_terminal)
                    with stream:
                        harness.wait_for_steps(process, self.dir / f"{stage}{with_terminal}", steps)
                        time.sleep(1 if shows_race else 0.3)
                        if with_terminal:
                            stream.write(b"\x03")
                        else:
                            process.send_signal(signal.SIGINT)
                        output = self.read_all(stream)
                    self.assertEqual(process.wait(60), 130, output)
                    self.assertIn("what was done is kept", harness.unwrapped(output))
                    self.assertIn("--family simulated_rows", harness.unwrapped(output))
                    self.assertEqual(output.count("\x1b[?25l"), output.count("\x1b[?25h"))
                    self.assertEqual(output[-1], "\n")
                    if shows_race:  # all are probed, and the baseline cannot win
                        self.assertIn("race 0/2 (8 of 9 left)", output)


class Output(harness.ProgramTest):
    def test_an_output_that_cannot_be_written_is_no_bug(self):
        with open("/dev/full", "w") as full:
            for command in (["list", "families"], ["--json", "list", "families"], ["--help"]):
                with self.subTest(command):
                    result = subprocess.run([harness.PROGRAM, *command], stdout=full, stderr=subprocess.PIPE, text=True)
                    self.assertEqual(result.returncode, 64, result.stderr)
                    self.assertEqual(result.stderr, "error: cannot write the output: No space left on device\n")

    def test_streams_that_are_closed(self):
        sweep = FAULTS / "simulated.yaml"
        command = f"'{harness.PROGRAM}' tune '{sweep}' <&- >&- 2>&-"
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        self.assertEqual(subprocess.run(["sh", "-c", command], cwd=self.dir, env=environment).returncode, 0)
        # Nothing was printed into a file that took the place of a stream.
        report = self.run_json("tune", sweep, environment=environment)
        self.assertEqual((report["compiled"], report["proved"], report["measured"]), (0, 0, 0))


class Store(harness.ProgramTest):
    def test_two_runs_on_one_store(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        first = self.start_program("tune", sweep)
        for _ in range(500):
            if (self.dir / ".fusetune" / "records.sqlite").exists():
                break
            time.sleep(0.01)
        second = self.run_program("tune", sweep)
        self.assertEqual(second.returncode, 64, second.stdout)
        self.assertIn("in use by process", second.stderr)
        output, _ = first.communicate(timeout=120)
        self.assertEqual(first.returncode, 0, output)

    def test_unusable_store_and_results(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        blocker = self.write("file", "")
        result = self.run_program("--store", blocker / "store", "tune", sweep)
        self.assertEqual(result.returncode, 64)
        self.assertIn("file", result.stderr)
        result = self.run_program("--results", blocker / "results", "tune", sweep)
        self.assertEqual((result.returncode, result.stdout), (64, ""))
        self.assertIn("give another with --results", harness.unwrapped(result.stderr))

    def test_full_disk(self):
        small = self.dir / "disk"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", small], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no right to mount a small file system")
        self.addCleanup(subprocess.run, ["umount", str(small)], check=True)
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        result = self.run_program("--store", small / "store", "tune", sweep)
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        self.assertIn("space", result.stderr.lower())


if __name__ == "__main__":
    harness.main()
