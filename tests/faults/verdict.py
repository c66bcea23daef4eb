"""The verdict: whether every promise was kept, and whether every device knows what its person may see, and no more."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.device import Device
from tests.faults.journal import AFTER_REMOVAL, DIFFERENT, DOUBLED, LOST, UNREAD, Finding
from tests.faults.truth import Place, Truth
from tests.faults.world import World


async def judge(world: World, truth: Truth) -> None:
    """Compare everything; what is wrong goes into the journal."""
    unread = await _unread(world, truth)
    for finding in (*_promises(world, truth), *_positions(truth), *_devices(world, truth), *unread):
        world.journal.find(*finding)


# What was promised


def _promises(world: World, truth: Truth) -> Iterator[Finding]:
    journal = world.journal
    for id, message in journal.acknowledged.items():
        stored = truth.messages.get(id)
        if stored is None:
            yield Finding(LOST, f"{id} was acknowledged and is not stored")
        elif (stored.said.position, stored.conversation_id) != (message["position"], message["conversation_id"]):
            yield Finding(DIFFERENT, f"{id} was acknowledged at {message['position']}: {stored.said}")
    for id in journal.refused.keys() & truth.messages.keys():
        yield Finding(DIFFERENT, f"{id} was refused ({journal.refused[id]}) and is stored")
    for device in world.devices:
        if len(device.outbox):
            yield Finding(LOST, f"{device.name} has {len(device.outbox)} messages that nobody acknowledges")
    yield from _texts(world, truth)
    yield from _changes(world, truth)


def _texts(world: World, truth: Truth) -> Iterator[Finding]:
    """Every text is somebody's, and is there once."""
    words: Counter[str] = Counter()
    for id, stored in truth.messages.items():
        if stored.notice is None and not stored.said.content[5]:
            text = stored.said.content[2]
            words[text.split(" ")[0]] += 1
            if text not in world.journal.texts[id]:
                yield Finding(DIFFERENT, f"{id} holds what nobody wrote there: {text!r}")
    yield from (Finding(DOUBLED, f"{word} is stored {n} times") for word, n in words.items() if n > 1)


def _changes(world: World, truth: Truth) -> Iterator[Finding]:
    """What was acknowledged of edits, deletions and reactions is there, unless something came later."""
    for id, answers in world.journal.changes.items():
        stored, last = truth.messages.get(id), max(answers, key=lambda answer: answer["version"])
        if stored is None:
            yield Finding(LOST, f"a change of {id} was acknowledged, and it is not stored")
            continue
        if last["version"] > stored.said.version:
            yield Finding(LOST, f"a change of {id} was acknowledged at {last['version']}: {stored.said}")
        if any(answer["deleted_at"] for answer in answers) and not stored.said.content[5]:
            yield Finding(LOST, f"the deletion of {id} was acknowledged: {stored.said}")
        if last["version"] == stored.said.version and last["text"] != stored.said.content[2]:
            yield Finding(DIFFERENT, f"{id} was {last['text']!r} at its last version: {stored.said}")


# What is stored


def _positions(truth: Truth) -> Iterator[Finding]:
    """Each version is one change of one thing, and a conversation's own numbers are those of what lies in it."""
    for id, conversation in truth.conversations.items():
        said = [message.said for message in truth.by_conversation[id]]
        taken = Counter(
            [each.position for each in said] + [each.version for each in said if each.version > each.position]
        )
        yield from (Finding(DOUBLED, f"version {v} of {id} stands {n} times") for v, n in taken.items() if n > 1)
        if max((each.position for each in said), default=0) != conversation.last_position:
            yield Finding(LOST, f"the last position of {id} is {conversation.last_position}, and is not there")
        if max(taken, default=0) > conversation.version:
            yield Finding(DIFFERENT, f"{id} is at {conversation.version}, and holds {max(taken)}")


# What the devices know


def _devices(world: World, truth: Truth) -> Iterator[Finding]:
    for device in world.devices:
        places = truth.present(device.user_id)
        for id in device.replica.conversations.keys() - places.keys():
            yield Finding(AFTER_REMOVAL, f"{device.name} still knows {id}")
        for place in places.values():
            yield from _conversation(device, place, truth)
        for id, version in device.replica.hearings:
            spans = truth.stays(id).get(device.user_id, [])
            if not any(began <= version <= ended for began, ended in spans):
                yield Finding(AFTER_REMOVAL, f"{device.name} heard {version} of {id}, being in {spans}")


def _conversation(device: Device, place: Place, truth: Truth) -> Iterator[Finding]:
    id = place.conversation_id
    known, conversation = device.replica.conversations.get(id), truth.conversations[id]
    if known is None:
        yield Finding(LOST, f"{device.name} knows nothing of {id}")
        return
    visible = {each: message.said for each, message in truth.visible(place).items()}
    for each in visible.keys() - known.messages.keys():
        yield Finding(LOST, f"{device.name} does not know {each}, {visible[each].position} of {id}")
    for each in known.messages.keys() - visible.keys():
        yield Finding(AFTER_REMOVAL, f"{device.name} still knows {each}, {known.messages[each].position} of {id}")
    for each in visible.keys() & known.messages.keys():
        if known.messages[each] != visible[each]:
            yield Finding(DIFFERENT, f"{device.name} knows {known.messages[each]}; it is {visible[each]}")
    numbers = (known.version, known.visible_from, known.owner_id, known.members)
    if numbers != (wanted := (conversation.version, place.visible_from, conversation.owner_id, truth.members(id))):
        yield Finding(DIFFERENT, f"{device.name} has {numbers} for {id}; it is {wanted}")
    if not known.mark <= place.read_through <= place.delivered_through <= conversation.last_position:
        yield Finding(UNREAD, f"{device.name} has read {id} through {known.mark}; it is {place}")
    if known.delivered > place.delivered_through:
        yield Finding(UNREAD, f"{device.name} has {id} through {known.delivered}; it is {place}")


async def _unread(world: World, truth: Truth) -> list[Finding]:
    """Ask the product for its counts, and recount them."""
    found = []
    for devices in world.people.values():
        shown = await devices[0].rest.require("GET", "/conversations", limit=100)
        places = truth.present(devices[0].user_id)
        for each in shown:
            counted = (each["me"]["unread_count"], each["me"]["mention_count"])
            if counted != (wanted := truth.unread(places[each["id"]])):
                found.append(Finding(UNREAD, f"{devices[0].name}: {counted} unread in {each['id']}; it is {wanted}"))
    return found
