"""Another compiler, audits, quarantine: what is done again and what is not."""

import ctypes
import ctypes.util
import json
import re
import shutil
import sqlite3
import subprocess

import harness
from records_test import StoreTest, TINY_SWEEP

FAULTS = harness.ROOT / "tests" / "faults"
# Numbers keep the digits that the program wrote: there is more than one shortest text for some.
FLOAT = "float:"


class Hash(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


class Upgrade(StoreTest):
    def compiler(self, version, extra=""):
        """A g++ that calls itself otherwise, and with `extra` may change what it is asked for."""
        script = self.write(f"gxx-{version}", f"""#!/bin/sh
case "$*" in *--version*) echo "g++ (Test) {version}"; exit 0;; esac
{extra}
exec g++ "$@"
""")
        script.chmod(0o755)
        return self.environment(CXX=str(script))

    def test_only_what_changed_in_machine_code_is_proved_and_timed_again(self):
        first = self.tune(environment=self.compiler("12.9"))
        self.assertEqual((first["compiled"], first["proved"], first["measured"]), (6, 3, 1))
        same = self.tune(environment=self.compiler("13.1"))
        self.assertEqual((same["compiled"], same["proved"], same["measured"]), (6, 0, 0))
        # A newer one that gives other code for one variant: those of 128 threads.
        changed = self.tune(environment=self.compiler(
            "13.2", 'case "$*" in *FT_BLOCK_SIZE=128*) set -- "$@" -fno-inline -O1;; esac'))
        self.assertEqual((changed["compiled"], changed["proved"], changed["measured"]), (6, 1, 1))
        again = self.tune(environment=self.compiler("13.1"))
        self.assertEqual([again[key] for key in ("compiled", "proved", "measured")], [0, 0, 0])

    def test_an_audit_finds_records_that_do_not_hold(self):
        self.tune()
        sound = self.tune_again("--audit", "100%", "--audit-seed", "7")["audit"]
        self.assertEqual((sound["proofs"], sound["races"], sound["seed"]), (3, 1, 7))
        self.assertEqual([f for f in sound["findings"] if f["kind"] == "proof"], [])
        # A share is drawn by the seed: the same again, and not everything.
        shares = [self.verify_again("--audit", "30%", "--audit-seed", str(seed))["audit"]["proofs"]
                  for seed in (1, 1, 2, 3, 4, 5)]
        self.assertEqual(shares[0], shares[1])
        self.assertLess(sum(shares[1:]), 15)
        self.assertGreater(sum(shares[1:]), 0)
        before = self.run_json("records", "list")["records"]

        # Planted: a proof that never held, and times a thousand times too good, with checksums that fit.
        self.plant(lambda line: line.update(status="verification_failed", message="planted")
                   if line["kind"] == "proof" else None)
        report = self.verify_again("--audit", "100%", expect=2)
        self.assertEqual({f["kind"] for f in report["audit"]["findings"]}, {"proof"})
        self.assertEqual(len(report["audit"]["findings"]), 3)
        self.assertIn("now it is ok", report["audit"]["findings"][0]["what"])
        self.assertEqual(len(self.run_json("--store", "planted", "records", "list")["records"]), len(before))

        def faster(line):
            if line["kind"] == "race":
                fields = line["data"]["result"]["sample_fields"]
                # Short numbers, which every library writes alike.
                for i, sample in enumerate(line["data"]["result"]["samples"]):
                    sample[fields.index("us")] = (0.001, 0.0015, 0.002)[i % 3]
        self.plant(faster)
        report = self.run_program("--store", "planted", "--jobs", 1, "tune", "tiny.yaml", "--audit", "100 %")
        self.assertEqual(report.returncode, 3, report.stdout + report.stderr)
        self.assertIn("does not hold", report.stdout)
        self.assertIn("but now it takes", harness.unwrapped(report.stdout))

        for wrong in ("0%", "101%", "5%%", "x", "-1%", "1e1%", "nan"):
            result = self.run_program("tune", "tiny.yaml", "--audit=" + wrong)
            self.assertEqual(result.returncode, 64, wrong)
            self.assertIn("percentage", result.stderr)

    def tune_again(self, *arguments):
        # A shared machine may have become slower meanwhile; that is what exit code 3 says.
        result = self.run_program("--json", "--jobs", 1, "tune", "tiny.yaml", *arguments)
        self.assertIn(result.returncode, (0, 3), result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual([report[key] for key in ("compiled", "proved", "measured")], [0, 0, 0])
        return report

    def verify_again(self, *arguments, expect=0):
        store = ("--store", "planted") if (self.dir / "planted").exists() else ()
        return self.run_json(*store, "--jobs", 1, "verify", "tiny.yaml", "--device", "host-w64", *arguments,
                             expect=expect)[0]

    def plant(self, change):
        """Records of another store, changed as `change` does, in a store of their own."""
        shutil.rmtree(self.dir / "planted", ignore_errors=True)
        self.run_json("records", "export", "sound.jsonl")
        self.run_json("--store", "planted", "records", "merge", "sound.jsonl")
        shutil.copytree(self.dir / ".fusetune/code", self.dir / "planted/code")
        lines = [json.loads(line, parse_float=lambda text: FLOAT + text) for line in (self.dir / "sound.jsonl").read_text().splitlines()]
        with sqlite3.connect(self.dir / "planted/records.sqlite") as database:
            database.execute("DELETE FROM steps")
        for line in lines[1:]:
            if line["record"] == "step":
                change(line)
        self.write("planted.jsonl", self.sealed(lines))
        self.run_json("--store", "planted", "records", "merge", "planted.jsonl")

    def sealed(self, lines):
        """Checksums as the program makes them; its own hash, asked from the library it links."""
        rest = "".join(self.seal(line) for line in lines[1:])
        header = dict(lines[0], rest=self.hash(rest))
        return self.seal(header) + rest

    def seal(self, line):
        line = {key: value for key, value in line.items() if key != "checksum"}
        line["checksum"] = self.hash(self.dump(line))
        return self.dump(line) + "\n"

    @staticmethod
    def dump(value):
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return re.sub(f'"{FLOAT}([^"]*)"', r"\1", text)

    @staticmethod
    def hash(text):
        library = ctypes.CDLL(ctypes.util.find_library("xxhash"))
        library.XXH3_128bits.restype = Hash
        data = text.encode()
        value = library.XXH3_128bits(data, ctypes.c_size_t(len(data)))
        return f"{value.high:016x}{value.low:016x}"


class Quarantine(StoreTest):
    def test_what_hangs_is_run_once_and_its_folder_shows_it_again(self):
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        case = "faulty_rows(nk=2,nv=4,tokens=16)"
        variant = "block_size=64,fault=loops_forever,rows_per_iter=1"
        arguments = ("--jobs", 1, "--kernel-timeout-s", 1, "verify", case, "--variant", variant, "--device", "host-w64")
        first = self.run_json(*arguments, expect=5, environment=environment)[0]
        self.assertEqual([f["status"] for f in first["failures"]], ["kernel_timeout"])
        folder, = [self.dir / one for one in first["quarantined"]]
        for name in ("source.hip", "headers/ft.h", "request.json", "log.txt", "quarantine.json", "reproduce"):
            self.assertTrue((folder / name).is_file(), name)
        mark = json.loads((folder / "quarantine.json").read_text())
        self.assertEqual((mark["variant"], mark["seed"], mark["status"]), (variant, 1, "kernel_timeout"))
        self.assertEqual(mark["code_identity"], folder.name)
        self.assertIn("g++", mark["compiler"])

        deaths = self.run_json("records", "list", "--kind", "death")["deaths"]
        self.assertEqual({d["how"] for d in deaths}, {"timed_out"})
        self.assertEqual({d["role"] for d in deaths}, {"device"})
        self.assertIn("faulty_rows(", deaths[0]["subject"])

        # Another case of the same code: it is not run.
        other = [a if a != case else case.replace("16", "48") for a in arguments]
        second = self.run_json(*other, expect=5, environment=environment)[0]
        self.assertIn("in quarantine", second["failures"][0]["message"])
        self.assertEqual(len(self.run_json("records", "list", "--kind", "death")["deaths"]), len(deaths))
        self.run_json("--retry-failed", *other, expect=5, environment=environment)
        self.assertGreater(len(self.run_json("records", "list", "--kind", "death")["deaths"]), len(deaths))

        # With nothing but the folder, and from anywhere.
        moved = self.dir / "moved"
        folder.rename(moved)
        shown = subprocess.run([moved / "reproduce"], cwd="/", env=self.environment(), capture_output=True, text=True,
                               timeout=200)
        self.assertEqual(shown.returncode, 5, shown.stdout + shown.stderr)
        self.assertIn("kernel_timeout", shown.stdout)

    def test_what_is_proved_when_it_is_retried_is_free_again(self):
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        verify = ("--jobs", 1, "--exact-rows", 0, "verify", "faulty_rows(nk=2,nv=4,tokens=1)", "--device", "host-w64",
                  "--variant", "block_size=64,fault=begins_slowly,rows_per_iter=1")
        late = self.run_json("--kernel-timeout-s", "0.001", *verify, expect=5, environment=environment)[0]
        self.assertEqual([f["status"] for f in late["failures"]], ["kernel_timeout"])
        self.assertTrue(late["quarantined"])
        kept = self.run_json(*verify, expect=5, environment=environment)[0]
        self.assertEqual((kept["compiled"], kept["proved"]), (0, 0))
        retried = self.run_json("--retry-failed", *verify, environment=environment)[0]
        self.assertEqual((retried["failures"], retried["quarantined"]), ([], []))
        again = self.run_json(*verify, environment=environment)[0]
        self.assertEqual((again["proved"], again["failures"]), (0, []))


if __name__ == "__main__":
    harness.main()
