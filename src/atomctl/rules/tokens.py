"""How vendors' secret tokens look, from the formats they publish: a keyword to look for, and a pattern to be sure.

The keyword is a fixed part of every token of its kind; the pattern must match at the keyword, on RE2, which takes
time linear in the text whatever the text is.
"""

from __future__ import annotations

from typing import NamedTuple


class TokenKind(NamedTuple):
    """One kind of token. `entropy` is the least Shannon entropy of the token's variable part, in bits per character."""

    name: str
    keyword: str
    pattern: str
    entropy: float = 3.0


_B64 = "[A-Za-z0-9+/]"
_URL = "[A-Za-z0-9_-]"
_AN = "[A-Za-z0-9]"

TOKEN_KINDS: tuple[TokenKind, ...] = (
    TokenKind("AWS access key id", "AKIA", r"AKIA[A-Z2-7]{16}\b", 2.5),
    TokenKind("AWS temporary access key id", "ASIA", r"ASIA[A-Z2-7]{16}\b", 2.5),
    TokenKind("GitHub personal access token", "ghp_", rf"ghp_{_AN}{{36}}\b"),
    TokenKind("GitHub OAuth token", "gho_", rf"gho_{_AN}{{36}}\b"),
    TokenKind("GitHub user-to-server token", "ghu_", rf"ghu_{_AN}{{36}}\b"),
    TokenKind("GitHub server-to-server token", "ghs_", rf"ghs_{_AN}{{36}}\b"),
    TokenKind("GitHub refresh token", "ghr_", rf"ghr_{_AN}{{36,76}}\b"),
    TokenKind("GitHub fine-grained token", "github_pat_", r"github_pat_[A-Za-z0-9_]{82}\b"),
    TokenKind("GitLab personal access token", "glpat-", rf"glpat-{_URL}{{20,64}}"),
    TokenKind("GitLab deploy token", "gldt-", rf"gldt-{_URL}{{20,64}}"),
    TokenKind("GitLab runner token", "glrt-", rf"glrt-{_URL}{{20,64}}"),
    TokenKind("Slack token", "xox", r"xox[abeprs]-[A-Za-z0-9-]{20,250}"),
    TokenKind("Slack app token", "xapp-", r"xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{32,80}"),
    TokenKind("Slack webhook", "hooks.slack.com/", rf"hooks\.slack\.com/services/[A-Z0-9]+/[A-Z0-9]+/{_AN}{{20,}}"),
    TokenKind("Stripe live key", "_live_", rf"_live_{_AN}{{24,128}}\b"),
    TokenKind("Google API key", "AIza", rf"AIza{_URL}{{35}}"),
    TokenKind("Google OAuth client secret", "GOCSPX-", rf"GOCSPX-{_URL}{{28}}"),
    TokenKind("Google OAuth access token", "ya29.", rf"ya29\.{_URL}{{30,}}"),
    TokenKind("npm token", "npm_", rf"npm_{_AN}{{36}}\b"),
    TokenKind("PyPI token", "pypi-AgEIcHlwaS5vcmc", rf"pypi-AgEIcHlwaS5vcmc{_URL}{{50,}}"),
    TokenKind("RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}\b"),
    TokenKind("Docker Hub token", "dckr_pat_", rf"dckr_pat_{_URL}{{27,}}"),
    TokenKind("SendGrid key", "SG.", rf"SG\.{_URL}{{22}}\.{_URL}{{43}}"),
    TokenKind("Twilio key", "SK", r"SK[0-9a-f]{32}\b"),
    TokenKind("HashiCorp Vault token", "hvs.", rf"hvs\.{_URL}{{24,}}"),
    TokenKind("HashiCorp Vault batch token", "hvb.", rf"hvb\.{_URL}{{100,}}"),
    TokenKind("Terraform Cloud token", ".atlasv1.", rf"\.atlasv1\.{_URL}{{60,70}}"),
    TokenKind("DigitalOcean token", "dop_v1_", r"dop_v1_[0-9a-f]{64}\b"),
    TokenKind("DigitalOcean OAuth token", "doo_v1_", r"doo_v1_[0-9a-f]{64}\b"),
    TokenKind("Anthropic API key", "sk-ant-", rf"sk-ant-{_URL}{{32,}}"),
    TokenKind("OpenAI API key", "sk-proj-", rf"sk-proj-{_URL}{{40,}}"),
    TokenKind("OpenAI API key", "T3BlbkFJ", rf"T3BlbkFJ{_AN}{{20}}"),
    TokenKind("Hugging Face token", "hf_", rf"hf_{_AN}{{34,40}}\b"),
    TokenKind("Grafana service account token", "glsa_", rf"glsa_{_AN}{{32}}_[0-9a-f]{{8}}\b"),
    TokenKind("Grafana Cloud token", "glc_", rf"glc_{_B64}{{32,}}"),
    TokenKind("Atlassian token", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{100,}"),
    TokenKind("Shopify token", "shpat_", r"shpat_[0-9a-fA-F]{32}\b"),
    TokenKind("Square token", "sq0", rf"sq0(atp|csp)-{_URL}{{22,43}}"),
    TokenKind("Linear key", "lin_api_", rf"lin_api_{_AN}{{40}}\b"),
    TokenKind("New Relic key", "NRAK-", r"NRAK-[A-Z0-9]{27}\b"),
    TokenKind("Postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}\b"),
    TokenKind("Pulumi token", "pul-", r"pul-[0-9a-f]{40}\b"),
    TokenKind("Sentry token", "sntrys_", rf"sntrys_{_B64}{{40,}}"),
    TokenKind("Tailscale key", "tskey-", rf"tskey-[a-z]+-{_AN}+-{_AN}{{20,}}"),
    TokenKind("Databricks token", "dapi", r"dapi[0-9a-f]{32}\b"),
    TokenKind("Figma token", "figd_", rf"figd_{_URL}{{40,}}"),
    TokenKind("Doppler token", "dp.pt.", rf"dp\.pt\.{_AN}{{40,44}}\b"),
    TokenKind("Azure storage key", "AccountKey=", rf"AccountKey={_B64}{{86}}=="),
    TokenKind("Azure shared access key", "SharedAccessKey=", rf"SharedAccessKey={_B64}{{43}}="),
    TokenKind("age secret key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    TokenKind("JSON Web Token", "eyJ", rf"eyJ{_URL}{{10,}}\.eyJ{_URL}{{10,}}\.{_URL}{{20,}}"),
)

PRIVATE_KEY_KEYWORD = "-----BEGIN "
PRIVATE_KEY_PATTERN = (
    r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----(\\n|\s|\\r)+"
    r"([A-Za-z-]+: [^\n]*\n|\s)*[A-Za-z0-9+/=]{20,}"
)

NAME_KEYWORDS: tuple[str, ...] = (
    "password",
    "passwd",
    "passphrase",
    "_pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "private_key",
    "privatekey",
    "encryption_key",
    "signing_key",
    "credential",
    "authorization",
)
"""Lower-case ends of names whose values are secrets."""
