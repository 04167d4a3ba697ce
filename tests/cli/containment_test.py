"""Kernels that try to leave their worker: each is stopped and reported, and the run goes on."""


import harness

FAULTS = harness.ROOT / "tests" / "faults"

# What each variant is told when system calls are restricted.
MESSAGES = {
    "socket": "the kernel called socket(): device workers have no network",
    "write_file": "the kernel called openat(): device workers change no files",
    "read_file": "the kernel called openat(): kernels read no files",
    "fork": "the kernel called fork(): device workers start no processes",
    "exec": "the kernel called execve(): device workers start no processes",
    "kill": "the kernel called kill(): device workers reach no other process",
    "map_memory": "the kernel called mmap(): kernels make no system calls",
}


class Containment(harness.ProgramTest):
    def measures(self):
        devices = {d["device"]: d for d in self.run_json("devices")["devices"]}
        return {m["measure"]: m for m in devices["host-w64"]["containment"]}

    def attempt_of(self, failure):
        return dict(pair.split("=") for pair in failure["variant"].split(","))["attempt"]

    def test_devices_says_each_measure_and_what_is_missing(self):
        measures = self.measures()
        self.assertLessEqual({"network namespace", "read-only mounts", "landlock", "memory limit",
                              "file size limit", "process limit", "system calls"}, set(measures))
        for measure in measures.values():
            self.assertTrue(measure["refuses"])
            self.assertEqual(measure["active"], measure["why_not"] == "", measure)
        text = harness.unwrapped(self.run_program("devices").stdout)
        for name, measure in measures.items():
            expected = name if measure["active"] else f"not available: {name}"
            self.assertIn(expected, text)
        # Limits hold wherever the program runs.
        self.assertTrue(measures["file size limit"]["active"])

    def test_each_attempt_is_stopped_and_the_others_win(self):
        if not self.measures()["system calls"]["active"]:
            self.skipTest("system calls are not restricted here: "
                          + self.measures()["system calls"]["why_not"])
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        report = self.run_json("tune", FAULTS / "escaping.yaml", expect=5, environment=environment)
        messages = {}
        for failure in report["failures"]:
            self.assertEqual(failure["status"], "kernel_fault", failure)
            messages.setdefault(self.attempt_of(failure), failure["message"])
        self.assertEqual(set(messages), set(MESSAGES))
        for attempt, message in MESSAGES.items():
            self.assertIn(message, messages[attempt])
            self.assertIn("escaping_rows.hip:", messages[attempt])
        self.assertTrue(report["rows"])
        for row in report["rows"]:
            self.assertEqual(row["status"], "ok")
        self.assertEqual([str(path) for path in self.dir.rglob("escaped")], [])

    def test_without_restricted_system_calls_nothing_gets_out(self):
        """The measures below the system calls, on a machine that has only those."""
        measures = self.measures()
        if measures["system calls"]["active"]:
            self.skipTest("system calls are restricted here; tests/sandbox tries each measure alone")
        if not (measures["landlock"]["active"] or measures["read-only mounts"]["active"]):
            self.skipTest("nothing keeps a worker from writing files here")
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        self.run_program("tune", FAULTS / "escaping.yaml", environment=environment)
        self.assertEqual([str(path) for path in self.dir.rglob("escaped")], [])

    def test_no_scratch_folder_stays(self):
        temporary = self.dir / "tmp"
        temporary.mkdir()
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        result = self.run_program("tune", sweep, environment=self.environment(TMPDIR=str(temporary)))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual([str(path) for path in temporary.iterdir()], [])

    def test_a_killed_compiler_leaves_no_folder(self):
        temporary = self.dir / "tmp"
        temporary.mkdir()
        slow = self.write("slow-g++", '#!/bin/sh\n[ "$1" = --version ] && echo "g++ (slow) 1" && exit 0\n'
                          'touch "$TMPDIR/left-behind.o"\nsleep 60\n')
        slow.chmod(0o755)
        result = self.run_program("--compile-timeout-s", 1, "verify", "split_reshape_cat", "--model", "qwen3.5-27b",
                                  "--tp", 8, "--space", 1, "--device", "host-w64",
                                  environment=self.environment(TMPDIR=str(temporary), CXX=str(slow)))
        self.assertIn("compile_timeout", result.stdout)
        self.assertEqual([str(path) for path in temporary.iterdir()], [])


if __name__ == "__main__":
    harness.main()
