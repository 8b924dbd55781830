"""Looks into the simulated PSA over its control surface."""

import json
import urllib.request


class Simulator:
    """A simulated Autotask at `base`."""

    def __init__(self, base: str, credentials: dict[str, str]):
        self._base = base
        #: What it lets in; made up, and printed by its own binary.
        self.credentials = credentials

    def lines(self) -> list[dict]:
        """Every line in force today: company_id, contract_id, service_id, units."""
        return self._get("lines")

    def units(self, contract: int, service: int) -> int:
        """Units in force today."""
        return self._get(f"units?contract_id={contract}&service_id={service}")["units"]

    def writes(self) -> int:
        """Adjustments that took effect."""
        return len(self._get("writes"))

    def _get(self, path: str):
        with urllib.request.urlopen(f"{self._base}/__sim/{path}", timeout=30) as answer:
            return json.loads(answer.read())
