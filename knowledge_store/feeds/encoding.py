"""In which encoding a file's text is written: what its bytes say by themselves, else what its words look like."""

import codecs
import re
import zlib
from typing import BinaryIO, NamedTuple

from reaseq.knowledge_store.feeds.rows import EXPORT_AS, FeedError

_CHUNK = 1 << 18
_LOOKED_AT = 64 << 20
"""Bytes of a file that are looked at."""
_WORDS_FROM = 64 << 10
"""Bytes of lines beyond ASCII from which a legacy encoding is told."""
_BROKEN_OF = 20
"""A file whose characters beyond ASCII are whole in all but one of so many is UTF-8 with broken bytes in it."""
_FEWEST = 12
"""Bytes beyond ASCII from which an encoding of other letters than Latin is told."""
_GOOD_FROM = 0.8
"""Share of the words with letters beyond ASCII that one language must be able to write."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)", re.I
)
_WORD = re.compile(r"[^\W\d_](?:[^\s\"',;|./()\[\]<>-]*[^\W\d_])?")
_LATIN = ("cp1252", "iso8859-15", "cp1250", "cp1254", "cp1257", "mac_roman", "cp850")
"""Pages for Latin letters; of equals the first, which is what Windows writes in the West."""
_NOT_SIGNS = re.compile(rb"[^\x00-\x7f%s]" % "£€°×®™©½¼¾–—’‘“”„…•±µ§«»²³¹´¢¥·‚†‹›¡¿\u00a0".encode("cp1252"))
"""Anything but ASCII and the signs that cp1252 has beside its letters."""
_FRACTION = re.compile(rb"(?<=[\d ])[\xbc-\xbe](?=[\s\"';,)]|$)")
_EURO, _OF_WINDOWS = re.compile(rb"\d\s?\xa4|\xa4\s?\d"), re.compile(rb"[\x80-\x9f]")
"""The euro sign of Latin 9, which is a sign of no currency in Latin 1; and what no Latin page but Windows' has."""
_ALPHABETS = (
    # Letters beyond ASCII of a language's orthography (Unicode CLDR, main exemplar characters).
    *("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíóúüñ", "áàâãçéêíóôõú", "àèéìíîòóùú", "åäöéà", "åæøéàüö", "áéëïóöüèêíú", "äöåšž"),
    *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîșțşţ", "čćđšž"),
    *("çğıiöşü", "äöõüšž", "āčēģīķļņšūž", "ąčęėįšųūž"),
)
_OTHERS = (
    *("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256"),
    *("gb18030", "cp932", "euc_jp", "big5", "cp949"),
)
"""What charset-normalizer may choose from where no Latin page reads well."""


_HEBREW = re.compile("[אבגדהוזחטיכלמנסעפצקרשת]+[ךםןףץ]?")
"""Words without case, whose last letter may have a form of its own. In cp1251 the same bytes are Cyrillic letters."""
_GUESSED = "guessed; --encoding NAME if letters look wrong"


_BYTES_BEHIND = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
"""What Windows' page shows of bytes that follow another one of a character in UTF-8."""
_FIRST_BYTES = "ÂÃÄÅâÐÑ"
_SEVERAL_BYTES = re.compile(
    rf"[ÂÃ][\xa0-\xbf]|[ÃÄÅ][{_BYTES_BEHIND}](?=[^\W\d_])|â[€‚„][{_BYTES_BEHIND}]|(?:[ÐÑ][{_BYTES_BEHIND}]){{2,}}"
)


def encoded_twice(text: str) -> str:
    """The first word that was UTF-8 and was read by Windows' page and written again, and what it was ("cafÃ©, which
    was café"); "" if none looks so."""
    if text.isascii() or not any(sign in text for sign in _FIRST_BYTES):  # which takes a tenth of the search
        return ""
    if not (found := _SEVERAL_BYTES.search(text)):
        return ""
    begin, end = text.rfind(" ", 0, found.start()) + 1, text.find(" ", found.end())
    word = text[begin : end if end >= 0 else len(text)]
    try:
        b"".join(map(_byte_of, found[0])).decode("utf-8")
    except UnicodeDecodeError:
        return ""
    was = b"".join(map(_byte_of, word)).decode("utf-8", "replace").strip()
    return f"{word.strip()}, which was {was}"


def _byte_of(sign: str) -> bytes:
    """That Windows' page has for a sign; of the five that it has no signs for those of Latin 1."""
    try:
        return sign.encode("cp1252")
    except UnicodeEncodeError:
        return sign.encode("latin-1", "replace")


class Encoding(NamedTuple):
    """name: as Python has it. how: why, in words. sample: where it is a guess, a line that shows if it is right."""

    name: str
    how: str = ""
    sample: str = ""


