"""What somebody wrote themselves in an answer by mail: without what they quote, and without their signature.

The library knows disclaimers and most programs' ways of quoting; what it misses of English and Spanish
programs is cut off before.
"""

from __future__ import annotations

import logging
import re

from mailparser_reply import EmailReplyParser  # type: ignore[import-untyped]

from escalation.inbound.words import fold

logger = logging.getLogger(__name__)

LANGUAGES = ["en", "es"]

_BEGINS = re.compile(
    r"^\s*(?:"
    r"(?:on|el|le)\b.{6,200}(?:wrote|escribio)\s*:\s*$"
    r"|-{3,}\s*(?:original message|mensaje original|forwarded message|mensaje reenviado)"
    r"|_{10,}\s*$"
    r"|(?:from|de)\s*:\s.*@"
    r"|(?:sent from my |enviado desde mi |get outlook for |obtener outlook para )"
    r"|--\s*$"
    r"|.{1,100} (?:reacted via|reacciono (?:a traves de|mediante|con|en)) gmail"
    r")",
    re.IGNORECASE,
)
_SMALL_PRINT = re.compile(
    r"^[\s*]*(?:confidential(?:ity)? notice|disclaimer\b|aviso (?:de confidencialidad|legal)|"
    r"(?:this|the information in this) (?:e-?mail|message)\b.{0,80}\b(?:confidential|intended)|"
    r"(?:este|la informacion de este) (?:correo|mensaje)\b.{0,80}\bconfidencial)"
)
"""What a company's mail server puts under every mail, unless it stands alone."""
_BANNER = re.compile(
    r"^\W*(?:external(?: e-?mail)?|correo externo)\W*$|"
    r"^\W*(?:external e-?mail|caution|warning|precaucion|advertencia|atencion)\b.{0,40}"
    r"\b(?:e-?mail|sender|message|correo|remitente|mensaje)\b.{0,60}\b(?:outside|external|extern[oa]|fuera)\b"
)
"""What it puts on top of one that comes from outside."""
_CONTINUES = re.compile(r"^\s*(?:on|el)\s.{6,160}$", re.IGNORECASE)
_ENDS = re.compile(r"(?:wrote|escribio)\s*:\s*$", re.IGNORECASE)
_QUOTED = re.compile(r"^\s*>")
LONGEST = 20_000


def own_words(text: str, *, name: str = "") -> str:
    """The new words of an answer. `name` is its writer's: a line that is only this begins the signature."""
    kept = _above_the_quote(text.replace("\r\n", "\n").replace("\r", "\n")[:LONGEST].split("\n"), name)
    plain = "\n".join(kept).strip()
    try:
        said = EmailReplyParser(languages=LANGUAGES).read(plain).latest_reply or ""
    except Exception:
        logger.exception("The quoted part of an answer could not be told from the rest.")
        said = plain
    return str(said).strip() or plain


def _above_the_quote(lines: list[str], name: str) -> list[str]:
    kept: list[str] = []
    for at, line in enumerate(lines):
        folded = fold(line.strip())
        if _BEGINS.match(folded) or _begins_in_two_lines(folded, lines[at + 1 : at + 3]):
            break
        if kept and name and folded.strip(" ,.-") in _signatures(name):
            break
        if kept and _SMALL_PRINT.match(folded):
            break
        if not _QUOTED.match(line) and (kept or not _BANNER.match(folded)):
            kept.append(line)
    return kept


def _begins_in_two_lines(folded: str, following: list[str]) -> bool:
    """ "On Tuesday OpsDesk" / "<opsdesk@…> wrote:" """
    return bool(_CONTINUES.match(folded)) and any(_ENDS.search(fold(line.strip())) for line in following)


def _signatures(name: str) -> set[str]:
    whole = fold(name)
    return {whole, whole.split(" ")[0]}
