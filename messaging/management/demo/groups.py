"""The groups of the demo, and what their members write."""

SUMMER_HOUSE: list[tuple[int, str]] = [
    (0, "Right, here we are. One place for everything about the summer house ☀️"),
    (1, "Hello hello"),
    (2, "Finally! I had it spread over three notebooks"),
    (0, "My uncle says we can have the house from the 2nd to the 9th. The whole week"),
    (2, "The whole week!!"),
    (1, "Is this the one by the lake with the crooked jetty?"),
    (0, "The very one. He claims the jetty has been straightened"),
    (1, "He claimed that two years ago and I still went in with my shoes on"),
    (2, "I have a photo of that somewhere 😇"),
    (1, "Please lose it"),
    (0, "First question: how do we get there? Train or car?"),
    (2, "I'd say train, then the bus from the station. But there's the luggage"),
    (1, "I can borrow my brother's estate car. It fits three people and quite a lot of nonsense"),
    (0, "Does it fit an inflatable boat?"),
    (1, "Deflated, yes"),
    (2, "Car then. I'll share the driving"),
    (0, "And I'll do the singing"),
    (1, "We could still take the train"),
    (0, "😤"),
    (2, "How long is the drive? Four hours?"),
    (1, "Four and a half with a stop. There's a good place for soup about half way"),
    (
        2,
        (
            "Then if we leave at eight:\n"
            "08:00 pick up Alice\n"
            "08:15 go back for whatever Alice forgot\n"
            "10:30 soup\n"
            "13:00 jetty"
        ),
    ),
    (0, "I feel seen"),
    (1, "Soup at half past ten is early, but I respect it"),
    (0, "Next: rooms. There's the big room with the view, the small one with the stove, and the attic"),
    (2, "I'm happy in the attic. I like the rain on the roof"),
    (1, "Stove for me please. I'm always cold"),
    (0, "Then I get the view without even having to fight for it. Suspicious"),
    (2, "The view also has the cockerel next door"),
    (0, "Ah. There it is"),
    (1, "🐓"),
    (1, "What about food? Is there a shop in the village?"),
    (0, "Small one, open mornings. Bread, milk, eggs, fishing line, birthday cards"),
    (2, "I'll bring flour and the starter, so we've got bread. It travels well if somebody holds it"),
    (1, "I'll be driving, so that'll be Alice"),
    (0, "I'll hold the starter AND sing to it"),
    (2, "It will rise just to get away"),
    (
        1,
        (
            "Suppers, one each and then again:\n"
            "Mon: Bob, jollof\n"
            "Tue: Carol\n"
            "Wed: Alice\n"
            "Thu: leftovers\n"
            "Fri: fish, if anybody catches one, otherwise pasta"
        ),
    ),
    (2, "I'll do Grandma's dumplings on Tuesday, with the card propped up in front of me"),
    (0, 'I\'m putting Wednesday down as "something with cheese"'),
    (1, "Everyone likes something with cheese"),
    (2, "Friday is going to be pasta, isn't it"),
    (1, "I caught a fish last time!"),
    (0, "You caught a boot, Bob"),
    (1, "It was a fish-shaped boot"),
    (0, "My uncle sent a note about the house. I'm copying it as it is"),
    (
        0,
        (
            '"Key under the third flowerpot, not the second, the second has a wasp.\n'
            "Pump needs priming, Alice knows.\n"
            "Don't trust the left-hand tap.\n"
            'Be nice to the cockerel."'
        ),
    ),
    (2, "Alice, do you know?"),
    (0, "I don't know anything about a pump"),
    (1, "And the left-hand tap? I've just recovered from my own"),
    (0, "You're our tap expert now. Bring washers"),
    (1, "I've got a whole tin of them. They only sell them in twenties"),
    (2, "I asked him about the pump. You pour a jug of water in the top, then pull the handle until it coughs"),
    (0, "How many coughs?"),
    (2, "He said you'd know"),
    (0, "This family 🙃"),
    (1, "Weather! It's too early, but I looked anyway. Sun, sun, cloud, sun, one proper storm"),
    (2, "I want the storm on a day when I'm in the attic with a book"),
    (0, "You'd be in the attic with a book in any weather"),
    (2, "Correct"),
    (0, "Speaking of which, there's a walk round the lake. 14 km, flat, a café at the far end"),
    (1, "How sure are we about the café?"),
    (0, "Pretty sure. The map's here: https://example.org/lake-walk"),
    (2, "It says closed on Wednesdays, so let's go on Thursday"),
    (1, "Well spotted. 14 km to a locked café would have ended this friendship"),
    (2, "Packing list, I'll start: sun cream, cards, the big blanket, torch"),
    (1, "Rope for the boat, pump for the boat, patches for the boat"),
    (0, "How is the boat?"),
    (1, "It has character"),
    (0, "Swimming things, insect spray, the good coffee pot"),
    (2, "The good coffee pot goes on my knees. I don't trust the boot"),
    (0, "Fish-shaped or otherwise"),
    (1, "I'm never going to hear the end of that"),
    (2, "Never 💚"),
    (1, "Car's booked with my brother. He'd like it back without sand this time"),
    (0, "Tell him lakes have pebbles"),
    (1, "Petrol comes to about 60 there and back. Shall we say 20 each?"),
    (2, "Fine by me"),
    (0, "Yes. And I'll get the soup"),
    (2, "I found the photo of Bob on the jetty, by the way"),
    (1, "No"),
    (2, "I'm having it framed for the stove room"),
    (0, "I know a good framer"),
    (1, "You're the framer"),
    (0, "I know an excellent framer"),
    (2, "One week to go! The tomatoes are being looked after by Nour, in exchange for all of the ripe ones"),
    (0, "Workshop's closed for the week, sign is up. Without a skull this time"),
    (1, "A small one, in the corner"),
    (0, "I've just been to look. There IS a small one in the corner"),
    (2, "Bags by the door at eight, everyone"),
    (1, "Car is full of petrol, patience and washers. Good night, both"),
    (0, "I can't sleep, I'm too pleased. See you in the morning 🛶"),
]

