"""fusetune report: the page is whole HTML that fetches nothing, and holds in a real browser, light and dark and narrow."""

import collections
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import harness

sys.path.insert(0, str(harness.ROOT / "scripts"))
from peers import cases, report as peers_report  # noqa: E402

FAULTS = harness.ROOT / "tests" / "faults"
VOID = {"meta", "br", "wbr", "input", "img", "link", "hr"}
BROWSER = os.environ.get("FUSETUNE_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<script>alert(1)</script>"


class Strict(html.parser.HTMLParser):
    """Collects what is wrong with a page."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.problems = [], collections.Counter(), []
        self.links, self.data, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.note(tag, attrs)

    def note(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.problems.append(f"<{tag}> has an attribute twice")
        for name, value in attrs:
            if name == "id":
                self.ids[value] += 1
            if name == "href" and value.startswith("#"):
                self.links.append(value[1:])
            elif name in ("href", "src", "srcset", "action", "data") or name.startswith("on"):
                self.problems.append(f"<{tag} {name}={value}> reaches out")

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> where {self.open[-3:]} are open")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.data.append(data)
        else:
            self.text.append(data)


def problems_of(page):
    parser = Strict()
    parser.feed(page)
    parser.close()
    found = parser.problems + [f"<{tag}> is not closed" for tag in parser.open]
    found += [f"the id {name} is there {count} times" for name, count in parser.ids.items() if count > 1]
    found += [f"a link to #{name} leads nowhere" for name in parser.links if name not in parser.ids]
    outside = page.replace("http://www.w3.org/2000/svg", "")
    found += [f"an address: {address}" for address in re.findall(r"(?:https?:)?//[\w.-]+\.\w+|url\(|@import", outside)]
    return found, parser


class ReportTest(harness.ProgramTest):
    def simulated(self, simulation):
        return self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"), FUSETUNE_SIMULATION=str(FAULTS / "simulations" / simulation))

    def broken_campaign(self):
        environment = self.simulated("broken.yaml")
        self.run_program("--jobs", 2, "--compile-timeout-s", 1, "--kernel-timeout-s", 0.5, "tune", FAULTS / "broken_simulated.yaml",
                         environment=environment)
        return environment

    def report(self, *arguments, environment=None):
        answer = self.run_json("report", *arguments, environment=environment)
        return answer, (self.dir / "report.html").read_text()

    def assert_whole(self, page):
        found, parser = problems_of(page)
        self.assertEqual(found, [])
        return parser


class TheCheckItself(unittest.TestCase):
    def test_what_is_wrong_with_a_page_is_found(self):
        for planted, sign in (("<p><b>x</p></b>", "are open"), ("<div>", "not closed"), ('<p id="a"></p><p id="a"></p>', "2 times"),
                              ('<a href="#gone">x</a>', "nowhere"), ('<img src="https://a.example/x.png">', "reaches out"),
                              ("<style>@import 'x';</style>", "address"), ("<p>//cdn.example.org/x</p>", "address"),
                              ('<p onclick="x()"></p>', "reaches out"), ('<p class="a" class="b"></p>', "twice")):
            found, _ = problems_of(planted)
            self.assertTrue(any(sign in one for one in found), (planted, found))
        self.assertEqual(problems_of('<p id="a">x<br>y</p><a href="#a">z</a>')[0], [])


class Simulated(ReportTest):
    def test_a_campaign_with_every_fault(self):
        environment = self.broken_campaign()
        hostile = self.write("peers.csv", "case,peer,us\n" + "".join(
            f'"simulated_rows(nk=1,nv=2,tokens={tokens})","{HOSTILE}",{us}\n' for tokens, us in ((1, 30), (16, 40))))
        answer, page = self.report("--against", "results", "--peers", hostile, "--svg", "pictures", "--out", "report.html",
                                   environment=environment)
        parser = self.assert_whole(page)
        self.assertEqual((answer["devices"], answer["rows"], answer["left_out"]), (["simulated-w64"], 2, []))
        text = " ".join(parser.text)
        for status in ("compile_error", "compiler_crash", "compile_timeout", "kernel_fault", "kernel_timeout", "worker_lost", "launch_error",
                       "verification_failed", "out_of_memory"):
            self.assertIn(status, text)
        self.assertIn("2 of 2 rows name the same variant", text)
        self.assertNotIn(HOSTILE, page)
        self.assertIn(HOSTILE, text, "it is shown, as text")
        # The data of the heat map tells of every variant, and of why it has no time.
        maps = [json.loads(data) for data in parser.data if data.startswith("{")]
        self.assertEqual(len(maps), 1)
        for case in maps[0]["cases"]:
            self.assertEqual(len(case["variants"]), 27)
            self.assertEqual(sum("status" in variant for variant in case["variants"]), 18)
        self.check_pictures(answer)
        # What is named of a record finds it.
        record = re.search(r"<td>([0-9a-f]{10})</td></tr>", page).group(1)
        self.assertEqual(self.run_program("records", "show", record, environment=environment).returncode, 0)
        again, same = self.report("--against", "results", "--peers", hostile, "--out", "report.html", environment=environment)
        self.assertEqual(page, same, "equal stores give equal bytes")

    def check_pictures(self, answer):
        files = [self.dir / one["file"] for one in answer["files"] if one["file"].endswith(".svg")]
        self.assertEqual({file.name.split("-")[2] for file in files}, {"winners", "bandwidth", "time", "variants"})
        for file in files:
            text = file.read_text()
            root = xml.etree.ElementTree.fromstring(text)
            self.assertTrue(root.find("{http://www.w3.org/2000/svg}title").text)
            self.assertIn("prefers-color-scheme:dark", text)
            self.assertNotRegex(text.replace("http://www.w3.org/2000/svg", ""), r"https?:|href|<script|url\(")

    def test_a_store_with_nothing_but_failures(self):
        script = self.write("all.yaml", "simulation: all\nfaults: [{fault: compile_error}]\n")
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"), FUSETUNE_SIMULATION=str(script))
        self.run_program("tune", FAULTS / "simulated.yaml", environment=environment)
        answer, page = self.report(environment=environment)
        self.assert_whole(page)
        self.assertEqual((answer["devices"], answer["rows"]), ([], 0))
        self.assertGreater(answer["failures"], 0)
        self.assertIn("compile_error", page)
        self.assertTrue(any("no table" in one for one in answer["left_out"]))

    def test_mistakes_are_told(self):
        nothing = self.run_program("report")
        self.assertEqual(nothing.returncode, 64)
        self.assertIn("nothing to report", nothing.stderr)
        self.assertIn("tune SWEEP", nothing.stderr)
        self.assertFalse((self.dir / "report.html").exists())
        self.assertFalse((self.dir / ".fusetune").exists(), "looking makes no store")
        environment = self.simulated("noisy.yaml")
        self.run_json("--jobs", 2, "tune", FAULTS / "simulated.yaml", environment=environment)
        for arguments, sign in ((("--device", "simulated-w46"), "did you mean 'simulated-w64'"), (("--against", "nowhere"), "neither records nor tables"),
                                (("--peers", self.write("p.csv", "case,us\n")), "p.csv:1:1: there is no column 'peer'")):
            result = self.run_program("report", *arguments, environment=environment)
            self.assertEqual(result.returncode, 64, result.stdout)
            self.assertIn(sign, harness.unwrapped(result.stderr))


# Put into a copy of a page: what goes wrong while it is read, and what sticks out.
CATCH = "<script>window.wrong=[];addEventListener('error',e=>wrong.push(String(e.message)));</script>"
CHECK = """<script>
addEventListener("load", () => {
  const width = document.documentElement.clientWidth, out = [];
  for (const one of document.querySelectorAll("body *")) {
    const box = one.getBoundingClientRect();
    if (box.right > width + 1 && box.width > 0 && !one.closest(".scroll, nav") && !one.closest("details:not([open])"))
      out.push(one.tagName + "." + one.getAttribute("class") + " " + Math.round(box.right));
  }
  for (const details of document.querySelectorAll("details")) details.open = true;
  const drawn = [];
  for (const select of document.querySelectorAll("figure.heat select"))
    for (const option of [...select.options]) {
      select.value = option.value;
      select.dispatchEvent(new Event("change"));
      drawn.push(select.closest("figure").querySelectorAll(".map rect").length);
    }
  parent.postMessage(JSON.stringify({wrong, out, width, scroll: document.documentElement.scrollWidth, drawn,
    background: getComputedStyle(document.body).backgroundColor,
    maps: document.querySelectorAll("figure.heat").length}), "*");
});
</script>"""
# A window cannot be as narrow as a telephone; frames can, and there can be several.
FRAMES = """<!DOCTYPE html><meta name="color-scheme" content="light dark">
<script>
const said = {};
addEventListener("message", event => {
  const frames = [...document.querySelectorAll("iframe")];
  said[frames.findIndex(frame => frame.contentWindow === event.source)] = JSON.parse(event.data);
  if (Object.keys(said).length < frames.length) return;
  const pre = document.createElement("pre");
  pre.id = "self-check";
  pre.textContent = JSON.stringify(said);
  document.body.append(pre);
});
</script>%s"""
FRAME = '<iframe src="%s" style="width:%dpx;height:1000px;border:0"></iframe>'


@unittest.skipUnless(BROWSER, "no chromium here: apt-get install chromium, or name a browser with FUSETUNE_BROWSER")
class Browser(ReportTest):
    def browse(self, *options):
        return subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", f"--user-data-dir={self.dir / 'profile'}",
             *options], capture_output=True, text=True, timeout=120, env=self.environment(HOME=str(self.dir)))

    def look(self, pages, dark):
        """What each of (page, width) says of itself in the browser."""
        frames = ""
        for number, (page, width) in enumerate(pages):
            name = f"checked-{number}.html"
            self.write(name, page.replace("<head>", "<head>" + CATCH, 1).replace("</body>", CHECK + "</body>", 1))
            frames += FRAME % (name, width)
        file = self.write("frames.html", FRAMES % frames)
        result = self.browse(f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--window-size=1400,1100", "--virtual-time-budget=5000",
                             "--dump-dom", file.as_uri())
        found = re.search(r'<pre id="self-check">(.*?)</pre>', result.stdout, re.S)
        self.assertTrue(found, result.stderr[-2000:])
        parser = Strict()
        parser.feed(found.group(0))
        said = json.loads("".join(parser.text))
        return [said[str(number)] for number in range(len(pages))]

    def assert_sound(self, said, width, background):
        self.assertEqual((said["wrong"], said["out"]), ([], []))
        self.assertEqual((said["width"], said["background"], said["maps"]), (width, background, 1))
        self.assertLessEqual(said["scroll"], width)
        self.assertTrue(said["drawn"] and min(said["drawn"]) >= 4, said)

    def test_light_dark_and_narrow(self):
        environment = self.broken_campaign()
        _, page = self.report("--against", "results", environment=environment)
        # The check itself: what sticks out and what fails is found.
        planted = page.replace("<main>", '<main><div style="width:900px">wide</div><script>nobody.knows();</script>', 1)
        for dark, background in ((False, "rgb(255, 255, 255)"), (True, "rgb(15, 20, 26)")):
            wide, narrow, wrong = self.look([(page, 1280), (page, 400), (planted, 400)], dark)
            self.assert_sound(wide, 1280, background)
            self.assert_sound(narrow, 400, background)
            self.assertTrue(any(one.startswith("DIV") for one in wrong["out"]), wrong)
            self.assertTrue(any("nobody" in one for one in wrong["wrong"]), wrong)
            self.assertGreater(wrong["scroll"], 400)


class Host(ReportTest):
    def follow_the_tutorial(self):
        """The program of docs/tutorial.md compiles against a header and finds a launch."""
        tutorial = (harness.ROOT / "docs/tutorial.md").read_text()
        self.write("example.cpp", re.search(r"```cpp\n(.*?)```", tutorial, re.S).group(1))
        command = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-I", "results/host-w64", "example.cpp", "-o", "example"]
        subprocess.run(command, cwd=self.dir, check=True, timeout=120)
        said = subprocess.run([self.dir / "example"], capture_output=True, text=True, check=True, timeout=20).stdout
        self.assertRegex(said, r"\w+: [1-9]\d* blocks of [1-9]\d* threads")
        for image in re.findall(r'\((images/[^)]+)\)|(?:src|srcset)="([^"]+)"', tutorial):
            self.assertTrue((harness.ROOT / "docs" / (image[0] or image[1])).is_file(), image)

    def test_tables_of_another_machine_beside_its_limits(self):
        results = harness.ROOT / "results"
        limits = self.dir / "limits/doctor"
        limits.mkdir(parents=True)
        for known in (False, True):
            if known:  # a store that has nothing but what doctor found
                shutil.copy(results / "nvidia-h200/doctor.json", limits / "nvidia-h200.json")
            self.run_json("--store", "limits", "--results", results, "report", "--device", "nvidia-h200", "--svg", "pictures")
            picture = (self.dir / "pictures/nvidia-h200-bandwidth-mrope.svg").read_text()
            self.assertEqual("that this device reaches" in picture, known)

    def test_real_times_and_limits(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        self.run_json("tune", sweep)
        answer, page = self.report("--svg", "pictures", "--out", "report.html")
        self.assert_whole(page)
        self.assertEqual((answer["devices"], answer["rows"]), (["host-w64"], 2))
        self.assertIn("say nothing of a GPU", page)
        # All cases of the comparison with peers are cases of the program, and what names none of this report is said.
        keys = {case.key: case.program_key for case in cases.all_cases()}
        peers = {"a, b": {"us": 3.5, "ratio": 1.25}, "none": {"why": "not here"}}
        results = [{"case": case.key, "ours": {"table_us": 2.0}, "peers": peers} for case in cases.all_cases()]
        peers_report.write_csv(self.dir / "peers.csv", results, keys)
        answer = self.run_json("report", "--peers", "peers.csv", "--out", "peers.html")
        self.assertEqual(answer["left_out"], [f"{len(keys)} of {len(keys)} peer times are of geometries that are not in this report"])
        self.follow_the_tutorial()
        # A table alone is a report as well, and so is a store alone.
        self.run_json("--store", "none", "report", "--out", "table.html")
        self.assert_whole((self.dir / "table.html").read_text())
        answer = self.run_json("--results", "none", "report", "--out", "store.html")
        self.assertEqual(answer["rows"], 2)
        self.assert_whole((self.dir / "store.html").read_text())


if __name__ == "__main__":
    if not BROWSER:
        print("skipped: no chromium here, nobody looked at the page in a browser", file=sys.stderr)
    harness.main()
