"""The project: its foundation (`core`, `server`, `rest`), and the assembly of all apps."""
