"""Who can sign, and the signing of a package's release."""

from __future__ import annotations

from atomctl.trust.signers.file import FileSigner
from atomctl.trust.signers.release import Signer, sign_release

__all__ = ["FileSigner", "Signer", "sign_release"]
