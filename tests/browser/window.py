"""A person's browser window: what they see and do in it, and the errors that they do not see."""

import re
from collections.abc import Sequence

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, WebError, expect

from conversations.models import Conversation
from tests.support.browser import PASSWORD

# The console tells of violations too, but not of all of them.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile }) =>
    console.error(`CSP: ${violatedDirective} forbids ${blockedURI} in ${sourceFile}`));
"""

STILL_ASKING = ("status of 401",)
"""What the console reports if a request is still running when its person signs out."""

# A busy machine is slow; nothing that goes well has to wait for this.
expect.set_options(timeout=15_000)

IS_LOADED = "image => image.complete && image.naturalWidth > 0"


async def until_loaded(image: Locator) -> None:
    """Wait until a picture is visible and loaded."""
    await expect(image).to_be_visible()
    handle = await image.element_handle()
    await image.page.wait_for_function(IS_LOADED, arg=handle)


UNTIL_QUIET = """() => new Promise((done) => {
  const wait = () => setTimeout(() => { observer.disconnect(); done(); }, 500);
  let timer = wait();
  const observer = new MutationObserver(() => { clearTimeout(timer); timer = wait(); });
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
})"""


class Window:
    """A page in a browser of its own."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.log = page.get_by_role("log", name="Messages")
        self.lines = self.log.get_by_role("listitem")
        self.said = self.log.locator("[data-id]:not([data-kind=notice]) [data-text]")
        self.notices = self.log.locator("[data-kind=notice] [data-text]")
        self.field = page.get_by_role("textbox", name="Message", exact=True)
        self.inbox = page.get_by_role("navigation", name="Conversations")
        self.newest = page.get_by_role("button", name="Go to the newest message")

    async def goto(self, path: str) -> None:
        await self.page.goto(path)

    async def open(self, conversation: Conversation) -> None:
        """Open a conversation by its address."""
        await self.goto(f"/conversations/{conversation.pk}")

    async def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Fill in the sign-in form and submit it."""
        await self.page.get_by_label("Username").fill(username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()

    async def say(self, *texts: str) -> None:
        """Type some messages and send each with Enter, once the page handles that key."""
        await self.field.wait_for()
        await self.page.wait_for_load_state()
        for text in texts:
            await self.field.fill(text)
            await self.field.press("Enter")

    def line(self, text: str) -> Locator:
        """The messages with exactly this text."""
        words = self.page.locator("[data-text]").filter(has_text=re.compile(rf"^{re.escape(text)}$"))
        return self.lines.filter(has=words)

    async def menu(self, text: str, item: str) -> None:
        """Open the menu of a message and choose an item."""
        await self.line(text).hover()
        await self.line(text).get_by_title("More").click()
        await self.page.get_by_role("menuitem", name=item).click()

    def row(self, name: str) -> Locator:
        """The row of a conversation in the inbox."""
        return self.inbox.get_by_role("listitem").filter(has=self.page.get_by_text(name, exact=True))

    async def shows(self, *texts: str) -> None:
        """Wait until the conversation shows exactly these texts, in this order, and all are sent."""
        await expect(self.said).to_have_text(texts)
        await expect(self.lines.get_by_title("Sending").filter(visible=True)).to_have_count(0)

    async def texts(self) -> list[str]:
        """The texts in the open conversation, from top to bottom."""
        return await self.said.all_inner_texts()

    async def until_drawn(self) -> None:
        """Wait until the page has fetched everything and has drawn nothing for half a second."""
        await self.page.wait_for_load_state("networkidle")
        await self.page.evaluate(UNTIL_QUIET)

    async def top_of(self, line: Locator) -> float:
        """The distance of a message from the top of the window."""
        box = await line.bounding_box()
        assert box, "this line is not on the page"
        return box["y"]


class Troubles:
    """Errors in the console, exceptions and violations of the content security policy, in all windows of a test."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected: list[str] = []

    async def watch(self, context: BrowserContext) -> None:
        await context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def expect(self, *words: str) -> None:
        """Expect errors that belong to the test, such as a page that is not found or a server that is down."""
        self._expected += words

    @property
    def unexpected(self) -> Sequence[str]:
        return [each for each in self._seen if not any(words in each for words in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._seen.append(f"{message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self._seen.append(str(error.error))
