"""What people write who answer, in English and Spanish, in small letters and without accents."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Mark(StrEnum):
    """What a phrase says. `TAKE` is "yes" as much as "I go": it takes the incident where the person may."""

    TAKE = "take"
    SEEN = "seen"
    HELP = "help"
    CLOSE = "close"
    ALL = "all"
    NO = "no"
    POLITE = "polite"
    AND = "and"


def _phrases(mark: Mark, *lines: str) -> dict[tuple[str, ...], Mark]:
    return {tuple(phrase.split()): mark for line in lines for phrase in line.split("|")}


PHRASES: Mapping[tuple[str, ...], Mark] = {
    **_phrases(
        Mark.TAKE,
        "ok|okay|okey|oki|okok|k|kk|okas|yes|yep|yeah|yup|sure|understood|will do|ack|acknowledge",
        "acknowledged|confirm|confirmed|going|i am going|i m going|im going|coming|on it|i m on it|im on it",
        "i am on it|on my way|omw|i am on my way|i m on my way|im on my way|mine|it s mine|its mine",
        "take|take it|taking|taking it|i take it|i ll take it|ill take it|i will take it|got it|i got it",
        "i ve got it|ive got it|have it|i have it",
        "vale|si|sip|sii|claro|de acuerdo|entendido|entendida|confirmo|confirmado|voy|ya voy|yo voy",
        "en camino|voy en camino|ya voy en camino|voy para alla|voy de camino|es mio|es mia|mio|mia",
        "lo tomo|la tomo|yo lo tomo|yo la tomo|tomo|lo tengo|la tengo|yo lo tengo",
        "me encargo|yo me encargo|me ocupo|it is mine",
        "👍|👌|✅|✔|☑|🆗",
    ),
    **_phrases(
        Mark.SEEN,
        "seen|i ve seen it|ive seen it|i have seen it|seen it|i saw it|saw it|read|noted|received|roger|copy",
        "thanks|thank you|thx|ty",
        "visto|vista|ya lo vi|lo vi|la vi|ya la vi|ya vi|lo he visto|leido|leida|enterado|enterada",
        "recibido|recibida|gracias|muchas gracias",
        "👀|🙏",
    ),
    **_phrases(
        Mark.HELP,
        "help|send help|need help|i need help|we need help|sos",
        "help with|need help with|i need help with|we need help with|need help at|i need help at",
        "ayuda con|ayuda en|necesito ayuda con|necesito ayuda en|necesitamos ayuda en",
        "ayuda|manda ayuda|manden ayuda|mande ayuda|necesito ayuda|necesitamos ayuda|pido ayuda|auxilio",
    ),
    **_phrases(
        Mark.CLOSE,
        "close|close it|close this|close that|close out|to close|i close|i close it|can close|can be closed",
        "cerrar|cerrarlo|cerrarla|cierra|cierralo|cierrala|cierre|cierrelo|cierrela|cierren|cierro",
        "se puede cerrar|quiero cerrar",
    ),
    **_phrases(Mark.ALL, "all|all of them|everything|both|todo|todos|todas|ambos|ambas|los dos|las dos"),
    **_phrases(
        Mark.NO,
        "no|nope|nah|not me|i can t|i cant|can t|cant|cannot|i cannot|no puedo|yo no|👎|❌|🚫|✋",
    ),
    **_phrases(
        Mark.POLITE,
        "hi|hello|hey|good morning|good afternoon|good evening|please|pls|plz|re|number|incident|for|the",
        "hola|buenos dias|buenas tardes|buenas noches|buenas|por favor|porfa|numero|incidente|para|el|la",
    ),
    **_phrases(Mark.AND, "and|y|e|plus"),
}
LONGEST_PHRASE = max(map(len, PHRASES))


def _whole(*lines: str) -> frozenset[str]:
    return frozenset(text for line in lines for text in line.split("|"))


STOP = _whole(
    "stop|stop all|stopall|unsubscribe|cancel|end|quit|revoke|optout|opt out|no more texts|no more messages",
    "baja|dar de baja|darme de baja|alto|parar|pare|detener|cancelar|no mas|no mas mensajes",
)
"""Whole messages. The English ones are what carriers and Twilio stop at their side too."""

START = _whole("start|unstop|subscribe|alta|dar de alta|iniciar|comenzar|reanudar")
HOW = _whole("help|help me|info|how|ayuda|informacion|como")
