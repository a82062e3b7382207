# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmark of receiving compares: the cases, and the suites that
each answer one question with some of them. Knows nothing of how a case is run
(measure.py) or shown (report.py)."""

from collections import namedtuple

from common import EXCLUSIVE

# text: for tables. kind: how it is run. args: the program of the build tree and
# its arguments, or a number of members. dropin: the drop-in's environment, or
# None for the system's library. part: of how many flows the case's filter lets
# one through. beside: the arguments of each mirror beside it. address: the
# interface is the host's, and the frames are for it.
Case = namedtuple("Case", "text kind args dropin part beside address",
                  defaults=(None, 1, (), False))

# cases: those that are run; a further one is run if it is named. ratios: name,
# above, below. flows: what the generator sends. xdp: it sends XDP frames, which
# a veth gives to one queue by the sender's processor; else by an AF_XDP socket
# for each queue. paced: measured below the case's rate, too.
Suite = namedtuple("Suite", "title cases sizes rounds seconds ratios flows "
                   "xdp paced", defaults=(1, True, False))

SOCKETS = dict(EXCLUSIVE, PCAP_FAST_RX="xsk")
DROPPING = dict(EXCLUSIVE, PCAP_FAST_REST="drop")
MIRROR = {"PCAP_FAST_MODE": "mirror"}
# One packet in about a hundred, by its source port; a prime number, so that
# what a full ring of 256 refuses is not always the same flows.
FLOWS = 101
PCAP = "bench/bench_pcap"
ONE_FLOW = [PCAP, "-f", "udp src port 1024"]
# Sets the filter when it may no longer load one.
ONE_FLOW_LATE = [PCAP, "-u", "-f", "udp src port 1024"]
BARE = ["bench/bench_xsk", "-q", "{queues}"]
# What mirrors beside a capture do: nothing, look at one packet in a hundred,
# look at all.
IDLE, SOME, ALL = [PCAP, "-i"], ONE_FLOW, [PCAP]

CASES = {
    "stock": Case("(a) tcpdump, system libpcap", "tcpdump", []),
    "dropin": Case("(b) tcpdump, drop-in", "tcpdump", [], EXCLUSIVE),
    "dropin-xsk": Case("(b') the same through AF_XDP sockets", "tcpdump", [],
                       SOCKETS),
    "xsk": Case("(c) bare AF_XDP loop", "program", BARE),
    "drop": Case("(d) XDP_DROP", "program", ["bench/bench_drop"]),
    "netsniff": Case("netsniff-ng to /dev/null", "netsniff", []),
    "testpmd": Case("DPDK's testpmd, net_af_xdp", "testpmd", []),
    "pcap-stock": Case("pcap_dispatch, system libpcap", "program", [PCAP]),
    "pcap-dropin": Case("pcap_dispatch, drop-in", "program", [PCAP], EXCLUSIVE),
    "pcap-xsk": Case("pcap_dispatch, AF_XDP sockets", "program", [PCAP],
                     SOCKETS),
    "next-stock": Case("pcap_next_ex, system libpcap", "program",
                       [PCAP, "-n"]),
    "next-dropin": Case("pcap_next_ex, drop-in", "program", [PCAP, "-n"],
                        EXCLUSIVE),
    "next-xsk": Case("pcap_next_ex, AF_XDP sockets", "program", [PCAP, "-n"],
                     SOCKETS),
    "batch-dropin": Case("pcap_next_batch, drop-in", "program", [PCAP, "-b"],
                         EXCLUSIVE),
    "batch-xsk": Case("pcap_next_batch, AF_XDP sockets", "program",
                      [PCAP, "-b"], SOCKETS),
    "mirror": Case("mirror", "program", [PCAP], MIRROR),
    "stock-host": Case("system libpcap, host's address", "program", [PCAP],
                       address=True),
    "mirror-host": Case("mirror, host's address", "program", [PCAP], MIRROR,
                        address=True),
    "1%-stock": Case("1 %, system libpcap", "program", ONE_FLOW, None, FLOWS),
    "1%-pass": Case("1 %, rest=pass", "program", ONE_FLOW, EXCLUSIVE, FLOWS),
    "1%-drop": Case("1 %, rest=drop", "program", ONE_FLOW, DROPPING, FLOWS),
    "1%-mirror": Case("1 %, mirror", "program", ONE_FLOW, MIRROR, FLOWS),
    "1%-pass-late": Case("1 %, rest=pass, no privilege", "program",
                         ONE_FLOW_LATE, EXCLUSIVE, FLOWS),
    "1%-drop-late": Case("1 %, rest=drop, no privilege", "program",
                         ONE_FLOW_LATE, DROPPING, FLOWS),
    "1%-mirror-late": Case("1 %, mirror, no privilege", "program",
                           ONE_FLOW_LATE, MIRROR, FLOWS),
    "cluster-1": Case("cluster of one member", "cluster", 1, {}),
    "cluster-2": Case("cluster of two, together", "cluster", 2, {}),
}
for number in (1, 2, 4):
    for name, args, text in (("idle", IDLE, "not read"),
                             ("some", SOME, "1 % wanted"),
                             ("all", ALL, "all read")):
        CASES["%d-%s" % (number, name)] = Case(
            "beside %d mirror%s, %s" % (number, "s" * (number > 1), text),
            "program", [PCAP], EXCLUSIVE, beside=[args] * number)
MIRRORED = [c for c in CASES if CASES[c].beside]

CALLS = ("batch", "pcap", "next")
SUITES = {
    "receive": Suite(
        "Million packets a second received on one core",
        ["stock", "dropin", "dropin-xsk", "xsk", "drop", "netsniff",
         "testpmd"], [60, 300, 1500], 5, 3.0,
        [("b/a", "dropin", "stock"), ("b/c", "dropin", "xsk"),
         ("b/b'", "dropin", "dropin-xsk"), ("c/d", "xsk", "drop"),
         ("b/netsniff-ng", "dropin", "netsniff"),
         ("b/testpmd", "dropin", "testpmd")], paced=True),
    "filters": Suite(
        "Million packets a second looked at, one in 101 wanted",
        ["1%-stock", "1%-pass", "1%-drop", "1%-mirror"], [60], 5, 3.0,
        [(CASES[c].text + " / stock", c, "1%-stock") for c in CASES
         if c.startswith("1%") and c != "1%-stock"], FLOWS),
    "mirrors": Suite(
        "Million packets a second of one reader among others",
        ["pcap-dropin"] + MIRRORED + [
            "pcap-stock", "mirror", "stock-host", "mirror-host",
            "cluster-1", "cluster-2"], [60], 5, 2.0,
        [("%s / alone" % CASES[c].text, c, "pcap-dropin") for c in MIRRORED] +
        [("mirror / stock", "mirror", "pcap-stock"),
         ("the same, host's address", "mirror-host", "stock-host"),
         ("cluster, two / one", "cluster-2", "cluster-1")], FLOWS),
    "queues": Suite(
        "Million packets a second of each call, all queues on one core",
        [c + "-dropin" for c in CALLS] + [c + "-xsk" for c in CALLS] +
        ["xsk", "pcap-stock", "next-stock"], [60, 300, 1500], 3, 1.0,
        [("%s / bare loop" % c, c, "xsk") for c in CASES
         if c.split("-")[0] in CALLS and not c.endswith("stock")] +
        [("dispatch / stock", "pcap-dropin", "pcap-stock"),
         ("next_ex / stock", "next-dropin", "next-stock")],
        xdp=False),
}
