# SPDX-License-Identifier: BSD-3-Clause
"""What a capture costs at rates far below what it could take: how often the
reader sleeps, and how busy it is. Runs each case in each round, prints Markdown
tables. The network is made by run-wakeups; what is measured, and why so:
README.md."""

import time

from common import (BUILD, DEVICE, EXCLUSIVE, arguments, at_rates, load,
                    numbers, print_head, print_machine, print_row, ratio, run,
                    save, select, spread, unique)
from reader import Generator, Reader

TCPDUMP = ["tcpdump", "-i", DEVICE, "-w", "/dev/null"]
WARM_UP = 0.5

# name -> (what it is, the drop-in's environment or None for the system's)
CASES = {
    "stock": ("system libpcap", None),
    "dropin": ("drop-in, exclusive", EXCLUSIVE),
    "xsk": ("the same through AF_XDP sockets",
            dict(EXCLUSIVE, PCAP_FAST_RX="xsk")),
    "mirror": ("drop-in, mirror", {"PCAP_FAST_MODE": "mirror"}),
}


def sample(pid):
    """When, how often it has slept so far, and its processor's time."""
    with open("/proc/%d/status" % pid) as f:
        sleeps = next(int(line.split()[1]) for line in f
                      if line.startswith("voluntary_ctxt_switches"))
    with open("/proc/%d/schedstat" % pid) as f:
        busy = int(f.read().split()[0]) / 1e9
    return time.monotonic(), sleeps, busy


def measure(case, pps, seconds):
    reader = Reader(TCPDUMP, CASES[case][1])
    try:
        reader.wait_line("listening on")
        generator = Generator([BUILD + "/tests/gen/pcf-gen", "tx0",
                               "--pps", str(pps),
                               "--seconds", str(seconds + 5)])
        try:
            time.sleep(2 * WARM_UP)
            before = sample(reader.process.pid)
            time.sleep(seconds)
            after = sample(reader.process.pid)
        finally:
            generator.stop()
    finally:
        reader.close()
    took = after[0] - before[0]
    return {"sleeps": (after[1] - before[1]) / took,
            "busy": (after[2] - before[2]) / took, "log": reader.log()}


def table(rows):
    print_head(["packets a second", "case", "sleeps a second",
                "reader's processor, %", "/ system libpcap"])
    for pps in unique(r["pps"] for r in rows):
        mine = select(rows, pps=pps)
        for case in CASES:
            of_case = select(mine, case=case)
            print_row([pps, CASES[case][0],
                       spread([r["sleeps"] for r in of_case], "%.0f"),
                       spread([100 * r["busy"] for r in of_case], "%.2f"),
                       spread(ratio(mine, "busy", case, "stock"), "%.2f")])


def main():
    p = arguments("bench/run-wakeups")
    p.add_argument("--rates", type=numbers,
                   default=[1000, 10000, 50000, 200000])
    a = p.parse_args()
    rows = at_rates(a, CASES, measure, lambda r: (
        "%6.0f sleeps, busy %5.2f %%" % (r["sleeps"], 100 * r["busy"])))
    save(a.json, "wakeups", a, rows=rows)
    table(rows)
    print_machine(load(a.json)["wakeups"])


if __name__ == "__main__":
    run(main)
