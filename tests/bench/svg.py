"""Drawings that a browser shows on light and on dark ground."""
import html

STYLE = """\
svg { background: #ffffff; font: 13px system-ui, sans-serif; }
text { fill: #1f2328; } .faint { fill: #59636e; } .title { font-size: 16px; font-weight: 600; }
.axis { stroke: #d1d9e0; } .one { stroke: #59636e; stroke-dasharray: 4 3; }
.line { fill: none; stroke-width: 2.5; }
.c0 { fill: #0072b2; stroke: #0072b2; } .c1 { fill: #d55e00; stroke: #d55e00; }
.c2 { fill: #009e73; stroke: #009e73; } .c3 { fill: #aa4499; stroke: #aa4499; }
.c4 { fill: #8a6d00; stroke: #8a6d00; } .c5 { fill: #4c4cc4; stroke: #4c4cc4; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #f0f6fc; } .faint { fill: #9198a1; }
  .axis { stroke: #3d444d; } .one { stroke: #9198a1; }
  .c0 { fill: #56b4e9; stroke: #56b4e9; } .c1 { fill: #ff9b50; stroke: #ff9b50; }
  .c2 { fill: #3fd0a0; stroke: #3fd0a0; } .c3 { fill: #e3a0dd; stroke: #e3a0dd; }
  .c4 { fill: #f0d060; stroke: #f0d060; } .c5 { fill: #a5a5ff; stroke: #a5a5ff; }
}
.line.c0, .line.c1, .line.c2, .line.c3, .line.c4, .line.c5 { fill: none; }
"""
COLOURS = 6


def colour(number: int) -> str:
    """The class of the NUMBER-th thing that is shown."""
    return f"c{number % COLOURS}"


class Drawing:
    """Elements on a sheet of WIDTH by HEIGHT."""

    def __init__(self, width: int, height: int, title: str):
        self.width, self.height, self.title = width, height, title
        self._elements = []
        self.text(16, 28, title, "title")

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        self._elements.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
                              f"{html.escape(text)}</text>")

    def bar(self, x: float, y: float, size: tuple[float, float], kind: str) -> None:
        self._elements.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}" '
                              f'rx="2" class="{kind}" stroke="none"/>')

    def line(self, points: list[tuple[float, float]], kind: str) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._elements.append(f'<polyline points="{path}" class="{kind}"/>')

    def dot(self, x: float, y: float, kind: str) -> None:
        self._elements.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="{kind}"/>')

    def legend(self, names: list[str], y: float) -> None:
        x = 16.0
        for number, name in enumerate(names):
            self.bar(x, y - 10, (12, 12), colour(number))
            self.text(x + 18, y, name)
            x += 36 + 7.5 * len(name)

    def document(self) -> str:
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}" role="img" aria-label="{html.escape(self.title)}">\n'
                f"<style>\n{STYLE}</style>\n" + "\n".join(self._elements) + "\n</svg>\n")
