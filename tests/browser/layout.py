"""Layout checks for every page: the smallest window and a wide one, light and dark, and very long words."""

from tests.browser.window import Window

LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
WIDTHS = (360, 1280)

# Whatever is drawn must be within the window, except what is there for ears alone or waits off the screen for its key.
STICKING_OUT = """
() => [[...document.body.querySelectorAll("*")]
    .filter((element) => element.checkVisibility() && !element.closest(".hush, .skip, svg *"))
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, { left, right, width }]) => width > 1 && (left < -1 || right > innerWidth + 1))
    .map(([element, { left, right }]) => `<${element.localName} class="${element.className}"> ${left} to ${right}`),
    document.documentElement.scrollWidth - innerWidth]
"""


async def fits(window: Window) -> None:
    """Require that nothing lies beyond the edges of the page, on a phone and on a desktop, light and dark."""
    for width in WIDTHS:
        await window.page.set_viewport_size({"width": width, "height": 740})
        for scheme in ("light", "dark"):
            await window.page.emulate_media(color_scheme=scheme)
            found, too_wide = await window.page.evaluate(STICKING_OUT)
            assert not found, f"{window.page.url}, {width} pixels: {found}"
            assert too_wide <= 0