SATURDAY_FOOTBALL: list[tuple[int, str]] = [
    (0, "Saturday, ten o'clock, the pitch behind the school. Who's in?"),
    (1, "In!"),
    (2, "In, if my knee agrees"),
    (3, "In. I've bought new gloves, so no more excuses from me"),
    (0, "What happened to the old excuses, Sam? I was fond of them"),
    (3, '"The sun was in my eyes" stopped working in November'),
    (1, "How many are we altogether?"),
    (0, "Us four, plus the bakery, plus the two from the library. Nine"),
    (2, "Nine is one short of fair"),
    (0, "I'll ask my brother. He runs like a wardrobe, but he's keen"),
    (3, "Every team needs a wardrobe"),
    (0, "He says yes. Ten it is 👍"),
    (1, "Bibs? I still have the orange ones, they're clean. Clean-ish"),
    (2, "Clean-ish is a word that does a lot of work"),
    (1, "They've been washed twice, the mud is a pattern now"),
    (3, "Who has the ball?"),
    (0, "I thought you had the ball"),
    (3, "I gave it to Carol in the car park"),
    (2, "I gave it to Alice for the workshop party, we used it to hold the door open"),
    (1, "…it's still holding the door open. I'll bring it"),
    (0, "Pump it up first, please. Last time it bounced like a cushion"),
    (
        3,
        (
            "The school says:\n"
            "- gate is open from 09:30\n"
            "- no cars on the grass\n"
            "- please stop hanging coats on the sundial"
        ),
    ),
    (1, "That was the bakery"),
    (2, "That was you, Alice"),
    (1, "That was me and the bakery"),
    (0, "Looks like drizzle at nine, dry by ten. Bring a second pair of socks"),
    (2, "I'm bringing orange quarters and a flask of tea"),
    (3, "Carol, you're the real captain"),
    (0, "Nobody told me there was a vote"),
    (2, "It was unanimous"),
    (0, "7–6! What a game. I can't feel my legs"),
    (1, "Did everyone see Carol's goal? From her own half??"),
    (2, "I was trying to pass it to Bob"),
    (3, "The sun was in my eyes"),
    (0, "It was raining, Sam 😂"),
    (3, "The rain was in my eyes"),
    (1, "And the wardrobe saved one on the line with his stomach. Is he all right?"),
    (0, "Delighted. He's told our mother twice already"),
    (2, "Same time next week? I'll ask my knee, but I think it enjoyed itself"),
    (3, "I'm in. The gate's booked with the school until the end of term ⚽"),
]

# A group's name, description and members, the owner first; then its messages: which member writes, and the text.
GROUPS: dict[tuple[str, str, tuple[str, ...]], list[tuple[int, str]]] = {
    (
        "Summer house",
        "A week by the lake: who drives, who cooks, and who holds the starter.",
        ("alice", "bob", "carol"),
    ): SUMMER_HOUSE,
    (
        "Saturday football",
        "Ten o'clock, the pitch behind the school. All levels, most weathers.",
        ("bob", "alice", "carol", "staff"),
    ): SATURDAY_FOOTBALL,
}
