# SPDX-License-Identifier: BSD-3-Clause
"""What the measuring halves of the benchmarks share: where things are, their
arguments, rounds, where results are kept, figures as text, and how a run ends.
Knows nothing of what is measured."""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from statistics import median

BUILD = os.environ.get("PCF_BUILD", ".")
DROPIN = os.environ.get("PCF_DROPIN", "")
DEVICE = "rx0"
GENERATOR_CORE, READER_CORE = "0", "1"
EXCLUSIVE = {"PCAP_FAST_MODE": "exclusive"}


class Failed(Exception):
    """A case could not be measured; the text says why."""


def in_namespace(which, core, command):
    """The command as it is run in NS_TX or NS_RX, on that core."""
    return ["ip", "netns", "exec", os.environ[which],
            "taskset", "-c", core] + command


# --- arguments and rounds ---------------------------------------------------

def numbers(text):
    return [int(n) for n in text.split(",")]


def arguments(prog, rounds=5, seconds=2.0):
    """A parser with what every benchmark takes."""
    p = argparse.ArgumentParser(prog=prog)
    p.add_argument("--rounds", type=int, default=rounds)
    p.add_argument("--seconds", type=float, default=seconds)
    p.add_argument("--json", required=True)
    return p


def turns(rounds, cases):
    """Number of the round and case: back and forth, so that no case always
    follows the same one."""
    cases = list(cases)
    for turn in range(rounds):
        for case in cases[::-1] if turn % 2 else cases:
            yield turn, case


def at_rates(a, cases, measure, form):
    """measure(case, pps, seconds) of each case in each round, at each of
    a.rates; `form` shows a row as it comes. All rows."""
    rows = []
    for pps in a.rates:
        for turn, case in turns(a.rounds, cases):
            r = dict(measure(case, pps, a.seconds), pps=pps, round=turn,
                     case=case)
            rows.append(r)
            print("%6d pps, round %d: %-7s %s" % (pps, turn + 1, case, form(r)),
                  file=sys.stderr)
    return rows


def run(main):
    """Leaving by an exception ends what was started."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    try:
        main()
    except Failed as e:
        sys.exit("bench: %s" % e)


# --- results ----------------------------------------------------------------

def machine():
    with open("/proc/cpuinfo") as f:
        cpu = re.search(r"model name\s*:\s*(.*)", f.read())
    return {"cpu": cpu[1] if cpu else platform.machine(),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "tcpdump": subprocess.run(
                ["tcpdump", "--version"], text=True, capture_output=True
            ).stdout.strip().splitlines()[:2],
            "date": time.strftime("%Y-%m-%d")}


def load(path):
    """The last results of each suite, by its name."""
    try:
        with open(path) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def save(path, suite, a, **results):
    """Puts a suite's results in place of its last ones."""
    data = load(path)
    data[suite] = dict(results, machine=machine(), seconds=a.seconds,
                       rounds=a.rounds)
    with open(path + ".new", "w") as f:
        json.dump(data, f, indent=1)
    os.replace(path + ".new", path)


# --- figures ----------------------------------------------------------------

def unique(values):
    return list(dict.fromkeys(values))


def select(rows, **keys):
    return [r for r in rows if all(r[k] == v for k, v in keys.items())]


def spread(values, form):
    """Median, smallest and largest, as text."""
    if not values:
        return "-"
    return "%s (%s-%s)" % tuple(form % v for v in (
        median(values), min(values), max(values)))


def ratio(rows, key, above, below):
    """One value a round, so that the machine's moods cancel out."""
    a = {r["round"]: r[key] for r in select(rows, case=above)}
    b = {r["round"]: r[key] for r in select(rows, case=below)}
    return [a[k] / b[k] for k in a if b.get(k)]


def loss_text(rows):
    """Each reason's share of what was sent, over all rounds."""
    sent = sum(r["sent"] for r in rows) or 1
    parts = []
    for reason in unique(k for r in rows for k in r["losses"]):
        n = sum(r["losses"].get(reason, 0) for r in rows)
        if n:
            parts.append("%s %.2f %%" % (reason, 100 * n / sent))
    return ", ".join(parts) or "none"


def print_head(cells):
    print("| %s |\n|%s" % (" | ".join(cells), "---|" * len(cells)))


def print_row(cells):
    print("| %s |" % " | ".join(str(c) for c in cells))


def print_machine(result, more=()):
    m = result["machine"]
    print("\n%s, %d cores, Linux %s; %s; %d rounds of %g s; %s" % (
        m["cpu"], m["cores"], m["kernel"],
        ", ".join(list(m["tcpdump"]) + list(more)),
        result["rounds"], result["seconds"], m["date"]))
