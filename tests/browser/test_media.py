"""Pictures, video, voice and files: attached in every way, and shown on the other screen."""

import base64
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.layout import fits
from tests.browser.window import Troubles, Window, until_loaded
from tests.support import samples

DROP = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    return transfer;
}"""


async def drop(page: Page, name: str, content_type: str, data: bytes) -> None:
    """Drop a file on the conversation."""
    transfer = await page.evaluate_handle(DROP, [name, content_type, base64.b64encode(data).decode()])
    for event in ("dragover", "drop"):
        await page.dispatch_event("#main", event, {"dataTransfer": transfer})


async def choose(window: Window, *files: Path) -> None:
    """Choose files by the attach button."""
    async with window.page.expect_file_chooser() as chooser:
        await window.page.get_by_role("button", name="Attach files").click()
    await (await chooser.value).set_files(list(files))


def pictures(window: Window) -> Locator:
    return window.log.get_by_role("link").locator("img")


def sent(window: Window) -> Locator:
    return window.lines.filter(has=window.page.locator("[data-position]:not([data-position=''])"))


async def test_a_dropped_picture_appears_on_the_other_screen(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    mine, theirs = await enter(alice), await enter(bob, viewport={"width": 360, "height": 740})
    await mine.open(conversation)
    await theirs.open(conversation)
    await drop(mine.page, "beach.jpg", "image/jpeg", samples.picture())
    await expect(mine.page.get_by_role("list", name="Attachments")).to_contain_text("beach.jpg")
    await mine.field.fill("Look!")
    await mine.field.press("Enter")
    await until_loaded(pictures(theirs))
    await theirs.shows("Look!")
    await expect(pictures(theirs)).to_have_attribute("width", "480")
    await fits(theirs)

    await pictures(theirs).click()
    shown = theirs.page.get_by_role("dialog", name="Picture").get_by_role("img", name="beach.jpg")
    await until_loaded(shown)
    await theirs.page.keyboard.press("Escape")
    await expect(shown).to_be_hidden()

    await theirs.goto("/")
    await expect(theirs.row("Alice")).to_contain_text("Look!")


async def test_arrow_keys_step_through_pictures(
    enter: Enter, alice: User, conversation: Conversation, tmp_path: Path
) -> None:
    window = await enter(alice)
    await window.open(conversation)
    for name in ("one.png", "two.png", "three.png"):
        (tmp_path / name).write_bytes(samples.picture("PNG"))
    await choose(window, *(tmp_path / name for name in ("one.png", "two.png", "three.png")))
    await window.field.press("Enter")
    await expect(pictures(window)).to_have_count(3)
    await expect(sent(window)).to_have_count(1)
    names = [await pictures(window).nth(n).get_attribute("alt") for n in range(3)]
    await pictures(window).nth(0).click()
    dialog = window.page.get_by_role("dialog", name="Picture")
    for key, name in (
        ("ArrowRight", names[1]),
        ("ArrowRight", names[2]),
        ("ArrowRight", names[2]),
        ("ArrowLeft", names[1]),
    ):
        await window.page.keyboard.press(key)
        await expect(dialog.get_by_role("img")).to_have_attribute("alt", str(name))


async def test_video_audio_and_files_are_shown_each_in_its_way(
    enter: Enter, alice: User, bob: User, conversation: Conversation, tmp_path: Path
) -> None:
    mine, theirs = await enter(alice), await enter(bob)
    await mine.open(conversation)
    await theirs.open(conversation)
    folder = tmp_path / "made"
    folder.mkdir()
    (tmp_path / "clip.mp4").write_bytes(samples.film(folder))
    (tmp_path / "tune.ogg").write_bytes(samples.sound(folder))
    (tmp_path / "notes.txt").write_text("Hello")
    for name in ("clip.mp4", "tune.ogg", "notes.txt"):
        await choose(mine, tmp_path / name)
        await mine.field.press("Enter")
    await expect(sent(mine)).to_have_count(3)
    await expect(theirs.log.locator("video")).to_have_attribute("width", "320")
    await expect(theirs.log.get_by_role("button", name="Play")).to_be_visible()
    await expect(theirs.log.get_by_text("0:02")).to_be_visible()
    await expect(theirs.log.get_by_role("link", name="notes.txt")).to_contain_text("TXT · 5 B")
    async with theirs.page.expect_download() as download:
        await theirs.log.get_by_role("link", name="notes.txt").click()
    await (await download.value).save_as(tmp_path / "got")
    assert (tmp_path / "got").read_text() == "Hello"
    await mine.goto("/")
    await expect(mine.row("Bob")).to_contain_text("File: notes.txt")


async def test_a_file_of_the_wrong_type_is_refused_and_can_be_discarded(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 422")
    window = await enter(alice)
    await window.open(conversation)
    await drop(window.page, "evil.png", "image/png", b"MZ" + bytes(100))
    await window.field.press("Enter")
    await expect(window.log.get_by_role("alert")).to_have_text("The file is not what its name says.")
    await window.page.get_by_role("button", name="Discard").click()
    await expect(window.lines).to_have_count(0)


async def test_a_file_type_that_is_not_accepted_is_refused_with_its_reason(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 415")
    window = await enter(alice)
    await window.open(conversation)
    await drop(window.page, "page.html", "text/html", b"<html>")
    await window.field.press("Enter")
    await expect(window.log.get_by_role("alert")).to_have_text("Files of this kind can't be sent here.")


async def test_a_file_waits_for_the_storage_and_survives_a_reload(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("ERR_FAILED", "net::")
    window = await enter(alice)
    await window.open(conversation)
    await window.page.route("**/chat-media*", lambda route: route.abort())
    await drop(window.page, "beach.jpg", "image/jpeg", samples.picture())
    await window.field.press("Enter")
    await expect(window.lines.get_by_title("Sending").filter(visible=True)).to_have_count(1)
    await window.page.reload()
    await expect(window.lines).to_have_count(1)
    await window.page.unroute("**/chat-media*")
    await expect(sent(window)).to_have_count(1, timeout=30_000)
    await until_loaded(pictures(window))


async def test_an_upload_can_be_cancelled(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    window = await enter(alice)
    await window.open(conversation)
    await window.page.route("**/chat-media*", lambda route: None)
    await drop(window.page, "beach.jpg", "image/jpeg", samples.picture())
    await window.field.press("Enter")
    await window.page.get_by_role("button", name="Cancel").filter(visible=True).click()
    await expect(window.lines).to_have_count(0)
    await window.page.unroute("**/chat-media*")
    await window.say("Another thing")
    await window.shows("Another thing")


async def test_a_voice_message_is_recorded_and_received(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    mine, theirs = await enter(alice, permissions=["microphone"]), await enter(bob)
    await mine.open(conversation)
    await theirs.open(conversation)
    await mine.page.get_by_role("button", name="Record a voice message").click()
    await expect(mine.page.get_by_role("timer")).to_have_text("0:01")
    await mine.page.get_by_role("button", name="Send").filter(visible=True).first.click()
    await expect(theirs.log.get_by_role("button", name="Play")).to_be_visible()
    await theirs.goto("/")
    await expect(theirs.row("Alice")).to_contain_text("Voice message")


async def test_pictures_are_shown_without_scripts(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    mine, theirs = await enter(alice), await enter(bob, java_script_enabled=False)
    await mine.open(conversation)
    await drop(mine.page, "beach.jpg", "image/jpeg", samples.picture())
    await mine.field.press("Enter")
    await expect(sent(mine)).to_have_count(1)
    await theirs.open(conversation)
    await expect(pictures(theirs)).to_have_attribute("alt", "beach.jpg")


async def test_a_picture_is_forwarded(
    enter: Enter, alice: User, bob: User, conversation: Conversation, group: Conversation
) -> None:
    mine, theirs = await enter(alice), await enter(bob, java_script_enabled=False)
    await mine.open(conversation)
    await drop(mine.page, "beach.jpg", "image/jpeg", samples.picture())
    await mine.field.fill("Look!")
    await mine.field.press("Enter")
    await expect(sent(mine)).to_have_count(1)
    await mine.menu("Look!", "Forward")
    await fits(mine)
    await mine.page.get_by_role("button", name="Send to Garden").click()
    await mine.shows("Look!")
    await until_loaded(pictures(mine))
    await theirs.open(group)
    await expect(pictures(theirs)).to_have_attribute("alt", "beach.jpg")
