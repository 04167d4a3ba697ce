"""The rules of SARIF 2.1.0 (OASIS standard, sections named below) for what fusetune writes of it. The schema closes every object: a
property that is not listed here for an object is not allowed there, but in property bags."""

import re

# Object -> (required, optional), by the section that defines it.
OBJECTS = {
    "sarifLog": ({"version", "runs"}, {"$schema", "inlineExternalProperties", "properties"}),  # 3.13
    "run": ({"tool"}, {"invocations", "columnKind", "automationDetails", "results", "artifacts", "originalUriBaseIds",
                       "properties"}),  # 3.14
    "tool": ({"driver"}, {"extensions", "properties"}),  # 3.18
    "toolComponent": ({"name"}, {"version", "semanticVersion", "informationUri", "rules", "properties"}),  # 3.19
    "reportingDescriptor": ({"id"}, {"name", "shortDescription", "fullDescription", "help", "helpUri",
                                     "defaultConfiguration", "properties"}),  # 3.49
    "reportingConfiguration": (set(), {"enabled", "level", "rank", "parameters", "properties"}),  # 3.50
    "multiformatMessageString": ({"text"}, {"markdown", "properties"}),  # 3.12
    "message": (set(), {"text", "markdown", "id", "arguments", "properties"}),  # 3.11
    "runAutomationDetails": (set(), {"id", "guid", "correlationGuid", "description", "properties"}),  # 3.17
    "invocation": ({"executionSuccessful"}, {"exitCode", "commandLine", "toolExecutionNotifications", "properties"}),  # 3.20
    "notification": ({"message"}, {"level", "locations", "descriptor", "properties"}),  # 3.58
    "result": ({"message"}, {"ruleId", "ruleIndex", "kind", "level", "locations", "partialFingerprints",
                             "properties"}),  # 3.27
    "location": (set(), {"physicalLocation", "message", "properties"}),  # 3.28
    "physicalLocation": (set(), {"artifactLocation", "region", "properties"}),  # 3.29
    "artifactLocation": (set(), {"uri", "uriBaseId", "index", "properties"}),  # 3.4
    "region": (set(), {"startLine", "startColumn", "endLine", "endColumn", "properties"}),  # 3.30
}
LEVELS = {"none", "note", "warning", "error"}  # 3.27.10
KINDS = {"notApplicable", "pass", "fail", "review", "open", "informational"}  # 3.27.9
# RFC 3986 without the characters that it does not allow; what is relative has no scheme.
URI = re.compile(r"^(file:///)?([A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$")


def require(holds, what, where):
    if not holds:
        raise AssertionError(f"SARIF {what}: {where!r}")


def check_object(kind, value):
    required, optional = OBJECTS[kind]
    require(isinstance(value, dict), f"{kind} is no object", value)
    require(required <= set(value), f"{kind} lacks {required - set(value)}", value)
    require(set(value) <= required | optional, f"{kind} has no {set(value) - required - optional}", value)


def check_text(kind, value):
    check_object(kind, value)
    require(isinstance(value["text"], str) and value["text"], f"{kind} without text (3.11.8)", value)


def check_location(location):
    check_object("location", location)
    physical = location["physicalLocation"]
    check_object("physicalLocation", physical)
    require("artifactLocation" in physical, "a place without a file (3.29.2)", physical)
    check_object("artifactLocation", physical["artifactLocation"])
    uri = physical["artifactLocation"]["uri"]
    require(URI.match(uri) and ".." not in uri.split("/"), "a uri is one (3.4.3)", uri)
    check_object("region", physical["region"])
    for name, value in physical["region"].items():
        require(type(value) is int and value >= 1, f"{name} counts from 1 (3.30)", value)


def check_result(result, rules):
    check_object("result", result)
    check_text("message", result["message"])
    require(result["kind"] in KINDS, "a kind (3.27.9)", result)
    require(result["level"] in LEVELS, "a level (3.27.10)", result)
    require(result["kind"] == "fail" or result["level"] == "none", "a level for what did not fail (3.27.10)", result)
    index = result["ruleIndex"]
    require(type(index) is int and 0 <= index < len(rules), "ruleIndex is one of the driver's (3.27.6)", result)
    require(rules[index]["id"] == result["ruleId"], "ruleIndex and ruleId are one rule (3.27.5)", result)
    for location in result.get("locations", []):
        check_location(location)
    require(all(isinstance(one, str) for one in result["partialFingerprints"].values()), "fingerprints (3.27.17)", result)


def check_run(run):
    check_object("run", run)
    check_object("tool", run["tool"])
    driver = run["tool"]["driver"]
    check_object("toolComponent", driver)
    rules = driver["rules"]
    for rule in rules:
        check_object("reportingDescriptor", rule)
        check_text("multiformatMessageString", rule["shortDescription"])
        check_object("reportingConfiguration", rule["defaultConfiguration"])
        require(rule["defaultConfiguration"]["level"] in LEVELS, "a level (3.50.3)", rule)
    ids = [rule["id"] for rule in rules]
    require(len(ids) == len(set(ids)), "rules once each (3.19.23)", ids)
    check_object("runAutomationDetails", run["automationDetails"])
    require(run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}, "columnKind (3.14.17)", run["columnKind"])
    for invocation in run["invocations"]:
        check_object("invocation", invocation)
        require(type(invocation["executionSuccessful"]) is bool, "executionSuccessful (3.20.14)", invocation)
        require(type(invocation["exitCode"]) is int, "exitCode (3.20.9)", invocation)
        for notification in invocation["toolExecutionNotifications"]:
            check_object("notification", notification)
            check_text("message", notification["message"])
            require(notification["level"] in LEVELS, "a level (3.58.6)", notification)
    for result in run["results"]:
        check_result(result, rules)


def check(log):
    """Raises AssertionError with the rule that the document breaks."""
    check_object("sarifLog", log)
    require(log["version"] == "2.1.0", "version (3.13.2)", log["version"])
    require(log["$schema"].endswith("sarif-2.1.0.json"), "$schema (3.13.3)", log["$schema"])
    for run in log["runs"]:
        check_run(run)
