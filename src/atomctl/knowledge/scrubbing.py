"""What is taken out of a text before it is embedded, wherever the model is, and of a run's before it is stored."""

from __future__ import annotations

import re
import secrets

from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.runs.masking import Masker
from atomctl.runs.secret_forms import MINIMUM

_PSEUDONYM = re.compile(r"<(email|ip|opaque):[0-9a-f]+>")


def scrubbed(text: str) -> str:
    """The text without what an export of runs would take out, too; addresses are all the same, whoever's they are."""
    # The pseudonyms are replaced, so nobody needs the key they were made with.
    scrubber = Scrubber(ScrubPolicy(secrets.token_bytes(32)))
    hidden = sorted(value for value in scrubber.hidden([text]) if len(value.strip()) >= MINIMUM)
    return _PSEUDONYM.sub(r"<\1>", scrubber.text(text, Masker(hidden)))
