"""Results of tests of prompts as other tools read them: JUnit, GitHub's annotations, Markdown."""

import html
import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from reaseq.graphs.prompt_tests import Result
from reaseq.prompts.library import neutral

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~<>-])")
_NOT_RUN = ("unknown", "left")
_MOST = 50
"""Cases in the Markdown, and annotations: GitHub shows no more."""


def as_junit(results: Sequence[Result]) -> str:
    """JUnit's XML, as CI servers read it."""
    suite = ElementTree.Element(
        "testsuite",
        name="reaseq prompts",
        tests=str(len(results)),
        failures=str(sum(one.status == "failed" for one in results)),
        errors=str(sum(one.status == "error" for one in results)),
        skipped=str(sum(one.status in _NOT_RUN for one in results)),
        time=f"{sum(one.seconds for one in results):.3f}",
    )
    for one in results:
        case = ElementTree.SubElement(
            suite, "testcase", name=_NOT_IN_XML.sub("\ufffd", one.name), classname=one.file, file=one.file,
            line=str(one.line), time=f"{one.seconds:.3f}",
        )  # fmt: skip
        if one.status in _NOT_RUN:
            why = one.error or "all was stopped before its turn"
            ElementTree.SubElement(case, "skipped", message=_NOT_IN_XML.sub("\ufffd", why))
        elif one.status != "passed":
            said = one.error or "\n".join(f"{one.file}:{finding.line}: {finding.what}" for finding in one.findings)
            tag = "error" if one.status == "error" else "failure"
            first = (one.error or one.findings[0].what).splitlines()[0]
            what = ElementTree.SubElement(case, tag, message=_NOT_IN_XML.sub("\ufffd", first))
            what.text = _NOT_IN_XML.sub("\ufffd", said)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def annotations(results: Sequence[Result], *, tolerated: bool = False) -> Iterator[str]:
    """A workflow command of GitHub for each thing that is otherwise, at its line; see GitHub's docs, "Workflow
    commands for GitHub Actions". tolerated: do cases that fail not fail the step? Then they are warnings. What no
    schema knows is a notice."""
    for one in results:
        level = {"unknown": "notice", "failed": "warning" if tolerated else "error"}.get(one.status, "error")
        where = f"file={_property(one.file)},"
        for line, what in [(one.line, one.error)] if one.error else [(f.line, f.what) for f in one.findings]:
            yield f"::{level} {where}line={line},title={_property(one.name)}::{_data(what)}"


def _data(text: str) -> str:
    return neutral(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_markdown(results: Sequence[Result], verdict: str) -> str:
    """A few lines for a comment: the verdict, and each case that is otherwise. Nothing of a stranger's text is
    markup."""
    made = [f"### Prompts: {_plain(verdict)}", ""]
    bad = [one for one in results if one.status not in ("passed", "left")]
    for one in bad[:_MOST]:
        made.append(f"- **{_plain(one.name)}** ({_plain(one.file)})")
        said = [one.error] if one.error else [f"line {finding.line}: {finding.what}" for finding in one.findings]
        made += [f"  - {_plain(line)}" for line in said]
    if len(bad) > _MOST:
        made.append(f"- and {len(bad) - _MOST:,} more")
    return "\n".join(made) + "\n"


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(neutral(text).split()), quote=False)).replace("@", "@\u2060")
