# SPDX-License-Identifier: BSD-3-Clause
"""Sending and bridging: runs each case in each round, counts what arrives at
the other end by that interface's own counters, prints Markdown tables. The
network is made by run-send; what is measured, and why so: README.md."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from common import (BUILD, DROPIN, GENERATOR_CORE, Failed, arguments,
                    in_namespace, load, loss_text, numbers, print_head,
                    print_machine, print_row, ratio, run, save, select, spread,
                    turns, unique)

SENDER_CORE = "1"
WARM_UP = 1
SETTLE = 0.3  # the kernel releases a queue some time after its socket
# Namespaces by the process that keeps them, for their counters.
KEEPER = {"tx": os.environ["NS_TX_PID"], "rx": os.environ["NS_RX_PID"]}
EXCLUSIVE = {"LD_PRELOAD": DROPIN, "PCAP_FAST_MODE": "exclusive"}
SYSTEM = {"LD_PRELOAD": DROPIN, "PCAP_FAST_MODE": "system"}
SEND, XSK_TX, BRIDGE, XSK_BRIDGE = (
    BUILD + "/bench/bench_" + n for n in ("send", "xsk_tx", "bridge",
                                          "xsk_bridge"))

# name -> (what it is, environment, command; {size}, {pcap}, {frame} filled in)
SENDERS = {
    "stock": ("pcap_inject, system libpcap", {},
              [SEND, "inject", "tx0", "{size}"]),
    "inject": ("pcap_inject, exclusive", EXCLUSIVE,
               [SEND, "inject", "tx0", "{size}"]),
    "batch-system": ("pcap_inject_batch of 64, system", SYSTEM,
                     [SEND, "batch", "tx0", "{size}"]),
    "batch": ("pcap_inject_batch of 64, exclusive", EXCLUSIVE,
              [SEND, "batch", "tx0", "{size}"]),
    "inplace": ("pcap_tx_reserve and _submit of 64, exclusive", EXCLUSIVE,
                [SEND, "inplace", "tx0", "{size}"]),
    "xsk": ("bare AF_XDP loop", {}, [XSK_TX, "tx0", "{size}"]),
    "trafgen": ("trafgen", {}, ["trafgen", "-o", "tx0", "-P", "1", "-Q",
                                "-i", "{frame}"]),
    "tcpreplay": ("tcpreplay --topspeed", {},
                  ["tcpreplay", "-q", "-K", "--topspeed", "--loop=0",
                   "-i", "tx0", "{pcap}"]),
}
BRIDGES = {
    "stock": ("pcap_next_ex and pcap_inject, system libpcap", {},
              [BRIDGE, "next", "rx0", "out0"]),
    "next": ("pcap_next_ex and pcap_inject, exclusive", EXCLUSIVE,
             [BRIDGE, "next", "rx0", "out0"]),
    "copy": ("pcap_forward_batch, exclusive, two memories", EXCLUSIVE,
             [BRIDGE, "copy", "rx0", "out0"]),
    "share": ("pcap_forward_batch, exclusive, one memory",
              dict(EXCLUSIVE, PCAP_FAST_RX="xsk"),
              [BRIDGE, "share", "rx0", "out0"]),
    "xsk": ("bare AF_XDP loop, one memory", {}, [XSK_BRIDGE, "rx0", "out0"]),
    "bridge": ("pcap-fast bridge", {},
               [BUILD + "/pcap-fast", "bridge", "rx0", "out0"]),
}
SEND_RATIOS = [("exclusive / stock inject", "inject", "stock"),
               ("batch / bare loop", "batch", "xsk"),
               ("in place / bare loop", "inplace", "xsk"),
               ("batch / stock inject", "batch", "stock"),
               ("system batch / stock inject", "batch-system", "stock")]
BRIDGE_RATIOS = [("two memories / stock", "copy", "stock"),
                 ("one memory / stock", "share", "stock"),
                 ("pcap-fast bridge / stock", "bridge", "stock"),
                 ("two memories / bare loop", "copy", "xsk")]


def counters(where, device):
    """Of a device in a namespace: packets and drops, in and out."""
    with open("/proc/%s/net/dev" % KEEPER[where]) as f:
        fields = re.search(r"^\s*%s:(.*)" % device, f.read(), re.M)[1].split()
    return {"in": int(fields[1]), "refused": int(fields[3]),
            "out": int(fields[9]), "dropped": int(fields[11])}


def start(where, core, env, command):
    """In a process group of its own, so that what it forks ends with it."""
    return subprocess.Popen(
        in_namespace("NS_" + where.upper(), core, ["env"] + [
            "%s=%s" % kv for kv in env.items()] + command),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True)


def stop(process):
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass
        try:
            return process.communicate(timeout=3)[0]
        except subprocess.TimeoutExpired:
            continue
    raise Failed("does not end")


def window(where, device, seconds):
    """Packets a second that came in there."""
    t0, n0 = time.monotonic(), counters(where, device)["in"]
    time.sleep(seconds)
    t1, n1 = time.monotonic(), counters(where, device)["in"]
    return (n1 - n0) / (t1 - t0)


def reasons(before, after, names):
    """How counters grew, by the words for it."""
    return {text: after[i][key] - before[i][key]
            for text, (i, key) in names.items()}


def account(out, row, arrived):
    """What a program of ours says that it got rid of must have arrived."""
    m = re.search(r"accepted (\d+) refused (\d+)", out)
    if m:
        row["losses"]["refused to the program"] = int(m[2])
        row["losses"]["accepted, not arrived"] = max(0, int(m[1]) - arrived)
    if not row["pps"]:
        raise Failed(out.strip()[-300:] or "nothing arrived")
    return row


def measure_sender(case, size, seconds, files):
    _, env, command = SENDERS[case]
    command = [c.format(size=size, **files) for c in command]
    before = counters("tx", "tx0"), counters("rx", "rx0")
    process = start("tx", SENDER_CORE, env, command)
    try:
        time.sleep(WARM_UP)
        pps = window("rx", "rx0", seconds)
    finally:
        out = stop(process)
    after = counters("tx", "tx0"), counters("rx", "rx0")
    row = {"pps": pps, "sent": after[0]["out"] - before[0]["out"],
           "losses": reasons(before, after, {
               "dropped at the sender's interface": (0, "dropped"),
               "refused by the peer": (1, "refused")})}
    return account(out, row, after[1]["in"] - before[1]["in"])


def measure_bridge(case, size, seconds, _):
    _, env, command = BRIDGES[case]
    places = (("rx", "rx0"), ("rx", "out0"), ("tx", "back0"))
    before = [counters(*p) for p in places]
    processes = [start("rx", SENDER_CORE, env, command)]
    try:
        time.sleep(WARM_UP)
        processes.append(start("tx", GENERATOR_CORE, {}, [
            BUILD + "/tests/gen/pcf-gen", "tx0", "--xdp", "--size", str(size),
            "--seconds", str(seconds + 10)]))
        time.sleep(WARM_UP)
        pps = window("tx", "back0", seconds)
    finally:
        outs = [stop(p) for p in processes[::-1]]
    after = [counters(*p) for p in places]
    row = {"pps": pps, "sent": after[0]["in"] - before[0]["in"],
           "losses": reasons(before, after, {
               "dropped at the second interface": (1, "dropped")})}
    row["refused"] = after[0]["refused"] - before[0]["refused"]
    return account(outs[-1], row, after[2]["in"] - before[2]["in"])


def make_files(folder, size):
    """The frame that the other programs of ours send, for tcpreplay and
    trafgen: 64 times, so that no program lives from one line of cache."""
    head = bytes([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0,
                  (size - 14) >> 8, (size - 14) & 255, 0, 0, 0, 0, 64, 17, 0,
                  0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 9, 0, 9, (size - 34) >> 8,
                  (size - 34) & 255, 0, 0])
    frame = head + bytes(size - len(head))
    files = {"pcap": folder + "/frames.pcap", "frame": folder + "/frame.cfg"}
    with open(files["pcap"], "wb") as f:
        f.write(b"".join(n.to_bytes(4, "little") for n in (
            0xa1b2c3d4, 0x40002, 0, 0, 65535, 1)))
        for i in range(64):
            f.write(b"".join(n.to_bytes(4, "little")
                             for n in (1, i, size, size)) + frame)
    with open(files["frame"], "w") as f:
        f.write("{ %s }\n" % ", ".join("%d" % b for b in frame))
    return files


def run_all(measure, cases, a, size):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(folder, size)
        for turn, case in turns(a.rounds, cases):
            time.sleep(SETTLE)
            r = measure(case, size, a.seconds, files)
            rows.append(dict(r, size=size, round=turn, case=case))
            print("%4d bytes, round %d: %-12s %9.0f pps" % (
                size, turn + 1, case, r["pps"]), file=sys.stderr)
    return rows


def print_table(rows, names, ratios, what):
    print_head(["frame", what, "Mpps that arrive, median (min-max)",
                "losses, of all sent"])
    for size in unique(r["size"] for r in rows):
        for case in unique(r["case"] for r in rows):
            mine = select(rows, size=size, case=case)
            print_row([size, names[case][0],
                       spread([r["pps"] / 1e6 for r in mine], "%.3f"),
                       loss_text(mine)])
    cases = {r["case"] for r in rows}
    ratios = [r for r in ratios if r[1] in cases and r[2] in cases]
    if not ratios:
        return
    print()
    print_head(["frame"] + [n for n, _, _ in ratios])
    for size in unique(r["size"] for r in rows):
        print_row([size] + [
            spread(ratio(select(rows, size=size), "pps", above, below), "%.2f")
            for _, above, below in ratios])


def versions():
    for program in ("trafgen", "tcpreplay"):
        if shutil.which(program):
            out = subprocess.run([program, "--version"], text=True,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT).stdout
            m = re.search(r"(\d+\.\d+\.\d+)", out)
            yield "%s %s" % (program, m[1] if m else "?")


def possible(names, wanted):
    """The cases wanted, without those whose program is not there."""
    cases = [c for c in names if not wanted or c in wanted.split(",")]
    for case in list(cases):
        program = names[case][2][0]
        if not shutil.which(program):
            print("without %s: no %s" % (case, program), file=sys.stderr)
            cases.remove(case)
    return cases


def main():
    p = arguments("bench/run-send")
    p.add_argument("what", choices=["send", "bridge"])
    p.add_argument("--sizes", type=numbers, default=[60, 1500])
    p.add_argument("--cases", default="", help="only these")
    a = p.parse_args()
    names, measure, ratios, what = {
        "send": (SENDERS, measure_sender, SEND_RATIOS, "sent by"),
        "bridge": (BRIDGES, measure_bridge, BRIDGE_RATIOS, "bridged by"),
    }[a.what]
    cases, rows = possible(names, a.cases), []
    for size in a.sizes:
        rows += run_all(measure, cases, a, size)
    save(a.json, a.what, a, rows=rows)
    print_table(rows, names, ratios, what)
    print_machine(load(a.json)[a.what], versions())


if __name__ == "__main__":
    run(main)
