"""What a figure shows and what it cuts off."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text


def texts_of(figure):
    """The texts that are drawn, by what they say, with their boxes in pixels, and the box of the figure."""
    FigureCanvasAgg(figure).draw()
    hidden = set()
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):  # those beyond the axes are never drawn
                if not min(low, high) <= tick.get_loc() <= max(low, high):
                    hidden |= {tick.label1, tick.label2}
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in shown if text not in hidden]


def cut_off(figure):
    """The texts that leave the figure by more than a pixel."""
    page, found = figure.bbox, []
    for words, box in texts_of(figure):
        if min(box.x0, box.y0) < -1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1:
            found.append(words)
    return found


def overlapping(figure, *wanted):
    """The pairs of texts that cover each other, among those that say one of some words."""
    boxes = [(words, box) for words, box in texts_of(figure) if any(word in words for word in wanted)]
    return [(a, b) for i, (a, one) in enumerate(boxes) for b, other in boxes[i + 1 :] if one.overlaps(other)]
