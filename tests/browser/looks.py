"""What any page has to stand: the smallest window and a wide one, day and night, and words that never end."""

from itertools import product

from tests.browser.window import Window

LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
WIDTHS = (360, 1280)

# Whatever is drawn must be within the window, except what is there for ears alone or waits off the screen for its key.
STICKING_OUT = """
() => [...document.body.querySelectorAll("*")]
    .filter((element) => element.checkVisibility() && !element.closest(".hush, .skip, svg *"))
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, { left, right, width }]) => width > 1 && (left < -1 || right > innerWidth + 1))
    .map(([element, { left, right }]) => `<${element.localName} class="${element.className}"> ${left} to ${right}`)
"""
TOO_WIDE = "() => document.documentElement.scrollWidth - innerWidth"


async def fits(window: Window) -> None:
    """Require that nothing of the page lies beyond its edges, on a phone and on a desk, by day and by night."""
    for width, scheme in product(WIDTHS, ("light", "dark")):
        await window.page.set_viewport_size({"width": width, "height": 740})
        await window.page.emulate_media(color_scheme=scheme)
        found = await window.page.evaluate(STICKING_OUT)
        assert not found, f"{window.page.url}, {width} pixels: {found}"
        assert await window.page.evaluate(TOO_WIDE) <= 0
