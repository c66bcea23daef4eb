"""The summary of a run: a table for people, and the same for programs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.journal import KINDS, Finding
from tests.faults.repairs import REPAIR_MOST

FINDINGS_SHOWN = 30


@dataclass
class Minimum:
    """What a run must have seen to prove anything."""

    seconds: float
    acknowledged: int
    each_fault: int


FULL = Minimum(seconds=180, acknowledged=20_000, each_fault=5)
SHORT = Minimum(seconds=0, acknowledged=200, each_fault=1)


@dataclass
class Report:
    """What happened, and what was wrong."""

    seed: int
    seconds: float
    faults: dict[str, int]
    answered: dict[str, int]
    dropped: int
    longest_repair: float
    counts: dict[str, int]
    findings: list[Finding]
    minimum: Minimum

    @property
    def shortcomings(self) -> list[str]:
        """What there was too little of."""
        rare = [f"{name}: {n} times" for name, n in self.faults.items() if n < self.minimum.each_fault]
        if self.answered.get("acknowledged", 0) < self.minimum.acknowledged:
            rare.append(f"{self.answered.get('acknowledged', 0)} acknowledgements")
        return rare + ([f"{self.seconds:.0f} seconds"] if self.seconds < self.minimum.seconds else [])

    @property
    def passed(self) -> bool:
        return not self.findings and not self.shortcomings

    def table(self) -> str:
        """Write it for people."""
        rows = [("seed", self.seed), ("duration", f"{self.seconds:.0f} s"), *self.faults.items()]
        rows += [*self.answered.items(), ("events dropped in all", self.dropped)]
        rows += [*((kind, self.counts[kind]) for kind in KINDS)]
        rows.append(("longest repair", f"{self.longest_repair:.2f} s (at most {REPAIR_MOST:.0f})"))
        lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
        lines += [f"too little: {each}" for each in self.shortcomings]
        lines += [f"{finding.kind}: {finding.said}" for finding in self.findings[:FINDINGS_SHOWN]]
        return "\n".join([*lines, "passed" if self.passed else "FAILED"])

    def write(self, file: Path) -> None:
        """Write it for programs."""
        known = asdict(self) | {"passed": self.passed, "findings": [list(finding) for finding in self.findings]}
        file.write_text(json.dumps(known, indent=2) + "\n")
