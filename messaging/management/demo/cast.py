"""The people of the demo, and their password."""

from typing import Any

from chatproject.exposure import DEMO_PASSWORD

PASSWORD = DEMO_PASSWORD

CAST: dict[str, dict[str, Any]] = {
    "alice": {
        "display_name": "Alice Moreau",
        "about": "Prints posters, binds books, loses scissors. At the workshop until five.",
    },
    "bob": {
        "display_name": "Bob Okafor",
        "about": "Ink on my hands most days. Left back on Saturdays. Learning Japanese, slowly.",
    },
    "carol": {
        "display_name": "Carol Lindqvist",
        "about": "Teaches maths, grows tomatoes, always has a sourdough on the go 🍞",
    },
    "staff": {
        "display_name": "Sam (staff)",
        "about": "I look after the server. Also the one in goal.",
        "is_staff": True,
    },
}
