#!/usr/bin/env python3
"""Makes the record of run.sh: DATE-DEVICE-COMMIT.json and .md. README.md describes the JSON.

    record.py WORK OUT SECONDS BUDGET     prints the path without its ending"""
import collections
import datetime
import json
import os
import re
import sys

FORMAT = 1


def read_lines(path):
    """The lines of a section. One that is no JSON was cut off, or is a fault of the section."""
    found, broken = [], 0
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    broken += bool(line.strip())
    return [x for x in found if isinstance(x, dict)], broken


def read_table(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return [line.rstrip("\n").split("\t") for line in f]


def gather(work, seconds, budget):
    machine = {row[0]: row[1] for row in read_table(f"{work}/machine.tsv") if len(row) > 1}
    r = {
        "format": FORMAT,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "emulated": machine.pop("emulated") == "true",
        "commit": machine.pop("commit"),
        "dirty": machine.pop("dirty") == "true",
        "changed": machine.pop("changed", ""),
        "machine": machine,
        "seconds": seconds,
        "budget": budget,
        "build": "none",
        "sections": [],
        "checks": [],
        "rates": [],
        "figures": [],
        "skipped": [],
    }
    kinds = {"check": "checks", "rate": "rates", "bench": "figures", "skipped": "skipped"}
    for name, status, spent, limit, why in read_table(f"{work}/sections.tsv"):
        lines, broken = read_lines(f"{work}/{name}.jsonl")
        for x in lines:
            kind = next((kinds[k] for k in kinds if k in x), None)
            if kind:
                r[kind].append(x | {"section": name})
            elif x.get("note") == "build":
                r["build"] = x["value"]
        section = {"name": name, "status": status, "seconds": int(spent), "limit": int(limit)}
        section |= {"why": why} if why else {}
        section |= {"lines_cut": broken} if broken else {}
        r["sections"].append(section)
    r["passed"] = all(x["passed"] for x in r["checks"]) and bool(r["checks"]) and not any(
        s["status"] in ("failed", "timed out") for s in r["sections"])
    return r


# ---- for people -----------------------------------------------------------------------------------

def cell(x):
    return str(x).replace("|", "\\|").replace("\n", " ")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows] + [""]


def number(x):
    return "" if x is None else f"{x:.4g}"


def check_rows(checks):
    """Cases of one check and precision together: how many, and the worst."""
    groups = collections.OrderedDict()
    for x in checks:
        groups.setdefault((x["check"], x["precision"]), []).append(x)
    for (name, precision), cases in groups.items():
        worst = max(cases, key=lambda x: (not x["passed"], x["error"] or 0))
        equal = sum(x["equal"] for x in cases)
        yield (name, precision, len(cases), equal, "" if worst["limit"] == 0 else number(worst["error"]),
               "byte-equal" if worst["limit"] == 0 else number(worst["limit"]),
               sum(not x["passed"] for x in cases), worst["case"] if len(cases) > 1 else cases[0]["case"])


def figure_row(x, emulated):
    rate = next(k for k in x if k.endswith("_per_second"))
    what = ", ".join(f"{k} {x[k]}" for k in ("how", "game", "net", "nets", "rows_per_net", "lanes_per_net")
                     if k in x)
    floor = f'{number(x["floor_per_second"])} ({x["floor_is"]})' if "floor_per_second" in x else ""
    aim = number(x.get("aim_share")) or (f'{x["aim_per_second"]:.3g}/s' if "aim_per_second" in x else "")
    reached = x["share_of_floor"] >= x["aim_share"] if "aim_share" in x else (
        x[rate] >= x["aim_per_second"] if "aim_per_second" in x else None)
    return (x["bench"], what, x.get("precision") or x.get("backend", ""), f"{number(x[rate])} {rate[:-11]}/s",
            f'{number(x["low"])} to {number(x["high"])}', floor, number(x.get("share_of_floor")), aim,
            "" if reached is None or emulated else "reached" if reached else "missed")


def page(r):
    m = r["machine"]
    out = [f"# {m['device']}, {r['date'][:10]}", ""]
    if r["emulated"]:
        out += ["**Emulated: no GPU. Kernels ran on the host by the tests' driver. Errors are those of the kernels'"
                " text, and no time in here means anything.**", ""]
    changed = f" with changes ({cell(r['changed'])})" if r["dirty"] else ""
    out += [f"Commit {r['commit']}{changed}; driver {m['driver']}, toolkit {m['toolkit']}, build: {r['build']}; "
            f"{m['host']}, {m['cores']} cores, {m['system']}. {r['seconds']} s of {r['budget']}. "
            f"**{'All checks passed' if r['passed'] else 'NOT all checks passed'}** "
            f"({sum(x['passed'] for x in r['checks'])} of {len(r['checks'])}).", ""]
    out += ["## Sections", ""] + table(("section", "status", "seconds", "limit", "why"), [
        (s["name"], s["status"], s["seconds"], s["limit"], s.get("why", "")) for s in r["sections"]])
    out += ["## Checks", "", "The GPU beside the CPU backend: `error` is the worst case's, which is named.", ""]
    out += table(("check", "precision", "cases", "byte-equal", "error", "limit", "failed", "worst case"),
                 check_rows(r["checks"]))
    failed = [x for x in r["checks"] if not x["passed"]]
    if failed:
        out += ["### Failed", ""] + [f"- {x['check']}, {x['precision']}: {x['case']}: error {number(x['error'])}, "
                                     f"limit {number(x['limit'])}" for x in failed[:50]] + [""]
    out += ["## Limits of this device", ""]
    out += table(("what", "rate", "how"), [(x["rate"], f"{number(x['value'])} {x['unit']}", x["how"])
                                           for x in r["rates"]])
    out += ["## Figures", "", "A floor is the rate that the bytes to be moved, or the FLOP, allow; `share` is of it.",
            ""]
    out += table(("bench", "of", "by", "rate", "samples", "floor", "share", "aim", ""), [
        figure_row(x, r["emulated"]) for x in r["figures"]])
    out += ["## Skipped", ""] + [f"- {x['skipped']} ({x['section']}): {x['why']}" for x in r["skipped"]]
    return "\n".join(out).rstrip() + "\n"


def dump(r, f):
    """JSON with one entry of a list a line: a record is read, and compared, by people, too."""
    parts = []
    for key, value in r.items():
        text = json.dumps(value)
        if isinstance(value, list) and value:
            text = "[\n" + ",\n".join(json.dumps(x) for x in value) + "\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    f.write("{\n" + ",\n".join(parts) + "\n}\n")


def main():
    work, to, seconds, budget = sys.argv[1:]
    r = gather(work, int(seconds), int(budget))
    device = re.sub(r"[^A-Za-z0-9]+", "-", r["machine"]["device"]).strip("-")
    stem = f"{r['date'][:10]}-{device}-{r['commit'][:12]}" + ("-dirty" if r["dirty"] else "")
    stem = "emulated-" + stem if r["emulated"] else stem
    with open(f"{to}/{stem}.json", "w", encoding="utf-8") as f:
        dump(r, f)
    with open(f"{to}/{stem}.md", "w", encoding="utf-8") as f:
        f.write(page(r))
    print(f"{to}/{stem}")


main()
