"""Reading an MRRT template: HTML in, `Template` out, or a refusal that names element and line."""

from __future__ import annotations

from html.parser import HTMLParser

from workstation.reporting import template_guard as guard
from workstation.reporting.template_body import BodyBuilder
from workstation.reporting.template_model import ConceptCode, Template, TemplateRefused

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_SCHEMES = {"LOINC": "LN", "RADLEX": "RADLEX", "SNOMED-CT": "SCT", "SNOMED": "SCT"}


def read_template(html: bytes | str, source: str = "template") -> Template:
    """Read one template; raises TemplateRefused with `where` = "source, line n"."""
    data = html.encode() if isinstance(html, str) else html
    guard.check_size(data, source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateRefused(f"the text is not UTF-8 (byte {error.start})", source) from error
    reader = _Reader(source)
    reader.feed(text)
    reader.close()
    return reader.template()


class _CodedContent(HTMLParser):
    """The entries of MRRT's coded content: what a section or field is called in a code system.

    Read as tags like the rest, not by an XML parser: nothing here is worth what entities can do to one.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.codes: dict[str, ConceptCode] = {}
        self._origin = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "entry":
            self._origin = attributes.get("origtxt", "")
        elif tag == "code" and self._origin:
            scheme = attributes.get("scheme", "")
            code = ConceptCode(
                attributes.get("value", ""),
                _SCHEMES.get(scheme.upper(), scheme),
                attributes.get("meaning", ""),
            )
            self.codes.setdefault(self._origin, code)


class _Reader(HTMLParser):
    """Walks the elements, lets the guard see each, and hands the body to its builder."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.meta: list[tuple[str, str]] = []
        self.title = ""
        self.codes: dict[str, ConceptCode] = {}
        self.body: BodyBuilder | None = None
        self._open: list[str] = []
        self._elements = 0
        self._script: str | None = None
        self._scripts = 0

    @property
    def where(self) -> str:
        return f"{self.source}, line {self.getpos()[0]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        guard.check_element(tag, attributes, self.where)
        self._elements += 1
        if self._elements > guard.MOST_ELEMENTS or len(self._open) > guard.DEEPEST:
            raise TemplateRefused("too many or too deeply nested elements", self.where)
        if tag not in _VOID:
            self._open.append(tag)
        depth = len(self._open)
        if tag == "script":
            self._start_script(attributes)
        elif tag == "meta":
            self._start_meta(attributes)
        elif tag == "body":
            self.body = BodyBuilder()
        elif self.body is not None:
            self.body.start(tag, attributes, depth, self.where)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element and, as HTML does, those left open within it; a stray end tag is nothing."""
        while tag in self._open:
            closed = self._open.pop()
            if closed == "script":
                self._read_coded_content(self._script or "")
                self._script = None
            elif self.body is not None:
                self.body.end(closed, len(self._open), self.where)
            if closed == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script += data
        elif self._open and self._open[-1] == "style":
            guard.check_style(data, self.where)
        elif self._open and self._open[-1] == "title" and self.body is None:
            self.title += data
        elif self.body is not None:
            self.body.text(data)

    def _start_script(self, attributes: dict[str, str]) -> None:
        """One data block of coded content in the head is MRRT's own; anything else is a script."""
        self._scripts += 1
        kind = attributes.get("type", "").strip().lower()
        if kind not in {"text/xml", "application/xml"} or "src" in attributes:
            raise TemplateRefused("<script> is not allowed in a template", self.where)
        if self.body is not None or self._scripts > 1:
            raise TemplateRefused("only one <script type='text/xml'> in the head is allowed", self.where)
        self._script = ""

    def _start_meta(self, attributes: dict[str, str]) -> None:
        if name := attributes.get("name", "").strip().lower():
            self.meta.append((name, attributes.get("content", "").strip()))

    def _read_coded_content(self, text: str) -> None:
        guard.check_xml(text, self.where)
        content = _CodedContent()
        content.feed(text)
        content.close()
        self.codes = content.codes

    def template(self) -> Template:
        """What was read; refuses a file without a body, title or field."""
        if self.body is None:
            raise TemplateRefused("there is no <body>: this is not a report template", self.source)
        sections, remarks = self.body.sections(self.codes, self.source)
        metadata = tuple((n.removeprefix("dcterms."), v) for n, v in self.meta if n.startswith("dcterms."))
        known = dict(reversed(metadata))
        title = " ".join((known.get("title") or self.title).split())
        if not title:
            raise TemplateRefused("the template has no title", self.source)
        return Template(
            identifier=known.get("identifier") or title,
            title=title,
            sections=sections,
            language=known.get("language", "en"),
            modalities=self._listed("modality"),
            body_parts=self._listed("bodypart"),
            procedures=self._listed("procedure"),
            hotwords=self._listed("hotwords"),
            metadata=metadata,
            remarks=remarks,
            source=self.source,
        )

    def _listed(self, name: str) -> tuple[str, ...]:
        """Values of our own ``readingroom.…`` metadata, separated by semicolons."""
        text = ";".join(value for key, value in self.meta if key == f"readingroom.{name}")
        return tuple(part.strip() for part in text.split(";") if part.strip())
