"""A draft as a form: headings, labels and editors in the template's own order."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from workstation.reporting.doubts import Doubt
from workstation.reporting.draft import Draft, shown
from workstation.reporting.template_model import (
    CompletionAction,
    FieldKind,
    Label,
    Paragraph,
    TemplateField,
    TemplateSection,
)
from workstation.ui import theme, words
from workstation.ui.reporting.field_editor import ChoiceEditor, TextEditor, editor_of
from workstation.ui.widgets.basics import label
from workstation.ui.widgets.scrolling import ScrollArea


class ReportForm(ScrollArea):
    """Builds its editors once for a template, then only shows drafts of it."""

    edited = Signal(str, str, int)
    entered = Signal(str)
    placed = Signal(str, int, int)
    stepped = Signal(int)
    pointed = Signal(str)
    settled = Signal(str, object)
    replaced = Signal(str, object, str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(words.t("Report fields"))
        self.editors: dict[str, TextEditor | ChoiceEditor] = {}
        self._template: object = None

    def show_draft(self, draft: Draft, enabled: bool, doubts: Callable[[str], tuple[Doubt, ...]]) -> None:
        if draft.template is not self._template:
            self._build(draft)
        for name, editor in self.editors.items():
            editor.setEnabled(enabled)
            editor.show_text(shown(draft, name), name in draft.untouched, doubts(name))

    def put_cursor(self, draft: Draft, focus: bool) -> None:
        """The draft's cursor into its editor."""
        editor = self.editors.get(draft.cursor.field_id)
        if editor is None:
            return
        seen = shown(draft, draft.cursor.field_id)
        editor.put_cursor(seen.to_shown(draft.cursor.anchor), seen.to_shown(draft.cursor.caret))
        if focus:
            editor.setFocus()
            self.ensureWidgetVisible(editor, 0, theme.current().px(24))

    def _build(self, draft: Draft) -> None:
        self._template = draft.template
        self.editors = {}
        inside = QWidget()
        layout = QVBoxLayout(inside)
        px = theme.current().px
        layout.setContentsMargins(px(16), px(8), px(16), px(16))
        layout.setSpacing(px(4))
        for number, section in enumerate(draft.template.sections):
            self._section(layout, section, number)
        layout.addStretch(1)
        self.setWidget(inside)

    def _section(self, layout: QVBoxLayout, section: TemplateSection, number: int) -> None:
        if number:
            layout.addSpacing(theme.current().px(8))
        heading = label(section.heading, "strong" if section.level == 1 else "caption", name=section.heading)
        layout.addWidget(heading)
        for paragraph in section.paragraphs:
            self._paragraph(layout, paragraph, section)

    def _paragraph(self, layout: QVBoxLayout, paragraph: Paragraph, section: TemplateSection) -> None:
        """One free text gets the width; several small fields stand in a row with their labels."""
        fields = paragraph.fields
        if len(fields) == 1 and fields[0].kind is FieldKind.TEXTAREA:
            captions = [
                p.text if isinstance(p, Label) else p
                for p in paragraph.parts
                if not isinstance(p, TemplateField)
            ]
            caption = " ".join(captions).strip()
            if caption and caption.rstrip(":").casefold() != section.heading.casefold():
                layout.addWidget(self._caption(caption, fields[0]))
            layout.addWidget(self._editor(fields[0]))
            return
        line = QHBoxLayout()
        line.setSpacing(theme.current().px(6))
        for part in paragraph.parts:
            if isinstance(part, TemplateField):
                line.addWidget(self._editor(part), self._share(part))
            else:
                text = part.text if isinstance(part, Label) else part
                line.addWidget(label(text.strip(), "quiet", wrap=not fields))
        holder = QFrame()
        line.setContentsMargins(0, 0, 0, 0)
        holder.setLayout(line)
        layout.addWidget(holder)

    @staticmethod
    def _share(item: TemplateField) -> int:
        return {FieldKind.NUMBER: 1, FieldKind.DATE: 2, FieldKind.TIME: 1}.get(item.kind, 4)

    @staticmethod
    def _caption(text: str, item: TemplateField) -> QWidget:
        needed = " *" if item.completion is CompletionAction.PROHIBIT else ""
        return label(text.rstrip(":") + needed, "quiet")

    def _editor(self, item: TemplateField) -> QWidget:
        editor = editor_of(item)
        self.editors[item.identifier] = editor
        editor.edited.connect(self.edited)
        editor.entered.connect(self.entered)
        editor.stepped.connect(self.stepped)
        if isinstance(editor, TextEditor):
            editor.placed.connect(self.placed)
            editor.pointed.connect(self.pointed)
            editor.settled.connect(self.settled)
            editor.replaced.connect(self.replaced)
        return editor
