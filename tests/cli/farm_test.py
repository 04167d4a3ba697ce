"""Compilers that crash, hang, eat memory or are killed: what becomes of their variants, and of the run."""

import harness

# A compiler that misbehaves for one variant. It logs each compilation of it, and how many others ran beside it.
WRAPPER = """#!/bin/sh
log={log}
fails() {{ {fault}; }}
case "$*" in
  *--version*) exec g++ "$@" ;;
  *{marker}*)
    echo tried >> $log/tried
    if [ $(ls $log | grep -c '^running') -gt 0 ]; then echo beside >> $log/company; else echo alone >> $log/company; fi
    tries=$(wc -l < $log/tried)
    fails "$@" ;;
  *)
    touch $log/running.$$
    g++ "$@"; code=$?
    rm $log/running.$$
    exit $code ;;
esac
"""

EATS_MEMORY = '#define A0 "' + "a" * 40 + '"\n' + "".join(
    "#define A%d %s\n" % (i, " ".join(["A%d" % (i - 1)] * 10)) for i in range(1, 9)) + "inline const char *hog = A8;\n"


class Farm(harness.ProgramTest):
    variant = "block_size=512,"
    case = "split_reshape_cat(layout=contiguous,nk=2,nv=6,tokens=4)"

    def setUp(self):
        super().setUp()
        self.log = self.dir / "log"
        self.log.mkdir()

    def verify(self, fault, *options, expect=0, marker="-DFT_BLOCK_SIZE=512"):
        wrapper = self.write("compiler", WRAPPER.format(log=self.log, fault=fault, marker=marker))
        wrapper.chmod(0o755)
        return self.run_json(*options, "--exact-rows", 0, "verify", "split_reshape_cat", "--model", "qwen3.5-27b",
                             "--tp", 8, "-o", "layout=contiguous", "--tokens", 4, "--space", 5, "--device", "host-w64",
                             expect=expect, environment=self.environment(CXX=str(wrapper)))[0]

    def lines(self, name):
        path = self.log / name
        return path.read_text().split() if path.exists() else []

    def statuses(self, report):
        return {f["status"] for f in report["failures"]}

    def test_a_worker_that_dies_once_costs_nothing(self):
        # It kills the worker, as a compiler does that runs inside it.
        report = self.verify('if [ $tries = 1 ]; then kill -9 $PPID; fi; exec g++ "$@"', "--jobs", 2)
        self.assertEqual(report["failures"], [])
        tried = self.lines("tried")
        self.assertGreaterEqual(len(tried), 2)
        deaths = self.run_json("records", "list", "--kind", "death")["deaths"]
        self.assertTrue(deaths)
        for death in deaths:
            self.assertRegex(death["subject"], r"^compile kernels/split_reshape_cat/\w+\.hip [0-9a-f]{32}$")
        self.assertEqual(self.lines("company")[-1], "alone")

    def test_a_crash_is_tried_once_more_alone_then_recorded_and_not_tried_again(self):
        fault = "kill -9 $PPID"
        report = self.verify(fault, "--jobs", 2, expect=4)
        failures = report["failures"]
        self.assertEqual(self.statuses(report), {"compiler_crash"})
        self.assertTrue(all("signal 9, alone as well" in f["message"] for f in failures), failures)
        first = len(self.lines("tried"))
        self.assertEqual(first, 2 * len(failures))
        self.assertEqual(self.lines("company")[-len(failures):], ["alone"] * len(failures))
        # All the others were compiled and proved.
        self.assertGreater(report["proved"], 0)
        again = self.verify(fault, expect=4)
        self.assertEqual((again["compiled"], again["proved"]), (0, 0))
        self.assertEqual(len(self.lines("tried")), first)
        self.assertEqual(len(again["failures"]), len(failures))
        # The cause is gone: only what failed is compiled.
        mended = self.verify('exec g++ "$@"', "--retry-failed")
        self.assertEqual(mended["failures"], [])
        self.assertEqual(mended["compiled"], len(failures))

    def test_a_hanging_compiler_is_a_status(self):
        report = self.verify("sleep 1000", "--compile-timeout-s", 1, expect=4)
        self.assertEqual(self.statuses(report), {"compile_timeout"})
        self.assertIn("did not end within 1 s, nor alone", report["failures"][0]["message"])

    def test_a_compiler_that_eats_memory_is_a_status(self):
        header = self.write("hog.h", EATS_MEMORY)
        report = self.verify(f'exec g++ -include {header} "$@"', "--compile-memory-mib", 256, expect=4)
        self.assertEqual(self.statuses(report), {"out_of_memory"})
        message = report["failures"][0]["message"]
        self.assertIn("more than its 256 MiB of memory (--compile-memory-mib", message)
        self.assertIn("memory exhausted", message)

    def test_a_killed_compiler_process_is_a_crash(self):
        # As the kernel's out-of-memory killer does it: the driver stays and tells.
        report = self.verify("echo 'g++: fatal error: Killed signal terminated program cc1plus' >&2; exit 1", expect=4)
        self.assertEqual(self.statuses(report), {"compiler_crash"})
        self.assertIn("Killed signal terminated program cc1plus", report["failures"][0]["message"])

    def test_each_stage_leaves_a_line(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        lines = {}
        for run in ("first", "second"):
            result = self.run_program("--jobs", 2, "tune", sweep)
            self.assertEqual(result.returncode, 0, result.stderr)
            lines[run] = {line.split()[0]: line for line in result.stderr.splitlines()}
        self.assertEqual(set(lines["first"]), {"compile", "prove", "trace", "race"})
        self.assertRegex(lines["first"]["compile"], r"^compile 14/14 ")
        self.assertRegex(lines["first"]["race"], r"^race    2/2 ")
        self.assertRegex(lines["second"]["prove"], r"^prove   nothing to do, 7 found done$")


if __name__ == "__main__":
    harness.main()
