"""Compiles a row of a table as the program does for NVIDIA's GPUs: source, headers, macros and options, by NVRTC. Without torch.

harness/compile/make_request.cpp collects the same headers, harness/compile/rtc and harness/compile/nvidia have the same options.
"""

import ctypes
import glob
import os
import pathlib
import re
import sys

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


class CompileError(Exception):
    """NVRTC is not there, or refused the source; the text is its log."""


def headers_of(source, folders):
    """{name: text} of what a source includes by quotes, and of what that includes."""
    found, wanted = {}, ["ft.h", *_INCLUDE.findall(source)]
    while wanted:
        name = wanted.pop(0)
        if name in found:
            continue
        file = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if file is None:
            continue  # the compiler complains
        found[name] = file.read_text()
        wanted += _INCLUDE.findall(found[name])
    return found


def signature_check(entry, declaration):
    """A kernel whose parameters are not those that a launch passes does not compile."""
    return ("\nnamespace ft_peers { template <class A, class B> struct same { static constexpr bool value = false; };\n"
            "template <class A> struct same<A, A> { static constexpr bool value = true; }; }\n"
            f"static_assert(ft_peers::same<decltype(&{entry}), void (*)({declaration})>::value, \"the launch passes "
            f"({declaration})\");\n")


class Compiler:
    """NVRTC, by its C interface: that has not changed since CUDA 11.1."""

    def __init__(self, root, target):
        self.kernels = pathlib.Path(root) / "kernels"
        self.target = target  # "sm_90"
        self.nvrtc = _load_library()
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        self.numbers = major.value, minor.value
        self.version = f"{major.value}.{minor.value}"
        self._cubins = {}

    def options(self, defines):
        lean = ["--minimal", "--no-cache"] if self.numbers >= (12, 9) else []
        return ["-std=c++17", f"--gpu-architecture={self.target}", "--ptxas-options=-v", "--device-as-default-execution-space", *lean,
                *(f"-D{name}={value}" for name, value in sorted(defines.items()))]

    def cubin(self, family, source_name, defines, entry, declaration):
        """Machine code of one row, as bytes. Token counts share rows' code: each is compiled once."""
        key = (family, source_name, tuple(sorted(defines.items())), declaration)
        if key not in self._cubins:
            folder = self.kernels / family
            text = (folder / source_name).read_text()
            headers = headers_of(text, [folder, self.kernels / "common"])
            self._cubins[key] = self.compile(text + signature_check(entry, declaration), source_name, headers, self.options(defines))
        return self._cubins[key]

    def compile(self, source, name, headers, options):
        program = ctypes.c_void_p()
        strings = lambda texts: (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
        names = sorted(headers)
        self._check(self.nvrtc.nvrtcCreateProgram(
            ctypes.byref(program), source.encode(), name.encode(), len(names), strings([headers[one] for one in names]),
            strings(names)), "nvrtcCreateProgram")
        try:
            result = self.nvrtc.nvrtcCompileProgram(program, len(options), strings(options))
            if result != 0:
                raise CompileError(self._text(program, "nvrtcGetProgramLog").decode(errors="replace").strip("\0\n") or
                                   f"NVRTC's error {result}")
            return self._text(program, "nvrtcGetCUBIN")
        finally:
            self.nvrtc.nvrtcDestroyProgram(ctypes.byref(program))

    def _text(self, program, getter):
        size = ctypes.c_size_t()
        self._check(getattr(self.nvrtc, getter + "Size")(program, ctypes.byref(size)), getter)
        buffer = ctypes.create_string_buffer(max(1, size.value))
        self._check(getattr(self.nvrtc, getter)(program, buffer), getter)
        return buffer.raw[:size.value]

    @staticmethod
    def _check(result, call):
        if result != 0:
            raise CompileError(f"{call}: NVRTC's error {result}")


def _load_library():
    """CUDA's own first: it made the tables. Then what comes with Python packages."""
    folders = [os.environ.get("CUDA_HOME", "/usr/local/cuda") + "/lib64", "/usr/local/cuda/lib64"]
    folders += [path + "/nvidia/*/lib" for path in sys.path]
    names = [name for folder in folders for name in sorted(glob.glob(folder + "/libnvrtc.so*"), reverse=True)]
    for name in [*names, "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise CompileError("there is no libnvrtc: neither in CUDA_HOME nor in Python's packages")
