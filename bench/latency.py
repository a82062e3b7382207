# SPDX-License-Identifier: BSD-3-Clause
"""Latency from a peer's send to the callback: runs each case in each round,
prints a Markdown table. The network is made by run-latency; what is measured,
and why so: README.md."""

import subprocess

from common import (BUILD, DEVICE, EXCLUSIVE, GENERATOR_CORE, arguments,
                    at_rates, in_namespace, load, numbers, print_head,
                    print_machine, print_row, ratio, run, save, select, spread,
                    unique)
from reader import Reader, end

LATENCY = BUILD + "/bench/bench_latency"
BUSY_US = 100000

# name -> (what it is, the drop-in's environment or None for the system's)
CASES = {
    "stock": ("system libpcap", None),
    "dropin": ("drop-in", EXCLUSIVE),
    "busy": ("drop-in, busy polling",
             dict(EXCLUSIVE, PCAP_FAST_BUSY_POLL=BUSY_US)),
}
RATIOS = [("drop-in / stock", "dropin", "stock"),
          ("busy polling / stock", "busy", "stock")]


def measure(case, pps, seconds):
    reader = Reader([LATENCY, "receive", DEVICE, str(seconds)],
                    CASES[case][1])
    processes = [reader.process]
    try:
        reader.wait_line("^ready")
        # Longer than needed; the reader ends when it has its window.
        processes.append(subprocess.Popen(
            in_namespace("NS_TX", GENERATOR_CORE,
                         [LATENCY, "send", "tx0", str(pps),
                          str(seconds + 5)]),
            stdout=subprocess.DEVNULL))
        return dict(reader.values(seconds + 10), log=reader.log())
    finally:
        for process in processes:
            end(process)


def table(rows):
    print_head(["packets a second", "case", "median, us (min-max)",
                "99 %, us", "reader's processor, %"])
    for pps in unique(r["pps"] for r in rows):
        for case in unique(r["case"] for r in rows):
            mine = select(rows, pps=pps, case=case)
            print_row([pps, CASES[case][0],
                       spread([r["median_us"] for r in mine], "%.1f"),
                       spread([r["p99_us"] for r in mine], "%.1f"),
                       spread([100 * r["busy"] for r in mine], "%.0f")])


def ratios(rows):
    print()
    print_head(["packets a second"] + [
        "%s, %s" % (text, what) for text, _, _ in RATIOS
        for what in ("median", "99 %")])
    for pps in unique(r["pps"] for r in rows):
        print_row([pps] + [
            spread(ratio(select(rows, pps=pps), key, a, b), "%.2f")
            for _, a, b in RATIOS for key in ("median_us", "p99_us")])


def main():
    p = arguments("bench/run-latency")
    p.add_argument("--rates", type=numbers, default=[1000, 50000])
    a = p.parse_args()
    rows = at_rates(a, CASES, measure, lambda r: (
        "median %6.1f us, 99 %% %6.1f" % (r["median_us"], r["p99_us"])))
    save(a.json, "latency", a, rows=rows)
    table(rows)
    ratios(rows)
    print_machine(load(a.json)["latency"])


if __name__ == "__main__":
    run(main)