def encoding_of(stream: BinaryIO, path: object, named: str | None = None) -> Encoding:
    """The encoding of a text; the stream is at its beginning before and after.

    Raises:
        FeedError: it is no text, `named` is no encoding, or none of the known reads it.
    """
    if named:
        try:
            return Encoding(codecs.lookup(named).name, "as told")
        except LookupError as error:
            raise FeedError(
                f"--encoding {named}: no such encoding", hint="--encoding cp1252, cp1250, gb18030, …"
            ) from error
    start = stream.read(_CHUNK)
    try:
        for bom, name in _BOMS:
            if start.startswith(bom):
                return Encoding(name, "by its byte order mark")
        even, odd = start[::2].count(0), start[1::2].count(0)
        if max(even, odd) > len(start) // 5 and min(even, odd) <= len(start) // 50:
            return Encoding("utf-16-be" if even > odd else "utf-16-le", "by its bytes")
        controls = sum(start.count(byte) for byte in range(32) if byte not in b"\t\n\r")
        if controls > max(10, len(start) // 20):
            raise FeedError(f"{path} is a binary file of no known format", hint=EXPORT_AS)
        whole, broken, lines = _as_utf8(start, stream)
        if not broken:
            return Encoding("utf-8")
        if whole >= _BROKEN_OF * broken or (broken == 1 and whole > 2):
            return Encoding("utf-8", f"with {broken:,} broken character{'s' * (broken > 1)}")
        return _legacy(start, lines, path) or Encoding("utf-8", f"with {broken:,} broken characters")
    finally:
        stream.seek(0)


def _as_utf8(start: bytes, stream: BinaryIO) -> tuple[int, int, bytes]:
    """How many characters beyond ASCII are whole UTF-8, how many are broken, and lines that have some."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    whole = broken = seen = 0
    kept = bytearray()
    chunk = start
    while chunk and seen < _LOOKED_AT:
        seen += len(chunk)
        if not chunk.isascii():
            text = decoder.decode(chunk)
            bad = text.count("\ufffd")
            broken += bad
            whole += len(text) - len(text.encode("ascii", "ignore")) - bad
            if bad and len(kept) < _WORDS_FROM:
                kept += b"".join(line for line in chunk.splitlines(keepends=True) if not line.isascii())[:_WORDS_FROM]
        try:
            chunk = stream.read(_CHUNK)
        except (OSError, EOFError, zlib.error):
            break  # it breaks off, which whoever reads the rows will tell
    return whole, broken, bytes(kept)


def _legacy(start: bytes, lines: bytes, path: object) -> Encoding | None:
    """None where there is too little to tell by."""
    from charset_normalizer import from_bytes

    if declared := _DECLARED.search(start[:4096]):
        try:
            name = codecs.lookup((declared[1] or declared[2]).decode("ascii", "replace")).name
            if name != "utf-8":
                # What says Latin 1 is Windows' page (https://encoding.spec.whatwg.org/#names-and-labels).
                return Encoding("cp1252" if name == "iso8859-1" else name, "as it says itself")
        except LookupError:
            pass
    # No Latin page but Windows' has anything at these bytes, and of no other than cp1252 these are fractions.
    windows = _OF_WINDOWS.search(lines) is not None
    pages = (
        ["cp1252"] if _FRACTION.search(lines) and _reads(_FRACTION.sub(b" ", lines), "cp1252") >= _GOOD_FROM else _LATIN
    )
    if not _NOT_SIGNS.search(lines):
        return Encoding("cp1252", _GUESSED, _shown(lines, "cp1252"))
    page = max((name for name in pages if not (windows and name == "iso8859-15")), key=lambda name: _reads(lines, name))
    if page == "cp1252" and _EURO.search(lines) and not _OF_WINDOWS.search(lines):
        page = "iso8859-15"
    if _reads(_FRACTION.sub(b" ", lines), page) < _GOOD_FROM:
        if sum(byte >= 0x80 for byte in lines) < _FEWEST:
            return None
        words = [word for word in _WORD.findall(lines.decode("cp1255", "replace")) if not word.isascii()]
        if words and all(_HEBREW.fullmatch(word) for word in words):
            return Encoding("cp1255", _GUESSED, _shown(lines, "cp1255"))
        best = from_bytes(lines, cp_isolation=list(_OTHERS), threshold=0.4).best()
        if best is None:
            raise FeedError(
                f"{path} is in an encoding that cannot be told", hint="name it: --encoding cp1252, cp1250, cp1251, …"
            )
        page = best.encoding
    return Encoding(page, _GUESSED, _shown(lines, page))


def _reads(data: bytes, page: str) -> float:
    """The share of the words with letters beyond ASCII that some one language writes so."""
    words = [word for word in _WORD.findall(data.decode(page, "replace")) if not word.isascii()]
    if page != _LATIN[0]:
        words = [word for word in words if len(word) > 2]  # a letter by itself tells nothing
    if not words:
        return 0.0
    return max(sum(_is_written(word, alphabet) for word in words) for alphabet in _ALPHABETS) / len(words)


def _is_written(word: str, alphabet: str) -> bool:
    """Are its letters beyond ASCII of the alphabet, not nearly all of them, no sign between them, no capital behind a
    small letter?"""
    beyond = [sign for sign in word.casefold() if not sign.isascii() and sign not in "’‘´"]
    few = len(word) < 3 or 5 * len(beyond) <= 4 * len(word)
    cased = word.isupper() or not any(sign.isupper() for sign in word[1:])
    return few and cased and all(sign in alphabet for sign in beyond)


def _shown(lines: bytes, page: str) -> str:
    texts = lines.decode(page, "replace").splitlines()
    return max(texts, key=lambda text: sum(not sign.isascii() for sign in text[:80]), default="")[:80].strip()
