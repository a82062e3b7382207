# SPDX-License-Identifier: BSD-3-Clause
"""Draws what measure.py measured: bars with medians, smallest and largest, a
panel for each suite, frame size and number of queues. A suite that was not run
is left out.
chart.py RESULTS.json CHART.svg. Needs python3-matplotlib."""

import sys
from statistics import median

from cases import CASES, SUITES
from common import load, select, unique
from report import groups

COLOURS = {"tcpdump": "#2b7a4b", "program": "#3b6ea8", "cluster": "#7a5ba8",
           "netsniff": "#c9a227", "testpmd": "#c96f27"}
STOCK = "#9aa5b1"


def colour(case):
    if "stock" in case:
        return STOCK
    return COLOURS[CASES[case].kind]


def panels(data):
    """Title, and the rows to be shown under it: of several numbers of queues
    those with the smallest frames, so that the chart stays a page."""
    for name, suite in SUITES.items():
        rows = data.get(name, {}).get("rows", [])
        if len(unique(r["queues"] for r in rows)) > 1:
            rows = select(rows, size=min(r["size"] for r in rows))
        for (size, queues), group in groups(rows):
            yield "%s, %d bytes, %d queue%s" % (
                suite.title, size, queues, "s" * (queues > 1)), group


def bars(axes, title, rows):
    cases = unique(r["case"] for r in rows)
    rates = [[r["pps"] / 1e6 for r in select(rows, case=c)] for c in cases]
    middle = [median(r) for r in rates]
    axes.barh(range(len(cases)), middle, color=[colour(c) for c in cases],
              xerr=[[m - min(r) for m, r in zip(middle, rates)],
                    [max(r) - m for m, r in zip(middle, rates)]],
              error_kw={"linewidth": 0.8})
    axes.set_yticks(range(len(cases)), [CASES[c].text for c in cases])
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.set_title(title, loc="left", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    for i, r in enumerate(rates):
        axes.annotate("%.2f" % middle[i], (max(r), i), (4, 0), va="center",
                      textcoords="offset points")


def main():
    try:
        import matplotlib
    except ImportError:
        print("No chart: apt-get install python3-matplotlib")
        return
    matplotlib.use("svg")
    # text stays text, and the same figures give the same file
    matplotlib.rcParams.update({"svg.fonttype": "none", "font.size": 8,
                                "svg.hashsalt": "bench"})
    from matplotlib import pyplot
    shown = list(panels(load(sys.argv[1])))
    if not shown:
        return
    heights = [len(unique(r["case"] for r in rows)) + 2 for _, rows in shown]
    figure, axes = pyplot.subplots(
        len(shown), squeeze=False, figsize=(8, 0.22 * sum(heights)),
        height_ratios=heights, layout="constrained")
    for a, (title, rows) in zip(axes[:, 0], shown):
        bars(a, title, rows)
    figure.savefig(sys.argv[2], metadata={"Date": None})
    print("Chart: " + sys.argv[2])


if __name__ == "__main__":
    main()
