"""What templates print: dataclasses with texts that are ready to print, so that no template decides anything."""
