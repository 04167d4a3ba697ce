#!/usr/bin/env python3
"""What the engine costs per variant, and its memory over many: a sweep of N variants on the simulated device.

The supervisor's own processor time is taken, without that of its workers: what is left of a campaign when compiling,
proving and measuring cost nothing. The second run finds everything done. Memory is the supervisor's resident set,
sampled every quarter of a second and printed at each tenth of the steps."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SWEEP = """
sweep: many
device: simulated
families:
  - family: simulated_rows
    symbols: [{symbols}]
    tokens: [1]
    axes: {{block_size: [64, 128], rows_per_iter: [1], chunk: [{chunks}], order: [forward], prefetch: [off]}}
measure: {{data: hot, budget_s: 100000}}
"""
CHUNKS = 125  # times two block sizes: 250 variants of a geometry


def processor_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError


def watched(command, folder, environment):
    """Report, wall seconds, processor seconds, [(seconds, KiB)]."""
    samples, processor = [], 0.0
    with open(folder / "out", "w") as out:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.PIPE, text=True)
        while True:
            try:
                processor = processor_s(process.pid)
                samples.append((time.monotonic() - started, resident_kib(process.pid)))
            except (ProcessLookupError, FileNotFoundError, ValueError):
                pass
            try:
                process.wait(0.25 if samples and samples[-1][0] > 2 else 0.02)
                break
            except subprocess.TimeoutExpired:
                continue
    if process.returncode != 0:
        sys.exit(process.stderr.read())
    return json.loads((folder / "out").read_text()), time.monotonic() - started, processor, samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=1000, help="rounded to geometries of 250 (1000)")
    parser.add_argument("--jobs", type=int, default=2, help="workers (2)")
    parser.add_argument("--program", default=os.environ.get("FUSETUNE", str(ROOT / "build" / "release" / "fusetune")))
    options = parser.parse_args()
    geometries = max(1, round(options.variants / (2 * CHUNKS)))
    with tempfile.TemporaryDirectory(prefix="fusetune-overhead-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "many.yaml").write_text(SWEEP.format(
            symbols=", ".join(f"{{nk: 1, nv: {n}}}" for n in range(1, geometries + 1)),
            chunks=", ".join(str(chunk) for chunk in range(1, CHUNKS + 1))))
        environment = {**os.environ, "CI": "true", "FUSETUNE_KERNEL_PATH": str(ROOT / "tests" / "faults" / "kernels")}
        command = [str(pathlib.Path(options.program).resolve()), "--json", "--jobs", str(options.jobs), "tune", "many.yaml"]
        report, wall, processor, samples = watched(command, folder, environment)
        variants = report["compiled"]
        print(f"{variants} variants of {geometries} geometries: {wall:.1f} s, of them {processor:.1f} s in the supervisor: "
              f"{1000 * processor / variants:.2f} ms per variant (processor time)")
        print("supervisor's memory over time:")
        for tenth in range(11):
            seconds, kib = min(samples, key=lambda one: abs(one[0] - wall * tenth / 10))
            print(f"  {seconds:7.1f} s  {kib / 1024:6.1f} MiB")
        again, wall, processor, _ = watched(command, folder, environment)
        if again["compiled"] + again["proved"] + again["measured"] != 0:
            sys.exit("the second run did something again")
        print(f"everything found done: {wall:.2f} s, {1000 * wall / variants:.2f} ms per variant (wall time)")


if __name__ == "__main__":
    main()
