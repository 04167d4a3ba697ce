"""Our winners, as results/DEVICE/FAMILY.json has them: the row of a case, and what to launch for it. Without torch."""

import dataclasses
import json
import math
import pathlib

from .cases import DTYPES


class NoRow(Exception):
    """The table has no kernel for a case; says why."""


_FUNCTIONS = {"__builtins__": {}, "math": math, "min": min, "max": max, "abs": abs}
_BYTES = {"bf16": 2, "fp16": 2, "fp32": 4, "e4m3fn": 1, "e4m3fnuz": 1, "i64": 8, "i32": 4}


class _Names(dict):
    """Values by name, for the expressions of a table. A tensor that is not there restricts no alignment."""

    def __missing__(self, name):
        if name.startswith("align_bytes_"):
            return 16
        raise KeyError(name)  # the interpreter looks among the functions, then makes it a NameError


@dataclasses.dataclass(frozen=True)
class Launch:
    """What a row launches for one token count."""

    entry: str
    grid: tuple  # blocks: x, y, z
    block: tuple  # threads: x, y, z
    lds_bytes: int


class Table:
    """The rows of one family on one device."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.json = json.loads(self.path.read_text())
        if self.json.get("format") != 1:
            raise NoRow(f"{self.path} has format {self.json.get('format')}; this script reads 1")

    def row(self, case):
        """The row that answers for the case; of several alignment classes that of the best aligned tensors."""
        rows = [row for row in self.json["rows"] if self._answers(row, case)]
        if not rows:
            raise NoRow(f"{self.path.name} has no row of this geometry and token count")
        row = max(rows, key=lambda one: sum(one["geometry"]["align_bytes"].values()))
        if row["is_default"]:
            raise NoRow("the table names the baseline: no kernel beat it beyond noise")
        return row

    @staticmethod
    def _answers(row, case):
        geometry = row["geometry"]
        return (row["rows_low"] <= case.tokens <= row["rows_high"]
                and all(geometry["statics"].get(name) == value for name, value in case.wanted.items())
                and all(DTYPES.get(name, dtype) == dtype for name, dtype in geometry["dtypes"].items()))

    def source(self, row):
        """File name of the kernel's source."""
        return self.json["implementations"][row["implementation"]]["source"]

    def launch(self, row, case):
        """The only active launch of a row."""
        names = self._names(row, case)
        value = lambda expression: eval(expression["python"], _FUNCTIONS, names)
        active = [launch for launch in self.json["implementations"][row["implementation"]]["launches"]
                  if "when" not in launch or value(launch["when"])]
        if len(active) != 1:
            raise NoRow(f"the row has {len(active)} launches; this script does one")
        launch = active[0]
        three = lambda sizes: tuple([value(size) for size in sizes] + [1] * (3 - len(sizes)))
        return Launch(launch["entry"], three(launch["grid"]), three(launch["block"]), value(launch["lds_bytes"]))

    def _names(self, row, case):
        geometry, facts = row["geometry"], self.json["facts"]
        names = _Names(geometry["statics"])
        names.update({f"bytes_{name}": _BYTES[dtype] for name, dtype in geometry["dtypes"].items()})
        names.update({f"align_bytes_{name}": align for name, align in geometry["align_bytes"].items()})
        names.update(row["axes"])
        names.update(case.runtime, tokens=case.tokens, CU_COUNT=facts["cu_count"], WAVE_SIZE=facts["wave_size"],
                     LDS_BYTES_MAX=facts["lds_bytes_max"], BLOCK_THREADS_MAX=facts["block_threads_max"])
        for derived in self.json["derived"]:  # in order: later ones use earlier ones
            try:
                names[derived["name"]] = eval(derived["python"], _FUNCTIONS, names)
            except NameError:
                pass  # of an axis that this implementation does not have
        return names


class Tables:
    """The tables of a device, read when they are asked for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._tables = {}

    def of(self, family):
        if family not in self._tables:
            path = self.folder / f"{family}.json"
            if not path.exists():
                raise NoRow(f"there is no {path}")
            self._tables[family] = Table(path)
        return self._tables[family]
