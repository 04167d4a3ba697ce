"""The campaign engine on the simulated device: scripted faults, noise, and the same table every time."""

import collections

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
        })
        self.assertEqual([row["status"] for row in report["rows"]], ["ok", "ok"])
        # By the formula: the widest block with the widest chunk, and no rows to loop over.
        for row in report["rows"]:
            self.assertIn("block_size=256,chunk=4,", row["variant"])
            self.assertIn("rows_per_iter=1", row["variant"])


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
