"""One person's window on Parley: what they see and do in it, and the trouble that is not for their eyes."""

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
"""What the console says if a page is still asking for something when its person signs out."""

# A busy machine is slow; nothing that goes well has to wait for this.
expect.set_options(timeout=15_000)


class Window:
    """A page in a browser that nobody else uses."""

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
        """Fill in the form that stands here, and send it."""
        await self.page.get_by_label("Username").fill(username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()

    async def say(self, *texts: str) -> None:
        """Type some messages and send each with Enter, once the page knows what to do with that key."""
        await self.field.wait_for()
        await self.page.wait_for_load_state()
        for text in texts:
            await self.field.fill(text)
            await self.field.press("Enter")

    def line(self, text: str) -> Locator:
        """The line, or the lines, that say just this."""
        words = self.page.locator("[data-text]").filter(has_text=re.compile(rf"^{re.escape(text)}$"))
        return self.lines.filter(has=words)

    async def menu(self, text: str, item: str) -> None:
        """Open the menu of what was said, and choose something there."""
        await self.line(text).hover()
        await self.line(text).get_by_title("More").click()
        await self.page.get_by_role("menuitem", name=item).click()

    def row(self, name: str) -> Locator:
        """The row of a conversation in the inbox."""
        return self.inbox.get_by_role("listitem").filter(has=self.page.get_by_text(name, exact=True))

    async def shows(self, *texts: str) -> None:
        """Wait until people have said just this, in this order, and all of it is sent."""
        await expect(self.said).to_have_text(texts)
        await expect(self.lines.get_by_title("Sending").filter(visible=True)).to_have_count(0)

    async def texts(self) -> list[str]:
        """What is said in the open conversation, from top to bottom."""
        return await self.said.all_inner_texts()

    async def top_of(self, line: Locator) -> float:
        """How far down in the window a line stands."""
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
        context.on("console", self._hear)
        context.on("weberror", self._catch)

    def expect(self, *words: str) -> None:
        """Some trouble belongs to the test: a page that is not found, a server that is not there."""
        self._expected += words

    @property
    def unexpected(self) -> Sequence[str]:
        return [each for each in self._seen if not any(words in each for words in self._expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._seen.append(f"{message.text} ({message.location['url']})")

    def _catch(self, error: WebError) -> None:
        self._seen.append(str(error.error))
