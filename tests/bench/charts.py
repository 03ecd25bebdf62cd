"""Charts of results: bars of ratios for each workload, and lines of how cost grows."""
import math
import pathlib

import series
from measuring import Measured, median
from svg import Drawing, colour
from tables import Results

WIDTH = 820
LEFT, RIGHT, TOP = 150, 90, 76
BAR, GAP = 13, 16


def write(results: Results, directory: pathlib.Path) -> list[pathlib.Path]:
    """Writes a chart for each group of workloads that was measured; where they are."""
    groups: dict[str, list[Measured]] = {}
    for found in results.measured:
        if found.runs:
            groups.setdefault(found.workload.group, []).append(found)
    written = []
    for group, measured in groups.items():
        if group not in series.TITLES:
            drawing = bars(results, measured)
        elif len(measured) > 1:
            drawing = lines(results, measured, series.TITLES[group])
        else:
            continue
        written.append(directory / f"{group}.svg")
        written[-1].write_text(drawing.document())
    return written


def bars(results: Results, measured: list[Measured]) -> Drawing:
    """How much longer each builder took than the reference."""
    wanted = results.runners
    group_height = len(wanted) * BAR + GAP
    drawing = Drawing(WIDTH, TOP + len(measured) * group_height + 20,
                      f"Time by the clock, {results.reference} = 1 (shorter is faster)")
    drawing.legend(wanted, 54)
    values = [[median(found.ratios(name, results.reference, lambda spent: spent.wall)) for name in wanted]
              for found in measured]
    most = max(value or 1 for row in values for value in row)
    scale = (WIDTH - LEFT - RIGHT) / most
    one = LEFT + scale
    drawing.line([(one, TOP - 6), (one, TOP + len(measured) * group_height - GAP + 6)], "one")
    for number, (found, row) in enumerate(zip(measured, values)):
        top = TOP + number * group_height
        drawing.text(LEFT - 10, top + len(wanted) * BAR / 2 + 5, found.workload.name, anchor="end")
        for place, value in enumerate(row):
            y = top + place * BAR
            if value is not None:
                drawing.bar(LEFT, y, (value * scale, BAR - 2), colour(place))
            drawing.text(LEFT + (value or 0) * scale + 6, y + BAR - 2, f"{value:.2f}" if value else "–", "faint")
    return drawing


def _decades(low: float, high: float) -> list[float]:
    return [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


class _Grid:
    """Two logarithmic axes; places of values on them."""

    def __init__(self, sizes: list[float], values: list[float]):
        self.sizes, marks = sizes, _decades(min(values), max(values))
        self.marks, self.low, self.high = marks, marks[0], max(marks[-1], marks[0] * 10)
        self.bottom, self.height = 400, 400 - TOP

    def x(self, size: float) -> float:
        first, last = math.log10(self.sizes[0]), math.log10(self.sizes[-1])
        return 70 + (WIDTH - 100) * (math.log10(size) - first) / (last - first)

    def y(self, value: float) -> float:
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return self.bottom - self.height * share


def lines(results: Results, measured: list[Measured], what: str) -> Drawing:
    """Time against size, as a multiple of what the reference took for the smallest; both axes logarithmic."""
    drawing = Drawing(WIDTH, 450, f"Time by the clock with {what} ({results.reference} with the fewest = 1)")
    drawing.legend(results.runners, 54)
    unit = median([run.spent.wall for run in measured[0].of(results.reference)]) or 1.0
    points = {name: [(found.workload.size, median([run.spent.wall for run in found.of(name)]) / unit)
                     for found in measured if found.of(name)] for name in results.runners}
    grid = _Grid([found.workload.size for found in measured],
                 [value for row in points.values() for _, value in row])
    for mark in grid.marks:
        drawing.line([(70, grid.y(mark)), (WIDTH - 30, grid.y(mark))], "axis")
        drawing.text(62, grid.y(mark) + 4, f"{mark:g}", "faint", "end")
    for size in grid.sizes:
        drawing.text(grid.x(size), grid.bottom + 20, f"{size:,}", "faint", "middle")
    drawing.text(WIDTH / 2, grid.bottom + 40, what, anchor="middle")
    for number, name in enumerate(results.runners):
        placed = [(grid.x(size), grid.y(value)) for size, value in points[name]]
        drawing.line(placed, f"line {colour(number)}")
        for x, y in placed:
            drawing.dot(x, y, colour(number))
    return drawing
